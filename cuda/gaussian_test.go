//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"fmt"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

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

// TestGaussianTargetsThatTheIterationCannotReach takes targets whose transport map it
// doesn't find, being far weaker than the picture or no covariance at all, a usual one
// between and after them, and flat ones, whose map it finds.
func TestGaussianTargetsThatTheIterationCannotReach(t *testing.T) {
	loss, err := losses.Named("gaussian")
	if err != nil {
		t.Fatal(err)
	}
	form := loss.Normalised()
	thin := flat(64, 40) // of rank one, and hardly that
	for i := range thin.Single {
		thin.Single[i] += 1e-4 * float32(i%40)
	}
	weak := flat(64, 40)
	for i := range weak.Single {
		weak.Single[i] *= 1e-2
	}
	indefinite := keptOf(t, form, thin).values[0]
	indefinite.Double = slices.Clone(indefinite.Double)
	for i := range 64 {
		indefinite.Double[i] *= 2 // too little variance for the mean
	}
	exact, err := cpu.NewDevice(cpu.Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	n := lossNetwork(t, "gaussian", 5, 7)
	s, err := plan.Make(n.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		compiled, err := open(t, Options{Precision: precision}).Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		m := compiled.(*machine)
		t.Cleanup(func() { m.Close() })
		usual := n.inputs[targetName(0)]
		for i, c := range []struct {
			target plan.Values
			found  bool
		}{
			{keptOf(t, form, weak).values[0], false}, {usual, true}, {usual, true}, {usual, true},
			{indefinite, false}, {usual, true}, {keptOf(t, form, flat(64, 40)).values[0], true},
			{keptOf(t, form, thin).values[0], true}, {usual, true},
		} {
			n.inputs[targetName(0)] = c.target
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
				compareOutputs(t, fmt.Sprintf("%s, target %d", precision, i), m, n, want)
				if found := m.Remark() == ""; found != c.found {
					t.Errorf("%s, target %d: the iteration found the map: %t, want %t", precision, i, found, c.found)
				}
			}
		}
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
