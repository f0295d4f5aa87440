//go:build gpu && cgo && linux

package cuda

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/cuda/kernels"
	"impasto/device"
	"impasto/internal/cpu"
	"impasto/internal/plan"
	"impasto/internal/pure"
	"impasto/losses"
)

// flat are features of which every position has the same.
func flat(channels, positions int) plan.Values {
	v := plan.Values{Shape: []int{channels, 1, positions}, Single: make([]float32, channels*positions)}
	for i := range v.Single {
		v.Single[i] = float32(i/positions%7) / 3
	}
	return v
}

// times are features with every one multiplied.
func times(factor float32, v plan.Values) plan.Values {
	for i := range v.Single {
		v.Single[i] *= factor
	}
	return v
}

// gaussianTarget64 is a target of 64 channels, and whether the iteration finds its map.
type gaussianTarget64 struct {
	name   string
	values plan.Values
	found  bool
	// far: gradients, which are in units of the target, are beyond the range of float16.
	far bool
}

// gaussianTargets are what the iteration can do, a usual target between and after that,
// and the two that it can't.
func gaussianTargets(t *testing.T, usual plan.Values) []gaussianTarget64 {
	t.Helper()
	loss, err := losses.Named("gaussian")
	if err != nil {
		t.Fatal(err)
	}
	kept := func(features plan.Values) plan.Values { return keptOf(t, loss.Normalised(), features).values[0] }
	// Of rank one, and hardly that.
	thin := flat(64, 40)
	for i := range thin.Single {
		thin.Single[i] += 1e-4 * float32(i%40)
	}
	direction := flat(64, 40)
	for i := range direction.Single {
		direction.Single[i] *= 1 + float32(i%40%7)/10
	}
	// Too little variance for the mean: no covariance at all.
	indefinite := kept(thin)
	indefinite.Double = slices.Clone(indefinite.Double)
	for i := range 64 {
		indefinite.Double[i] *= 2
	}
	cloud := func(positions int) plan.Values { return positive(values32(8, 64, 1, positions)) }
	return []gaussianTarget64{
		{"usual", usual, true, false},
		{"no covariance", indefinite, false, false},
		{"usual, after one that isn't found", usual, true, false},
		{"usual once more", usual, true, false},
		{"one colour", kept(flat(64, 40)), true, false},
		{"one weak colour", kept(times(1e-2, flat(64, 40))), true, false},
		{"one far weaker colour", kept(times(1e-5, flat(64, 40))), true, true},
		{"one bright colour", kept(times(1e2, flat(64, 40))), true, false},
		{"hardly any contrast", kept(thin), true, false},
		{"one direction", kept(direction), true, false},
		{"one weak direction", kept(times(1e-2, direction)), true, false},
		{"one position", kept(flat(64, 1)), true, false},
		{"weak", kept(times(1e-2, cloud(200))), true, false},
		{"far weaker", kept(times(1e-4, cloud(200))), true, true},
		{"far weaker, of few positions", kept(times(1e-4, cloud(9))), true, true},
		{"far stronger", kept(times(1e4, cloud(200))), true, false},
		{"no activation", kept(times(0, cloud(9))), false, true},
		{"usual at last", usual, true, false},
	}
}

// TestGaussianFindsTheMapToAnyCovariance writes one target after the other to a machine. A
// target that is weak beside the picture leaves the picture's ridge to the picture itself.
func TestGaussianFindsTheMapToAnyCovariance(t *testing.T) {
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		findsMaps(t, open(t, Options{Precision: precision}), lossNetwork(t, "gaussian", 5, 7), func(string, *machine) {})
	}
}

// TestGaussianFindsTheMapByFloat32OrOtherwise takes the same targets as a device on which
// float64 is slow: for a picture of more positions than channels, where float32 is enough and
// all is one graph, and of fewer, where float64 has to help.
func TestGaussianFindsTheMapByFloat32OrOtherwise(t *testing.T) {
	for _, test := range []struct {
		height, width int
		helps         bool
	}{{8, 13, false}, {5, 7, true}} {
		d := open(t, Options{})
		d.polarFrom = 64
		findsMaps(t, d, lossNetwork(t, "gaussian", test.height, test.width), func(target string, m *machine) {
			if helps := m.missed && !m.onHost; strings.HasPrefix(target, "usual") && helps != test.helps {
				t.Errorf("%d×%d positions, target: %s: float64 helps: %t, want %t", test.height, test.width, target, helps, test.helps)
			}
		})
	}
}

// findsMaps writes each target to a machine that the device makes of a network, and compares two runs with the
// processor's. What a run did is looked at besides.
func findsMaps(t *testing.T, d *Device, n network, look func(target string, m *machine)) {
	t.Helper()
	targets := gaussianTargets(t, n.inputs[targetName(0)])
	exact, err := cpu.NewDevice(cpu.Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	s, err := plan.Make(n.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := d.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	m := compiled.(*machine)
	t.Cleanup(func() { m.Close() })
	for _, target := range targets {
		if target.far && d.precision == kernels.F16 {
			continue
		}
		what := fmt.Sprintf("%s, target: %s", d.precision, target.name)
		n.inputs[targetName(0)] = target.values
		want := evaluate(t, exact, n, 1)
		for _, in := range s.Inputs {
			if err := n.inputs[in.Node.Name()].WriteTo(m, in.Node); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
			compareOutputs(t, what, m, n, want)
			if found := m.Remark() == ""; found != target.found {
				t.Errorf("%s: the iteration found the map: %t, want %t", what, found, target.found)
			}
			look(target.name, m)
		}
	}
}

// TestGPUsOfConsumersLookForMapsByFloat32 says which GPUs take which way.
func TestGPUsOfConsumersLookForMapsByFloat32(t *testing.T) {
	for capability, want := range map[string]int{"8.0": 0, "8.6": leastPolar, "8.9": leastPolar, "9.0": 0, "10.0": 0, "10.3": leastPolar, "12.0": leastPolar} {
		if got := polarFrom(capability); got != want {
			t.Errorf("compute capability %s: by float32 from %d channels on, want %d", capability, got, want)
		}
	}
	t.Setenv("IMPASTO_CUDA", "ampere,slow-doubles")
	if got := polarFrom("9.0"); got != leastPolar || !forced("ampere") || forced("slow") {
		t.Errorf("IMPASTO_CUDA=ampere,slow-doubles: by float32 from %d channels on, want %d", got, leastPolar)
	}
}

// TestGaussianWithoutARidgeIsComputed compares what has no iteration at all.
func TestGaussianWithoutARidgeIsComputed(t *testing.T) {
	loss, err := losses.Named("gaussian")
	if err != nil {
		t.Fatal(err)
	}
	form, x := loss.Plain(), leaf(gorgonia.NewGraph(), "x", 3, 11, 9)
	summaries, err := form.Summarise(convolve(t, x, 32, pure.Border{Replicate: true}, true), losses.Positions{})
	if err != nil {
		t.Fatal(err)
	}
	n := network{inputs: map[string]plan.Values{"x": values32(1, 3, 11, 9)}}
	term, err := form.Value(summaries, n.target(x.Graph(), 0, keptOf(t, form, positive(values32(2, 32, 6, 11)))))
	if err != nil {
		t.Fatal(err)
	}
	n.outputs = withGradient(t, x, []float64{1}, term)
	agrees(t, open(t, Options{}), n)
}
