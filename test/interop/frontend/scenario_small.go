package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
)

func buildSolve(ctx context.Context, r *run) (*gateway.Result, error) {
	s := r.tr.section("solve")
	ref, err := r.solveRef(ctx, r.busybox())
	if err != nil {
		return nil, err
	}
	s.readFile(ctx, ref, gateway.ReadRequest{Filename: "/etc/passwd"})
	s.readDir(ctx, ref, gateway.ReadDirRequest{Path: "/"})
	s.stat(ctx, ref, gateway.StatRequest{Path: "/bin/busybox"})
	res := gateway.NewResult()
	res.SetRef(ref)
	return res, nil
}

const brokenSource = `# made up by the test frontend
say hello
break here
say goodbye
`

// broken is an op that fails, with the source line that is to blame for it.
func (r *run) broken() llb.State {
	root := r.busybox()
	text := brokenSource + strings.Repeat("# and so on\n", r.sourceBytes/len("# and so on\n"))
	source := llb.NewSourceMap(&root, "broken.recipe", "recipe", []byte(text))
	return root.Run(
		script("echo about to break; echo no good >&2; exit 7"),
		llb.IgnoreCache,
		llb.WithCustomName("break here"),
		source.Location([]*pb.Range{{Start: &pb.Position{Line: 3}, End: &pb.Position{Line: 3, Character: 10}}}),
	).Root()
}

func buildFail(ctx context.Context, r *run) (*gateway.Result, error) {
	s := r.tr.section("failing solve")
	_, err := r.solve(ctx, r.broken(), true)
	if err == nil {
		return nil, fmt.Errorf("a solve that had to fail did not")
	}
	s.failure(err)
	return nil, err
}

func buildTalk(ctx context.Context, r *run) (*gateway.Result, error) {
	s := r.tr.section("talk")
	ref, err := r.solveRef(ctx, r.busybox())
	if err != nil {
		return nil, err
	}
	ctr, err := r.container(ctx, ref)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("i=1; while [ $i -le %d ]; do echo line $i; i=$((i+1)); usleep %d; done", r.ticks, r.interval.Microseconds())
	if err := r.runToEnd(ctx, s, ctr, "talker", command{script: text}, nil); err != nil {
		return nil, err
	}
	s.release(ctx, ctr)
	res := gateway.NewResult()
	res.SetRef(ref)
	return res, nil
}

// A shell without line editing: the terminal itself echoes what is typed, so
// what comes out does not depend on when a resize redraws the line. Its own
// command "screen" waits inside the container until a resize has arrived there;
// a terminal without a size yet makes stty complain.
var plainShell = "screen() { " + until(`[ "$(stty size 2>/dev/null)" = "$*" ]`) + "; echo screen is $(stty size); }; " +
	`while printf '$ ' && read -r line; do eval "$line"; done`

// exchange is one step of a dialogue on a terminal.
type exchange struct {
	await  string           // what stdout holds before this step
	resize *gateway.WinSize // sent first
	enter  string           // typed then
}

// converse waits for each step's text among what came after the step before
// it, so the process's own pauses set the pace.
func (p *process) converse(ctx context.Context, steps []exchange) error {
	heard := 0
	for _, step := range steps {
		var err error
		if heard, err = p.expect(ctx, heard, step.await); err != nil {
			return err
		}
		if step.resize != nil {
			if err := p.ctr.Resize(ctx, *step.resize); err != nil {
				return err
			}
		}
		if err := p.typeIn(step.enter); err != nil {
			return err
		}
	}
	return nil
}

// until is a shell loop that ends when the condition holds, or by itself after
// about a minute: a daemon that is killed leaves its containers running.
func until(condition string) string {
	return fmt.Sprintf(`n=0; until %s || [ $((n+=1)) -gt 30000 ]; do usleep 2000; done`, condition)
}

// A terminal's last words are lost when its process ends before they were
// read, so a dialogue ends with the echo off and nothing more to say.
const quietEnd = "stty -echo; echo bye\n"

// buildDialogue is made to be watched.
func buildDialogue(ctx context.Context, r *run) (*gateway.Result, error) {
	s := r.tr.section("dialogue")
	ref, err := r.solveRef(ctx, r.busybox())
	if err != nil {
		return nil, err
	}
	ctr, err := r.container(ctx, ref)
	if err != nil {
		return nil, err
	}
	shell, err := r.start(ctx, ctr, "shell", command{script: plainShell, tty: true, stdin: true})
	if err != nil {
		return nil, err
	}
	err = shell.converse(ctx, []exchange{
		{await: "$ ", resize: &gateway.WinSize{Rows: 40, Cols: uint32(r.columns)}, enter: "screen 40 120\n"},
		{await: "screen is 40 120\r\n$ ", enter: "for i in 1 2 3 4 5; do usleep 300000; echo tick $i; done\n"},
		{await: "tick 5\r\n$ ", enter: "usleep 250000; printf 'who is there? '; read who; usleep 250000; echo hello, $who\n"},
		{await: "\r\nwho is there? ", enter: r.who + "\n"},
		{await: "hello, " + r.who + "\r\n$ ", enter: quietEnd},
		{await: "bye\r\n$ ", enter: "exit 0\n"},
	})
	if err != nil {
		return nil, err
	}
	if err := shell.wait(s); err != nil {
		return nil, err
	}
	s.release(ctx, ctr)
	res := gateway.NewResult()
	res.AddMeta("dialogue", []byte("over"))
	res.SetRef(ref)
	return res, nil
}
