//go:build unix

package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"impasto/internal/memory"
)

// childVariable in the environment tells the child that it is one.
const childVariable = "IMPASTO_SUPERVISED"

// File descriptors of the child beside the usual ones.
const (
	childStderr  = 3 // the real standard error
	childSignals = 4 // interrupts, a byte each
)

// fewTasks is the highest limit on processes, threads included, that this program may run
// into. Other programs of the user may count against it too.
const fewTasks = 1024

// leastAddresses is the room that a parent and its child need beside what Go's runtime
// takes when it starts: for heaps, and in a program with C for threads, each with a stack
// of 8 MiB.
const leastAddresses = 240 << 20

// mostText is how much of the runtime's words is kept, in bytes.
const mostText = 1 << 16

// Run does the program's work in a child where its memory or threads are limited, and
// returns the exit status. Where nothing is limited, in the child itself, and where no
// child can be started, it returns at once and done is false.
func Run() (status int, done bool) {
	if child != nil {
		return 0, false
	}
	limits := memory.Limits()
	if tasks, set := memory.TaskLimit(); len(limits) == 0 && (!set || tasks > fewTasks) {
		return 0, false
	}
	for _, l := range limits {
		if l.Address && l.Left() < leastAddresses {
			fmt.Fprintf(os.Stderr, "impasto: out of memory: this needs more than there is%s, of which %d MiB are taken before any work; raise the limit to %d MiB or more\n",
				underLimits(limits), l.Used>>20, (l.Used+leastAddresses)>>20)
			return statusFailed, true
		}
	}
	threads := runtime.GOMAXPROCS(1) // a parent has little to do, and should do with few
	p, err := start()
	switch {
	case errors.Is(err, unix.EAGAIN):
		fmt.Fprintf(os.Stderr, "impasto: the system refuses another process; %s\n", moreTasks)
		return statusFailed, true
	case errors.Is(err, unix.ENOMEM):
		fmt.Fprintf(os.Stderr, "impasto: out of memory: this needs more than there is%s; %s\n", underLimits(limits), remedy)
		return statusFailed, true
	case err != nil:
		runtime.GOMAXPROCS(threads)
		return 0, false
	}
	go p.relay()
	text, _ := io.ReadAll(io.LimitReader(p.words, mostText))
	_, _ = io.Copy(io.Discard, p.words)
	state, err := p.process.Wait()
	if err != nil {
		fmt.Fprintf(os.Stderr, "impasto: %v\n", err)
		return statusFailed, true
	}
	return conclude(state.Sys().(syscall.WaitStatus), text, limits, os.Stderr), true
}

// parent is what the parent has of its child.
type parent struct {
	process    *os.Process
	words      *os.File // what the child's runtime writes
	interrupts *os.File
	signals    chan os.Signal
}

// start starts the program again with the same arguments.
func start() (_ *parent, err error) {
	self, err := executable()
	if err != nil {
		return nil, err
	}
	words, wordsOfChild, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer wordsOfChild.Close()
	interruptsOfChild, interrupts, err := os.Pipe()
	if err != nil {
		words.Close()
		return nil, err
	}
	defer interruptsOfChild.Close()
	p := &parent{words: words, interrupts: interrupts, signals: make(chan os.Signal, 16)}
	signal.Notify(p.signals, passed()...)
	p.process, err = os.StartProcess(self, os.Args, &os.ProcAttr{
		Env:   append(os.Environ(), childVariable+"=1"),
		Files: []*os.File{os.Stdin, os.Stdout, wordsOfChild, os.Stderr, interruptsOfChild},
	})
	if err != nil {
		signal.Stop(p.signals)
		words.Close()
		interrupts.Close()
		return nil, err
	}
	return p, nil
}

// executable is this program's file, whatever has become of its name.
func executable() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// passed are the signals that are handed on. A terminal's end isn't where the program was
// started to outlive it, as by nohup.
func passed() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// relay hands signals on to the child.
func (p *parent) relay() {
	for s := range p.signals {
		_, _ = p.interrupts.Write([]byte{byte(s.(syscall.Signal))}) // a child that has ended needs none
	}
}

// asked tells whether text is the stack trace that the runtime writes upon SIGQUIT, where
// the child was too young to see to that itself.
func asked(text []byte) bool { return bytes.HasPrefix(text, []byte("SIGQUIT: ")) }

// conclude says what became of the child where it couldn't say so itself, and returns the
// exit status; a child that was ended by a signal is followed.
func conclude(state syscall.WaitStatus, text []byte, limits []memory.Limit, stderr io.Writer) int {
	gone := state.Exited() && state.ExitStatus() == 2 || state.Signaled()
	switch {
	case gone && asked(text):
		fmt.Fprintln(stderr, QuitLine)
		if wantsTrace() {
			_, _ = stderr.Write(text)
		}
		return StatusQuit
	case gone && crashed(text):
		fmt.Fprintf(stderr, "impasto: %s\n", verdict(text, limits))
		if wantsTrace() {
			_, _ = stderr.Write(text)
		}
		return statusFailed
	case state.Signaled() && state.Signal() == syscall.SIGKILL:
		fmt.Fprintf(stderr, "impasto: %s\n", killed(limits))
		return statusFailed
	}
	_, _ = stderr.Write(text) // what C libraries have to say
	if !state.Signaled() {
		return state.ExitStatus()
	}
	signal.Reset(state.Signal())
	_ = unix.Kill(os.Getpid(), state.Signal())
	return 128 + int(state.Signal())
}
