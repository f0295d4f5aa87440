//go:build gpu && linux && amd64 && cgo

package driver

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"gorgonia.org/cu"
)

func TestProgramsDoNotNeedTheDriverToStart(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	libraries, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range libraries {
		if strings.HasPrefix(library, "libcuda") {
			t.Errorf("this program needs %s to start; all of %v should be there without a driver", library, libraries)
		}
	}
}

func TestCallsBeforeLoadingFail(t *testing.T) {
	if _, err := cu.NumDevices(); StatusOf(err) != 3 {
		t.Errorf("status %d (%v), want 3, not initialized", StatusOf(err), err)
	}
}

func TestStatusIsFoundInWrappedErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Status
	}{
		{fmt.Errorf("wrapped: %w", OutOfMemory), OutOfMemory},
		{fmt.Errorf("wrapped: %w", cu.OutOfMemory), OutOfMemory},
		{errors.New("another"), 0},
		{nil, 0},
	} {
		if got := StatusOf(c.err); got != c.want {
			t.Errorf("status of %v is %d, want %d", c.err, int(got), int(c.want))
		}
	}
}
