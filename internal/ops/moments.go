package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Moments summarises a map by its first two raw moments: map (C×H×W) → vector
// of C means, then C×C second moments (pure.Moments), or, where Diagonal is set,
// C means, then C mean squares (pure.ChannelMoments).
type Moments struct {
	signature
	Diagonal bool
}

// SummariseMoments adds the moments of a map to the graph.
func SummariseMoments(x *gorgonia.Node, diagonal bool) (*gorgonia.Node, error) {
	op := &Moments{
		signature: signature{
			name:           fmt.Sprintf("moments(diagonal=%t)", diagonal),
			inputs:         []operand{featureMap},
			result:         vector,
			differentiable: []bool{true},
		},
		Diagonal: diagonal,
	}
	return gorgonia.ApplyOp(op, x)
}

// InferShape implements gorgonia.Op.
func (m *Moments) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(m.name, inputs, 3)
	if err != nil {
		return nil, err
	}
	channels := s[0][0]
	if m.Diagonal {
		return tensor.Shape{2 * channels}, nil
	}
	return tensor.Shape{channels + channels*channels}, nil
}

// Define implements Operation.
func (m *Moments) Define(summary *tensor.Dense, in ...*tensor.Dense) error {
	channels := in[0].Shape()[0]
	mean, second := summary.Float64s()[:channels], summary.Float64s()[channels:]
	if m.Diagonal {
		return each(in[0],
			func() { pure.ChannelMoments(mean, second, in[0].Float32s()) },
			func() { pure.ChannelMoments(mean, second, in[0].Float64s()) })
	}
	return each(in[0],
		func() { pure.Moments(mean, second, in[0].Float32s(), channels) },
		func() { pure.Moments(mean, second, in[0].Float64s(), channels) })
}

// Do implements gorgonia.Op.
func (m *Moments) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(m, values) }

// SymDiff implements gorgonia.SDOp.
func (m *Moments) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &MomentsGradient{
		signature: signature{name: m.name + ".gradient", inputs: []operand{featureMap, vector}, result: featureMap},
		Diagonal:  m.Diagonal,
	}
	dx, err := gorgonia.ApplyOp(op, inputs[0], grad)
	return gorgonia.Nodes{dx}, err
}

// MomentsGradient pulls the cotangent of a Moments summary back to the map:
// map, cotangent → dx.
type MomentsGradient struct {
	signature
	final
	Diagonal bool
}

// InferShape implements gorgonia.Op.
func (m *MomentsGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(m.name, inputs)
}

// Define implements Operation.
func (m *MomentsGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	channels := in[0].Shape()[0]
	mean, second := in[1].Float64s()[:channels], in[1].Float64s()[channels:]
	if m.Diagonal {
		return each(dx,
			func() { pure.ChannelMomentsGradient(dx.Float32s(), in[0].Float32s(), mean, second) },
			func() { pure.ChannelMomentsGradient(dx.Float64s(), in[0].Float64s(), mean, second) })
	}
	return each(dx,
		func() { pure.MomentsGradient(dx.Float32s(), in[0].Float32s(), mean, second, channels) },
		func() { pure.MomentsGradient(dx.Float64s(), in[0].Float64s(), mean, second, channels) })
}

// Do implements gorgonia.Op.
func (m *MomentsGradient) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(m, values) }
