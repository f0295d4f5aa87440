// Package supervise keeps the end of a program decent where its memory or its threads are
// limited. Running out of either ends a Go program from within its runtime, with a stack
// trace of hundreds of lines and exit status 2, and nothing in the program can prevent it;
// the system may also kill it. So under a limit the program starts itself again and waits:
// the child does the work, and the parent says in one line what became of it.
//
// The two are in one process group and share standard input and output, and the
// terminal. What the child itself writes to standard error goes there directly; what the
// runtime writes, which knows only file descriptor 2, goes to the parent through a pipe.
// Interrupts reach the child by way of the parent alone, one for one, whether they come
// from the terminal, which sends them to the whole group, or from another program, which
// sends them to the one that it started. The exit status of the child is that of the parent.
//
// Before all that, Go's runtime has to start, for which it reserves 1.2 GiB of addresses.
// Where a limit is lower, a program that has C in it says so in one line (start_linux.c). In
// pure Go nothing can run before the runtime, and it ends with a stack trace.
package supervise

import "os"

// traceVariable in the environment has the runtime's own words shown as well.
const traceVariable = "IMPASTO_TRACE"

// What a program says, and its exit status, that SIGQUIT (Ctrl-\) ends.
const (
	QuitLine   = "impasto: stopped at once by SIGQUIT"
	StatusQuit = 131
)

// statusFailed is the exit status of a program that ran out of memory.
const statusFailed = 1

func wantsTrace() bool { return os.Getenv(traceVariable) != "" }
