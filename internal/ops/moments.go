package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Moments summarises a map by its first two raw moments: map (C×H×W) → vector
// of C means, then C×C second moments (pure.Moments), or, where Diagonal is set,
// C means, then C mean squares (pure.ChannelMoments).
type Moments struct {
	operation
	MomentsForm
}

// MomentsForm says which second moments there are.
type MomentsForm struct{ Diagonal bool }

// SummariseMoments adds the moments of a map to the graph.
func SummariseMoments(x *gorgonia.Node, diagonal bool) (*gorgonia.Node, error) {
	form := MomentsForm{diagonal}
	op := &Moments{
		operation: operation{
			name: "moments", parameters: form,
			inputs: []operand{featureMap}, result: vector, differentiable: []bool{true},
		},
		MomentsForm: form,
	}
	return apply(op, x)
}

// InferShape implements gorgonia.Op.
func (m *Moments) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(m, inputs, 3)
	if err != nil {
		return nil, err
	}
	return m.summaryShape(s[0][0]), nil
}

// summaryShape is that of the moments of so many channels.
func (f MomentsForm) summaryShape(channels int) tensor.Shape {
	if f.Diagonal {
		return tensor.Shape{2 * channels}
	}
	return tensor.Shape{channels + channels*channels}
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

// SymDiff implements gorgonia.SDOp.
func (m *Moments) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &MomentsGradient{
		operation: operation{
			name: "gradient of moments", parameters: m.MomentsForm,
			inputs: []operand{featureMap, vector}, result: featureMap,
		},
		MomentsForm: m.MomentsForm,
	}
	dx, err := apply(op, inputs[0], grad)
	return gorgonia.Nodes{dx}, err
}

// MomentsGradient pulls the cotangent of a Moments summary back to the map:
// map, cotangent → dx.
type MomentsGradient struct {
	operation
	final
	MomentsForm
}

// InferShape implements gorgonia.Op.
func (m *MomentsGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(m, inputs)
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
