package main

import (
	"time"
	_ "unsafe" // for go:linkname
)

// grpc-go's server resets a call when its deadline passes, at about the moment
// at which the client gives up, and a client on Node takes that for a cancel.
// Here it is always the client that is first: what it sees must not depend on
// who is. These are grpc-go's own types, which an internal package keeps back.
//
//go:linkname timeAfterFunc google.golang.org/grpc/internal.TimeAfterFunc
var timeAfterFunc func(time.Duration, func()) interface{ Stop() bool }

func init() {
	timeAfterFunc = func(d time.Duration, f func()) interface{ Stop() bool } { return time.AfterFunc(d+time.Minute, f) }
}
