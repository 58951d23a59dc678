package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"syscall"

	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gatewayapi "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/solver/pb"
)

// waiter is a first process that keeps its container alive until it is told
// to stop.
const waiter = "echo ready; read line; echo told to $line"

// holding makes a container with a waiter in it and ends it after use.
func (r *run) holding(ctx context.Context, s *section, req gateway.NewContainerRequest, use func(gateway.Container) error) error {
	ctr, err := r.gw.NewContainer(ctx, req)
	if err != nil {
		s.failure(err)
		return err
	}
	first, err := r.start(ctx, ctr, s.name+" pid 1", command{script: waiter, stdin: true})
	if err != nil {
		return err
	}
	if _, err := first.expect(ctx, 0, "ready\n"); err != nil {
		return err
	}
	if err := use(ctr); err != nil {
		return err
	}
	if err := first.typeIn("stop\n"); err != nil {
		return err
	}
	if err := first.wait(s); err != nil {
		return err
	}
	s.release(ctx, ctr)
	return nil
}

func rootMount(ref gateway.Reference) gateway.Mount {
	return gateway.Mount{Dest: "/", MountType: pb.MountType_BIND, Ref: ref}
}

// manyProcesses: one container with mounts of every kind, a first process and
// others beside it.
func manyProcesses(ctx context.Context, r *run, base gateway.Reference) error {
	s := r.tr.section("container")
	docs, err := r.solveRef(ctx, llb.Scratch().File(llb.Mkdir("/sub", 0o755, llb.WithCreatedTime(longAgo)).
		Mkfile("/sub/doc", 0o644, []byte("a document\n"), llb.WithCreatedTime(longAgo)), llb.WithCustomName("make a document")))
	if err != nil {
		return err
	}
	req := gateway.NewContainerRequest{
		Mounts: []gateway.Mount{
			rootMount(base),
			{Dest: "/docs", MountType: pb.MountType_BIND, Ref: docs, Readonly: true, Selector: "/sub"},
			{Dest: "/quick", MountType: pb.MountType_TMPFS},
			{Dest: "/kept", MountType: pb.MountType_CACHE, CacheOpt: &pb.CacheOpt{ID: "bridgetape-interop", Sharing: pb.CacheSharingOpt_PRIVATE}},
			{Dest: "/greeting", MountType: pb.MountType_SECRET, SecretOpt: &pb.SecretOpt{ID: "greeting", Mode: 0o400}},
		},
		NetMode:  pb.NetMode_NONE,
		Hostname: "taped",
	}
	if r.can(s, gatewayapi.CapGatewayExecExtraHosts) {
		req.ExtraHosts = []*pb.HostIP{{Host: "friend", IP: "127.0.0.9"}}
	}
	return r.holding(ctx, s, req, func(ctr gateway.Container) error {
		for _, step := range []struct {
			name  string
			c     command
			input []byte
		}{
			{"look", command{script: "pwd; id -u; hostname; echo $COLOUR", env: []string{"COLOUR=green"}, cwd: "/docs", user: "user"}, nil},
			{"mounts", command{script: "cat /docs/doc /greeting; echo; echo x > /quick/x; echo y > /kept/y; ls /quick /kept; echo z > /docs/z"}, nil},
			{"hosts", command{script: "grep friend /etc/hosts"}, nil},
			{"both streams", command{script: "echo out one; echo err one >&2; echo out two; echo err two >&2"}, nil},
			{"argv", command{args: []string{"/bin/busybox", "printf", "%s|", "a b", "", "ü", "$HOME"}}, nil},
			{"silent", command{args: []string{"/bin/busybox", "true"}}, nil},
			{"empty stdin", command{script: "wc -c"}, []byte{}},
			{"long stdin", command{script: "sha256sum; echo read it all"}, pattern(100_003)},
			{"stdin to stdout", command{script: "cat"}, []byte("one line\nand a half")},
			{"stdin left unread", command{script: "echo not listening"}, []byte("hello?\n")},
			{"binary", command{script: `printf '\000\001\377'`}, nil},
			{"long output", command{script: "seq 1 20000 | sha256sum; seq 1 3000"}, nil},
		} {
			if step.name == "hosts" && req.ExtraHosts == nil {
				continue
			}
			// A bad end would take the whole container along, so none of these
			// may end badly.
			if step.name == "mounts" {
				step.c.script += " 2>/dev/null || echo read only"
			}
			if err := r.runToEnd(ctx, s, ctr, step.name, step.c, step.input); err != nil {
				return err
			}
		}
		if r.can(s, gatewayapi.CapGatewayExecSecretEnv) {
			secret := command{script: "echo greeting is $GREETING", secretEnv: []*pb.SecretEnv{{ID: "greeting", Name: "GREETING"}}}
			if err := r.runToEnd(ctx, s, ctr, "secret", secret, nil); err != nil {
				return err
			}
		}
		return r.atOnce(ctx, ctr)
	})
}

// pattern is content that a shifted, doubled or lost piece would change.
func pattern(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte('a' + (i*7+i/251)%26)
	}
	return out
}

// atOnce: processes side by side on the one stream, first on their own, then
// two that answer each other.
func (r *run) atOnce(ctx context.Context, ctr gateway.Container) error {
	talk := func(name string) func(*section) error {
		return func(s *section) error {
			text := fmt.Sprintf("for i in 1 2 3 4 5; do echo %s out $i; echo %s err $i >&2; usleep 5000; done", name, name)
			return r.runToEnd(ctx, s, ctr, name, command{script: text}, nil)
		}
	}
	if err := r.tr.together("at once:", map[string]func(*section) error{"left": talk("left"), "right": talk("right"), "up": talk("up")}); err != nil {
		return err
	}

	s := r.tr.section("ping-pong")
	const echo = `while read -r ball; do echo "$who returns $ball"; done; echo "$who is done"`
	var players []*process
	for _, who := range []string{"ping", "pong"} {
		p, err := r.start(ctx, ctr, who, command{script: echo, env: []string{"who=" + who}, stdin: true})
		if err != nil {
			return err
		}
		players = append(players, p)
	}
	for i := range 6 {
		p := players[i%2]
		if err := p.typeIn(fmt.Sprintf("ball %d\n", i)); err != nil {
			return err
		}
		if _, err := p.expect(ctx, 0, fmt.Sprintf("returns ball %d\n", i)); err != nil {
			return err
		}
	}
	for _, p := range players {
		if err := p.wait(s); err != nil {
			return err
		}
	}
	return nil
}

// terminal: a shell on a tty, resized twice, typed at, and left.
func terminal(ctx context.Context, r *run, base gateway.Reference) error {
	s := r.tr.section("terminal")
	ctr, err := r.container(ctx, base)
	if err != nil {
		return err
	}
	shell, err := r.start(ctx, ctr, "shell", command{script: plainShell, env: []string{"TERM=xterm-256color"}, tty: true, stdin: true})
	if err != nil {
		return err
	}
	err = shell.converse(ctx, []exchange{
		{await: "$ ", resize: &gateway.WinSize{Rows: 30, Cols: 100}, enter: "screen 30 100\n"},
		{await: "screen is 30 100\r\n$ ", resize: &gateway.WinSize{Rows: 50, Cols: 132}, enter: "screen 50 132\n"},
		{await: "screen is 50 132\r\n$ ", enter: "test -t 0 && test -t 1 && test -t 2 && echo all three on $TERM\n"},
		{await: "all three on xterm-256color\r\n$ ", enter: "echo to stderr >&2; printf '\\033[1mbold\\033[0m\\n'\n"},
		{await: "bold\x1b[0m\r\n$ ", enter: "read x && echo got $x\n"},
		{await: "got $x\r\n", enter: "typed, erased\x15kept\n"},
		{await: "got kept\r\n$ ", enter: quietEnd},
		{await: "bye\r\n$ ", enter: "exit 0\n"},
	})
	if err != nil {
		return err
	}
	if err := shell.wait(s); err != nil {
		return err
	}
	s.release(ctx, ctr)
	return nil
}

// alone runs one process as the first of a container of its own, since a bad
// end takes its container along.
func (r *run) alone(ctx context.Context, s *section, base gateway.Reference, c command) error {
	ctr, err := r.container(ctx, base)
	if err != nil {
		s.failure(err)
		return nil
	}
	if err := r.runToEnd(ctx, s, ctr, "process", c, nil); err != nil {
		return err
	}
	s.release(ctx, ctr)
	return nil
}

func exitCodes(ctx context.Context, r *run, base gateway.Reference) error {
	for _, code := range []int{0, 1, 42, 126, 255} {
		s := r.tr.section(fmt.Sprintf("exit code %d", code))
		if err := r.alone(ctx, s, base, command{script: fmt.Sprintf("echo leaving; exit %d", code)}); err != nil {
			return err
		}
	}
	return nil
}

func signals(ctx context.Context, r *run, base gateway.Reference) error {
	s := r.tr.section("signals")
	if !r.can(s, gatewayapi.CapGatewayExecSignals) {
		return nil
	}
	send := func(s *section, p *process, from int, sig syscall.Signal, answer string) (int, error) {
		if err := p.ctr.Signal(ctx, sig); err != nil {
			return 0, err
		}
		if answer == "" {
			return from, nil
		}
		s.say("signal %v", sig)
		return p.expect(ctx, from, answer)
	}
	listens := `trap 'echo got HUP' HUP; trap 'echo got USR1' USR1; trap 'echo got TERM; exit 5' TERM; echo ready; ` + until("false")
	for _, last := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		s := r.tr.section(fmt.Sprintf("signals up to %v", last))
		ctr, err := r.container(ctx, base)
		if err != nil {
			return err
		}
		p, err := r.start(ctx, ctr, "listener", command{script: listens})
		if err != nil {
			return err
		}
		heard, err := p.expect(ctx, 0, "ready\n")
		if err != nil {
			return err
		}
		if heard, err = send(s, p, heard, syscall.SIGHUP, "got HUP\n"); err != nil {
			return err
		}
		if heard, err = send(s, p, heard, syscall.SIGUSR1, "got USR1\n"); err != nil {
			return err
		}
		if _, err = send(s, p, heard, last, ""); err != nil {
			return err
		}
		_ = p.wait(s)
		s.release(ctx, ctr)
	}
	return nil
}

// containers: several at the same time, each with its own process.
func containers(ctx context.Context, r *run, base gateway.Reference) error {
	one := func(name string) func(*section) error {
		return func(s *section) error {
			req := gateway.NewContainerRequest{Mounts: []gateway.Mount{rootMount(base)}, NetMode: pb.NetMode_NONE}
			return r.holding(ctx, s, req, func(ctr gateway.Container) error {
				return r.runToEnd(ctx, s, ctr, name, command{script: "cat > /mine; cat /mine; ls /mine"}, []byte("belongs to "+name+"\n"))
			})
		}
	}
	if err := r.tr.together("containers at once:", map[string]func(*section) error{"east": one("east"), "north": one("north"), "west": one("west")}); err != nil {
		return err
	}

	s := r.tr.section("container released early")
	ctr, err := r.container(ctx, base)
	if err != nil {
		return err
	}
	// Without stdin: releasing under a process whose stdin is open never ends on
	// v0.8.3, where the daemon waits for the copy of that stdin.
	p, err := r.start(ctx, ctr, "sitter", command{script: "echo ready; " + until("false")})
	if err != nil {
		return err
	}
	if _, err := p.expect(ctx, 0, "ready\n"); err != nil {
		return err
	}
	s.release(ctx, ctr)
	_ = p.wait(s)
	return nil
}

func containerFiles(ctx context.Context, r *run, base gateway.Reference) error {
	s := r.tr.section("files of a container")
	if !r.can(s, gatewayapi.CapGatewayExecFilesystem) {
		_, err := r.raw.ReadFileContainer(ctx, &gatewayapi.ReadFileRequest{Ref: "nobody"})
		s.failure(err)
		return nil
	}
	req := gateway.NewContainerRequest{
		Mounts:  []gateway.Mount{rootMount(base), {Dest: "/quick", MountType: pb.MountType_TMPFS}},
		NetMode: pb.NetMode_NONE,
	}
	return r.holding(ctx, s, req, func(ctr gateway.Container) error {
		made := "mkdir /made && echo alpha > /made/a.txt && echo beta > /made/b && ln -s a.txt /made/link && chmod 640 /made/b && echo fast > /quick/f && touch -d '2020-01-02 03:04:05' /made/*"
		if err := r.runToEnd(ctx, s, ctr, "maker", command{script: made}, nil); err != nil {
			return err
		}
		for _, q := range []gateway.ReadContainerRequest{
			{ReadRequest: gateway.ReadRequest{Filename: "/made/a.txt"}},
			{ReadRequest: gateway.ReadRequest{Filename: "/made/a.txt", Range: &gateway.FileRange{Offset: 1, Length: 3}}},
			{ReadRequest: gateway.ReadRequest{Filename: "/f"}, MountIndex: 1},
			{ReadRequest: gateway.ReadRequest{Filename: "/missing"}},
			{ReadRequest: gateway.ReadRequest{Filename: "/made/a.txt"}, MountIndex: 9},
		} {
			s.say("read %s of mount %d%s", q.Filename, q.MountIndex, rangeOf(q.Range))
			dt, err := ctr.ReadFile(ctx, q)
			s.gotContent(dt, err)
		}
		for _, q := range []gateway.ReadDirContainerRequest{
			{ReadDirRequest: gateway.ReadDirRequest{Path: "/made"}},
			{ReadDirRequest: gateway.ReadDirRequest{Path: "/made", IncludePattern: "*.txt"}},
			{ReadDirRequest: gateway.ReadDirRequest{Path: "/missing"}},
		} {
			s.say("list %s of mount %d %q", q.Path, q.MountIndex, q.IncludePattern)
			entries, err := ctr.ReadDir(ctx, q)
			s.gotEntries(entries, err)
		}
		for _, path := range []string{"/made/b", "/made/link", "/missing"} {
			q := gateway.StatContainerRequest{StatRequest: gateway.StatRequest{Path: path}}
			s.say("stat %s of mount %d", q.Path, q.MountIndex)
			st, err := ctr.StatFile(ctx, q)
			s.gotStat(st, err)
		}
		return nil
	})
}

// execErrors: what ends the whole stream, so each on a stream of its own and
// by hand.
func execErrors(ctx context.Context, r *run, base gateway.Reference) error {
	s := r.tr.section("containers, by hand")
	if _, err := r.raw.ReleaseContainer(ctx, &gatewayapi.ReleaseContainerRequest{ContainerID: "nosuchcontainer"}); err != nil {
		s.failure(err)
	}
	if _, err := r.raw.NewContainer(ctx, &gatewayapi.NewContainerRequest{
		ContainerID: identity.NewID(),
		Mounts:      []*pb.Mount{{Dest: "/", MountType: pb.MountType_BIND, ResultID: "nosuchresult"}},
	}); err != nil {
		s.failure(err)
	}

	// An empty root is enough for what ends before any program runs.
	newContainer := func(s *section) (string, error) {
		id := identity.NewID()
		_, err := r.raw.NewContainer(ctx, &gatewayapi.NewContainerRequest{
			ContainerID: id,
			Mounts:      []*pb.Mount{{Dest: "/", MountType: pb.MountType_BIND}},
			Network:     pb.NetMode_NONE,
		})
		if err != nil {
			s.failure(err)
		}
		return id, err
	}
	id, err := newContainer(s)
	if err != nil {
		return nil
	}
	if _, err := r.raw.NewContainer(ctx, &gatewayapi.NewContainerRequest{ContainerID: id, Mounts: []*pb.Mount{{Dest: "/", MountType: pb.MountType_BIND}}}); err != nil {
		s.failure(err)
	}

	message := func(process string, input any) *gatewayapi.ExecMessage {
		m := &gatewayapi.ExecMessage{ProcessID: process}
		switch in := input.(type) {
		case *gatewayapi.InitMessage:
			m.Input = &gatewayapi.ExecMessage_Init{Init: in}
		case *gatewayapi.FdMessage:
			m.Input = &gatewayapi.ExecMessage_File{File: in}
		case *gatewayapi.ResizeMessage:
			m.Input = &gatewayapi.ExecMessage_Resize{Resize: in}
		case *gatewayapi.SignalMessage:
			m.Input = &gatewayapi.ExecMessage_Signal{Signal: in}
		}
		return m
	}
	initOf := func(container string, args ...string) *gatewayapi.InitMessage {
		return &gatewayapi.InitMessage{ContainerID: container, Meta: &pb.Meta{Args: args}, Fds: []uint32{1, 2}}
	}
	for _, c := range []struct {
		name     string
		messages []*gatewayapi.ExecMessage
	}{
		{"no messages", nil},
		{"no process id", []*gatewayapi.ExecMessage{message("", initOf(id, "/x"))}},
		{"unknown container", []*gatewayapi.ExecMessage{message("p1", initOf("nosuchcontainer", "/x"))}},
		{"file for an unknown process", []*gatewayapi.ExecMessage{message("p2", &gatewayapi.FdMessage{Fd: 0, Data: []byte("x")})}},
		{"resize of an unknown process", []*gatewayapi.ExecMessage{message("p3", &gatewayapi.ResizeMessage{Rows: 1, Cols: 1})}},
		{"program that does not exist", []*gatewayapi.ExecMessage{message("p4", initOf(id, "/no/such/program"))}},
	} {
		s := r.tr.section("stream: " + c.name)
		if err := r.stream(ctx, s, c.messages); err != nil {
			return err
		}
	}
	s = r.tr.section("containers, by hand, afterwards")
	if _, err := r.raw.ReleaseContainer(ctx, &gatewayapi.ReleaseContainerRequest{ContainerID: id}); err != nil {
		s.failure(err)
	}
	if _, err := r.raw.ReleaseContainer(ctx, &gatewayapi.ReleaseContainerRequest{ContainerID: id}); err != nil {
		s.failure(err)
	}
	return nil
}

// stream sends all messages on an ExecProcess stream of its own, half-closes
// and prints what came back until the end.
func (r *run) stream(ctx context.Context, s *section, messages []*gatewayapi.ExecMessage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st, err := r.raw.ExecProcess(ctx)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := st.Send(m); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	if err := st.CloseSend(); err != nil {
		return err
	}
	output := map[uint32]*bytes.Buffer{}
	var heard []string
	for {
		m, err := st.Recv()
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			switch in := m.Input.(type) {
			case *gatewayapi.ExecMessage_Started:
				heard = append(heard, "started")
			case *gatewayapi.ExecMessage_File:
				if output[in.File.Fd] == nil {
					output[in.File.Fd] = &bytes.Buffer{}
				}
				output[in.File.Fd].Write(in.File.Data)
			case *gatewayapi.ExecMessage_Exit:
				heard = append(heard, fmt.Sprintf("exit %d %q", in.Exit.Code, in.Exit.Error.GetMessage()))
			case *gatewayapi.ExecMessage_Done:
				heard = append(heard, "done")
			}
			continue
		}
		for fd := range uint32(3) {
			if output[fd] != nil && output[fd].Len() > 0 {
				s.say("fd %d %q", fd, output[fd])
			}
		}
		// Exit and Done come in either order.
		sort.Strings(heard)
		s.say("heard: %s", strings.Join(heard, ", "))
		if err != nil {
			s.failure(err)
		} else {
			s.say("stream ended well")
		}
		return nil
	}
}
