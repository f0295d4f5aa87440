//go:build unix

package supervise

import (
	"bytes"
	"strings"
	"syscall"
	"testing"

	"impasto/internal/memory"
)

var address = []memory.Limit{{Name: "address space (ulimit -v)", Max: 3 << 29}}

// The last words are those of Go 1.26 on Linux, and on the right what users are told.
func TestTheRuntimesLastWordsBecomeOneLine(t *testing.T) {
	for _, test := range []struct{ words, want string }{
		{"runtime: out of memory: cannot allocate 4194304-byte block (3899392 in use)\nfatal error: out of memory\n\ngoroutine 1 [running]:\nmain.main()\n", "out of memory"},
		{"fatal error: runtime: cannot allocate memory\n\nruntime stack:\n", "out of memory"},
		{"fatal error: failed to reserve page summary memory\n", "out of memory"},
		{"runtime: failed to create new OS thread (have 9 already; errno=11)\nruntime: may need to increase max user processes (ulimit -u)\nfatal error: newosproc\n", "another thread"},
		{"runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\nPC=0x7fce50bcdeec m=0\n", "another thread"},
		{"unexpected fault address 0x7f0000000000\nfatal error: fault\n", "internal error: unexpected fault address"},
		{"a library's remark\nfatal error: concurrent map writes\n", "internal error"},
	} {
		var stderr bytes.Buffer
		if status := conclude(exited(2), []byte(test.words), address, &stderr); status != 1 {
			t.Errorf("%.40q: exit status %d, want 1", test.words, status)
		}
		line, rest, _ := strings.Cut(stderr.String(), "\n")
		if rest != "" || !strings.HasPrefix(line, "impasto: ") || !strings.Contains(line, test.want) {
			t.Errorf("%.40q: standard error is %q, want one line with %q", test.words, stderr.String(), test.want)
		}
		if limit := "1.50 GiB on the address space (ulimit -v)"; !strings.Contains(test.want, "internal") && !strings.Contains(line, limit) {
			t.Errorf("%.40q: %q doesn't tell the limit", test.words, line)
		}
	}
}

func TestOtherEndsPassAsTheyAre(t *testing.T) {
	for _, test := range []struct {
		state  syscall.WaitStatus
		text   string
		status int
		stderr string
	}{
		{exited(0), "", 0, ""},
		{exited(2), "", 2, ""}, // wrong usage
		{exited(130), "", 130, ""},
		{exited(1), "a driver's remark\n", 1, "a driver's remark\n"},
		{exited(2), "SIGQUIT: quit\nPC=1\n", StatusQuit, QuitLine + "\n"},
	} {
		var stderr bytes.Buffer
		if status := conclude(test.state, []byte(test.text), nil, &stderr); status != test.status || stderr.String() != test.stderr {
			t.Errorf("exit status %d and text %q became %d and %q, want %d and %q", test.state.ExitStatus(), test.text, status, stderr.String(), test.status, test.stderr)
		}
	}
	var stderr bytes.Buffer
	if status := conclude(syscall.WaitStatus(syscall.SIGKILL), nil, address, &stderr); status != 1 || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "memory runs out") {
		t.Errorf("after SIGKILL: exit status %d and %q", status, stderr.String())
	}
}

// exited is the state of a process that ended with a status.
func exited(status int) syscall.WaitStatus { return syscall.WaitStatus(status << 8) }
