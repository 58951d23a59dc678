// Bridgebench is both ends of the bench: a server of the LLBBridge calls that matter for speed, and a client that
// loads it and measures. What stands in the middle, and what the figures are compared with, is bench/main.mjs.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage:
  bridgebench serve --listen unix://PATH
  bridgebench load  --to unix://PATH --plan JSON [--hold] [--timeout DURATION]
  bridgebench start --listen unix://PATH --runs N --bare JSON --command JSON
  bridgebench timed --to unix://PATH --streams N [--timeout DURATION]`

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("no subcommand\n%s", usage))
	}
	commands := map[string]func([]string) error{"serve": serve, "load": load, "start": start, "timed": timed}
	command, ok := commands[os.Args[1]]
	if !ok {
		fail(fmt.Errorf("unknown subcommand %q\n%s", os.Args[1], usage))
	}
	if err := command(os.Args[2:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bridgebench:", err)
	os.Exit(1)
}

func printJSON(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}

func terminated() <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	return signals
}
