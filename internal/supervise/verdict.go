package supervise

import (
	"bytes"
	"fmt"
	"strings"

	"impasto/internal/memory"
)

// runtimeWords are how the runtime, with or without C, begins to tell that it ends the
// program.
var runtimeWords = []string{"fatal error: ", "runtime: ", "runtime/cgo: ", "panic: ", "SIGABRT: ", "SIGSEGV: ", "SIGBUS: ", "unexpected fault address"}

// crashed tells whether text has the runtime's last words.
func crashed(text []byte) bool {
	for line := range bytes.Lines(text) {
		for _, words := range runtimeWords {
			if bytes.HasPrefix(line, []byte(words)) {
				return true
			}
		}
	}
	return false
}

// cause is what ended a program.
type cause int

const (
	otherCause cause = iota // a fault of the program
	noMemory
	noThreads
)

// causeOf reads the runtime's last words. Threads come first: when one can't be made for
// lack of memory for its stack, the runtime says both.
func causeOf(text []byte) cause {
	has := func(words ...string) bool {
		for _, w := range words {
			if bytes.Contains(text, []byte(w)) {
				return true
			}
		}
		return false
	}
	switch {
	case has("failed to create new OS thread", "newosproc", "pthread_create failed"):
		return noThreads
	case has("out of memory", "cannot allocate memory", "failed to reserve", "errno=12", "failed to allocate"):
		return noMemory
	}
	return otherCause
}

// verdict is the line that says what ended a program with those last words.
func verdict(text []byte, limits []memory.Limit) string {
	switch causeOf(text) {
	case noMemory:
		return "out of memory: this needs more than there is" + underLimits(limits) + "; " + remedy
	case noThreads:
		return "the system refuses another thread: this needs more of them, or of memory for their stacks, than there is" + underLimits(limits) +
			"; use fewer --threads, or " + moreTasks
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return fmt.Sprintf("internal error: %s; this is a bug: please report it where you got impasto, with the command and what `impasto version` prints", strings.TrimSpace(first))
}

// moreTasks is what to do where threads and processes are.
const moreTasks = "raise the limits on memory and processes (ulimit -v, -u, pids.max)"

// remedy is what to do where memory is short.
const remedy = "choose a smaller size, fewer or deeper layers or a loss that needs less, or raise the limit"

// killed is the line about a program that the system killed.
func killed(limits []memory.Limit) string {
	return "the system killed the program, as it does where memory runs out" + underLimits(limits) + "; " + remedy
}

// underLimits lists limits that are set.
func underLimits(limits []memory.Limit) string {
	var listed []string
	for _, l := range limits {
		listed = append(listed, fmt.Sprintf("%.2f GiB on the %s", float64(l.Max)/(1<<30), l.Name))
	}
	if listed == nil {
		return ""
	}
	return " under the limit of " + strings.Join(listed, " and of ")
}
