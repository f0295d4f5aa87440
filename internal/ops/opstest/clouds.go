package opstest

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// points are the shape of a map and how many positions its target has.
type points struct{ channels, height, width, targets int }

func (p points) String() string {
	return fmt.Sprintf("%s and %d", size(p.channels, p.height, p.width), p.targets)
}

func (p points) inputs() []Input {
	return []Input{features("x", 1, p.channels, p.height, p.width), apart("target", 5, p.channels, 1, p.targets)}
}

// clouds is a case of a loss between two clouds of points.
func clouds[L pure.CloudLoss](operation, what string, uses Use, of L, p points) *Case {
	return &Case{
		Operation: operation, Variant: what + " " + p.String(), Uses: uses, Inputs: p.inputs(),
		Apply: func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.CompareClouds(of, ops.CloudOperands{X: in[0], Target: in[1]})
		},
	}
}

// sampled is a case of a loss between samples of both sides, which are drawn by a key
// and centred on the means of all of the target.
func sampled[L pure.CloudLoss](operation, what string, uses Use, of L, most int, p points) *Case {
	c := clouds(operation, what+" of a sample", uses, of, p)
	target := c.Inputs[1]
	c.Inputs = append(c.Inputs, scalar(keyName, 0.75), vector("centre", p.channels, func() []float64 {
		return pure.SpreadOf(target.Values(), p.channels).Mean
	}))
	c.Apply = func(in []*gorgonia.Node) (*gorgonia.Node, error) {
		o := ops.CloudOperands{Key: in[2], Centre: in[3]}
		var err error
		if o.X, err = ops.Select(pure.Selection{Height: p.height, Width: p.width, Most: most}, in[0], o.Key); err != nil {
			return nil, err
		}
		if o.Target, err = ops.Select(pure.Selection{Height: 1, Width: p.targets, Most: most}, in[1], o.Key); err != nil {
			return nil, err
		}
		return ops.CompareClouds(of, o)
	}
	return c
}

// sinkhornCases converge: as far as finite differences ask, or as far as products in
// float32 can.
func sinkhornCases() []*Case {
	var cases []*Case
	add := func(uses Use, what string, scaled bool, most int, p points) {
		of := pure.Sinkhorn{Channels: p.channels, Epsilon: 0.1, Tolerance: 2e-6, Iterations: 1000, Scaled: scaled}
		if uses == Differentiated {
			of.Tolerance, of.Iterations = 1e-11, 10000
			what += " to the end"
		}
		c := clouds("sinkhorn", what, uses, of, p)
		if most > 0 {
			c = sampled("sinkhorn", what, uses, of, most, p)
		}
		// The loss is a difference of transport costs, which are of the size of the
		// target's squares.
		spread := pure.SpreadOf(c.Inputs[1].Values(), p.channels)
		_, factor := of.Regularisation(spread)
		c.Magnitude = factor * spread.Square
		cases = append(cases, c)
	}
	for _, uses := range []Use{Differentiated, Compared} {
		add(uses, "plain", false, 0, points{4, 3, 5, 15})
		add(uses, "scaled", true, 0, points{4, 3, 5, 7})
		add(uses, "scaled", true, 9, points{4, 3, 5, 22})
		add(uses, "plain", false, 0, points{3, 1, 1, 9})
		add(uses, "scaled", true, 0, points{3, 2, 4, 1})
	}
	add(Compared, "scaled", true, 0, points{17, 10, 10, 131})
	add(Compared, "scaled", true, 90, points{64, 13, 11, 131})
	for _, p := range []points{{64, 32, 64, 2048}, {512, 28, 28, 784}} {
		five := pure.Sinkhorn{Channels: p.channels, Epsilon: 0.05, Iterations: 5, Scaled: true}
		cases = append(cases, clouds("sinkhorn", "five iterations", Timed, five, p))
	}
	return cases
}

func relaxedCases() []*Case {
	const both = Compared | Differentiated
	of := func(channels int, euclidean bool, factor float64) pure.Relaxed {
		return pure.Relaxed{Channels: channels, Euclidean: euclidean, Factor: factor, Scaled: true}
	}
	cases := []*Case{
		clouds("relaxed", "cosine", both, of(4, false, 0), points{4, 3, 5, 11}),
		sampled("relaxed", "cosine", both, of(4, false, 3), 7, points{4, 3, 5, 22}),
		clouds("relaxed", "euclidean", both, of(4, true, 2), points{4, 3, 5, 11}),
		clouds("relaxed", "euclidean", both, of(4, true, 0), points{4, 1, 5, 40}),
		clouds("relaxed", "euclidean plain", both, pure.Relaxed{Channels: 4, Euclidean: true}, points{4, 3, 5, 11}),
		clouds("relaxed", "cosine", Compared, of(17, false, 3), points{17, 10, 10, 131}),
		clouds("relaxed", "euclidean", Compared, of(17, true, 0), points{17, 10, 10, 131}),
		sampled("relaxed", "cosine", Compared, of(64, false, 0), 90, points{64, 13, 11, 131}),
	}
	for _, p := range []points{{64, 32, 64, 2048}, {512, 28, 28, 784}} {
		c := clouds("relaxed", "cosine", Timed, of(p.channels, false, 0), p)
		c.Operations = 4 * float64(p.channels*p.targets) * float64(p.height*p.width)
		cases = append(cases, c)
	}
	return cases
}

func mmdCases() []*Case {
	const both = Compared | Differentiated
	of := func(channels int, scaled bool) pure.MMD { return pure.MMD{Channels: channels, Scaled: scaled} }
	cases := []*Case{
		clouds("mmd", "plain", both, of(4, false), points{4, 3, 5, 11}),
		sampled("mmd", "scaled", both, of(4, true), 9, points{4, 3, 5, 40}),
		clouds("mmd", "scaled", both, of(3, true), points{3, 2, 4, 1}),
		clouds("mmd", "scaled", Compared, of(17, true), points{17, 10, 10, 131}),
		sampled("mmd", "scaled", Compared, of(64, true), 90, points{64, 13, 11, 131}),
	}
	for _, p := range []points{{64, 32, 64, 2048}, {512, 28, 28, 784}} {
		cases = append(cases, clouds("mmd", "scaled", Timed, of(p.channels, true), p))
	}
	return cases
}

// customCases are of a function that a caller might give: the squared distance of the
// clouds' means.
func customCases() []*Case {
	means := &pure.Function{Name: "means", Call: func(gradient, x, y []float64, channels int) (value float64, err error) {
		n, to := len(x)/channels, pure.SpreadOf(y, channels).Mean
		for c, mean := range pure.SpreadOf(x, channels).Mean {
			d := mean - to[c]
			value += d * d
			for i := range n {
				gradient[c*n+i] = 2 * d / float64(n)
			}
		}
		return value, nil
	}}
	of := func(uses Use, p points) *Case {
		return clouds("custom", "means", uses, pure.Custom{Function: means, Channels: p.channels}, p)
	}
	return []*Case{of(Compared|Differentiated, points{4, 3, 5, 11}), of(Compared, points{17, 10, 10, 131})}
}

// softmins are single passes over all pairs.
func softmins() []*Case {
	of := func(uses Use, centred bool, p points) *Case {
		loss := pure.Sinkhorn{Channels: p.channels, Epsilon: 0.05}
		c := &Case{Operation: "softmin", Variant: p.String(), Uses: uses, NoGradient: true, Inputs: p.inputs()}
		c.Operations = 2 * float64(p.channels*p.targets) * float64(p.height*p.width)
		if centred {
			target := c.Inputs[1]
			c.Variant += " centred"
			c.Inputs = append(c.Inputs, vector("centre", p.channels, func() []float64 {
				return pure.SpreadOf(target.Values(), p.channels).Mean
			}))
		}
		c.Apply = func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			o := ops.CloudOperands{X: in[0], Target: in[1]}
			if centred {
				o.Centre = in[2]
			}
			return ops.ApplySoftmin(loss, o)
		}
		return c
	}
	return []*Case{
		of(Compared, false, points{4, 3, 5, 15}), of(Compared, true, points{4, 3, 5, 22}),
		of(Compared, false, points{3, 2, 4, 1}), of(Compared, true, points{64, 13, 11, 131}),
		of(Timed, false, points{64, 32, 64, 2048}), of(Timed, false, points{512, 28, 28, 784}),
	}
}

// slicedCases are along the axes and along directions, turned and not.
func slicedCases() []*Case {
	of := func(uses Use, s pure.Sliced, p points) *Case {
		s.Channels = p.channels
		what, inputs := "axes", append(p.inputs(), scalar(keyName, 0.75))
		if s.Directions > 0 {
			what = fmt.Sprintf("%d directions", s.Directions)
		}
		if s.Ascent > 0 {
			what += fmt.Sprintf(" turned %d times", s.Ascent)
			inputs[1] = skewed("target", 5, p.channels, 1, p.targets)
		}
		if s.Scaled {
			what += " scaled"
		}
		c := &Case{Operation: "sliced", Variant: what + " " + p.String(), Uses: uses, Inputs: inputs}
		c.Apply = func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.CompareSliced(s, in[0], in[1], in[2]) }
		return c
	}
	const both = Compared | Differentiated
	cases := []*Case{
		of(both, pure.Sliced{}, points{4, 3, 5, 15}),
		of(both, pure.Sliced{Scaled: true}, points{4, 3, 5, 7}),
		of(both, pure.Sliced{Directions: 3, Scaled: true}, points{4, 3, 5, 22}),
		of(both, pure.Sliced{Directions: 3}, points{3, 1, 1, 9}),
		of(both, pure.Sliced{Directions: 2}, points{3, 2, 4, 1}),
		of(Compared, pure.Sliced{Scaled: true}, points{70, 10, 19, 500}),
		of(Compared, pure.Sliced{Directions: 33, Scaled: true}, points{64, 15, 20, 300}),
	}
	// The gradient takes turned directions to be constant, so it isn't quite the
	// derivative.
	for _, s := range []struct{ directions, channels int }{{2, 5}, {20, 64}} {
		c := of(Compared, pure.Sliced{Directions: s.directions, Ascent: 3, Held: s.channels == 5}, points{s.channels, 15, 20, 200})
		// All slopes point nearly the same way, and what makes them orthonormal lives of
		// how they differ.
		c.Sensitivity = 400
		cases = append(cases, c)
	}
	for _, s := range []struct{ channels, side, directions, ascent int }{
		{64, 224, 64, 0}, {64, 224, 0, 0}, {128, 112, 64, 0}, {256, 56, 64, 0}, {512, 28, 64, 0}, {64, 512, 64, 0},
		{64, 224, 16, 3}, {512, 28, 16, 3},
	} {
		cases = append(cases, of(Timed, pure.Sliced{Directions: s.directions, Scaled: true, Ascent: s.ascent},
			points{s.channels, s.side, s.side, s.side * s.side}))
	}
	return cases
}
