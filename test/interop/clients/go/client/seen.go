package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// seen is what a client saw of one call, or of many alike.
type seen struct {
	Call     string            `json:"call"`
	Code     codes.Code        `json:"code"`
	Text     string            `json:"text,omitempty"`
	Messages int               `json:"messages"`
	Bytes    int               `json:"bytes"`
	SHA256   string            `json:"sha256"`
	Head     map[string]string `json:"head,omitempty"`
	Tail     map[string]string `json:"tail,omitempty"`
	Details  []string          `json:"details,omitempty"`
}

// messages is a digest of messages in their order.
type messages struct {
	count, bytes int
	hash         hash.Hash
}

func newMessages() *messages { return &messages{hash: sha256.New()} }

func (m *messages) add(message []byte) {
	m.count++
	m.bytes += len(message)
	m.hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(message))))
	m.hash.Write(message)
}

// summary of a call that ended with this error.
func (m *messages) summary(call string, err error, head, tail metadata.MD) (seen, error) {
	st := status.Convert(err)
	s := seen{
		Call: call, Code: st.Code(), Text: st.Message(), Messages: m.count, Bytes: m.bytes, SHA256: hex.EncodeToString(m.hash.Sum(nil)),
		Head: legible(head, "x-echo-head"), Tail: legible(tail, "x-echo-tail"),
	}
	for _, detail := range st.Details() {
		value, ok := detail.(*wrapperspb.BytesValue)
		if !ok {
			return s, fmt.Errorf("a detail is a %T", detail)
		}
		s.Details = append(s.Details, short(hex.EncodeToString(value.Value)))
	}
	return s, nil
}

// together is what was seen of many calls, in their order.
func together(call string, each []seen) seen {
	all := seen{Call: call}
	hash := sha256.New()
	for _, one := range each {
		all.Code = max(all.Code, one.Code)
		all.Messages += one.Messages
		all.Bytes += one.Bytes
		hash.Write([]byte(one.SHA256))
	}
	all.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return all
}

// legible is the metadata whose names begin so.
func legible(md metadata.MD, prefix string) map[string]string {
	out := map[string]string{}
	for name, values := range md {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		texts := make([]string, len(values))
		for i, value := range values {
			texts[i] = value
			if strings.HasSuffix(name, "-bin") {
				texts[i] = hex.EncodeToString([]byte(value))
			}
		}
		out[name] = short(strings.Join(texts, ", "))
	}
	return out
}

// short is a text itself, or a long one's digest.
func short(text string) string {
	if len(text) <= 100 {
		return text
	}
	return fmt.Sprintf("%d characters, sha256 %x", len(text), sha256.Sum256([]byte(text)))
}
