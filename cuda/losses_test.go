//go:build gpu && cgo && linux

package cuda

import (
	"fmt"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/device"
	"impasto/internal/cpu"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
	"impasto/losses"
)

func TestPoolingsMatchTheProcessors(t *testing.T) {
	for _, mode := range []pure.PoolMode{pure.MaxPool, pure.MeanPool, pure.L2Pool} {
		for _, precision := range testedPrecisions(t) {
			t.Run(fmt.Sprint(mode, precision), func(t *testing.T) {
				d := open(t, Options{Precision: precision})
				x := leaf(gorgonia.NewGraph(), "x", 3, 9, 14)
				scale := 1.5
				if mode == pure.MaxPool { // of which the processor's kernel knows no scale
					scale = 1
				}
				y, err := ops.ApplyPool(convolve(t, x, 64, pure.Border{Replicate: true}, true), mode, scale)
				if err != nil {
					t.Fatal(err)
				}
				y = convolve(t, y, 64, pure.Border{}, false)
				if y, err = ops.Rectify(y); err != nil {
					t.Fatal(err)
				}
				z, err := ops.ApplyPool(y, mode, 1)
				if err != nil {
					t.Fatal(err)
				}
				g := x.Graph()
				near, err := ops.CompareMaps(pure.Difference{Scaled: true}, y, leaf(g, "y", y.Shape()...))
				if err != nil {
					t.Fatal(err)
				}
				far, err := ops.CompareMaps(pure.Difference{}, z, leaf(g, "z", z.Shape()...))
				if err != nil {
					t.Fatal(err)
				}
				smooth, err := ops.TotalVariation(x)
				if err != nil {
					t.Fatal(err)
				}
				agrees(t, d, network{
					outputs: append([]*gorgonia.Node{z}, withGradient(t, x, []float64{1, 2, 0.1}, near, far, smooth)...),
					inputs: map[string]plan.Values{
						"x": values32(1, 3, 9, 14), "y": values32(2, y.Shape()...), "z": values32(3, z.Shape()...),
					},
				})
			})
		}
	}
}

// lossNetwork is a loss on two layers of a small network, with its gradient.
func lossNetwork(t *testing.T, name string, height, width int) network {
	t.Helper()
	loss, err := losses.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	x := leaf(gorgonia.NewGraph(), "x", 3, height, width)
	shallow := convolve(t, x, 64, pure.Border{Replicate: true}, true)
	deep := convolve(t, shallow, 70, pure.Border{}, true)
	if height > 8 {
		if deep, err = ops.ApplyPool(deep, pure.MaxPool, 1); err != nil {
			t.Fatal(err)
		}
		deep = convolve(t, deep, 128, pure.Border{}, true)
	}
	n := network{inputs: map[string]plan.Values{"x": values32(1, 3, height, width)}}
	if name == "max-sliced" {
		// All slopes point nearly the same way, and what makes them orthonormal lives of
		// how they differ.
		n.loose = 3
	}
	form := loss.Normalised()
	var terms []*gorgonia.Node
	for i, features := range []*gorgonia.Node{shallow, deep} {
		summaries, err := form.Summarise(features, losses.Positions{})
		if err != nil {
			t.Fatal(err)
		}
		target := n.target(x.Graph(), i, keptOf(t, form, positive(values32(uint64(5+i), features.Shape()[0], 6, 11))))
		term, err := form.Value(summaries, target)
		if err != nil {
			t.Fatal(err)
		}
		terms = append(terms, term)
		for _, s := range summaries {
			if s.Node != nil && s.Node.Dims() == 1 {
				n.outputs = append(n.outputs, s.Node)
			}
		}
	}
	n.inputs[losses.KeyName] = keyOf(0.37)
	n.outputs = append(n.outputs, withGradient(t, x, []float64{1, 0.5}, terms...)...)
	return n
}

// targetName is the name of the first input for a target.
func targetName(number int) string { return fmt.Sprintf("target %d, summary 1", number) }

// kept is what a form keeps of a target, and its values.
type kept struct {
	summaries []losses.Summarised
	values    []plan.Values // none of summaries without a node
}

// target adds inputs for a target to a graph, and their values to the network.
func (n network) target(g *gorgonia.ExprGraph, number int, k kept) []losses.Summarised {
	target := slices.Clone(k.summaries)
	for i, values := range k.values {
		if target[i].Node == nil {
			continue
		}
		name := fmt.Sprintf("target %d, summary %d", number, i+1)
		target[i].Node, n.inputs[name] = values.Input(g, name), values
	}
	return target
}

// keyOf is a key as the value of an input.
func keyOf(key float64) plan.Values {
	return plan.Values{Shape: tensor.Shape{1}, Double: []float64{key}}
}

// keptOf is what a form keeps of a target's features, by the processor.
func keptOf(t *testing.T, form losses.Form, features plan.Values) kept {
	t.Helper()
	device, err := cpu.NewDevice(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	x := features.Input(gorgonia.NewGraph(), "features")
	summaries, err := form.Target(x, losses.Positions{})
	if err != nil {
		t.Fatal(err)
	}
	k := kept{summaries, make([]plan.Values, len(summaries))}
	for i, s := range summaries {
		switch s.Node {
		case nil:
		case x:
			k.values[i] = features
		default:
			n := network{outputs: []*gorgonia.Node{s.Node}, inputs: map[string]plan.Values{"features": features}}
			k.values[i] = evaluate(t, device, n, 1)[0]
		}
	}
	return k
}

// slow tells of losses that go through positions many times, which takes a while
// where they are emulated. Their kernels' own tests take every precision.
func slow(t *testing.T, name string) bool {
	t.Helper()
	loss, err := losses.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return !loss.Normalised().Blends()
}

func TestLossesMatchTheProcessors(t *testing.T) {
	for _, name := range losses.Names() {
		sizes := [][2]int{{5, 7}, {11, 14}}
		if slow(t, name) {
			sizes = [][2]int{{9, 8}}
		}
		for _, size := range sizes {
			for _, precision := range testedPrecisions(t) {
				if precision != "f32" && size[0] < 8 || slow(t, name) && (precision == "tf32" || precision == "bf16") {
					continue
				}
				t.Run(fmt.Sprint(name, size, precision), func(t *testing.T) {
					agrees(t, open(t, Options{Precision: precision}), lossNetwork(t, name, size[0], size[1]))
				})
			}
		}
	}
}

// TestSinkhornOfAllButEqualPointsMatchesTheProcessors takes targets of which every position
// has nearly the same features, as those of a grey picture.
func TestSinkhornOfAllButEqualPointsMatchesTheProcessors(t *testing.T) {
	loss, err := losses.Named("sinkhorn")
	if err != nil {
		t.Fatal(err)
	}
	for _, contrast := range []float32{0, 1e-5, 8e-5} {
		features := flat(64, 6*11)
		for i, v := range random(9, len(features.Single)) {
			features.Single[i] *= 1 + contrast*v
		}
		for _, precision := range []device.Precision{device.Float32, device.Float16, device.BFloat16} {
			if precision != device.Float32 && contrast != 1e-5 {
				continue
			}
			t.Run(fmt.Sprint(contrast, " ", precision), func(t *testing.T) {
				n := lossNetwork(t, "sinkhorn", 5, 7)
				n.target(gorgonia.NewGraph(), 0, keptOf(t, loss.Normalised(), features)) // in place of the usual one
				agrees(t, open(t, Options{Precision: precision}), n)
			})
		}
	}
}

// sampledClouds adds a loss between most of the positions of two maps to their graph, or
// between all where most is zero.
func sampledClouds[L pure.CloudLoss](t *testing.T, of L, most int, x, target *gorgonia.Node) *gorgonia.Node {
	t.Helper()
	o := ops.CloudOperands{X: x, Target: target}
	if most > 0 {
		o.Key = losses.Key(x.Graph())
		for _, side := range []**gorgonia.Node{&o.X, &o.Target} {
			var err error
			shape := (*side).Shape()
			if *side, err = ops.Select(pure.Selection{Height: shape[1], Width: shape[2], Most: most}, *side, o.Key); err != nil {
				t.Fatal(err)
			}
		}
	}
	term, err := ops.CompareClouds(of, o)
	if err != nil {
		t.Fatal(err)
	}
	return term
}

// TestSamplesOfPositionsFollowTheKey takes losses of pairs at a few positions only.
func TestSamplesOfPositionsFollowTheKey(t *testing.T) {
	const channels, most = 64, 23
	for _, compare := range []func(x, target *gorgonia.Node) *gorgonia.Node{
		func(x, target *gorgonia.Node) *gorgonia.Node {
			return sampledClouds(t, pure.MMD{Channels: channels, Scaled: true}, most, x, target)
		},
		func(x, target *gorgonia.Node) *gorgonia.Node {
			return sampledClouds(t, pure.Relaxed{Channels: channels}, most, x, target)
		},
		func(x, target *gorgonia.Node) *gorgonia.Node {
			return sampledClouds(t, pure.Sinkhorn{Channels: channels, Epsilon: 0.05, Tolerance: 1e-3, Iterations: 40}, most, x, target)
		},
	} {
		x := leaf(gorgonia.NewGraph(), "x", 3, 9, 7)
		y := convolve(t, x, channels, pure.Border{}, true)
		outputs := withGradient(t, x, []float64{1}, compare(y, leaf(x.Graph(), "target", channels, 6, 11)))
		for _, key := range []float64{0.2, 0.9} {
			agrees(t, open(t, Options{}), network{
				outputs: outputs,
				inputs: map[string]plan.Values{
					"x": values32(1, 3, 9, 7), "target": positive(values32(2, channels, 6, 11)), losses.KeyName: keyOf(key),
				},
			})
		}
	}
}
