package main

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"bridgetape.test/interop/clients/echo"
)

type client struct {
	conn *grpc.ClientConn
	// slow is the deadline of the scenario of that name.
	slow time.Duration
}

var kinds = map[string]grpc.StreamDesc{
	echo.ServerStream: {ServerStreams: true},
	echo.ClientStream: {ClientStreams: true},
	echo.Bidi:         {ServerStreams: true, ClientStreams: true},
}

// unary makes a unary call from its order to its end.
func (c *client) unary(ctx context.Context, method string, order echo.Order) (seen, error) {
	var head, tail metadata.MD
	var answer wrapperspb.BytesValue
	got := newMessages()
	err := c.conn.Invoke(ctx, echo.Path(method), wrapperspb.Bytes(order.Bytes()), &answer, grpc.Header(&head), grpc.Trailer(&tail))
	if err == nil {
		got.add(answer.Value)
	}
	return got.summary(method+" "+order.Label, err, head, tail)
}

// call is a stream of any kind.
type call struct {
	name   string
	stream grpc.ClientStream
	cancel context.CancelFunc
	got    *messages
	// end is what ended it: io.EOF when all is well.
	end error
}

// open starts a stream with its order.
func (c *client) open(ctx context.Context, method string, order echo.Order) (*call, error) {
	ctx, cancel := context.WithCancel(ctx)
	desc := kinds[method]
	stream, err := c.conn.NewStream(ctx, &desc, echo.Path(method))
	if err != nil {
		cancel()
		return nil, err
	}
	opened := &call{name: method + " " + order.Label, stream: stream, cancel: cancel, got: newMessages()}
	if err := opened.send(order.Bytes()); err != nil {
		return nil, err
	}
	if !desc.ClientStreams {
		return opened, stream.CloseSend()
	}
	return opened, nil
}

// send hands a message to the transport. That a call has ended is heard from receive.
func (c *call) send(message []byte) error {
	if err := c.stream.SendMsg(wrapperspb.Bytes(message)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// receive takes one message; false when the call has ended.
func (c *call) receive() bool {
	var message wrapperspb.BytesValue
	if c.end = c.stream.RecvMsg(&message); c.end != nil {
		return false
	}
	c.got.add(message.Value)
	return true
}

// receiveN takes so many messages.
func (c *call) receiveN(n int) {
	for range n {
		if !c.receive() {
			return
		}
	}
}

// finish takes what is left, and tells what the call was like.
func (c *call) finish() (seen, error) {
	defer c.cancel()
	for c.end == nil {
		c.receive()
	}
	if errors.Is(c.end, io.EOF) {
		c.end = nil
	}
	head, _ := c.stream.Header()
	return c.got.summary(c.name, c.end, head, c.stream.Trailer())
}
