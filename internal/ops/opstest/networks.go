package opstest

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// networks are small graphs like those that are run, in which devices fuse operations,
// run some at a time and keep features in fewer bits.
func networks() []*Case {
	return []*Case{
		pooledNetwork(), lossNetwork(), gaussianNetwork(), widenedNetwork(), sharedSummary(), severalConsumers(),
	}
}

// ofLayers is a case of losses on a network's features. losses returns the terms, from
// what each convolution gives, the network's result and the inputs that are left.
func ofLayers(what string, x Input, others []Input, layers []layer, losses func(convolved []*gorgonia.Node, y *gorgonia.Node, rest []*gorgonia.Node) ([]*gorgonia.Node, error)) *Case {
	return &Case{
		Operation: "network", Variant: what, Uses: Compared,
		Inputs: append(append([]Input{x}, parameters(x, layers...)...), others...),
		Apply: func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			convolved, y, rest, err := throughLayers(in, layers...)
			if err != nil {
				return nil, err
			}
			terms, err := losses(convolved, y, rest)
			if err != nil {
				return nil, err
			}
			weights := make([]float64, len(terms))
			for i := range weights {
				weights[i] = float64(i + 1)
			}
			return ops.WeightedSum(weights, terms...)
		},
	}
}

// pooledNetwork has maxima taken between two convolutions.
func pooledNetwork() *Case {
	return ofLayers("of maximum pooling", features("x", 1, 16, 12, 10), []Input{features("target", 2, 32, 6, 5)},
		[]layer{{Out: 32, Border: replicate, Rectify: true}, {Out: 32, Rectify: true, Pool: true}, {Out: 32, Rectify: true}},
		func(_ []*gorgonia.Node, y *gorgonia.Node, rest []*gorgonia.Node) ([]*gorgonia.Node, error) {
			value, err := ops.CompareMaps(pure.Difference{}, y, rest[0])
			return []*gorgonia.Node{value}, err
		})
}

// lossNetwork has a loss at every layer, so that cotangents of several consumers add up.
func lossNetwork() *Case {
	var targets []Input
	for i, channels := range []int{16, 32, 32} {
		targets = append(targets, secondMoments.target(fmt.Sprint("target ", i), activity("y", uint64(5+i), channels, 6, 7)))
	}
	return ofLayers("of a loss at every layer", features("x", 1, 3, 10, 12), targets,
		[]layer{{Out: 16, Border: replicate, Rectify: true}, {Out: 32, Rectify: true, Pool: true}, {Out: 32, Rectify: true}},
		func(convolved []*gorgonia.Node, _ *gorgonia.Node, rest []*gorgonia.Node) (terms []*gorgonia.Node, err error) {
			for i, y := range convolved {
				s, err := secondMoments.of(y)
				if err != nil {
					return nil, err
				}
				value, err := ops.Compare(pure.Gram{Channels: y.Shape()[0], Scaled: true}, s, rest[i])
				if err != nil {
					return nil, err
				}
				terms = append(terms, value)
			}
			return terms, nil
		})
}

// gaussianNetwork compares normal distributions at every layer.
func gaussianNetwork() *Case {
	var targets []Input
	for i, channels := range []int{16, 32, 32} {
		targets = append(targets, secondMoments.target(fmt.Sprint("target ", i), activity("y", uint64(5+i), channels, 6, 7)))
	}
	return ofLayers("of gaussian losses", features("x", 1, 3, 10, 12), targets,
		[]layer{{Out: 16, Border: replicate, Rectify: true}, {Out: 32, Rectify: true}, {Out: 32, Rectify: true}},
		func(convolved []*gorgonia.Node, _ *gorgonia.Node, rest []*gorgonia.Node) (terms []*gorgonia.Node, err error) {
			for i, y := range convolved {
				s, err := secondMoments.of(y)
				if err != nil {
					return nil, err
				}
				value, err := ops.Compare(pure.Gaussian{Channels: y.Shape()[0], Ridge: 1e-4, Scaled: true}, s, rest[i])
				if err != nil {
					return nil, err
				}
				terms = append(terms, value)
			}
			return terms, nil
		})
}

// widenedNetwork has features read by what may want them in float32.
func widenedNetwork() *Case {
	return ofLayers("of losses on features", features("x", 1, 3, 9, 11),
		[]Input{
			powerMoments.target("powers", activity("y", 5, 16, 6, 7)),
			activity("target", 6, 16, 4, 5), activity("content", 7, 16, 9, 11),
		},
		[]layer{{Out: 16, Rectify: true}, {Out: 16, Rectify: true}},
		func(convolved []*gorgonia.Node, y *gorgonia.Node, rest []*gorgonia.Node) ([]*gorgonia.Node, error) {
			s, err := powerMoments.of(convolved[0])
			if err != nil {
				return nil, err
			}
			powers, err := ops.Compare(pure.CentralMoments{Channels: 16, Smoothing: 0.5, Scaled: true}, s, rest[0])
			if err != nil {
				return nil, err
			}
			sliced, err := ops.CompareSliced(pure.Sliced{Channels: 16, Directions: 5, Scaled: true}, convolved[0], rest[1], nil)
			if err != nil {
				return nil, err
			}
			content, err := ops.CompareMaps(pure.Difference{Scaled: true}, y, rest[2])
			return []*gorgonia.Node{powers, sliced, content}, err
		})
}

// sharedSummary has one summary compared by two losses, whose cotangents add up in
// float64.
func sharedSummary() *Case {
	x, y := features("x", 1, 4, 3, 5), features("y", 5, 4, 1, 11)
	return &Case{
		Operation: "network", Variant: "of two losses on one summary", Uses: Compared | Differentiated,
		Inputs: []Input{x, secondMoments.target("target", y)},
		Apply: func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			s, err := secondMoments.of(in[0])
			if err != nil {
				return nil, err
			}
			gram, err := ops.Compare(pure.Gram{Channels: 4, Scaled: true}, s, in[1])
			if err != nil {
				return nil, err
			}
			gaussian, err := ops.Compare(pure.Gaussian{Channels: 4, Ridge: 1e-2, Scaled: true}, s, in[1])
			if err != nil {
				return nil, err
			}
			return ops.WeightedSum([]float64{2, 3}, gram, gaussian)
		},
	}
}

// severalConsumers has one map read by three losses.
func severalConsumers() *Case {
	x, y := features("x", 1, 3, 4, 4), features("y", 5, 3, 1, 7)
	return &Case{
		Operation: "network", Variant: "of several losses on one map", Uses: Compared | Differentiated,
		Inputs: []Input{x, secondMoments.target("style", y), features("content", 9, 3, 4, 4)},
		Apply: func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			s, err := secondMoments.of(in[0])
			if err != nil {
				return nil, err
			}
			style, err := ops.Compare(pure.Gram{Channels: 3, Scaled: true}, s, in[1])
			if err != nil {
				return nil, err
			}
			content, err := ops.CompareMaps(pure.Difference{Scaled: true}, in[0], in[2])
			if err != nil {
				return nil, err
			}
			variation, err := ops.TotalVariation(in[0])
			if err != nil {
				return nil, err
			}
			return ops.WeightedSum([]float64{3, -2, 0.5}, style, content, variation)
		},
	}
}
