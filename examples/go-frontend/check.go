package shipfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// checkTimeout ends a check that never ends, and the wait for a process that
// never starts: BuildKit's client waits for one as long as its context lives.
const checkTimeout = 30 * time.Second

// A CheckError says that an image was made, and failed its check.
type CheckError struct {
	Command  string
	ExitCode uint32
	Stderr   string
}

func (e *CheckError) Error() string {
	text := fmt.Sprintf("the image failed its check: %s: exit code %d", e.Command, e.ExitCode)
	if words := strings.TrimSpace(e.Stderr); words != "" {
		text += ": " + words
	}
	return text
}

// check runs a command in a container of the image, with no network, and gives
// what it printed.
func (b *build) check(ctx context.Context, ref gateway.Reference, image ocispecs.ImageConfig, command string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTimeout, fmt.Errorf("the check took more than %s", checkTimeout))
	defer cancel()
	ctr, err := b.gw.NewContainer(ctx, gateway.NewContainerRequest{
		Mounts:   []gateway.Mount{{Dest: "/", MountType: pb.MountType_BIND, Ref: ref}},
		NetMode:  pb.NetMode_NONE,
		Platform: &pb.Platform{OS: b.platform.OS, Architecture: b.platform.Architecture, Variant: b.platform.Variant},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the check: %w", err)
	}
	// A build that was cancelled gives its containers back as well.
	defer ctr.Release(context.WithoutCancel(ctx))

	var stdout, stderr output
	proc, err := ctr.Start(ctx, gateway.StartRequest{
		Args:   shell(command),
		Env:    image.Env,
		Cwd:    image.WorkingDir,
		User:   image.User,
		Stdout: &stdout,
		Stderr: &stderr,
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("starting the check: %w", err)
	}
	err = proc.Wait()
	if exit := (*gatewaypb.ExitError)(nil); errors.As(err, &exit) {
		return nil, &CheckError{Command: command, ExitCode: exit.ExitCode, Stderr: stderr.String()}
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return stdout.Bytes(), err
}

// output keeps what a process writes.
type output struct{ bytes.Buffer }

func (*output) Close() error { return nil }
