//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"fmt"
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
		for _, row := range device.Precisions {
			precision := row.Name
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
	var terms []*gorgonia.Node
	for i, features := range []*gorgonia.Node{shallow, deep} {
		summary, err := loss.Summarise(features)
		if err != nil {
			t.Fatal(err)
		}
		values := summaryOf(t, loss, positive(values32(uint64(5+i), features.Shape()[0], 6, 11)))
		key := fmt.Sprint("target ", i)
		n.inputs[key] = values
		term, err := loss.Objective(summary, values.Input(x.Graph(), key))
		if err != nil {
			t.Fatal(err)
		}
		terms = append(terms, term)
		if summary != features {
			n.outputs = append(n.outputs, summary)
		}
	}
	n.inputs[losses.DrawName] = plan.Values{Shape: tensor.Shape{1}, Double: []float64{0.37}}
	n.outputs = append(n.outputs, withGradient(t, x, []float64{1, 0.5}, terms...)...)
	return n
}

// summaryOf is a feature map's, by the processor.
func summaryOf(t *testing.T, loss losses.Loss, features plan.Values) plan.Values {
	t.Helper()
	device, err := cpu.NewDevice(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	x := features.Input(gorgonia.NewGraph(), "features")
	summary, err := loss.Summarise(x)
	if err != nil {
		t.Fatal(err)
	}
	if summary == x {
		return features
	}
	return evaluate(t, device, network{outputs: []*gorgonia.Node{summary}, inputs: map[string]plan.Values{"features": features}}, 1)[0]
}

// slow tells of losses that go through positions many times, which takes a while
// where they are emulated. Their kernels' own tests take every precision.
func slow(t *testing.T, name string) bool {
	t.Helper()
	loss, err := losses.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return !loss.Blends()
}

func TestLossesMatchTheProcessors(t *testing.T) {
	for _, name := range losses.Names() {
		for _, size := range [][2]int{{5, 7}, {11, 14}} {
			for _, row := range device.Precisions {
				precision := row.Name
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

// TestSamplesOfPositionsFollowTheDraw takes losses of pairs at a few positions only.
func TestSamplesOfPositionsFollowTheDraw(t *testing.T) {
	const channels = 64
	for _, loss := range []pure.CloudLoss{
		pure.MMD{Channels: channels, Scaled: true},
		pure.Relaxed{Channels: channels},
		pure.Sinkhorn{Channels: channels, Epsilon: 0.05, Tolerance: 1e-3, Iterations: 40},
	} {
		x := leaf(gorgonia.NewGraph(), "x", 3, 9, 7)
		y := convolve(t, x, channels, pure.Border{}, true)
		target := leaf(x.Graph(), "target", channels, 6, 11)
		draw := gorgonia.NewScalar(x.Graph(), tensor.Float64, gorgonia.WithName("draw"))
		term, err := ops.CompareClouds(pure.CloudComparison{Loss: loss, Channels: channels, Sample: pure.Sample{Most: 23}}, y, target, draw)
		if err != nil {
			t.Fatal(err)
		}
		for _, drawn := range []float64{0.2, 0.9} {
			agrees(t, open(t, Options{}), network{
				outputs: withGradient(t, x, []float64{1}, term),
				inputs: map[string]plan.Values{
					"x": values32(1, 3, 9, 7), "target": positive(values32(2, channels, 6, 11)),
					"draw": {Shape: tensor.Shape{1}, Double: []float64{drawn}},
				},
			})
		}
	}
}
