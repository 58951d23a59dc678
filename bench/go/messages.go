package main

// The few messages of moby.buildkit.v1.frontend and pb that the bench exchanges, with the field numbers of
// BuildKit's gateway.proto and ops.proto. Written by hand, as BuildKit's own generated code does it: straight
// into one buffer, no reflection.

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// message is what the codec can carry.
type message interface {
	size() int
	appendTo([]byte) []byte
	parse([]byte) error
}

// codec replaces grpc-go's "proto" codec, so that content-type stays application/grpc as BuildKit sends it.
type codec struct{}

func init() { encoding.RegisterCodecV2(codec{}) }

func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(message)
	if !ok {
		return nil, fmt.Errorf("%T is no message of the bench", v)
	}
	size := m.size()
	if mem.IsBelowBufferPoolingThreshold(size) {
		return mem.BufferSlice{mem.SliceBuffer(m.appendTo(make([]byte, 0, size)))}, nil
	}
	pool := mem.DefaultBufferPool()
	buffer := pool.Get(size)
	*buffer = m.appendTo((*buffer)[:0])
	return mem.BufferSlice{mem.NewBuffer(buffer, pool)}, nil
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(message)
	if !ok {
		return fmt.Errorf("%T is no message of the bench", v)
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	return m.parse(buffer.ReadOnlyData())
}

// fields calls each for every field of b. A length-delimited value arrives as bytes, a varint as number.
func fields(b []byte, each func(num protowire.Number, number uint64, bytes []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var number uint64
		var value []byte
		switch typ {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := each(num, number, value); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func appendString(b []byte, num protowire.Number, value string) []byte {
	if value == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), value)
}

func appendBytes(b []byte, num protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), value)
}

func appendNumber(b []byte, num protowire.Number, value uint64) []byte {
	if value == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), value)
}

func sizeField(num protowire.Number, length int) int {
	return protowire.SizeTag(num) + protowire.SizeBytes(length)
}

// encoded is a message whose bytes were made beforehand: requests with many parts, and answers that are the same
// each time. parse keeps a copy.
type encoded struct{ bytes []byte }

func (m *encoded) size() int                { return len(m.bytes) }
func (m *encoded) appendTo(b []byte) []byte { return append(b, m.bytes...) }
func (m *encoded) parse(b []byte) error     { m.bytes = append([]byte(nil), b...); return nil }

// solveResponse holds SolveResponse.result = Result{ref: Ref{id}}.
type solveResponse struct{ ref string }

func (m *solveResponse) size() int {
	return sizeField(3, sizeField(3, sizeField(1, len(m.ref))))
}

func (m *solveResponse) appendTo(b []byte) []byte { return appendBytes(b, 3, encodeResult(m.ref)) }

func (m *solveResponse) parse(b []byte) error {
	path := []protowire.Number{3, 3, 1}
	var descend func(depth int, b []byte) error
	descend = func(depth int, b []byte) error {
		return fields(b, func(num protowire.Number, _ uint64, value []byte) error {
			switch {
			case num != path[depth]:
				return nil
			case depth == len(path)-1:
				m.ref = string(value)
				return nil
			default:
				return descend(depth+1, value)
			}
		})
	}
	return descend(0, b)
}

// encodeResult is Result{ref: Ref{id}}.
func encodeResult(ref string) []byte { return appendBytes(nil, 3, appendString(nil, 1, ref)) }

// readFileRequest is ReadFileRequest{Ref, FilePath, Range{Offset, Length}}.
type readFileRequest struct {
	ref, path      string
	offset, length uint64
}

func (m *readFileRequest) fileRange() []byte {
	return appendNumber(appendNumber(nil, 1, m.offset), 2, m.length)
}

func (m *readFileRequest) size() int {
	return sizeField(1, len(m.ref)) + sizeField(2, len(m.path)) + sizeField(3, len(m.fileRange()))
}

func (m *readFileRequest) appendTo(b []byte) []byte {
	b = appendString(appendString(b, 1, m.ref), 2, m.path)
	return appendBytes(b, 3, m.fileRange())
}

func (m *readFileRequest) parse(b []byte) error {
	return fields(b, func(num protowire.Number, _ uint64, value []byte) error {
		switch num {
		case 1:
			m.ref = string(value)
		case 2:
			m.path = string(value)
		case 3:
			return fields(value, func(num protowire.Number, number uint64, _ []byte) error {
				switch num {
				case 1:
					m.offset = number
				case 2:
					m.length = number
				}
				return nil
			})
		}
		return nil
	})
}

// readFileResponse is ReadFileResponse{Data}.
type readFileResponse struct{ data []byte }

func (m *readFileResponse) size() int                { return sizeField(1, len(m.data)) }
func (m *readFileResponse) appendTo(b []byte) []byte { return appendBytes(b, 1, m.data) }

func (m *readFileResponse) parse(b []byte) error {
	return fields(b, func(num protowire.Number, _ uint64, value []byte) error {
		if num == 1 {
			m.data = append([]byte(nil), value...)
		}
		return nil
	})
}

// The members of ExecMessage's oneof Input, by field number.
const (
	execInit    protowire.Number = 2
	execFile    protowire.Number = 3
	execStarted protowire.Number = 5
	execExit    protowire.Number = 6
	execDone    protowire.Number = 7
)

// execMessage is ExecMessage with one member of its Input. File has fields of its own, being the hot one; any
// other member's bytes are in body.
type execMessage struct {
	process string
	kind    protowire.Number
	fd      uint64
	eof     bool
	data    []byte
	body    []byte
}

func (m *execMessage) fileSize() int {
	size := 0
	if m.fd != 0 {
		size += protowire.SizeTag(1) + protowire.SizeVarint(m.fd)
	}
	if m.eof {
		size += protowire.SizeTag(2) + 1
	}
	if len(m.data) > 0 {
		size += sizeField(3, len(m.data))
	}
	return size
}

func (m *execMessage) size() int {
	inner := len(m.body)
	if m.kind == execFile {
		inner = m.fileSize()
	}
	return sizeField(1, len(m.process)) + sizeField(m.kind, inner)
}

func (m *execMessage) appendTo(b []byte) []byte {
	b = appendString(b, 1, m.process)
	if m.kind != execFile {
		return appendBytes(b, m.kind, m.body)
	}
	b = protowire.AppendTag(b, m.kind, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(m.fileSize()))
	b = appendNumber(b, 1, m.fd)
	b = appendNumber(b, 2, protowire.EncodeBool(m.eof))
	if len(m.data) > 0 {
		b = appendBytes(b, 3, m.data)
	}
	return b
}

func (m *execMessage) parse(b []byte) error {
	return fields(b, func(num protowire.Number, _ uint64, value []byte) error {
		if num == 1 {
			m.process = string(value)
			return nil
		}
		m.kind = num
		if num != execFile {
			m.body = append([]byte(nil), value...)
			return nil
		}
		return fields(value, func(num protowire.Number, number uint64, value []byte) error {
			switch num {
			case 1:
				m.fd = number
			case 2:
				m.eof = protowire.DecodeBool(number)
			case 3:
				m.data = append([]byte(nil), value...)
			}
			return nil
		})
	})
}

// encodeInit is InitMessage{ContainerID, Meta{args, cwd}, Fds}. The fds stand packed, as proto3 has them.
func encodeInit(container string, args []string) []byte {
	var meta []byte
	for _, arg := range args {
		meta = appendString(meta, 1, arg)
	}
	meta = appendString(meta, 3, "/")
	b := appendString(nil, 1, container)
	b = appendBytes(b, 2, meta)
	return appendBytes(b, 3, []byte{0, 1, 2})
}

// parseInitArgs gives the arguments of an InitMessage's Meta.
func parseInitArgs(body []byte) ([]string, error) {
	var args []string
	err := fields(body, func(num protowire.Number, _ uint64, value []byte) error {
		if num != 2 {
			return nil
		}
		return fields(value, func(num protowire.Number, _ uint64, value []byte) error {
			if num == 1 {
				args = append(args, string(value))
			}
			return nil
		})
	})
	return args, err
}
