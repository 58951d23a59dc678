package main

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
)

// A fixed time keeps what is made here the same from run to run.
var longAgo = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

// busybox is the state every scenario works on: /bin/busybox and little else.
func (r *run) busybox() llb.State {
	var from llb.State
	if r.busyboxURL != "" {
		from = llb.HTTP(r.busyboxURL, llb.Filename("busybox"), llb.Chmod(0o755), llb.WithCustomName("fetch busybox"))
	} else {
		from = llb.Local("busybox",
			llb.SessionID(r.gw.BuildOpts().SessionID),
			llb.SharedKeyHint("busybox"),
			llb.IncludePatterns([]string{"busybox"}),
			llb.WithCustomName("send busybox"))
	}
	return llb.Scratch().
		File(llb.Mkdir("/bin", 0o755, llb.WithCreatedTime(longAgo)).
			Mkdir("/tmp", 0o777, llb.WithCreatedTime(longAgo)).
			Mkdir("/etc", 0o755, llb.WithCreatedTime(longAgo)).
			Mkfile("/etc/passwd", 0o644, []byte("root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n"), llb.WithCreatedTime(longAgo)).
			Mkfile("/etc/group", 0o644, []byte("root:x:0:\nuser:x:1000:\n"), llb.WithCreatedTime(longAgo)),
			llb.WithCustomName("make root")).
		File(llb.Copy(from, "/busybox", "/bin/busybox", llb.WithCreatedTime(longAgo)), llb.WithCustomName("copy busybox"))
}

func script(text string) llb.RunOption {
	return llb.Args([]string{"/bin/busybox", "sh", "-c", text})
}

func (r *run) solve(ctx context.Context, st llb.State, evaluate bool) (*gateway.Result, error) {
	def, err := st.Marshal(ctx, llb.WithCaps(r.gw.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	return r.gw.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB(), Evaluate: evaluate})
}

// solveRef is solve for a step that the rest of the scenario stands on.
func (r *run) solveRef(ctx context.Context, st llb.State) (gateway.Reference, error) {
	res, err := r.solve(ctx, st, true)
	if err != nil {
		return nil, err
	}
	ref, err := res.SingleRef()
	if err == nil && ref == nil {
		err = fmt.Errorf("solve gave no reference")
	}
	return ref, err
}
