//go:build gpu && cgo && linux

package driver

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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

// TestOldestDriverHasEveryEntryPoint compares the list with the header in which NVIDIA has
// a type for each entry point, which ends with the version of CUDA that brought it. Later
// ones of the same name are called _v2, _v3 and so on.
func TestOldestDriverHasEveryEntryPoint(t *testing.T) {
	var header []byte
	for _, flag := range strings.Fields(os.Getenv("CGO_CFLAGS")) {
		if folder, ok := strings.CutPrefix(flag, "-I"); ok && header == nil {
			header, _ = os.ReadFile(filepath.Join(folder, "cudaTypedefs.h"))
		}
	}
	if header == nil {
		t.Fatal("no folder in CGO_CFLAGS has cudaTypedefs.h; run this by cuda/go.sh test")
	}
	brought := map[string][]int{}
	for _, match := range regexp.MustCompile(`\*PFN_(cu\w+?)_v(\d+)\)`).FindAllSubmatch(header, -1) {
		version, _ := strconv.Atoi(string(match[2]))
		name := string(match[1])
		brought[name] = append(brought[name], version)
	}
	list, err := os.ReadFile("entrypoints.txt")
	if err != nil {
		t.Fatal(err)
	}
	entrypoints := regexp.MustCompile(`(?m)^(cu\w+?)(?:_v(\d))? (\d+)$`).FindAllSubmatch(list, -1)
	if len(entrypoints) < 100 {
		t.Fatalf("%d entry points, want all that gorgonia.org/cu has", len(entrypoints))
	}
	for _, match := range entrypoints {
		generation, version := 1, 0
		if len(match[2]) > 0 {
			generation, _ = strconv.Atoi(string(match[2]))
		}
		version, _ = strconv.Atoi(string(match[3]))
		versions := brought[string(match[1])]
		slices.Sort(versions)
		switch {
		case version > Required:
			t.Errorf("%s came with CUDA %d, which drivers of %d don't have", match[0], version, Required)
		case len(versions) < generation || versions[generation-1] != version:
			t.Errorf("%s: the header says %v", match[0], versions)
		}
	}
}
