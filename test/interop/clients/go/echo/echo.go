// Package echo is what the server and the clients here agree on. The service
// has one method of each kind and two to meet by; every message is a
// google.protobuf.BytesValue. A call's first message is an Order, as JSON.
package echo

import (
	"crypto/sha3"
	"encoding/json"
)

// Methods of bridgetape.test.v1.Echo.
const (
	Service      = "bridgetape.test.v1.Echo"
	Unary        = "Unary"
	ServerStream = "ServerStream"
	ClientStream = "ClientStream"
	Bidi         = "Bidi"
	// Await answers when the call with the label has arrived, or has ended.
	Await = "Await"
	// Release ends the call with the label, which has outlived its deadline.
	Release = "Release"
)

// Path of a method, as HTTP/2 has it.
func Path(method string) string { return "/" + Service + "/" + method }

// Order says what a call is to get.
type Order struct {
	// Label seeds what the call is sent, and names it to Await and Release.
	Label string `json:"label"`
	// Messages of Size bytes that a server stream is sent.
	Messages int `json:"messages,omitempty"`
	Size     int `json:"size,omitempty"`
	// PauseMS passes before each of them.
	PauseMS int `json:"pauseMs,omitempty"`
	// Headers go out before anything else, with the metadata that was asked for.
	Headers bool `json:"headers,omitempty"`
	// Hold keeps the call from ending by itself.
	Hold bool `json:"hold,omitempty"`
	// Stop ends a client's stream after so many messages, the order not counted.
	Stop int `json:"stop,omitempty"`
	// The status. Details, Tail and TailBin are sizes in bytes.
	Code    uint32 `json:"code,omitempty"`
	Text    string `json:"text,omitempty"`
	Details []int  `json:"details,omitempty"`
	Tail    []int  `json:"tail,omitempty"`
	TailBin []int  `json:"tailBin,omitempty"`
	// Ended has Await answer when the call has ended.
	Ended bool `json:"ended,omitempty"`
}

// Bytes of the order.
func (o Order) Bytes() []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return b
}

// Content is so many bytes that look like nothing else, the same for a label in every language.
func Content(label string, size int) []byte { return Answer([]byte(label), size) }

// Answer to a message: bytes that only somebody who has read all of it can know.
func Answer(message []byte, size int) []byte { return sha3.SumSHAKE128(message, size) }

// Printable is content for a text field.
func Printable(label string, size int) string {
	b := Content(label, size)
	for i, c := range b {
		b[i] = '!' + c%94
	}
	return string(b)
}
