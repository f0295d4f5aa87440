// Command impasto paints one picture in the style of others.
//
// Run impasto --help for its commands, and impasto COMMAND --help for what one
// of them does, its flags and its exit statuses.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"syscall"

	"impasto/internal/report"
	"impasto/internal/supervise"
)

// Exit statuses, as the help of every command lists them.
const (
	statusDone        = 0
	statusFailed      = 1
	statusUsage       = 2
	statusInterrupted = 130
)

func main() {
	supervise.Adopt()
	if status, done := supervise.Run(); done {
		os.Exit(status)
	}
	if os.Getenv("GOGC") == "" {
		// Nearly all memory is one block of intermediate results that lives on; a
		// heap twice that size before a collection would be wasted.
		debug.SetGCPercent(20)
	}
	ctx, stop := interruptible(context.Background(), os.Stderr, os.Exit)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run executes one command line and returns the exit status. Whatever goes
// wrong, a panic included, becomes one line on standard error.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(stderr, "impasto: internal error: %s; this is a bug: please report it where you got impasto, with the command and what `impasto version` prints\n", report.OneLine(fmt.Sprint(cause)))
			if os.Getenv("IMPASTO_TRACE") != "" {
				stderr.Write(debug.Stack())
			}
			status = statusFailed
		}
	}()
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "impasto: %s\n", report.OneLine(err.Error()))
	}
	return exitStatus(err)
}

// exitStatus says how the program ends after a command returned err.
func exitStatus(err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &usage):
		return statusUsage
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return statusInterrupted
	default:
		return statusFailed
	}
}

// interruptible returns a context that the first interrupt or request to
// terminate cancels; the second one ends the program at once.
func interruptible(parent context.Context, stderr io.Writer, exit func(status int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	supervise.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		fmt.Fprintln(stderr, "impasto: interrupted twice; stopped at once")
		exit(statusInterrupted)
	}()
	return ctx, func() {
		supervise.Stop(signals)
		cancel()
	}
}
