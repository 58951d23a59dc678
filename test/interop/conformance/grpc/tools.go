//go:build tools

// Package tools names what is built here, so that the module graph holds it.
package tools

import (
	_ "google.golang.org/grpc/interop/client"
	_ "google.golang.org/grpc/interop/server"
)
