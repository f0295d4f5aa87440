package ops_test

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// function is a scalar function of one map, as a graph that Gorgonia's tape
// machine runs in float64.
type function struct {
	x, cost, grad *gorgonia.Node
	graph         *gorgonia.ExprGraph
	shape         []int
}

func newFunction(t *testing.T, shape []int, build func(x *gorgonia.Node) (*gorgonia.Node, error)) function {
	t.Helper()
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float64, 3, gorgonia.WithShape(shape...), gorgonia.WithName("x"))
	cost, err := build(x)
	if err != nil {
		t.Fatal(err)
	}
	grads, err := gorgonia.Grad(cost, x)
	if err != nil {
		t.Fatal(err)
	}
	return function{x, cost, grads[0], g, shape}
}

func (f function) at(t *testing.T, x []float64) (value float64, gradient []float64) {
	t.Helper()
	if err := gorgonia.Let(f.x, tensor.New(tensor.WithShape(f.shape...), tensor.WithBacking(x))); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(f.graph)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return f.cost.Value().Data().(float64), f.grad.Value().Data().([]float64)
}

func random(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	values := make([]float64, n)
	for i := range values {
		values[i] = r.NormFloat64()
	}
	return values
}

// leaf makes a constant of the graph of x.
func leaf(x *gorgonia.Node, name string, values []float64, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(x.Graph(), tensor.Float64, len(shape), gorgonia.WithName(name),
		gorgonia.WithShape(shape...), gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))))
}

// against makes a map a scalar: its mean squared difference to a fixed one.
func against(y *gorgonia.Node, err error) (*gorgonia.Node, error) {
	if err != nil {
		return nil, err
	}
	return ops.CompareMaps(pure.Difference{}, y, leaf(y, "target", random(y.Shape().TotalSize(), 9), y.Shape()...))
}

func convolve(border pure.Border, rectify bool) func(x *gorgonia.Node) (*gorgonia.Node, error) {
	return func(x *gorgonia.Node) (*gorgonia.Node, error) {
		in := x.Shape()[0]
		return ops.Convolve(x, leaf(x, "filters", random(4*in*9, 2), 4, in, 3, 3), leaf(x, "biases", random(4, 3), 4), border, rectify)
	}
}

// summary makes a loss on a summary whose target is that of another map, so
// that it is one that a map can have.
func summary(diagonal bool, loss func(channels int) pure.Comparison, positions int) func(x *gorgonia.Node) (*gorgonia.Node, error) {
	return func(x *gorgonia.Node) (*gorgonia.Node, error) {
		s, err := ops.SummariseMoments(x, diagonal)
		if err != nil {
			return nil, err
		}
		channels := x.Shape()[0]
		target := make([]float64, s.Shape().TotalSize())
		y := random(channels*positions, 5)
		if diagonal {
			pure.ChannelMoments(target[:channels], target[channels:], y)
		} else {
			pure.Moments(target[:channels], target[channels:], y, channels)
		}
		return ops.Compare(loss(channels), s, leaf(x, "target", target, len(target)))
	}
}

func TestGradientsAgreeWithFiniteDifferences(t *testing.T) {
	gaussian := func(ridge float64, scaled bool) func(int) pure.Comparison {
		return func(c int) pure.Comparison { return pure.Gaussian{Channels: c, Ridge: ridge, Scaled: scaled} }
	}
	gram := func(scaled bool) func(int) pure.Comparison {
		return func(c int) pure.Comparison { return pure.Gram{Channels: c, Scaled: scaled} }
	}
	statistics := func(scaled bool) func(int) pure.Comparison {
		return func(c int) pure.Comparison { return pure.ChannelStatistics{Channels: c, Scaled: scaled} }
	}
	pool := func(mode pure.PoolMode, scale float64) func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return func(x *gorgonia.Node) (*gorgonia.Node, error) { return against(ops.ApplyPool(x, mode, scale)) }
	}
	compareMaps := func(scaled bool) func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return func(x *gorgonia.Node) (*gorgonia.Node, error) {
			return ops.CompareMaps(pure.Difference{Scaled: scaled}, x, leaf(x, "target", random(x.Shape().TotalSize(), 9), x.Shape()...))
		}
	}
	sliced := func(directions int, scaled bool, positions int) func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return func(x *gorgonia.Node) (*gorgonia.Node, error) {
			channels := x.Shape()[0]
			key := gorgonia.NewScalar(x.Graph(), tensor.Float64, gorgonia.WithName("key"), gorgonia.WithValue(0.75))
			loss := pure.Sliced{Channels: channels, Directions: directions, Scaled: scaled}
			return ops.CompareSliced(loss, x, leaf(x, "target", random(channels*positions, 5), channels, 1, positions), key)
		}
	}
	powers := func(smoothing float64, scaled bool) func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return func(x *gorgonia.Node) (*gorgonia.Node, error) {
			s, err := ops.SummarisePowers(x)
			if err != nil {
				return nil, err
			}
			const positions = 11
			target := make([]float64, s.Shape().TotalSize())
			y := random(x.Shape()[0]*positions, 5)
			for c := range x.Shape()[0] {
				pure.PowerMoments(target[c*pure.Orders:(c+1)*pure.Orders], y[c*positions:(c+1)*positions])
			}
			loss := pure.CentralMoments{Channels: x.Shape()[0], Smoothing: smoothing, Scaled: scaled}
			return ops.Compare(loss, s, leaf(x, "target", target, len(target)))
		}
	}
	clouds := func(loss func(channels int) pure.CloudLoss, most, positions int) func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return func(x *gorgonia.Node) (*gorgonia.Node, error) {
			channels := x.Shape()[0]
			key := gorgonia.NewScalar(x.Graph(), tensor.Float64, gorgonia.WithName("key"), gorgonia.WithValue(0.75))
			o := ops.CloudOperands{X: x, Target: leaf(x, "target", random(channels*positions, 5), channels, 1, positions)}
			if most > 0 {
				for _, side := range []**gorgonia.Node{&o.X, &o.Target} {
					shape, err := (*side).Shape(), error(nil)
					if *side, err = ops.Select(pure.Selection{Height: shape[1], Width: shape[2], Most: most}, *side, key); err != nil {
						return nil, err
					}
				}
			}
			return ops.CompareClouds(loss(channels), o)
		}
	}
	sinkhorn := func(scaled bool) func(int) pure.CloudLoss {
		return func(c int) pure.CloudLoss {
			return pure.Sinkhorn{Channels: c, Epsilon: 0.1, Tolerance: 1e-11, Iterations: 10000, Scaled: scaled}
		}
	}
	relaxed := func(euclidean bool, factor float64) func(int) pure.CloudLoss {
		return func(c int) pure.CloudLoss {
			return pure.Relaxed{Channels: c, Euclidean: euclidean, Factor: factor, Scaled: true}
		}
	}
	mmd := func(scaled bool) func(int) pure.CloudLoss {
		return func(c int) pure.CloudLoss { return pure.MMD{Channels: c, Scaled: scaled} }
	}
	selection := func(of pure.Selection) func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return func(x *gorgonia.Node) (*gorgonia.Node, error) {
			key := gorgonia.NewScalar(x.Graph(), tensor.Float64, gorgonia.WithName("key"), gorgonia.WithValue(0.75))
			return against(ops.Select(of, x, key))
		}
	}
	weighted := func(diagonal bool) func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return func(x *gorgonia.Node) (*gorgonia.Node, error) {
			weights := random(x.Shape().TotalSize()/x.Shape()[0], 6)
			var total float64
			for i, w := range weights {
				weights[i] = max(w, 0) // some count for nothing
				total += weights[i]
			}
			form := ops.WeightedMomentsForm{MomentsForm: ops.MomentsForm{Diagonal: diagonal}, Total: total}
			s, err := ops.SummariseWeighted(x, leaf(x, "weights", weights, 1, x.Shape()[1], x.Shape()[2]), form)
			if err != nil {
				return nil, err
			}
			// The target has no mean and a covariance of one.
			channels := x.Shape()[0]
			target := make([]float64, s.Shape().TotalSize())
			node := leaf(x, "target", target, len(target))
			if diagonal {
				for c := range channels {
					target[channels+c] = 1
				}
				return ops.Compare(pure.ChannelStatistics{Channels: channels}, s, node)
			}
			for c := range channels {
				target[channels+c*channels+c] = 1
			}
			return ops.Compare(pure.Gaussian{Channels: channels}, s, node)
		}
	}
	custom := func(x *gorgonia.Node) (*gorgonia.Node, error) {
		sum := &pure.Function{Name: "sum of squares", Call: func(gradient, x, y []float64, _ int) (value float64, _ error) {
			for i, v := range x {
				value += y[0] * v * v
				gradient[i] = 2 * y[0] * v
			}
			return value, nil
		}}
		return ops.CompareClouds(pure.Custom{Function: sum, Channels: x.Shape()[0]}, ops.CloudOperands{X: x, Target: leaf(x, "target", []float64{1, 2, 3, 4}, 4, 1, 1)})
	}
	tests := []struct {
		name  string
		shape []int
		build func(x *gorgonia.Node) (*gorgonia.Node, error)
	}{
		{"convolution, zeros", []int{3, 5, 4}, func(x *gorgonia.Node) (*gorgonia.Node, error) { return against(convolve(pure.Border{}, false)(x)) }},
		{"convolution, colour", []int{3, 4, 5}, func(x *gorgonia.Node) (*gorgonia.Node, error) {
			return against(convolve(pure.Border{Colour: []float32{1, -2, 3}}, true)(x))
		}},
		{"convolution, replicate", []int{2, 3, 6}, func(x *gorgonia.Node) (*gorgonia.Node, error) {
			return against(convolve(pure.Border{Replicate: true}, true)(x))
		}},
		{"convolution of one pixel", []int{2, 1, 1}, func(x *gorgonia.Node) (*gorgonia.Node, error) {
			return against(convolve(pure.Border{Replicate: true}, false)(x))
		}},
		{"rectification", []int{2, 3, 3}, func(x *gorgonia.Node) (*gorgonia.Node, error) { return against(ops.Rectify(x)) }},
		{"max pool, odd sides", []int{2, 5, 7}, pool(pure.MaxPool, 1)},
		{"mean pool", []int{2, 4, 5}, pool(pure.MeanPool, 2)},
		{"l2 pool", []int{2, 4, 4}, pool(pure.L2Pool, 0.78)},
		{"difference", []int{2, 3, 4}, compareMaps(false)},
		{"difference, scaled", []int{2, 3, 4}, compareMaps(true)},
		{"total variation", []int{3, 4, 5}, ops.TotalVariation},
		{"total variation of one row", []int{3, 1, 5}, ops.TotalVariation},
		{"gram", []int{4, 3, 5}, summary(false, gram(false), 11)},
		{"gram, scaled", []int{4, 3, 5}, summary(false, gram(true), 11)},
		{"moments", []int{4, 3, 5}, summary(true, statistics(false), 11)},
		{"moments, scaled", []int{4, 3, 5}, summary(true, statistics(true), 11)},
		{"gaussian", []int{4, 3, 5}, summary(false, gaussian(0, false), 11)},
		{"gaussian, scaled with ridge", []int{4, 3, 5}, summary(false, gaussian(1e-4, true), 11)},
		{"gaussian, singular features", []int{6, 2, 2}, summary(false, gaussian(0, false), 11)},
		{"gaussian, singular target", []int{6, 4, 4}, summary(false, gaussian(0, false), 4)},
		{"gaussian, both singular, with ridge", []int{6, 2, 2}, summary(false, gaussian(1e-2, true), 3)},
		{"gaussian, weighted", []int{4, 3, 5}, weighted(false)},
		{"moments, weighted", []int{4, 3, 5}, weighted(true)},
		{"sliced along the axes", []int{4, 3, 5}, sliced(0, false, 15)},
		{"sliced, a smaller target", []int{4, 3, 5}, sliced(0, true, 7)},
		{"sliced along directions, a larger target", []int{4, 3, 5}, sliced(3, true, 22)},
		{"sliced, one position", []int{3, 1, 1}, sliced(3, false, 9)},
		{"sliced, a target of one position", []int{3, 2, 4}, sliced(2, false, 1)},
		{"central moments", []int{4, 3, 5}, powers(0, false)},
		{"central moments, scaled and smooth", []int{4, 3, 5}, powers(0.5, true)},
		{"central moments of one position", []int{3, 1, 1}, powers(0.5, true)},
		{"sinkhorn", []int{4, 3, 5}, clouds(sinkhorn(false), 0, 15)},
		{"sinkhorn, scaled, a smaller target", []int{4, 3, 5}, clouds(sinkhorn(true), 0, 7)},
		{"sinkhorn of a sample", []int{4, 3, 5}, clouds(sinkhorn(true), 9, 22)},
		{"sinkhorn, one position", []int{3, 1, 1}, clouds(sinkhorn(false), 0, 9)},
		{"sinkhorn, a target of one position", []int{3, 2, 4}, clouds(sinkhorn(true), 0, 1)},
		{"relaxed", []int{4, 3, 5}, clouds(relaxed(false, 0), 0, 11)},
		{"relaxed of a sample", []int{4, 3, 5}, clouds(relaxed(false, 3), 7, 22)},
		{"relaxed, euclidean", []int{4, 3, 5}, clouds(relaxed(true, 2), 0, 11)},
		{"relaxed, euclidean, a larger target", []int{4, 1, 5}, clouds(relaxed(true, 0), 0, 40)},
		{"mmd", []int{4, 3, 5}, clouds(mmd(false), 0, 11)},
		{"mmd, scaled, of a sample", []int{4, 3, 5}, clouds(mmd(true), 9, 40)},
		{"mmd, a target of one position", []int{3, 2, 4}, clouds(mmd(true), 0, 1)},
		{"custom", []int{4, 3, 5}, custom},
		{"selection of a sample", []int{3, 5, 4}, selection(pure.Selection{Height: 5, Width: 4, Most: 7})},
		{"selection of a mask", []int{3, 5, 4}, selection(pure.Selection{Height: 5, Width: 4, Mask: []int32{0, 3, 4, 11, 19}})},
		{"selection of a sample of a mask", []int{3, 5, 4}, selection(pure.Selection{Height: 5, Width: 4, Mask: []int32{0, 3, 4, 11, 19}, Most: 2})},
		{"selection by a part", []int{3, 3, 4}, selection(pure.Selection{
			Height: 5, Width: 7, Most: 11, Part: image.Rect(1, 2, 5, 5), Inner: image.Rect(2, 2, 5, 4),
		})},
		{"several consumers", []int{3, 4, 4}, func(x *gorgonia.Node) (*gorgonia.Node, error) {
			style, err := summary(false, gram(true), 7)(x)
			if err != nil {
				return nil, err
			}
			content, err := compareMaps(true)(x)
			if err != nil {
				return nil, err
			}
			variation, err := ops.TotalVariation(x)
			if err != nil {
				return nil, err
			}
			return ops.WeightedSum([]float64{3, -2, 0.5}, style, content, variation)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFunction(t, test.shape, test.build)
			x := random(tensor.Shape(test.shape).TotalSize(), 1)
			_, gradient := f.at(t, x)
			gradient = append([]float64(nil), gradient...)
			var largest float64
			for _, g := range gradient {
				largest = max(largest, math.Abs(g))
			}
			if largest == 0 {
				t.Fatal("the gradient is zero everywhere")
			}
			const h = 1e-5
			for i := range x {
				up, down := append([]float64(nil), x...), append([]float64(nil), x...)
				up[i] += h
				down[i] -= h
				high, _ := f.at(t, up)
				low, _ := f.at(t, down)
				numeric := (high - low) / (2 * h)
				// Central differences with this step are good to about 1e-9 relative;
				// a root near a singular covariance costs some digits.
				if d := math.Abs(numeric - gradient[i]); d > 1e-6*largest {
					t.Errorf("element %d: gradient %g, by finite differences %g", i, gradient[i], numeric)
				}
			}
		})
	}
}

func TestShapesThatDoNotFitAreErrors(t *testing.T) {
	g := gorgonia.NewGraph()
	node := func(name string, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...))
	}
	x := node("x", 3, 8, 8)
	tests := map[string]func() (*gorgonia.Node, error){
		"filters for other channels": func() (*gorgonia.Node, error) {
			return ops.Convolve(x, node("f", 4, 2, 3, 3), node("b", 4), pure.Border{}, true)
		},
		"biases for other filters": func() (*gorgonia.Node, error) {
			return ops.Convolve(x, node("f2", 4, 3, 3, 3), node("b2", 5), pure.Border{}, true)
		},
		"a map too small to pool": func() (*gorgonia.Node, error) {
			return ops.ApplyPool(node("thin", 3, 1, 8), pure.MaxPool, 1)
		},
		"targets of another size": func() (*gorgonia.Node, error) {
			return ops.CompareMaps(pure.Difference{}, x, node("y", 3, 8, 9))
		},
		"targets of other channels": func() (*gorgonia.Node, error) {
			return ops.CompareSliced(pure.Sliced{Channels: 3}, x, node("four", 4, 8, 8), nil)
		},
		"clouds of other channels": func() (*gorgonia.Node, error) {
			return ops.CompareClouds(pure.MMD{Channels: 3}, ops.CloudOperands{X: x, Target: node("four more", 4, 8, 8)})
		},
		"weights of another size": func() (*gorgonia.Node, error) {
			return ops.SummariseWeighted(x, node("weights", 1, 8, 9), ops.WeightedMomentsForm{Total: 1})
		},
		"a selection of another size": func() (*gorgonia.Node, error) {
			return ops.Select(pure.Selection{Height: 8, Width: 9}, x, nil)
		},
		"more directions than channels": func() (*gorgonia.Node, error) {
			return ops.CompareSliced(pure.Sliced{Channels: 3, Directions: 4}, x, x, nil)
		},
		"weights for other losses": func() (*gorgonia.Node, error) { return ops.WeightedSum([]float64{1, 2}) },
	}
	for name, apply := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := apply(); err == nil {
				t.Error("no error")
			}
		})
	}
}
