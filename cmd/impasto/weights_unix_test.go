//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"impasto/vgg19"
)

// writeSparse writes weights of zeros, and behind them a tensor that would take
// minutes to read, as a file of holes.
func writeSparse(t *testing.T, path string) {
	t.Helper()
	const endless = 1 << 38
	var header strings.Builder
	at := 0
	tensor := func(name, kind, shape string, bytes int) {
		fmt.Fprintf(&header, `,%q:{"dtype":%q,"shape":[%s],"data_offsets":[%d,%d]}`, name, kind, shape, at, at+bytes)
		at += bytes
	}
	for _, c := range vgg19.Convolutions {
		tensor(c.Name+".weight", "F32", fmt.Sprintf("%d,%d,3,3", c.Out, c.In), 4*c.Out*c.In*9)
		tensor(c.Name+".bias", "F32", fmt.Sprint(c.Out), 4*c.Out)
	}
	tensor("optimizer", "U8", fmt.Sprint(endless), endless)
	text := "{" + header.String()[1:] + "}"
	content := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	writeFile(t, path, content)
	if err := os.Truncate(path, int64(len(content)+at)); err != nil {
		t.Fatal(err)
	}
}

func TestInterruptEndsTheReadingOfWeights(t *testing.T) {
	folder := t.TempDir()
	writeSparse(t, filepath.Join(folder, "large.safetensors"))
	for wait := 300 * time.Millisecond; ; wait *= 3 {
		cmd := program(t, folder, "weights", "info", "large.safetensors")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		time.Sleep(wait)
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		kill.Stop()
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if status.Signaled() && status.Signal() == os.Interrupt && wait < 10*time.Second {
			continue // it wasn't as far as to take signals
		}
		if status.ExitStatus() != statusInterrupted || !strings.Contains(stderr.String(), "large.safetensors: interrupted") {
			t.Errorf("it ended with %v and said %q, want status %d", cmd.ProcessState, stderr.String(), statusInterrupted)
		}
		return
	}
}

// A pipe that nobody writes to and devices are refused, not waited for.
func TestWeightsFromPipesAreRefused(t *testing.T) {
	folder := workshop(t)
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"weights", "info", "pipe"}, {"weights", "verify", "pipe"}, {"weights", "convert", "pipe", "out"},
		{"measure", "content.png", "style.png", "--weights", "pipe"},
		append([]string{"compare", "content.png", "style.png", "-o", "compared", "--weights", "pipe"}, shallow...),
		append([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--weights", "pipe"}, shallow...),
	} {
		impasto(t, folder, args...).refused(t, statusFailed, "pipe is a pipe, not a regular file")
	}
}
