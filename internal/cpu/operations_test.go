package cpu

import (
	"fmt"
	"reflect"
	"testing"

	"impasto/device"
	"impasto/internal/cpu/kernels"
	"impasto/internal/ops/opstest"
	"impasto/internal/plan"
)

// eachProcessor calls visit with a device for every set of inner loops that this
// machine can run, in a test of its name: for the first set, on every number of threads,
// which share out the same for all, and for the others on the first.
func eachProcessor(t *testing.T, o Options, threads []int, visit func(t *testing.T, d *Device)) {
	for i, path := range kernels.ISAs() {
		if i > 0 {
			threads = threads[:1]
		}
		for _, n := range threads {
			t.Run(fmt.Sprintf("cpu=%s/threads=%d", path, n), func(t *testing.T) {
				t.Setenv(kernels.Environment, path)
				o.Threads = n
				if o.Precision == device.BFloat16 && testWorkers(t, 1).CheckBFloat16() != nil {
					t.Skip("these inner loops have no products of bfloat16")
				}
				visit(t, opened(t, o))
			})
		}
	}
}

// tolerances are how far this device may be off, by the operation: two to five times
// as far as it is. The rest is rounded to float32 here and there.
type tolerances map[string]opstest.Tolerance

func (ts tolerances) of(c *opstest.Case) opstest.Tolerance {
	if tolerance, ok := ts[c.Operation]; ok {
		return tolerance
	}
	return opstest.Tolerance{Value: 4e-7, Gradient: 4e-7}
}

func exactly() tolerances {
	return tolerances{
		// Sums of a thousand products.
		"convolution": {Value: 2e-6, Gradient: 2e-6},
		// Products in float32 make exponents.
		"sinkhorn": {Value: 4e-7, Gradient: 3e-6},
		"mmd":      {Value: 5e-6, Gradient: 5e-6},
		// The iteration ends with a map that is off by 1.04e-5. The loss has it twice, and
		// the gradient is a difference that can be several times smaller.
		"gaussian": {Value: 2.2e-5, Gradient: 1e-4},
		"network":  {Value: 2.2e-5, Gradient: 2.2e-5},
	}
}

// quickly has what Winograd's algorithm costs.
func quickly() tolerances {
	ts := exactly()
	ts["convolution"] = opstest.Tolerance{Value: 1e-5, Gradient: 1e-5}
	return ts
}

// inFloat16 has what features of 11 bits cost. Errors average out in a loss more than
// in a gradient.
func inFloat16() tolerances {
	ts := quickly()
	ts["network"] = opstest.Tolerance{Value: 5e-5, Gradient: 1e-3}
	return ts
}

// inBFloat16 has what products of 8 bits cost, which take some units for others.
func inBFloat16() tolerances {
	ts := quickly()
	ts["convolution"] = opstest.Tolerance{Value: 2.5e-2, Gradient: 2.5e-2}
	ts["network"] = opstest.Tolerance{Value: 5e-3, Gradient: 0.15}
	return ts
}

func TestOperationsAgreeWithTheirDefinitions(t *testing.T) {
	cases := opstest.Cases()
	for _, test := range []struct {
		name       string
		options    Options
		threads    []int
		tolerances tolerances
	}{
		{"f32", Options{}, []int{1, 2}, quickly()},
		{"exact", Options{Exact: true}, []int{1}, exactly()},
		{"f16", Options{Precision: device.Float16}, []int{1}, inFloat16()},
		{"bf16", Options{Precision: device.BFloat16}, []int{1}, inBFloat16()},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachProcessor(t, test.options, test.threads, func(t *testing.T, d *Device) {
				opstest.Compare(t, opstest.Device{Device: d, Tolerance: test.tolerances.of, Runs: 2}, cases)
			})
		})
	}
}

func TestEveryKernelHasACase(t *testing.T) {
	bound := map[reflect.Type]bool{}
	for _, o := range []Options{{Threads: 1}, {Threads: 1, Precision: device.Float16}} {
		d := opened(t, o)
		programs, err := opstest.Programs(d, opstest.For(opstest.Compared, opstest.Cases()))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range programs {
			for _, step := range p.Steps {
				if d.Supports(step).How == plan.ByKernel {
					bound[kernelType(step)] = true
				}
			}
		}
	}
	for of := range kernelTable() {
		if !bound[of] {
			t.Errorf("the kernel of %v is in no program of the cases", of)
		}
	}
}

func BenchmarkOperations(b *testing.B) {
	cases := opstest.Cases()
	for _, path := range kernels.ISAs() {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("cpu=%s/threads=%d", path, threads), func(b *testing.B) {
				b.Setenv(kernels.Environment, path)
				opstest.Time(b, opened(b, Options{Threads: threads}), cases)
			})
		}
	}
}
