//go:build unix

package supervise

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// worker is what a child has of its parent.
type worker struct {
	lock      sync.Mutex
	listeners []listener
}

// listener is a channel and the signals that it asked for.
type listener struct {
	channel chan<- os.Signal
	signals []os.Signal
}

// child is set in a process that a parent waits for; Adopt sets it once, before all else.
var child *worker

// Adopt readies a child for its work: os.Stderr becomes the real standard error. It has to
// be called before anything else, and does nothing in other processes.
func Adopt() {
	if os.Getenv(childVariable) == "" {
		return
	}
	os.Unsetenv(childVariable)
	var interrupts, stderr unix.Stat_t
	if unix.Fstat(childSignals, &interrupts) != nil || interrupts.Mode&unix.S_IFMT != unix.S_IFIFO || unix.Fstat(childStderr, &stderr) != nil {
		return // somebody else set the variable
	}
	unix.CloseOnExec(childStderr)
	unix.CloseOnExec(childSignals)
	os.Stderr = os.NewFile(childStderr, "/dev/stderr")
	child = &worker{}
	// Those that the terminal sends to the group are the parent's to count.
	signal.Notify(make(chan os.Signal, 1), passed()...)
	go child.listen(os.NewFile(childSignals, "interrupts"))
}

// listen hands on what the parent was told. Where the parent is gone, nobody waits for the
// child any more, and it ends as its parent did.
func (w *worker) listen(interrupts *os.File) {
	var one [1]byte
	for {
		if n, err := interrupts.Read(one[:]); n != 1 || err != nil {
			os.Exit(128 + int(syscall.SIGKILL))
		}
		w.tell(syscall.Signal(one[0]))
	}
}

func (w *worker) tell(s os.Signal) {
	w.lock.Lock()
	defer w.lock.Unlock()
	for _, l := range w.listeners {
		if slices.Contains(l.signals, s) {
			select {
			case l.channel <- s:
			default: // as package signal does where there is no room
			}
		}
	}
}

// Notify is signal.Notify for interrupts and requests to end: os.Interrupt, SIGTERM,
// SIGHUP and SIGQUIT.
func Notify(c chan<- os.Signal, signals ...os.Signal) {
	if child == nil {
		signal.Notify(c, signals...)
		return
	}
	child.lock.Lock()
	defer child.lock.Unlock()
	child.listeners = append(child.listeners, listener{c, signals})
}

// Stop is signal.Stop for what was asked for by Notify.
func Stop(c chan<- os.Signal) {
	if child == nil {
		signal.Stop(c)
		return
	}
	child.lock.Lock()
	defer child.lock.Unlock()
	child.listeners = slices.DeleteFunc(child.listeners, func(l listener) bool { return l.channel == c })
}
