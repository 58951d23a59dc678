package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// step is one measurement of a plan. The counts alone decide what is asked, so that the same plan asks the same
// again when it meets a replay.
type step struct {
	Name string `json:"name"`
	// Method is Ping, ReadFile, Solve or ExecProcess; or Idle: Calls streams that are opened and left alone.
	Method string `json:"method"`
	// Callers call side by side on the one connection.
	Callers int `json:"callers"`
	// Calls are measured, after Warmup calls that are not.
	Calls  int `json:"calls"`
	Warmup int `json:"warmup"`
	// For ReadFile, the bytes of an answer. For ExecProcess, the bytes of output in a message.
	Size int `json:"size"`
	// For ExecProcess: how many messages a process writes, after WarmupMessages of another that are not measured, how
	// many such processes run one after the other (0 is 1), and what they write.
	Messages       int    `json:"messages"`
	WarmupMessages int    `json:"warmupMessages"`
	Processes      int    `json:"processes"`
	Fill           string `json:"fill"`
}

type result struct {
	Name      string  `json:"name"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"perSecond"`
	P50       float64 `json:"p50Ms,omitempty"`
	P99       float64 `json:"p99Ms,omitempty"`
	MiB       float64 `json:"mibPerSecond,omitempty"`
}

func load(args []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	to := flags.String("to", "", "unix://PATH to dial")
	plan := flags.String("plan", "", "JSON list of steps")
	hold := flags.Bool("hold", false, "after the results, keep the connection until stdin ends")
	timeout := flags.Duration("timeout", 2*time.Minute, "give up after")
	flags.Parse(args)
	var steps []step
	if err := json.Unmarshal([]byte(*plan), &steps); err != nil {
		return fmt.Errorf("--plan: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	client, err := dial(ctx, *to)
	if err != nil {
		return err
	}
	defer client.conn.Close()
	results := []result{}
	if err := client.begin(); err != nil {
		return err
	}
	for _, step := range steps {
		measured, err := client.measure(step)
		if err != nil {
			return fmt.Errorf("%s: %w", step.Name, err)
		}
		results = append(results, measured)
	}
	if err := client.end(); err != nil {
		return err
	}
	if err := printJSON(results); err != nil {
		return err
	}
	if *hold {
		io.Copy(io.Discard, os.Stdin)
	}
	return nil
}

// client is one build's frontend: a connection, the ids it made up, and the ref that its first Solve gave.
type client struct {
	ctx                context.Context
	conn               *grpc.ClientConn
	build              string
	buildEnded         chan error
	session, unique    string
	ref                string
	container          string
	exec               grpc.ClientStream
	cancelExec         context.CancelFunc
	processes, numbers int
}

func dial(ctx context.Context, address string) (*client, error) {
	path, err := socketPath(address)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("passthrough:///bench",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dialPatiently(ctx, path) }))
	if err != nil {
		return nil, err
	}
	return &client{
		ctx:        ctx,
		conn:       conn,
		build:      newID(),
		buildEnded: make(chan error, 1),
		session:    newID(),
		unique:     newID(),
	}, nil
}

// dialPatiently tries again until somebody listens: grpc-go's own pause after a refused connection is a second.
func dialPatiently(ctx context.Context, path string) (net.Conn, error) {
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func (c *client) call(method string, in, out message) error {
	return c.conn.Invoke(c.ctx, "/"+bridgeService+"/"+method, in, out)
}

func (c *client) listWorkers() error {
	return c.conn.Invoke(c.ctx, "/"+controlService+"/ListWorkers", &encoded{}, &encoded{})
}

// begin does as BuildKit's client does: ListWorkers, then Control/Solve, which lasts until the build has returned,
// and beside it the calls of the frontend, which carry the build's id.
func (c *client) begin() error {
	if err := c.listWorkers(); err != nil {
		return err
	}
	solve := appendString(appendString(nil, 1, c.build), 5, c.session)
	go func() {
		c.buildEnded <- c.conn.Invoke(c.ctx, "/"+controlService+"/Solve", &encoded{bytes: solve}, &encoded{})
	}()
	c.ctx = metadata.AppendToOutgoingContext(c.ctx, buildKey, c.build)
	if err := c.call("Ping", &encoded{}, &encoded{}); err != nil {
		return err
	}
	var answer solveResponse
	if err := c.call("Solve", &encoded{bytes: encodeSolve(0, 2, c.session, c.unique)}, &answer); err != nil {
		return err
	}
	c.ref = answer.ref
	return nil
}

// end does as BuildKit's client does: the exec stream is cancelled, not closed, then the build returns.
func (c *client) end() error {
	if c.exec != nil {
		if err := c.call("ReleaseContainer", &encoded{bytes: appendString(nil, 1, c.container)}, &encoded{}); err != nil {
			return err
		}
		c.cancelExec()
	}
	if err := c.call("Return", &encoded{bytes: appendBytes(nil, 1, encodeResult(c.ref))}, &encoded{}); err != nil {
		return err
	}
	return <-c.buildEnded
}

func (c *client) measure(s step) (result, error) {
	switch s.Method {
	case "ExecProcess":
		return c.measureExec(s)
	case "Idle":
		return c.openIdle(s)
	}
	if _, _, err := c.callMany(s, s.Warmup); err != nil {
		return result{}, err
	}
	latencies, elapsed, err := c.callMany(s, s.Calls)
	if err != nil {
		return result{}, err
	}
	slices.Sort(latencies)
	at := func(quantile float64) float64 {
		return latencies[int(quantile*float64(len(latencies)-1))].Seconds() * 1e3
	}
	return result{
		Name:      s.Name,
		Seconds:   elapsed.Seconds(),
		PerSecond: float64(s.Calls) / elapsed.Seconds(),
		P50:       at(.5),
		P99:       at(.99),
	}, nil
}

// openIdle opens streams of Control/Status and says nothing on them. A call after them shows that the server has them all.
func (c *client) openIdle(s step) (result, error) {
	begin := time.Now()
	for range s.Calls {
		if _, err := c.conn.NewStream(c.ctx, &grpc.StreamDesc{ServerStreams: true}, "/"+controlService+"/Status"); err != nil {
			return result{}, err
		}
	}
	if err := c.listWorkers(); err != nil {
		return result{}, err
	}
	elapsed := time.Since(begin)
	return result{Name: s.Name, Seconds: elapsed.Seconds(), PerSecond: float64(s.Calls) / elapsed.Seconds()}, nil
}

// callMany makes calls calls with the step's callers side by side, no two of them equal, and gives how long each took.
func (c *client) callMany(s step, calls int) ([]time.Duration, time.Duration, error) {
	first := c.numbers
	c.numbers += calls
	var next atomic.Int64
	var group sync.WaitGroup
	latencies := make([][]time.Duration, s.Callers)
	failures := make([]error, s.Callers)
	begin := time.Now()
	for caller := range s.Callers {
		group.Go(func() {
			mine := make([]time.Duration, 0, calls/s.Callers*2)
			for {
				n := int(next.Add(1)) - 1
				if n >= calls {
					break
				}
				request, answer := c.request(s, first+n)
				started := time.Now()
				if err := c.call(s.Method, request, answer); err != nil {
					failures[caller] = err
					break
				}
				mine = append(mine, time.Since(started))
			}
			latencies[caller] = mine
		})
	}
	group.Wait()
	elapsed := time.Since(begin)
	return slices.Concat(latencies...), elapsed, errors.Join(failures...)
}

func (c *client) request(s step, number int) (message, message) {
	switch s.Method {
	case "ReadFile":
		path := fmt.Sprintf("/src/package-%03d/file-%06d.go", number%997, number)
		return &readFileRequest{ref: c.ref, path: path, length: uint64(s.Size)}, &readFileResponse{}
	case "Solve":
		return &encoded{bytes: encodeSolve(number, 8, c.session, c.unique)}, &solveResponse{}
	default:
		return &encoded{}, &encoded{}
	}
}

func (c *client) measureExec(s step) (result, error) {
	if err := c.openExec(); err != nil {
		return result{}, err
	}
	if s.WarmupMessages > 0 {
		if _, err := c.runProcess(s, s.WarmupMessages); err != nil {
			return result{}, err
		}
	}
	var elapsed time.Duration
	processes := max(1, s.Processes)
	for range processes {
		each, err := c.runProcess(s, s.Messages)
		if err != nil {
			return result{}, err
		}
		elapsed += each
	}
	perSecond := float64(processes*s.Messages) / elapsed.Seconds()
	return result{
		Name:      s.Name,
		Seconds:   elapsed.Seconds(),
		PerSecond: perSecond,
		MiB:       perSecond * float64(s.Size) / (1 << 20),
	}, nil
}

func (c *client) openExec() error {
	if c.exec != nil {
		return nil
	}
	c.container = newID()
	request := appendString(nil, 1, c.container)
	// Mount{dest, resultID}
	mount := appendString(appendString(nil, 3, "/"), 23, c.ref)
	if err := c.call("NewContainer", &encoded{bytes: appendBytes(request, 2, mount)}, &encoded{}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.ctx)
	c.cancelExec = cancel
	stream, err := c.conn.NewStream(ctx, &bridge.Streams[0], "/"+bridgeService+"/ExecProcess")
	c.exec = stream
	return err
}

// runProcess starts one process and takes the time from its Started to its last byte of output. It reads on to
// Done, and fails unless every message came.
func (c *client) runProcess(s step, messages int) (time.Duration, error) {
	c.processes++
	process := c.container + ":" + strconv.Itoa(c.processes)
	args := []string{"emit", s.Fill, strconv.Itoa(messages), strconv.Itoa(s.Size)}
	if err := c.exec.SendMsg(&execMessage{process: process, kind: execInit, body: encodeInit(c.container, args)}); err != nil {
		return 0, err
	}
	var begin time.Time
	var elapsed time.Duration
	received := 0
	for {
		in := new(execMessage)
		if err := c.exec.RecvMsg(in); err != nil {
			return 0, err
		}
		if in.process != process {
			return 0, fmt.Errorf("a message of process %q came while %q ran", in.process, process)
		}
		switch in.kind {
		case execStarted:
			begin = time.Now()
		case execFile:
			if in.eof {
				break
			}
			received++
			if len(in.data) != s.Size {
				return 0, fmt.Errorf("message %d holds %d bytes, not %d", received, len(in.data), s.Size)
			}
			if received == messages {
				elapsed = time.Since(begin)
			}
		case execExit:
			if err := c.exec.SendMsg(&execMessage{process: process, kind: execFile, eof: true}); err != nil {
				return 0, err
			}
		case execDone:
			if received != messages {
				return 0, fmt.Errorf("%d messages of %d came", received, messages)
			}
			return elapsed, nil
		}
	}
}
