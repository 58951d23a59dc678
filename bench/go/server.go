package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	bridgeService  = "moby.buildkit.v1.frontend.LLBBridge"
	controlService = "moby.buildkit.v1.Control"
	// buildKey is the metadata that says to which build a bridge call belongs.
	buildKey = "buildkit-controlapi-buildid"
)

// socketPath knows one kind of address, all that the bench uses.
func socketPath(address string) (string, error) {
	path, ok := strings.CutPrefix(address, "unix://")
	if !ok || path == "" {
		return "", fmt.Errorf("address %q is not unix://PATH", address)
	}
	return path, nil
}

func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	listen := flags.String("listen", "", "unix://PATH to listen on")
	flags.Parse(args)
	path, err := socketPath(*listen)
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	server.RegisterService(&bridge, nil)
	server.RegisterService(&control, nil)
	stop := terminated()
	go func() {
		<-stop
		server.Stop()
	}()
	fmt.Fprintln(os.Stderr, "listening on", *listen)
	return server.Serve(listener)
}

var bridge = grpc.ServiceDesc{
	ServiceName: bridgeService,
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		unary("Ping", func(context.Context, *encoded) (message, error) { return pong, nil }),
		unary("Solve", func(context.Context, *encoded) (message, error) { return &solveResponse{ref: newID()}, nil }),
		unary("ReadFile", readFile),
		unary("NewContainer", empty),
		unary("ReleaseContainer", empty),
		unary("Return", returned),
	},
	Streams: []grpc.StreamDesc{
		{StreamName: "ExecProcess", Handler: execProcess, ServerStreams: true, ClientStreams: true},
	},
}

// control has what a client asks for before its frontend's calls.
var control = grpc.ServiceDesc{
	ServiceName: controlService,
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		unary("ListWorkers", func(context.Context, *encoded) (message, error) { return workers, nil }),
		unary("Solve", build),
	},
}

// workers is a ListWorkersResponse with one WorkerRecord{ID, Labels}.
var workers = func() *encoded {
	worker := appendString(nil, 1, newID())
	worker = appendBytes(worker, 2, mapEntry("org.mobyproject.buildkit.worker.executor", "oci"))
	return &encoded{bytes: appendBytes(nil, 1, worker)}
}()

func empty(context.Context, *encoded) (message, error) { return &encoded{}, nil }

// builds holds a channel for each build id, closed when its frontend has called Return.
var builds sync.Map

func buildEnd(id string) chan struct{} {
	end, _ := builds.LoadOrStore(id, make(chan struct{}))
	return end.(chan struct{})
}

// build is Control/Solve: it lasts as long as the frontend's calls do.
func build(ctx context.Context, in *encoded) (message, error) {
	var id string
	err := fields(in.bytes, func(num protowire.Number, _ uint64, value []byte) error {
		if num == 1 {
			id = string(value)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer builds.Delete(id)
	select {
	case <-buildEnd(id):
		return &encoded{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func returned(ctx context.Context, _ *encoded) (message, error) {
	ids := metadata.ValueFromIncomingContext(ctx, buildKey)
	if len(ids) != 1 {
		return nil, status.Errorf(codes.InvalidArgument, "Return with %d values of %s", len(ids), buildKey)
	}
	close(buildEnd(ids[0]))
	return &encoded{}, nil
}

// request is a pointer to Req that is a message.
type request[Req any] interface {
	*Req
	message
}

func unary[Req any, P request[Req]](name string, answer func(context.Context, P) (message, error)) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := P(new(Req))
			if err := decode(in); err != nil {
				return nil, err
			}
			return answer(ctx, in)
		},
	}
}

// pong is a PongResponse with capabilities of the kind that BuildKit lists: APICap{ID=1, Enabled=2}.
var pong = func() *encoded {
	var b []byte
	for _, id := range []string{"solve.base", "solve.inlinereturn", "resolveimage", "readfile", "readdir", "statfile", "frontend.inputs", "gateway.exec"} {
		b = appendBytes(b, 1, appendNumber(appendString(nil, 1, id), 2, 1))
	}
	for _, id := range []string{"source.image", "source.local", "source.git", "source.http", "exec.meta.base", "exec.mount.bind", "file.base"} {
		b = appendBytes(b, 2, appendNumber(appendString(nil, 1, id), 2, 1))
	}
	return &encoded{bytes: b}
}()

// corpusSize is larger than any compressor's window (brotli: 16 MiB), so that a recorder can't gain from the bench
// repeating itself.
const corpusSize = 64 << 20

// corpora holds the two kinds of output that processes make here: text reads like a build's log, random is what no
// compressor can shrink.
var corpora = map[string]func() []byte{
	"text":   sync.OnceValue(textCorpus),
	"random": sync.OnceValue(randomCorpus),
}

func randomCorpus() []byte {
	b := make([]byte, corpusSize)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func textCorpus() []byte {
	words := strings.Fields(`CC LD AR install checking whether the compiler accepts -O2 -g -Wall for yes no ok failed cached
		extracting downloading configure make generated usr lib include share src build object shared static library kernel
		module package version index manifest layer sha256 digest error warning note unused variable declared here in function
		from at line column of and with without to done wrote read bytes files folder link target depends on`)
	source := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 0, corpusSize+256)
	for line := 0; len(b) < corpusSize; line++ {
		b = fmt.Appendf(b, "#%d %d.%03d ", 1+source.IntN(40), line/1000, line%1000)
		for range 3 + source.IntN(9) {
			b = append(b, words[source.IntN(len(words))]...)
			b = append(b, " /.-_"[source.IntN(5)])
		}
		if source.IntN(4) == 0 {
			b = fmt.Appendf(b, "%x", source.Uint64())
		}
		b = append(b, '\n')
	}
	return b[:corpusSize]
}

// readFile answers with as many bytes as the range asks for, another part of the corpus for another path.
func readFile(_ context.Context, in *readFileRequest) (message, error) {
	const limit = 1 << 20
	if in.length > limit {
		return nil, status.Errorf(codes.InvalidArgument, "ReadFile of %d bytes: the bench serves at most %d", in.length, limit)
	}
	offset := uint64(14695981039346656037)
	for _, letter := range []byte(in.path) {
		offset = (offset ^ uint64(letter)) * 1099511628211
	}
	offset %= corpusSize - limit
	return &readFileResponse{data: corpora["text"]()[offset : offset+in.length]}, nil
}

// execProcess runs any number of made-up processes on one stream, each `emit KIND MESSAGES SIZE`: Started, its
// output, Exit, the ends of stdout and stderr, and Done when the client has closed stdin.
func execProcess(_ any, stream grpc.ServerStream) error {
	var sending sync.Mutex
	send := func(m *execMessage) error {
		sending.Lock()
		defer sending.Unlock()
		return stream.SendMsg(m)
	}
	stdin := map[string]chan struct{}{}
	for {
		in := new(execMessage)
		if err := stream.RecvMsg(in); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		switch {
		case in.kind == execInit:
			args, err := parseInitArgs(in.body)
			if err != nil {
				return err
			}
			output, err := parseEmit(args)
			if err != nil {
				return status.Error(codes.InvalidArgument, err.Error())
			}
			closed := make(chan struct{})
			stdin[in.process] = closed
			go output.run(in.process, send, closed)
		case in.kind == execFile && in.fd == 0 && in.eof:
			if closed, ok := stdin[in.process]; ok {
				delete(stdin, in.process)
				close(closed)
			}
		}
	}
}

type emit struct {
	corpus         []byte
	messages, size int
}

func parseEmit(args []string) (*emit, error) {
	if len(args) != 4 || args[0] != "emit" {
		return nil, fmt.Errorf("process %q: the bench only runs: emit text|random MESSAGES SIZE", args)
	}
	corpus, ok := corpora[args[1]]
	messages, err := strconv.Atoi(args[2])
	if err == nil {
		var size int
		if size, err = strconv.Atoi(args[3]); err == nil && ok && size >= stampSize && size <= 1<<20 {
			return &emit{corpus(), messages, size}, nil
		}
	}
	return nil, fmt.Errorf("process %q: the bench only runs: emit text|random MESSAGES SIZE, SIZE from %d to 1 MiB", args, stampSize)
}

// stampSize is the room that a message's number takes: no two messages are equal, so nothing can be kept just once.
const stampSize = 10

func (e *emit) run(process string, send func(*execMessage) error, stdinClosed <-chan struct{}) {
	step := func(m execMessage) bool {
		m.process = process
		return send(&m) == nil
	}
	if !step(execMessage{kind: execStarted}) {
		return
	}
	data := make([]byte, e.size)
	position := 0
	for i := range e.messages {
		if position+e.size > len(e.corpus) {
			position = 0
		}
		copy(data, e.corpus[position:position+e.size])
		position += e.size
		number := i
		for digit := stampSize - 1; digit >= 0; digit-- {
			data[digit] = byte('0' + number%10)
			number /= 10
		}
		// The codec copies the data before SendMsg returns, so one buffer serves for all.
		if !step(execMessage{kind: execFile, fd: 1, data: data}) {
			return
		}
	}
	// Exit with code 0 has no fields.
	if step(execMessage{kind: execExit}) &&
		step(execMessage{kind: execFile, fd: 1, eof: true}) &&
		step(execMessage{kind: execFile, fd: 2, eof: true}) {
		<-stdinClosed
		step(execMessage{kind: execDone})
	}
}
