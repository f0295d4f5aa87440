package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Sliced is pure.Sliced between two maps of as many channels: map (C×H×W), target
// (C×H′×W′) and, where directions are drawn by one, key → loss.
type Sliced struct {
	loss
	Loss pure.Sliced
}

// CompareSliced adds the sliced loss between a map and a target map to the
// graph. key is a float64 scalar that the directions depend on; nil stands for
// zero.
func CompareSliced(of pure.Sliced, x, target, key *gorgonia.Node) (*gorgonia.Node, error) {
	if of.Directions > of.Channels {
		return nil, fmt.Errorf("sliced: %d directions, want at most as many as the %d channels", of.Directions, of.Channels)
	}
	if key == nil {
		return apply(&Sliced{loss: newLoss("sliced", of, featureMap, featureMap), Loss: of}, x, target)
	}
	return apply(&Sliced{loss: newLoss("sliced", of, featureMap, featureMap, scalar), Loss: of}, x, target, key)
}

// InferShape implements gorgonia.Op.
func (s *Sliced) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameChannels(s, s.Loss.Channels, inputs)
}

// DefineGradient implements Loss.
func (s *Sliced) DefineGradient(dx *tensor.Dense, grad float64, in ...*tensor.Dense) (value float64, err error) {
	var key float64
	if len(in) > 2 {
		key = in[2].Float64s()[0]
	}
	if err := each(dx,
		func() { value = pure.CompareSliced(s.Loss, dx.Float32s(), in[0].Float32s(), in[1].Float32s(), key) },
		func() { value = pure.CompareSliced(s.Loss, dx.Float64s(), in[0].Float64s(), in[1].Float64s(), key) }); err != nil {
		return 0, err
	}
	return value, scale(dx, grad)
}
