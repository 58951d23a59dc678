package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// start measures, on one clock, from the start of a command that serves to the first answer it gives, and beside
// it from the start of a command that does nothing to its end.
func start(args []string) error {
	flags := flag.NewFlagSet("start", flag.ExitOnError)
	listen := flags.String("listen", "", "unix://PATH on which the command will listen")
	runs := flags.Int("runs", 11, "how many times")
	bare := flags.String("bare", "", "JSON argv of the command that does nothing")
	command := flags.String("command", "", "JSON argv of the command that serves")
	flags.Parse(args)
	var bareArgs, commandArgs []string
	if err := json.Unmarshal([]byte(*bare), &bareArgs); err != nil || len(bareArgs) == 0 {
		return fmt.Errorf("--bare is no JSON list of arguments: %q", *bare)
	}
	if err := json.Unmarshal([]byte(*command), &commandArgs); err != nil || len(commandArgs) == 0 {
		return fmt.Errorf("--command is no JSON list of arguments: %q", *command)
	}
	times := struct {
		Bare  []float64 `json:"bareMs"`
		First []float64 `json:"firstMs"`
	}{}
	// The first run of each only warms the page cache.
	for run := range *runs + 1 {
		idle, err := timeBare(bareArgs)
		if err != nil {
			return err
		}
		first, err := timeFirstAnswer(commandArgs, *listen)
		if err != nil {
			return err
		}
		if run > 0 {
			times.Bare = append(times.Bare, idle.Seconds()*1e3)
			times.First = append(times.First, first.Seconds()*1e3)
		}
	}
	return printJSON(times)
}

func timeBare(args []string) (time.Duration, error) {
	command := exec.Command(args[0], args[1:]...)
	begin := time.Now()
	err := command.Run()
	return time.Since(begin), err
}

func timeFirstAnswer(args []string, address string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client, err := dial(ctx, address)
	if err != nil {
		return 0, err
	}
	defer client.conn.Close()
	command := exec.Command(args[0], args[1:]...)
	command.Stderr = os.Stderr
	begin := time.Now()
	if err := command.Start(); err != nil {
		return 0, err
	}
	err = client.listWorkers()
	elapsed := time.Since(begin)
	client.conn.Close()
	ended := make(chan struct{})
	go func() {
		// Its exit status is of no interest: it was told to stop.
		_ = command.Wait()
		close(ended)
	}()
	command.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		command.Process.Kill()
		<-ended
	}
	return elapsed, err
}
