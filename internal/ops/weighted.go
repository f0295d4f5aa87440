package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// WeightedMoments are Moments in which each position counts by its weight: map
// (C×H×W), weights (1×H×W) → vector as that of Moments (pure.WeightedMoments,
// pure.WeightedChannelMoments).
type WeightedMoments struct {
	operation
	WeightedMomentsForm
}

// WeightedMomentsForm says which second moments there are, and what the weights of the
// whole map add up to.
type WeightedMomentsForm struct {
	MomentsForm
	Total float64
}

// SummariseWeighted adds the weighted moments of a map to the graph. The gradient goes
// to the map only.
func SummariseWeighted(x, weights *gorgonia.Node, form WeightedMomentsForm) (*gorgonia.Node, error) {
	return apply(&WeightedMoments{
		operation: operation{
			name: "weighted moments", parameters: form,
			inputs: []operand{featureMap, featureMap}, result: vector, differentiable: []bool{true, false},
		},
		WeightedMomentsForm: form,
	}, x, weights)
}

// InferShape implements gorgonia.Op.
func (m *WeightedMoments) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := weightedShapes(m, inputs)
	if err != nil {
		return nil, err
	}
	return m.summaryShape(s[0][0]), nil
}

// weightedShapes checks that there is a weight for each position of a map.
func weightedShapes(op fmt.Stringer, inputs []gorgonia.DimSizer) ([]tensor.Shape, error) {
	s, err := shapesOf(op, inputs, 3, 3)
	if err != nil {
		return nil, err
	}
	if s[1][0] != 1 || s[1][1] != s[0][1] || s[1][2] != s[0][2] {
		return nil, fmt.Errorf("%s: map of %v, weights of %v, want one for each position", op, s[0], s[1])
	}
	return s, nil
}

// Define implements Operation.
func (m *WeightedMoments) Define(summary *tensor.Dense, in ...*tensor.Dense) error {
	return each(in[0],
		func() { weightedMoments(m.WeightedMomentsForm, summary.Float64s(), in[0].Float32s(), in[1].Float32s()) },
		func() { weightedMoments(m.WeightedMomentsForm, summary.Float64s(), in[0].Float64s(), in[1].Float64s()) })
}

func weightedMoments[T pure.Float](f WeightedMomentsForm, summary []float64, x, weights []T) {
	channels := len(x) / len(weights)
	mean, second := summary[:channels], summary[channels:]
	if f.Diagonal {
		pure.WeightedChannelMoments(mean, second, x, weights, f.Total)
		return
	}
	pure.WeightedMoments(mean, second, x, weights, f.Total, channels)
}

// SymDiff implements gorgonia.SDOp.
func (m *WeightedMoments) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &WeightedMomentsGradient{
		operation: operation{
			name: "gradient of weighted moments", parameters: m.WeightedMomentsForm,
			inputs: []operand{featureMap, featureMap, vector}, result: featureMap,
		},
		WeightedMomentsForm: m.WeightedMomentsForm,
	}
	dx, err := apply(op, inputs[0], inputs[1], grad)
	return gorgonia.Nodes{dx, nil}, err
}

// WeightedMomentsGradient pulls the cotangent of a WeightedMoments summary back to the
// map: map, weights, cotangent → dx.
type WeightedMomentsGradient struct {
	operation
	final
	WeightedMomentsForm
}

// InferShape implements gorgonia.Op.
func (m *WeightedMomentsGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := weightedShapes(m, inputs)
	if err != nil {
		return nil, err
	}
	return s[0].Clone(), nil
}

// Define implements Operation.
func (m *WeightedMomentsGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	cotangent := in[2].Float64s()
	return each(dx,
		func() {
			weightedGradient(m.WeightedMomentsForm, dx.Float32s(), in[0].Float32s(), in[1].Float32s(), cotangent)
		},
		func() {
			weightedGradient(m.WeightedMomentsForm, dx.Float64s(), in[0].Float64s(), in[1].Float64s(), cotangent)
		})
}

func weightedGradient[T pure.Float](f WeightedMomentsForm, dx, x, weights []T, cotangent []float64) {
	channels := len(x) / len(weights)
	mean, second := cotangent[:channels], cotangent[channels:]
	if f.Diagonal {
		pure.WeightedChannelMomentsGradient(dx, x, weights, mean, second, f.Total)
		return
	}
	pure.WeightedMomentsGradient(dx, x, weights, mean, second, f.Total, channels)
}
