package main

import (
	"context"
	"sync"
)

// held knows the calls that end only when their client wants it, from when
// somebody names one until somebody has waited for its end.
type held struct {
	mu    sync.Mutex
	calls map[string]*heldCall
}

type heldCall struct{ arrived, released, ended chan struct{} }

func newHeld() *held { return &held{calls: map[string]*heldCall{}} }

// named is the call with a label, which may be still to come.
func (h *held) named(label string) *heldCall {
	h.mu.Lock()
	defer h.mu.Unlock()
	call := h.calls[label]
	if call == nil {
		call = &heldCall{make(chan struct{}), make(chan struct{}), make(chan struct{})}
		h.calls[label] = call
	}
	return call
}

// hold returns when the client has cancelled the call. A call with a deadline
// is kept until it is released, so that it is always the client that ends it.
func (h *held) hold(ctx context.Context, label string) error {
	call := h.named(label)
	defer close(call.ended)
	close(call.arrived)
	if _, limited := ctx.Deadline(); limited {
		<-call.released
	} else {
		<-ctx.Done()
	}
	return ctx.Err()
}

// outlast returns when the call has ended.
func (h *held) outlast(label string) {
	<-h.named(label).ended
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.calls, label)
}
