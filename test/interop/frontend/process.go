package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
)

// chunkLog keeps when each exec output chunk arrived, for tests of pacing.
type chunkLog struct {
	mu   sync.Mutex
	file *os.File
	err  error
}

type chunk struct {
	Process string  `json:"process"`
	Ms      float64 `json:"ms"`
	Fd      int     `json:"fd"`
	Bytes   int     `json:"bytes"`
}

func openChunkLog(path string) (*chunkLog, error) {
	if path == "" {
		return &chunkLog{}, nil
	}
	f, err := os.Create(path)
	return &chunkLog{file: f}, err
}

func (c *chunkLog) write(entries []chunk) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil {
		return
	}
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err == nil {
			_, err = c.file.Write(append(line, '\n'))
		}
		c.err = errors.Join(c.err, err)
	}
}

func (c *chunkLog) close() error {
	if c.file == nil {
		return nil
	}
	return errors.Join(c.err, c.file.Close())
}

// process is a process in a container, with its output kept per fd and its
// stdin held open by us.
type process struct {
	name  string
	ctr   gateway.ContainerProcess
	stdin *io.PipeWriter
	log   *chunkLog
	live  bool

	mu       sync.Mutex
	grown    *sync.Cond
	out      [3]strings.Builder
	arrivals []arrival
	ended    bool
	end      chan error
	started  time.Time
}

type arrival struct {
	at    time.Time
	fd    int
	bytes int
}

// command is what a scenario says about a process.
type command struct {
	args      []string
	script    string // run by busybox sh; wins over args
	env       []string
	cwd       string
	user      string
	tty       bool
	stdin     bool
	secretEnv []*pb.SecretEnv
}

func (r *run) start(ctx context.Context, ctr gateway.Container, name string, c command) (*process, error) {
	p := &process{name: name, log: r.chunks, live: r.live}
	p.grown = sync.NewCond(&p.mu)
	req := gateway.StartRequest{
		Args:      c.args,
		Env:       c.env,
		Cwd:       c.cwd,
		User:      c.user,
		Tty:       c.tty,
		SecretEnv: c.secretEnv,
		Stdout:    fdWriter{p, 1},
	}
	if c.script != "" {
		req.Args = []string{"/bin/busybox", "sh", "-c", c.script}
	}
	if !c.tty {
		req.Stderr = fdWriter{p, 2}
	}
	if c.stdin {
		r, w := io.Pipe()
		req.Stdin, p.stdin = r, w
	}
	proc, err := ctr.Start(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.mu.Lock()
	p.started = time.Now()
	p.mu.Unlock()
	p.ctr = proc
	p.end = make(chan error, 1)
	go func() {
		err := proc.Wait()
		p.mu.Lock()
		p.ended = true
		p.grown.Broadcast()
		p.mu.Unlock()
		p.end <- err
	}()
	return p, nil
}

type fdWriter struct {
	p  *process
	fd int
}

func (w fdWriter) Write(b []byte) (int, error) {
	now := time.Now()
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	w.p.out[w.fd].Write(b)
	w.p.arrivals = append(w.p.arrivals, arrival{now, w.fd, len(b)})
	w.p.grown.Broadcast()
	if w.p.live {
		_, _ = os.Stderr.Write(b)
	}
	return len(b), nil
}

func (w fdWriter) Close() error { return nil }

// expect waits until stdout holds text at or after an offset, and returns the
// offset behind it. It fails when the process ends first.
func (p *process) expect(ctx context.Context, from int, text string) (int, error) {
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.grown.Broadcast()
	})
	defer stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		out := p.out[1].String()
		if at := strings.Index(out[from:], text); at >= 0 {
			return from + at + len(text), nil
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("%s: waiting for %q: %w; stdout so far %q", p.name, text, context.Cause(ctx), out)
		}
		if p.ended {
			return 0, fmt.Errorf("%s ended without printing %q; stdout %q stderr %q", p.name, text, out, p.out[2].String())
		}
		p.grown.Wait()
	}
}

func (p *process) typeIn(text string) error {
	_, err := io.WriteString(p.stdin, text)
	return err
}

// wait ends the process's stdin, waits for its end and prints what it did.
func (p *process) wait(s *section) error {
	if p.stdin != nil {
		p.stdin.Close()
	}
	err := <-p.end
	p.mu.Lock()
	defer p.mu.Unlock()
	entries := make([]chunk, 0, len(p.arrivals))
	for _, a := range p.arrivals {
		entries = append(entries, chunk{p.name, float64(a.at.Sub(p.started)) / float64(time.Millisecond), a.fd, a.bytes})
	}
	p.log.write(entries)
	for _, fd := range []int{1, 2} {
		if text := p.out[fd].String(); len(text) > 4000 {
			s.say("%s fd %d %s", p.name, fd, content([]byte(text)))
		} else if text != "" {
			for _, line := range strings.SplitAfter(text, "\n") {
				if line != "" {
					s.say("%s fd %d %q", p.name, fd, line)
				}
			}
		}
	}
	if err != nil {
		s.say("%s ended badly", p.name)
		s.failure(err)
		return err
	}
	s.say("%s ended well", p.name)
	return nil
}

// runToEnd starts a process, feeds it and waits; a bad end is an observation,
// not an error of the run.
func (r *run) runToEnd(ctx context.Context, s *section, ctr gateway.Container, name string, c command, input []byte) error {
	c.stdin = input != nil
	p, err := r.start(ctx, ctr, name, c)
	if err != nil {
		s.failure(err)
		return nil
	}
	if input != nil {
		// A process may end before it has read everything, so what the pipe
		// says is no matter.
		stdin := p.stdin
		p.stdin = nil
		go func() {
			_, _ = stdin.Write(input)
			_ = stdin.Close()
		}()
	}
	_ = p.wait(s)
	return nil
}

// container makes a container on top of a solved reference.
func (r *run) container(ctx context.Context, root gateway.Reference, more ...gateway.Mount) (gateway.Container, error) {
	mounts := slices.Concat([]gateway.Mount{{Dest: "/", MountType: pb.MountType_BIND, Ref: root}}, more)
	return r.gw.NewContainer(ctx, gateway.NewContainerRequest{Mounts: mounts, NetMode: pb.NetMode_NONE})
}

func (s *section) release(ctx context.Context, ctr gateway.Container) {
	if err := ctr.Release(ctx); err != nil {
		s.say("release")
		s.failure(err)
		return
	}
	s.say("released")
}
