package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Variation is the total variation of a map's planes: map → loss
// (pure.TotalVariation).
type Variation struct{ loss }

// TotalVariation adds the total variation of a picture to the graph.
func TotalVariation(x *gorgonia.Node) (*gorgonia.Node, error) {
	return apply(&Variation{newLoss("variation", nil, featureMap)}, x)
}

// InferShape implements gorgonia.Op.
func (v *Variation) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	if _, err := shapesOf(v, inputs, 3); err != nil {
		return nil, err
	}
	return tensor.ScalarShape(), nil
}

// DefineGradient implements Loss.
func (v *Variation) DefineGradient(dx *tensor.Dense, grad float64, in ...*tensor.Dense) (value float64, err error) {
	s := in[0].Shape()
	err = each(dx,
		func() {
			value = pure.TotalVariation(in[0].Float32s(), s[0], s[1], s[2])
			pure.TotalVariationGradient(dx.Float32s(), in[0].Float32s(), s[0], s[1], s[2], grad)
		},
		func() {
			value = pure.TotalVariation(in[0].Float64s(), s[0], s[1], s[2])
			pure.TotalVariationGradient(dx.Float64s(), in[0].Float64s(), s[0], s[1], s[2], grad)
		})
	return value, err
}
