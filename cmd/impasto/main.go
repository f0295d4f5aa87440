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
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"impasto/internal/quote"
	"impasto/internal/supervise"
)

// Exit statuses, as the help of every command lists them.
const (
	statusDone        = 0
	statusFailed      = 1
	statusUsage       = 2
	statusInterrupted = 130
	statusQuit        = supervise.StatusQuit
)

func main() {
	supervise.Adopt()
	if status, done := supervise.Run(); done {
		os.Exit(status)
	}
	if os.Getenv("GOGC") == "" {
		// Nearly all memory is one block of intermediate results that lives on; a
		// heap twice that size before a collection would be wasted.
		debug.SetGCPercent(10)
	}
	// Where nobody reads an output any more, writing to it is an error like others,
	// and no end of the program.
	signal.Ignore(syscall.SIGPIPE)
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
			fmt.Fprintf(stderr, "impasto: internal error: %s; this is a bug: please report it where you got impasto, with the command and what `impasto version` prints\n", quote.Line(fmt.Sprint(cause)))
			if wantsTrace() {
				if of, ok := cause.(interface{ Stack() []byte }); ok { // another thread's
					stderr.Write(of.Stack())
				}
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
		message := quote.Error(err, namesIn(args)...)
		if errors.Is(err, context.Canceled) {
			message = strings.Replace(message, context.Canceled.Error(), errInterrupted.Error(), 1)
		}
		fmt.Fprintf(stderr, "impasto: %s\n", message)
	}
	return exitStatus(err)
}

// namesIn are the names of files that a command line may have in it: its words, what
// stands behind the = of a flag or before the weight of a style, and their last parts.
func namesIn(args []string) []string {
	var names []string
	for _, word := range args {
		if _, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "-") {
			word = value
		}
		names = append(names, word, filepath.Base(word))
		if at := strings.LastIndexByte(word, ':'); at > 0 {
			names = append(names, word[:at], filepath.Base(word[:at]))
		}
	}
	return names
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

// together is how long after an interrupt another one is taken for the same: programs
// that start others, such as timeout, pass on what the whole group gets as well.
const together = 200 * time.Millisecond

// interruptible returns a context that the first interrupt or request to
// terminate cancels; the second one ends the program at once. The end of the
// terminal cancels it too, unless the program was started to outlive that, as by
// nohup. It may be told more than once, and together with a request to terminate, so
// it never counts as a second one. On Windows a closed console, a log-off and a
// shutdown are requests to terminate. SIGQUIT, which a terminal sends for Ctrl-\, ends
// the program at once.
func interruptible(parent context.Context, stderr io.Writer, exit func(status int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 8)
	supervise.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGHUP) {
		supervise.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		var first time.Time
		for {
			received := <-signals
			if received == syscall.SIGQUIT {
				quit(stderr)
				exit(statusQuit)
			}
			cancel()
			if received == syscall.SIGHUP {
				continue
			}
			if first.IsZero() {
				first = time.Now()
			} else if time.Since(first) > together {
				break
			}
		}
		fmt.Fprintln(stderr, "impasto: interrupted twice; stopped at once")
		exit(statusInterrupted)
	}()
	return ctx, func() {
		supervise.Stop(signals)
		cancel()
	}
}

// quit says that SIGQUIT ends the program, and where it was to whoever asked for traces.
func quit(stderr io.Writer) {
	fmt.Fprintln(stderr, supervise.QuitLine)
	if wantsTrace() {
		stacks := make([]byte, 1<<20)
		_, _ = stderr.Write(stacks[:runtime.Stack(stacks, true)])
	}
}

// wantsTrace tells whether stack traces are to be shown beside the line that is an error.
func wantsTrace() bool { return os.Getenv("IMPASTO_TRACE") != "" }
