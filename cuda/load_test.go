//go:build gpu && cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"impasto/cuda/standin"
)

// TestDevicesGetTheirCode opens devices of all generations, of drivers from the oldest that
// speaks of them on. The stand-in refuses code that such a device doesn't run.
func TestDevicesGetTheirCode(t *testing.T) {
	for _, c := range []struct {
		capability string
		driver     int
		ptx        bool
		want       string
	}{
		{"8.0", 12000, false, "80"},
		{"8.0", 13000, false, "80"},
		{"8.6", 12000, false, "86"},
		{"8.7", 12000, false, "86"},
		{"8.9", 12000, false, "89"},
		{"9.0", 12000, false, "90a"},
		{"9.0", 13000, false, "90a"},
		{"10.0", 12080, false, "100"},
		{"10.3", 12090, false, "100"},
		{"11.0", 13000, false, ""},
		{"12.0", 12080, false, "120"},
		{"12.1", 12090, false, "120"},
		{"8.0", 12000, true, ""},
		{"9.0", 12000, true, ""},
		{"12.0", 12080, true, ""},
	} {
		t.Run(fmt.Sprintf("%s on %d, ptx %v", c.capability, c.driver, c.ptx), func(t *testing.T) {
			environment := []string{"STANDIN_CAPABILITY=" + c.capability, fmt.Sprint("STANDIN_DRIVER=", c.driver)}
			if c.ptx {
				environment = append(environment, "IMPASTO_CUDA_PTX=1")
			}
			if !standin.Again(t, environment...) {
				return
			}
			d := open(t, Options{Precision: "f16"})
			if d.code != c.want {
				t.Errorf("loaded the code for %q, want %q", d.code, c.want)
			}
			if got, want := d.hopper(shape3{in: 64}), c.want == "90a"; got != want {
				t.Errorf("uses what only Hopper has: %v, want %v", got, want)
			}
			v, err := d.NewVector(3) // which a kernel clears
			if err != nil {
				t.Fatal(err)
			}
			d.Free(v)
		})
	}
}

func TestCodeThatIsNotTakenIsExplained(t *testing.T) {
	for _, c := range []struct {
		name        string
		environment []string
		want        []string
	}{
		{"a driver older than the GPU", []string{"STANDIN_CAPABILITY=12.0", "STANDIN_DRIVER=12000"},
			[]string{"CUDA 12.0", "code for architecture 120", "CUDA_ERROR_NO_BINARY_FOR_GPU", "newer driver", "IMPASTO_CUDA_PTX=1"}},
		{"a driver without its compiler", []string{"STANDIN_JIT=221", "IMPASTO_CUDA_PTX=1"},
			[]string{"compile", "CUDA_ERROR_JIT_COMPILER_NOT_FOUND", "the stand-in fails to compile", "libnvidia-ptxjitcompiler"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !standin.Again(t, c.environment...) {
				return
			}
			_, err := NewDevice(Options{})
			var unavailable *UnavailableError
			if !errors.As(err, &unavailable) {
				t.Fatalf("error %v, want an UnavailableError", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q, want %q in it", err, part)
				}
			}
		})
	}
}
