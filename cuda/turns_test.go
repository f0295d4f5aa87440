//go:build gpu && cgo && linux

package cuda

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/internal/cpu"
	"impasto/internal/plan"
	"impasto/internal/pure"
	"impasto/losses"
)

// turn is what is written before a run: the picture, and the rest where it isn't nil.
type turn struct {
	picture, target plan.Values
	key             float64
	broken          bool // the outputs aren't numbers
}

// goesAlong runs a network on the processor and the GPU, turn by turn, and compares what
// depends on the runs before. It returns how many kinds of runs the GPU has made.
func goesAlong(t *testing.T, n network, turns []turn) int {
	t.Helper()
	s, err := plan.Make(n.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	exact, err := cpu.NewDevice(cpu.Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	var machines [2]plan.Machine
	for i, on := range []plan.Device{exact, open(t, Options{})} {
		if machines[i], err = on.Compile(s); err != nil {
			t.Fatal(err)
		}
		defer machines[i].Close()
	}
	for i, c := range turns {
		n.inputs["x"], n.inputs[losses.KeyName] = c.picture, keyOf(c.key)
		if c.target.Single != nil {
			n.inputs[targetName(0)] = c.target
		}
		for k, m := range machines {
			for _, in := range s.Inputs {
				name := in.Node.Name()
				if i > 0 && name != "x" && name != losses.KeyName && (name != targetName(0) || c.target.Single == nil) {
					continue
				}
				if err := n.inputs[name].WriteTo(m, in.Node); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.RunAll(); err != nil {
				t.Fatalf("machine %d, turn %d: %v", k, i, err)
			}
		}
		if !c.broken {
			compareOutputs(t, fmt.Sprint("turn ", i), machines[1].(*machine), n, readOutputs(t, machines[0], n))
		}
	}
	return len(machines[1].(*machine).variants)
}

// picture is one of noise of which so much is another.
func picture(other float64) plan.Values {
	v := values32(1, 3, 5, 7)
	for i, w := range random(2, len(v.Single)) {
		v.Single[i] += float32(other) * w
	}
	return v
}

func brokenPicture() plan.Values {
	v := picture(0)
	v.Single[4] = float32(math.Inf(1))
	return v
}

func TestTurnedDirectionsAreHeldAsTheProcessorHoldsThem(t *testing.T) {
	n := lossNetwork(t, "max-sliced", 5, 7)
	n.loose = 2000 // directions made of what slopes differ by differ as much; turning anew makes ones off by a half
	kinds := goesAlong(t, n, []turn{
		{picture: picture(0), key: 0.3}, {picture: picture(1), key: 0.3}, {picture: picture(2), key: 0.3}, // along the first's
		{picture: picture(2), key: 0.7}, {picture: picture(0), key: 0.7},
		{picture: brokenPicture(), key: 0.2, broken: true}, {picture: picture(0), key: 0.2}, {picture: picture(1), key: 0.2}, // along the second's
	})
	if kinds != 2 {
		t.Errorf("%d kinds of runs, want one that turns and one that holds", kinds)
	}
}

// TestPotentialsAreKeptAsTheProcessorKeepsThem goes on from potentials of points nearby,
// of another sample, and from none.
func TestPotentialsAreKeptAsTheProcessorKeepsThem(t *testing.T) {
	flatTarget := values32(9, 64, 6, 9)
	for i := range flatTarget.Single {
		flatTarget.Single[i] = float32(i / 54 % 5)
	}
	other := positive(values32(8, 64, 6, 9))
	wide := positive(values32(8, 64, 6, 9))
	for i := range wide.Single {
		wide.Single[i] *= 3
	}
	turns := []turn{
		{picture: picture(0), key: 0.3}, {picture: picture(0.1), key: 0.3}, {picture: picture(0.2), key: 0.3}, {picture: picture(2), key: 0.3},
		{picture: picture(2), key: 0.6}, {picture: picture(2.1), key: 0.6}, {picture: picture(2.1), key: 0.7},
		{picture: picture(2.1), target: other, key: 0.7}, {picture: picture(2), key: 0.7},
		{picture: picture(2), target: wide, key: 0.8}, {picture: picture(1.9), key: 0.8}, // ε too changes
		{picture: brokenPicture(), key: 0.8, broken: true}, {picture: picture(1), key: 0.8}, {picture: picture(1), key: 0.1},
		{picture: picture(1), target: flatTarget, key: 0.1}, {picture: picture(0.9), key: 0.1}, {picture: picture(0.9), target: other, key: 0.2},
		{picture: picture(0.8), key: 0.2},
	}
	for name, loss := range map[string]pure.Sinkhorn{
		"few refinements": {Channels: 64, Epsilon: 0.05, Tolerance: 1e-9, Iterations: 7, Refinements: 3, Scaled: true},
		"as many":         {Channels: 64, Epsilon: 0.05, Tolerance: 1e-9, Iterations: 4},
		"more":            {Channels: 64, Epsilon: 0.1, Tolerance: 1e-9, Iterations: 2, Refinements: 4},
		"a tolerance":     {Channels: 64, Epsilon: 0.1, Tolerance: 1e-2, Iterations: 60, Refinements: 20},
	} {
		for _, most := range []int{0, 20} {
			if testing.Short() && most > 0 {
				continue // takes as long again
			}
			t.Run(fmt.Sprint(name, most), func(t *testing.T) {
				x := leaf(gorgonia.NewGraph(), "x", 3, 5, 7)
				y := convolve(t, x, 64, pure.Border{Replicate: true}, true)
				term := sampledClouds(t, loss, most, y, leaf(x.Graph(), targetName(0), 64, 6, 9))
				goesAlong(t, network{
					outputs: withGradient(t, x, []float64{1}, term),
					inputs:  map[string]plan.Values{targetName(0): positive(values32(2, 64, 6, 9))},
				}, turns)
			})
		}
	}
}
