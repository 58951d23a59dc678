//go:build tools

// Package tools names what is built here, so that the module graph holds it.
package tools

import (
	_ "connectrpc.com/conformance/cmd/connectconformance"
	_ "connectrpc.com/conformance/cmd/grpcserver"
	_ "connectrpc.com/conformance/cmd/referenceserver"
)
