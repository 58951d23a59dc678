// Command server is the live half of the client tests: bridgetape.test.v1.Echo
// on a unix socket and on a loopback port, by grpc-go.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // for clients that compress
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"bridgetape.test/interop/clients/echo"
)

func main() {
	socket := flag.String("unix", "", "path of the unix socket to listen on")
	flag.Parse()
	if err := serve(*socket); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func serve(socket string) error {
	unix, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	s := &service{held: newHeld()}
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: echo.Service,
		Streams: []grpc.StreamDesc{
			{StreamName: echo.Unary, Handler: ordered(s.play)},
			{StreamName: echo.ServerStream, Handler: ordered(s.play), ServerStreams: true},
			{StreamName: echo.ClientStream, Handler: ordered(s.gather), ClientStreams: true},
			{StreamName: echo.Bidi, Handler: ordered(s.chat), ServerStreams: true, ClientStreams: true},
			{StreamName: echo.Await, Handler: ordered(s.await)},
			{StreamName: echo.Release, Handler: ordered(s.release)},
		},
	}, nil)
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(unix) }()
	go func() { ended <- server.Serve(tcp) }()
	fmt.Printf("listening on unix://%s and tcp://%s\n", socket, tcp.Addr())
	return <-ended
}

// ordered reads a call's first message, hands the order on, and ends the call as ordered.
func ordered(run func(echo.Order, grpc.ServerStream) error) grpc.StreamHandler {
	return func(_ any, stream grpc.ServerStream) error {
		message, err := receive(stream)
		if err != nil {
			return err
		}
		var order echo.Order
		if err := json.Unmarshal(message, &order); err != nil {
			return status.Errorf(codes.InvalidArgument, "the first message is no order: %v", err)
		}
		if order.Headers {
			if err := stream.SendHeader(asked(stream.Context())); err != nil {
				return err
			}
		}
		if err := run(order, stream); err != nil {
			return err
		}
		return end(order, stream)
	}
}

// asked is the client's metadata, on its way back.
func asked(ctx context.Context) metadata.MD {
	in, _ := metadata.FromIncomingContext(ctx)
	return metadata.MD{"x-echo-head": in["x-echo-ask"], "x-echo-head-bin": in["x-echo-ask-bin"]}
}

func end(order echo.Order, stream grpc.ServerStream) error {
	tail := metadata.MD{}
	for i, size := range order.Tail {
		tail.Append("x-echo-tail", echo.Printable(order.Label+"/tail/"+strconv.Itoa(i), size))
	}
	for i, size := range order.TailBin {
		tail.Append("x-echo-tail-bin", string(echo.Content(order.Label+"/tail-bin/"+strconv.Itoa(i), size)))
	}
	stream.SetTrailer(tail)
	if order.Code == 0 {
		return nil
	}
	var details []protoadapt.MessageV1
	for i, size := range order.Details {
		details = append(details, wrapperspb.Bytes(echo.Content(order.Label+"/detail/"+strconv.Itoa(i), size)))
	}
	st, err := status.New(codes.Code(order.Code), order.Text).WithDetails(details...)
	if err != nil {
		return err
	}
	return st.Err()
}

type service struct{ held *held }

// play sends what was ordered.
func (s *service) play(order echo.Order, stream grpc.ServerStream) error {
	for i := range order.Messages {
		time.Sleep(time.Duration(order.PauseMS) * time.Millisecond)
		if err := send(stream, echo.Content(order.Label+"/"+strconv.Itoa(i), order.Size)); err != nil {
			return err
		}
	}
	if order.Hold {
		return s.held.hold(stream.Context(), order.Label)
	}
	return nil
}

// gather answers a client's stream with a digest of it.
func (s *service) gather(order echo.Order, stream grpc.ServerStream) error {
	digest := sha256.New()
	for n := 0; order.Stop == 0 || n < order.Stop; n++ {
		message, err := receive(stream)
		if errors.Is(err, io.EOF) {
			return send(stream, digest.Sum(nil))
		}
		if err != nil {
			return err
		}
		digest.Write(binary.BigEndian.AppendUint32(nil, uint32(len(message))))
		digest.Write(message)
	}
	return nil
}

// chat answers each message, the order too.
func (s *service) chat(order echo.Order, stream grpc.ServerStream) error {
	if err := send(stream, echo.Content(order.Label, 32)); err != nil {
		return err
	}
	for n := 0; order.Stop == 0 || n < order.Stop; n++ {
		message, err := receive(stream)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := send(stream, echo.Answer(message, len(message))); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) await(order echo.Order, stream grpc.ServerStream) error {
	if order.Ended {
		s.held.outlast(order.Label)
	} else {
		<-s.held.named(order.Label).arrived
	}
	return send(stream, []byte(order.Label))
}

func (s *service) release(order echo.Order, stream grpc.ServerStream) error {
	close(s.held.named(order.Label).released)
	s.held.outlast(order.Label)
	return send(stream, []byte(order.Label))
}

func receive(stream grpc.ServerStream) ([]byte, error) {
	var message wrapperspb.BytesValue
	if err := stream.RecvMsg(&message); err != nil {
		return nil, err
	}
	return message.Value, nil
}

func send(stream grpc.ServerStream, value []byte) error {
	return stream.SendMsg(wrapperspb.Bytes(value))
}
