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
)

func main() {
	deadline := flag.Int("deadline", 60_000, "how many `milliseconds` the scenario slow waits")
	flag.Parse()
	if err := run(time.Duration(*deadline)*time.Millisecond, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func run(deadline time.Duration, names []string) error {
	conn, err := grpc.NewClient(target(os.Getenv("BUILDKIT_HOST")), grpc.WithTransportCredentials(insecure.NewCredentials()))
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
