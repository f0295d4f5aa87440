package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// SoftminPass is one pass over all pairs of two clouds, of which a Sinkhorn loss
// makes many: map (C×H×W), target (C×H′×W′) and, where Centred, a centre as in
// CloudOperands → vector of the H·W points' potentials (pure.Sinkhorn.Pass). It
// serves to time a pass.
type SoftminPass struct {
	operation
	final
	Loss    pure.Sinkhorn
	Centred bool // centre is an input
}

// ApplySoftmin adds a pass to the graph. The operands' key isn't used.
func ApplySoftmin(of pure.Sinkhorn, o CloudOperands) (*gorgonia.Node, error) {
	op := &SoftminPass{
		operation: operation{
			name: "softmin", parameters: of, inputs: []operand{featureMap, featureMap}, result: vector,
		},
		Loss:    of,
		Centred: o.Centre != nil,
	}
	if o.Centre == nil {
		return apply(op, o.X, o.Target)
	}
	op.inputs = append(op.inputs, vector)
	return apply(op, o.X, o.Target, o.Centre)
}

// InferShape implements gorgonia.Op.
func (s *SoftminPass) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	if _, err := sameChannels(s, s.Loss.Channels, inputs); err != nil {
		return nil, err
	}
	shapes, err := shapesOf(s, inputs)
	if err != nil {
		return nil, err
	}
	return tensor.Shape{shapes[0][1] * shapes[0][2]}, nil
}

// Define implements Operation.
func (s *SoftminPass) Define(potential *tensor.Dense, in ...*tensor.Dense) error {
	return each(in[0],
		func() {
			copy(potential.Float64s(), s.Loss.Pass(pure.Doubles(in[0].Float32s()), pure.Doubles(in[1].Float32s())))
		},
		func() {
			copy(potential.Float64s(), s.Loss.Pass(in[0].Float64s(), in[1].Float64s()))
		})
}
