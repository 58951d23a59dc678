package main

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	gatewayapi "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
)

// failure prints an error: its text, its gRPC code, and what its status
// details became in the client.
func (s *section) failure(err error) {
	s.say("error %s: %q", grpcerrors.Code(err), err.Error())
	var details []string
	var exit *gatewayapi.ExitError
	if errors.As(err, &exit) {
		details = append(details, fmt.Sprintf("exit code %d", exit.ExitCode))
	}
	var solve *errdefs.SolveError
	if errors.As(err, &solve) {
		details = append(details, fmt.Sprintf("solve op %q, %d inputs, %d mounts", opKind(solve.Op), len(solve.InputIDs), len(solve.MountIDs)))
	}
	var vertex *errdefs.VertexError
	if errors.As(err, &vertex) {
		// Its digest follows from the session id, so only say that there is one.
		details = append(details, fmt.Sprintf("vertex digest of %d characters", len(vertex.Digest)))
	}
	var frontendCap *errdefs.UnsupportedFrontendCapError
	if errors.As(err, &frontendCap) {
		details = append(details, "unsupported frontend cap "+frontendCap.Name)
	}
	for _, src := range errdefs.Sources(err) {
		details = append(details, fmt.Sprintf("source %q of %d bytes at %v", src.Info.GetFilename(), len(src.Info.GetData()), spans(src.Ranges)))
	}
	sort.Strings(details)
	for _, d := range details {
		s.say("  with %s", d)
	}
}

func unimplemented(err error) bool {
	return err != nil && grpcerrors.Code(err) == codes.Unimplemented
}

func opKind(op *pb.Op) string {
	switch op.GetOp().(type) {
	case *pb.Op_Exec:
		return "exec"
	case *pb.Op_File:
		return "file"
	case *pb.Op_Source:
		return "source"
	case nil:
		return "none"
	default:
		return "other"
	}
}

func spans(ranges []*pb.Range) string {
	var out []string
	for _, r := range ranges {
		out = append(out, fmt.Sprintf("%d:%d-%d:%d", r.GetStart().GetLine(), r.GetStart().GetCharacter(), r.GetEnd().GetLine(), r.GetEnd().GetCharacter()))
	}
	return strings.Join(out, ",")
}
