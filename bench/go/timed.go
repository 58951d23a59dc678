package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// timedMethod is in no .proto: a stream whose messages say when they were recorded, in ns after the request.
const timedMethod = "/bench.Clock/Talk"

// timed opens streams side by side on one connection, and tells how far from its time each message came.
func timed(args []string) error {
	flags := flag.NewFlagSet("timed", flag.ExitOnError)
	to := flags.String("to", "", "unix://PATH to dial")
	streams := flags.Int("streams", 1, "how many at once")
	timeout := flags.Duration("timeout", 5*time.Minute, "give up after")
	flags.Parse(args)
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	client, err := dial(ctx, *to)
	if err != nil {
		return err
	}
	defer client.conn.Close()
	// The connection stands before the first request, so that its making is not in the first stream's times.
	if err := client.conn.Invoke(ctx, "/bench.Clock/Ready", &encoded{}, &encoded{}); err != nil {
		return err
	}
	late := make([][]time.Duration, *streams)
	failures := make([]error, *streams)
	var group sync.WaitGroup
	for stream := range *streams {
		group.Go(func() { late[stream], failures[stream] = client.listen(ctx, stream) })
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	return printJSON(lateness(slices.Concat(late...)))
}

// listen asks for a stream of its own and takes the difference of each message from its time; a message that comes
// too early counts like one that comes too late.
func (c *client) listen(ctx context.Context, stream int) ([]time.Duration, error) {
	talk, err := c.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, timedMethod)
	if err != nil {
		return nil, err
	}
	asked := time.Now()
	if err := talk.SendMsg(&encoded{bytes: binary.BigEndian.AppendUint64(nil, uint64(stream))}); err != nil {
		return nil, err
	}
	var late []time.Duration
	for {
		var in encoded
		if err := talk.RecvMsg(&in); errors.Is(err, io.EOF) {
			return late, nil
		} else if err != nil {
			return nil, err
		}
		came := time.Since(asked)
		if len(in.bytes) != 8 {
			return nil, fmt.Errorf("a message of %d bytes, not 8", len(in.bytes))
		}
		late = append(late, (came - time.Duration(binary.BigEndian.Uint64(in.bytes))).Abs())
	}
}

type timeResult struct {
	Messages int     `json:"messages"`
	P50      float64 `json:"p50Ms"`
	P99      float64 `json:"p99Ms"`
	Max      float64 `json:"maxMs"`
}

func lateness(late []time.Duration) timeResult {
	if len(late) == 0 {
		return timeResult{}
	}
	slices.Sort(late)
	at := func(quantile float64) float64 {
		return late[int(quantile*float64(len(late)-1))].Seconds() * 1e3
	}
	return timeResult{Messages: len(late), P50: at(.5), P99: at(.99), Max: at(1)}
}
