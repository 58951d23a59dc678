package main

import (
	"context"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"bridgetape.test/interop/clients/echo"
)

const (
	deadline = 300 * time.Millisecond
	plenty   = time.Minute
	// Together 100 MB each way, and each below the 4 MiB that clients take by default.
	largeMessages = 25
	largeSize     = 4_000_000
	streams       = 1000
)

var scenarios = map[string]func(context.Context, *client) ([]seen, error){
	"unary":                unary,
	"server-stream":        serverStream,
	"client-stream":        clientStream,
	"bidi":                 bidi,
	"metadata":             metadataBothWays,
	"statuses":             statuses,
	"early-end":            earlyEnd,
	"cancel-unanswered":    cancelUnanswered,
	"cancel-after-headers": cancelAfterHeaders,
	"cancel-mid-stream":    cancelMidStream,
	"cancel-bidi":          cancelBidi,
	"deadline-passes":      deadlinePasses,
	"deadline-kept":        deadlineKept,
	"alike":                alike,
	"large-trailers":       largeTrailers,
	"one-field-trailers":   oneFieldTrailers,
	"streams":              manyStreams,
	"large":                large,
	"slow":                 slow,
}

func unary(ctx context.Context, c *client) ([]seen, error) {
	return each([]int{0, 1, 70_000}, func(size int) (seen, error) {
		return c.unary(ctx, echo.Unary, echo.Order{Label: "unary/" + strconv.Itoa(size), Messages: 1, Size: size})
	})
}

func serverStream(ctx context.Context, c *client) ([]seen, error) {
	return each([]int{0, 1, 100}, func(count int) (seen, error) {
		return c.stream(ctx, echo.ServerStream, echo.Order{Label: "server-stream/" + strconv.Itoa(count), Messages: count, Size: 1000})
	})
}

func clientStream(ctx context.Context, c *client) ([]seen, error) {
	return each([]int{0, 1, 100}, func(count int) (seen, error) {
		order := echo.Order{Label: "client-stream/" + strconv.Itoa(count)}
		return c.stream(ctx, echo.ClientStream, order, contents(order.Label, count, 1000)...)
	})
}

// bidi in turns, and all at once.
func bidi(ctx context.Context, c *client) ([]seen, error) {
	turns, err := c.open(ctx, echo.Bidi, echo.Order{Label: "bidi/turns"})
	if err != nil {
		return nil, err
	}
	turns.receive()
	for _, message := range contents("bidi/turns", 50, 1000) {
		if err := turns.send(message); err != nil {
			return nil, err
		}
		turns.receive()
	}
	if err := turns.stream.CloseSend(); err != nil {
		return nil, err
	}
	first, err := turns.finish()
	if err != nil {
		return nil, err
	}
	second, err := c.stream(ctx, echo.Bidi, echo.Order{Label: "bidi/at once"}, contents("bidi/at once", 50, 1000)...)
	return []seen{first, second}, err
}

func metadataBothWays(ctx context.Context, c *client) ([]seen, error) {
	ctx = metadata.AppendToOutgoingContext(ctx,
		"x-echo-ask", "plain, with a comma", "x-echo-ask", "and again",
		// One binary value: connect-es joins several with a comma, and grpc-go refuses that.
		"x-echo-ask-bin", string(echo.Content("metadata", 20)))
	order := echo.Order{Label: "metadata", Messages: 1, Size: 10, Headers: true, Tail: []int{5, 80}, TailBin: []int{0, 1, 2, 300}}
	one, err := c.unary(ctx, echo.Unary, order)
	if err != nil {
		return nil, err
	}
	two, err := c.stream(ctx, echo.ServerStream, order)
	return []seen{one, two}, err
}

// statuses are all codes at once, then one after messages, and one after headers alone.
func statuses(ctx context.Context, c *client) ([]seen, error) {
	codes := make([]int, 16)
	for i := range codes {
		codes[i] = i + 1
	}
	all, err := each(codes, func(code int) (seen, error) {
		return c.unary(ctx, echo.Unary, failing("statuses/"+strconv.Itoa(code), code))
	})
	if err != nil {
		return nil, err
	}
	after := failing("statuses/after messages", 9)
	after.Messages, after.Size = 3, 100
	late, err := c.stream(ctx, echo.ServerStream, after)
	if err != nil {
		return nil, err
	}
	headed := failing("statuses/after headers", 5)
	headed.Headers = true
	bare, err := c.stream(ctx, echo.ServerStream, headed)
	return append(all, late, bare), err
}

func failing(label string, code int) echo.Order {
	return echo.Order{Label: label, Code: uint32(code), Text: "100% übel: \"" + label + "\"\n\tund €", Details: []int{0, 7, 3000}, Tail: []int{20}, TailBin: []int{33}}
}

// earlyEnd is a server that ends the call while the client could go on.
func earlyEnd(ctx context.Context, c *client) ([]seen, error) {
	var all []seen
	for _, method := range []string{echo.ClientStream, echo.Bidi} {
		order := failing("early-end/"+method, 8)
		order.Stop = 3
		call, err := c.open(ctx, method, order)
		if err != nil {
			return nil, err
		}
		for _, message := range contents(order.Label, order.Stop, 100) {
			if err := call.send(message); err != nil {
				return nil, err
			}
		}
		s, err := call.finish()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// cancelUnanswered cancels calls that are known to have arrived, and of which nothing came back.
func cancelUnanswered(ctx context.Context, c *client) ([]seen, error) {
	unaryContext, cancel := context.WithCancel(ctx)
	defer cancel()
	one := echo.Order{Label: "cancel-unanswered/unary", Hold: true}
	ended := make(chan seen)
	go func() {
		s, _ := c.unary(unaryContext, echo.Unary, one)
		ended <- s
	}()
	arrived, err := c.unary(ctx, echo.Await, echo.Order{Label: one.Label})
	if err != nil {
		return nil, err
	}
	cancel()
	cancelled := withoutText(<-ended)
	gone, err := c.unary(ctx, echo.Await, echo.Order{Label: one.Label, Ended: true})
	if err != nil {
		return nil, err
	}
	rest, err := c.cancelled(ctx, echo.Order{Label: "cancel-unanswered/stream", Hold: true}, func(*call) error {
		_, err := c.unary(ctx, echo.Await, echo.Order{Label: "cancel-unanswered/stream"})
		return err
	})
	return append([]seen{arrived, cancelled, gone}, rest...), err
}

func cancelAfterHeaders(ctx context.Context, c *client) ([]seen, error) {
	return c.cancelled(ctx, echo.Order{Label: "cancel-after-headers", Headers: true, Hold: true}, func(call *call) error {
		_, err := call.stream.Header()
		return err
	})
}

func cancelMidStream(ctx context.Context, c *client) ([]seen, error) {
	return c.cancelled(ctx, echo.Order{Label: "cancel-mid-stream", Messages: 5, Size: 1000, Hold: true}, func(call *call) error {
		call.receiveN(5)
		return nil
	})
}

// cancelled is a server stream that its client cancels at a given point.
func (c *client) cancelled(ctx context.Context, order echo.Order, until func(*call) error) ([]seen, error) {
	call, err := c.open(ctx, echo.ServerStream, order)
	if err != nil {
		return nil, err
	}
	if err := until(call); err != nil {
		return nil, err
	}
	call.cancel()
	s, err := call.finish()
	if err != nil {
		return nil, err
	}
	gone, err := c.unary(ctx, echo.Await, echo.Order{Label: order.Label, Ended: true})
	return []seen{withoutText(s), gone}, err
}

// cancelBidi cancels a call that it has not closed, with an answer behind each of its messages.
func cancelBidi(ctx context.Context, c *client) ([]seen, error) {
	call, err := c.open(ctx, echo.Bidi, echo.Order{Label: "cancel-bidi"})
	if err != nil {
		return nil, err
	}
	for _, message := range contents("cancel-bidi", 3, 1000) {
		if err := call.send(message); err != nil {
			return nil, err
		}
	}
	call.receiveN(4)
	call.cancel()
	s, err := call.finish()
	return []seen{withoutText(s)}, err
}

// deadlinePasses has calls that the server never answers, before and after their first message.
func deadlinePasses(ctx context.Context, c *client) ([]seen, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var calls []*call
	orders := []echo.Order{{Label: "deadline-passes/at once", Hold: true}, {Label: "deadline-passes/later", Messages: 2, Size: 100, Hold: true}}
	for _, order := range orders {
		call, err := c.open(ctx, echo.ServerStream, order)
		if err != nil {
			return nil, err
		}
		call.receiveN(order.Messages)
		calls = append(calls, call)
	}
	var all []seen
	for i, call := range calls {
		s, err := call.finish()
		if err != nil {
			return nil, err
		}
		gone, err := c.unary(context.WithoutCancel(ctx), echo.Release, echo.Order{Label: orders[i].Label})
		if err != nil {
			return nil, err
		}
		all = append(all, withoutText(s), gone)
	}
	return all, nil
}

func deadlineKept(ctx context.Context, c *client) ([]seen, error) {
	ctx, cancel := context.WithTimeout(ctx, plenty)
	defer cancel()
	one, err := c.unary(ctx, echo.Unary, echo.Order{Label: "deadline-kept/unary", Messages: 1, Size: 10})
	if err != nil {
		return nil, err
	}
	two, err := c.stream(ctx, echo.ServerStream, echo.Order{Label: "deadline-kept/stream", Messages: 3, Size: 10})
	return []seen{one, two}, err
}

// alike are calls that begin with equal messages and differ later, all open at once, and going on in another order.
func alike(ctx context.Context, c *client) ([]seen, error) {
	calls := make([]*call, 20)
	for i := range calls {
		call, err := c.open(ctx, echo.Bidi, echo.Order{Label: "alike"})
		if err != nil {
			return nil, err
		}
		call.receive()
		calls[i] = call
	}
	all := make([]seen, len(calls))
	for i := len(calls) - 1; i >= 0; i-- {
		if err := calls[i].send(echo.Content("alike/"+strconv.Itoa(i), 100)); err != nil {
			return nil, err
		}
		if err := calls[i].stream.CloseSend(); err != nil {
			return nil, err
		}
		s, err := calls[i].finish()
		if err != nil {
			return nil, err
		}
		all[i] = s
	}
	return all, nil
}

// largeTrailers are 100 KiB: in fields of which each is short, and with one
// that only Huffman coding brings below the 64 KiB of Node's HTTP/2.
func largeTrailers(ctx context.Context, c *client) ([]seen, error) {
	many, err := c.unary(ctx, echo.Unary, echo.Order{Label: "large-trailers/fields", Messages: 1, Size: 10, Tail: []int{25_600, 25_600}, TailBin: []int{19_200, 19_200}})
	if err != nil {
		return nil, err
	}
	details, err := c.stream(ctx, echo.ServerStream, echo.Order{Label: "large-trailers/details", Messages: 2, Size: 10, Code: 2, Text: "long", Details: []int{30_000, 30_000}, Tail: []int{22_000}})
	return []seen{many, details}, err
}

// oneFieldTrailers are 100 KiB and a megabyte in one field, which Node takes from nobody.
func oneFieldTrailers(ctx context.Context, c *client) ([]seen, error) {
	return each([]int{76_800, 760_000}, func(size int) (seen, error) {
		return c.unary(ctx, echo.Unary, echo.Order{Label: "one-field-trailers/" + strconv.Itoa(size), Code: 2, Text: "long", Details: []int{size}})
	})
}

// manyStreams are open on one connection at once: none goes on before all have been answered.
func manyStreams(ctx context.Context, c *client) ([]seen, error) {
	all := make([]seen, streams)
	errs := make(chan error, streams)
	var answered sync.WaitGroup
	answered.Add(streams)
	for i := range all {
		go func() {
			errs <- func() error {
				label := "streams/" + strconv.Itoa(i)
				call, err := c.open(ctx, echo.Bidi, echo.Order{Label: label})
				if err == nil {
					call.receive()
				}
				answered.Done()
				answered.Wait()
				if err != nil {
					return err
				}
				if err := call.send(echo.Content(label, 2000)); err != nil {
					return err
				}
				if err := call.stream.CloseSend(); err != nil {
					return err
				}
				all[i], err = call.finish()
				return err
			}()
		}()
	}
	for range all {
		if err := <-errs; err != nil {
			return nil, err
		}
	}
	return []seen{together("streams", all)}, nil
}

func large(ctx context.Context, c *client) ([]seen, error) {
	s, err := c.stream(ctx, echo.Bidi, echo.Order{Label: "large"}, contents("large", largeMessages, largeSize)...)
	return []seen{s}, err
}

// slow is answered after a pause: the one scenario whose deadline is given.
func slow(ctx context.Context, c *client) ([]seen, error) {
	ctx, cancel := context.WithTimeout(ctx, c.slow)
	defer cancel()
	s, err := c.stream(ctx, echo.ServerStream, echo.Order{Label: "slow", Messages: 3, Size: 10, PauseMS: 200})
	return []seen{withoutText(s)}, err
}

// stream runs a stream from its order to its end, reading while it sends.
func (c *client) stream(ctx context.Context, method string, order echo.Order, messages ...[]byte) (seen, error) {
	call, err := c.open(ctx, method, order)
	if err != nil {
		return seen{}, err
	}
	sent := make(chan error, 1)
	go func() {
		for _, message := range messages {
			if err := call.send(message); err != nil {
				sent <- err
				return
			}
		}
		sent <- call.stream.CloseSend()
	}()
	s, err := call.finish()
	if err != nil {
		return s, err
	}
	return s, <-sent
}

func contents(label string, count, size int) [][]byte {
	all := make([][]byte, count)
	for i := range all {
		all[i] = echo.Content(label+"/"+strconv.Itoa(i), size)
	}
	return all
}

// withoutText leaves out what a client says of its own doing, which differs from one to the next.
func withoutText(s seen) seen {
	s.Text = ""
	return s
}

func each(values []int, run func(int) (seen, error)) ([]seen, error) {
	var all []seen
	for _, value := range values {
		s, err := run(value)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}
