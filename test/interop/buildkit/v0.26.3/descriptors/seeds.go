package main

import (
	_ "github.com/moby/buildkit/api/services/control"
	_ "github.com/moby/buildkit/frontend/gateway/pb"
	_ "github.com/moby/buildkit/session/auth"
	_ "github.com/moby/buildkit/session/exporter"
	_ "github.com/moby/buildkit/session/filesync"
	_ "github.com/moby/buildkit/session/secrets"
	_ "github.com/moby/buildkit/session/sshforward"
	_ "github.com/moby/buildkit/session/upload"
	_ "github.com/moby/buildkit/solver/errdefs"
	_ "github.com/moby/buildkit/util/stack"
	_ "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	_ "google.golang.org/genproto/googleapis/rpc/status"
	_ "google.golang.org/grpc/health/grpc_health_v1"
)

// seeds are messages of the files to start from.
var seeds = []string{
	"moby.buildkit.v1.frontend.PingRequest",
	"moby.buildkit.v1.SolveRequest",
	"grpc.health.v1.HealthCheckRequest",
	"google.rpc.Status",
	"errdefs.Vertex",
	"errdefs.Solve",
	"stack.Stack",
	"moby.filesync.v1.BytesMessage",
	"moby.filesync.v1.CredentialsRequest",
	"moby.buildkit.secrets.v1.GetSecretRequest",
	"moby.sshforward.v1.BytesMessage",
	"moby.upload.v1.BytesMessage",
	"opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
	"moby.exporter.v1.FindExportersRequest",
}
