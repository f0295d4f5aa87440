//go:build gpu && cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"impasto/cuda/standin"
	"impasto/internal/plan"
)

func schedule(t *testing.T) (*plan.Schedule, network) {
	t.Helper()
	n := lossNetwork(t, "gram", 5, 7)
	s, err := plan.Make(n.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	return s, n
}

func TestWhatDoesNotFitIsRefusedWithItsSize(t *testing.T) {
	if !standin.Again(t, "STANDIN_MEMORY=500000") {
		return
	}
	d := open(t, Options{})
	s, _ := schedule(t)
	_, err := d.Compile(s)
	var tooLarge *MemoryError
	if !errors.As(err, &tooLarge) || tooLarge.Need <= tooLarge.Free || tooLarge.Total != 500000 || !strings.Contains(err.Error(), " MiB") {
		t.Fatalf("error %v, want a MemoryError that says how much is needed and free", err)
	}
	if v, err := d.NewVector(10); err != nil {
		t.Errorf("what fits after that: %v", err)
	} else {
		d.Free(v)
	}
}

// TestAnyAllocationMayFail lets each of the allocations fail in turn, and all after
// it, until none is left that does.
func TestAnyAllocationMayFail(t *testing.T) {
	for nth := 1; nth <= 9; nth++ {
		t.Run(fmt.Sprint(nth), func(t *testing.T) {
			if !standin.Again(t, fmt.Sprint("STANDIN_ALLOCATION=", nth)) {
				return
			}
			device, err := NewDevice(Options{})
			if err == nil {
				s, n := schedule(t)
				var m plan.Machine
				if m, err = device.Compile(s); err == nil {
					for _, in := range s.Inputs {
						if err = n.inputs[in.Node.Name()].WriteTo(m, in.Node); err != nil {
							break
						}
					}
					if closed := m.Close(); closed != nil {
						t.Errorf("close the machine: %v", closed)
					}
				}
				if closed := device.Close(); closed != nil {
					t.Errorf("close the device: %v", closed)
				}
			}
			var tooLarge *MemoryError
			if !errors.As(err, &tooLarge) {
				t.Errorf("error %v, want a MemoryError", err)
			}
		})
	}
}

func TestFailuresStayAndCloseWorks(t *testing.T) {
	for _, fault := range []string{"STANDIN_LAUNCH=40", "STANDIN_LOST=40"} {
		t.Run(fault, func(t *testing.T) {
			if !standin.Again(t, fault) {
				return
			}
			device, err := NewDevice(Options{})
			if err != nil {
				t.Fatal(err)
			}
			s, n := schedule(t)
			m, err := device.Compile(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range s.Inputs {
				if err := n.inputs[in.Node.Name()].WriteTo(m, in.Node); err != nil {
					t.Fatal(err)
				}
			}
			var failed error
			for range 10 {
				if failed = m.RunAll(); failed != nil {
					break
				}
			}
			if failed == nil || !strings.Contains(failed.Error(), "the GPU (stand-in 0) failed: CUDA_ERROR_") {
				t.Fatalf("error %v, want one that says that the GPU failed, and how", failed)
			}
			if err := m.RunAll(); err == nil || err.Error() != failed.Error() {
				t.Errorf("the next run's error is %v, want %v again", err, failed)
			}
			if _, err := device.NewVector(3); err == nil || err.Error() != failed.Error() {
				t.Errorf("a new vector's error is %v, want %v again", err, failed)
			}
			if err := m.Close(); err != nil {
				t.Errorf("close the machine: %v", err)
			}
			if err := device.Close(); err != nil {
				t.Errorf("close the device: %v", err)
			}
		})
	}
}

// TestVectorsTellOfFailuresLater fails a launch that can't return an error.
func TestVectorsTellOfFailuresLater(t *testing.T) {
	if !standin.Again(t, "STANDIN_LAUNCH=2") {
		return
	}
	device, err := NewDevice(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	v, err := device.NewVector(100)
	if err != nil {
		t.Fatal(err)
	}
	device.Scale(2, v)
	if _, err := device.Dot(v, v); err == nil || !strings.Contains(err.Error(), "failed") {
		t.Errorf("error %v, want the failure of the launch before", err)
	}
}

func TestClosedDevicesSayThatTheyAre(t *testing.T) {
	d := open(t, Options{})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.NewVector(1); !errors.Is(err, errClosed) {
		t.Errorf("error %v, want %v", err, errClosed)
	}
}

// TestFloat16GradientsNeitherVanishNorOverflow takes weights from one end to the other.
func TestFloat16GradientsNeitherVanishNorOverflow(t *testing.T) {
	for _, weight := range []float64{1e-9, 1e6} {
		n := lossNetwork(t, "moments", 11, 14)
		x := n.outputs[len(n.outputs)-1].Graph().Inputs()[0]
		terms := n.outputs[len(n.outputs)-3 : len(n.outputs)-1]
		n.outputs = withGradient(t, x, []float64{weight, weight / 2}, terms...)
		agrees(t, open(t, Options{Precision: "f16"}), n)
	}
}
