package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Clouds is a loss between two clouds of points, the columns of two maps of as many
// channels: map (C×H×W), target (C×H′×W′), then those of CloudOperands that there
// are → loss.
type Clouds[L pure.CloudLoss] struct {
	loss
	Loss    L
	Centred bool // centre is an input
	Keyed   bool // key is an input, the last
}

// CloudOperands are what a loss between clouds is given.
type CloudOperands struct {
	X, Target *gorgonia.Node
	// Centre, unless nil, is a float64 vector of at least C numbers, of which the
	// first C are a point that machines may take for the origin to lose less to
	// rounding. The loss doesn't depend on it otherwise.
	Centre *gorgonia.Node
	// Key, unless nil, is the key by which points were sampled: a float64 scalar.
	// The loss doesn't depend on it, but a machine that remembers potentials learns
	// from it that points are others of the same clouds.
	Key *gorgonia.Node
}

// CompareClouds adds the loss between two clouds to the graph.
func CompareClouds[L pure.CloudLoss](of L, o CloudOperands) (*gorgonia.Node, error) {
	operands, inputs := []operand{featureMap, featureMap}, []*gorgonia.Node{o.X, o.Target}
	if o.Centre != nil {
		operands, inputs = append(operands, vector), append(inputs, o.Centre)
	}
	if o.Key != nil {
		operands, inputs = append(operands, scalar), append(inputs, o.Key)
	}
	op := &Clouds[L]{loss: newLoss("clouds", of, operands...), Loss: of, Centred: o.Centre != nil, Keyed: o.Key != nil}
	return apply(op, inputs...)
}

// InferShape implements gorgonia.Op.
func (c *Clouds[L]) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameChannels(c, c.Loss.Dimensions(), inputs)
}

// DefineGradient implements Loss.
func (c *Clouds[L]) DefineGradient(dx *tensor.Dense, grad float64, in ...*tensor.Dense) (value float64, err error) {
	wrong := each(dx,
		func() { value, err = defineClouds(c.Loss, dx.Float32s(), in[0].Float32s(), in[1].Float32s()) },
		func() { value, err = defineClouds(c.Loss, dx.Float64s(), in[0].Float64s(), in[1].Float64s()) })
	if wrong != nil {
		return 0, wrong
	}
	if err != nil {
		return 0, err
	}
	return value, scale(dx, grad)
}

func defineClouds[T pure.Float](of pure.CloudLoss, dx, x, target []T) (float64, error) {
	gradient := make([]float64, len(dx))
	value, err := of.Compare(gradient, pure.Doubles(x), pure.Doubles(target))
	for i, v := range gradient {
		dx[i] = T(v)
	}
	return value, err
}
