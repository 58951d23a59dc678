//go:build tools

// Package tools names what is built here, so that the module graph holds it.
package tools

import _ "github.com/docker/buildx/cmd/buildx"
