// Command client runs scenarios against the bridgetape.test.v1.Echo that
// BUILDKIT_HOST names, by grpc-go, and prints what it saw of each: a line of
// JSON, the same whatever language the client is written in.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
)

func main() {
	deadline := flag.Int("deadline", 60_000, "how many `milliseconds` the scenario slow waits")
	compress := flag.Bool("compress", false, "send each message in gzip")
	flag.Parse()
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if *compress {
		options = append(options, grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name)))
	}
	if err := run(time.Duration(*deadline)*time.Millisecond, flag.Args(), options); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func run(deadline time.Duration, names []string, options []grpc.DialOption) error {
	conn, err := grpc.NewClient(target(os.Getenv("BUILDKIT_HOST")), options...)
	if err != nil {
		return err
	}
	defer conn.Close()
	c := &client{conn: conn, slow: deadline}
	out := json.NewEncoder(os.Stdout)
	for _, name := range names {
		scenario, ok := scenarios[name]
		if !ok {
			return fmt.Errorf("no scenario %q", name)
		}
		ctx, cancel := context.WithCancel(context.Background())
		calls, err := scenario(ctx, c)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := out.Encode(map[string]any{"scenario": name, "calls": calls}); err != nil {
			return err
		}
	}
	return nil
}

// target is an address of BUILDKIT_HOST as grpc-go wants it.
func target(address string) string {
	return strings.Replace(address, "tcp://", "passthrough:///", 1)
}
