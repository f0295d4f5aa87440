//go:build gpu && cgo && linux

package cuda

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"impasto/device"
	"impasto/internal/ops"
	"impasto/internal/ops/opstest"
	"impasto/internal/plan"
)

// refusal is why the GPU refuses a case, or nothing where it doesn't.
func refusal(t *testing.T, d *Device, c *opstest.Case) string {
	t.Helper()
	g, err := c.Graph(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	for _, outputs := range g.Outputs() {
		s, err := plan.Make(outputs.Nodes...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.For(d); err != nil {
			return err.Error()
		}
	}
	return ""
}

// operationTolerances are how far the GPU may be off by the operation, "" standing for all
// others: two to five times as far as it is, on the stand-in.
var operationTolerances = map[device.Precision]map[string]opstest.Tolerance{
	device.Float32: {
		"": {Value: 4e-7, Gradient: 4e-7},
		// Sums of a thousand products.
		"convolution": {Value: 2e-6, Gradient: 2e-6},
		"sliced":      {Value: 4e-7, Gradient: 3e-6},
		// Products, of three of TF32 each, make exponents, and matrix units truncate sums.
		"sinkhorn": {Value: 2e-6, Gradient: 3e-6},
		"mmd":      {Value: 4e-7, Gradient: 4e-6},
		// The iteration ends with a map that is off by 1.04e-5. The loss has it twice, and
		// the gradient is a difference that can be several times smaller.
		"gaussian": {Value: 2.2e-5, Gradient: 1e-4},
		"network":  {Value: 2.2e-5, Gradient: 2.2e-5},
	},
	// Products of 11 bits.
	device.TensorFloat32: {
		"":            {Value: 4e-7, Gradient: 4e-7},
		"convolution": {Value: 1e-3, Gradient: 1e-3},
		"moments":     {Value: 4e-7, Gradient: 1e-3},
		"gram":        {Value: 4e-7, Gradient: 1e-3},
		"gaussian":    {Value: 2.2e-5, Gradient: 1.5e-3},
		"network":     {Value: 2.2e-5, Gradient: 1e-3},
	},
	// Features and cotangents of 11 bits. Maxima may be taken of one of two that are equal
	// in them, points on a line in another order; roots of fifth moments have steep slopes.
	device.Float16: {
		"":                {Value: 1e-3, Gradient: 2e-3},
		"max pool":        {Value: 1e-3, Gradient: 0.1},
		"sliced":          {Value: 1e-4, Gradient: 2e-2},
		"central moments": {Value: 3e-4, Gradient: 0.1},
		"gaussian":        {Value: 3e-4, Gradient: 2e-2},
		"network":         {Value: 2.2e-5, Gradient: 1.5e-2},
	},
	// Of 8 bits.
	device.BFloat16: {
		"":                {Value: 8e-3, Gradient: 1.5e-2},
		"max pool":        {Value: 5e-3, Gradient: 0.1},
		"central moments": {Value: 4e-3, Gradient: 1},
		"map difference":  {Value: 2e-4, Gradient: 5e-2},
		"gaussian":        {Value: 2e-3, Gradient: 1.5e-2},
		"network":         {Value: 1e-3, Gradient: 0.2},
	},
}

func TestOperationsAgreeWithTheirDefinitions(t *testing.T) {
	cases := opstest.Cases()
	for _, precision := range testedPrecisions(t) {
		d, tolerances := open(t, Options{Precision: precision}), operationTolerances[precision]
		t.Run(string(precision), func(t *testing.T) {
			opstest.Compare(t, opstest.Device{
				Device: d, Runs: 2,
				Tolerance: func(c *opstest.Case) opstest.Tolerance {
					if tolerance, own := tolerances[c.Operation]; own {
						return tolerance
					}
					return tolerances[""]
				},
				Skips: func(c *opstest.Case) string {
					switch c.Operation {
					case "sliced", "sinkhorn", "relaxed", "mmd":
						if precision != device.Float32 && (testing.Short() || precision != device.Float16) {
							return "takes a while where it is emulated; its kernels' own tests take every precision"
						}
					}
					return refusal(t, d, c)
				},
			}, cases)
		})
	}
}

// TestWhatHasNoKernelIsRefusedByName says which operations of the table can't be computed
// at any size, and that all others can be at some.
func TestWhatHasNoKernelIsRefusedByName(t *testing.T) {
	d := open(t, Options{})
	computed := map[string]bool{}
	for _, c := range opstest.For(opstest.Compared, opstest.Cases()) {
		why := refusal(t, d, c)
		if why != "" && !strings.Contains(why, "use the device cpu") {
			t.Errorf("%s is refused by %q, want what to do", c.Name(), why)
		}
		computed[c.Operation] = computed[c.Operation] || why == ""
	}
	var refused []string
	for _, operation := range slices.Sorted(maps.Keys(computed)) {
		if !computed[operation] {
			refused = append(refused, operation)
		}
	}
	if want := []string{"custom", "softmin", "weighted channel moments", "weighted moments"}; !slices.Equal(refused, want) {
		t.Errorf("operations that are refused: %v, want %v", refused, want)
	}
}

func TestEveryKernelHasACase(t *testing.T) {
	d := open(t, Options{})
	bound := map[reflect.Type]bool{}
	for _, c := range opstest.For(opstest.Compared, opstest.Cases()) {
		if refusal(t, d, c) != "" {
			continue
		}
		programs, err := opstest.Programs(d, []*opstest.Case{c})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range programs {
			for _, step := range p.Steps {
				of := reflect.TypeOf(step.Op)
				if loss, _, ok := step.Loss(); ok {
					of = reflect.TypeOf(loss)
				}
				bound[of] = true
			}
		}
	}
	// Poolings go with convolutions in the network, where a device has that at all.
	half, fused := open(t, Options{Precision: device.Float16}), reflect.TypeFor[*ops.PooledConvolution]()
	bound[fused] = countOf[*ops.PooledConvolution](networkProgram(t, half, 24, 20)) > 0 || !half.hopperPools(shape3{64, 64, 24, 20})
	for of := range kernelTable() {
		if !bound[of] {
			t.Errorf("the kernel of %v is in no program of the cases", of)
		}
	}
}
