package opstest

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
)

// momentCases are of full second moments and of those of channels by themselves.
func momentCases() []*Case {
	of := func(uses Use, diagonal bool, shape ...int) *Case {
		c := &Case{
			Operation: "moments", Variant: size(shape...), Uses: uses,
			Inputs: []Input{apart("x", 1, shape...)},
			Apply:  func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.SummariseMoments(in[0], diagonal) },
		}
		if diagonal {
			c.Operation, c.Streams = "channel moments", true
		} else {
			c.Operations = 2 * float64(shape[0]) * float64(shape[0]) * float64(shape[1]*shape[2])
		}
		return c
	}
	var cases []*Case
	for _, diagonal := range []bool{false, true} {
		cases = append(cases,
			of(Compared|Differentiated, diagonal, 4, 3, 5), of(Compared|Differentiated, diagonal, 3, 1, 1),
			of(Compared, diagonal, 1, 7, 9), of(Compared, diagonal, 70, 13, 17), of(Compared, diagonal, 130, 5, 5), of(Compared, diagonal, 64, 40, 30),
			of(Timed, diagonal, 64, 224, 224), of(Timed, diagonal, 128, 112, 112), of(Timed, diagonal, 256, 56, 56), of(Timed, diagonal, 512, 28, 28))
	}
	return cases
}

// weightedCases are of moments in which some positions count for nothing.
func weightedCases() []*Case {
	of := func(uses Use, diagonal bool, shape ...int) *Case {
		n := shape[1] * shape[2]
		weights := Input{Name: "weights", Kind: Map, Shape: tensor.Shape{1, shape[1], shape[2]}, Values: func() []float64 {
			values := normal(n, 6)
			for i, w := range values {
				values[i] = max(w, 0)
			}
			return rounded(values)
		}}
		form := ops.WeightedMomentsForm{MomentsForm: ops.MomentsForm{Diagonal: diagonal}, Total: float64(n) / 2}
		c := &Case{
			Operation: "weighted moments", Variant: size(shape...), Uses: uses,
			Inputs: []Input{apart("x", 1, shape...), weights},
			Apply: func(in []*gorgonia.Node) (*gorgonia.Node, error) {
				return ops.SummariseWeighted(in[0], in[1], form)
			},
		}
		if diagonal {
			c.Operation, c.Streams = "weighted channel moments", true
		}
		return c
	}
	var cases []*Case
	for _, diagonal := range []bool{false, true} {
		cases = append(cases,
			of(Compared|Differentiated, diagonal, 4, 3, 5), of(Compared, diagonal, 3, 1, 9), of(Compared, diagonal, 70, 13, 17),
			of(Timed, diagonal, 64, 56, 56))
	}
	return cases
}

func powerCases() []*Case {
	of := func(uses Use, shape ...int) *Case {
		return &Case{
			Operation: "power moments", Variant: size(shape...), Uses: uses, Streams: true,
			Inputs: []Input{apart("x", 1, shape...)},
			Apply:  func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.SummarisePowers(in[0]) },
		}
	}
	return []*Case{
		of(Compared|Differentiated, 4, 3, 5), of(Compared|Differentiated, 3, 1, 1),
		of(Compared, 3, 1, 7), of(Compared, 70, 25, 40),
		of(Timed, 64, 224, 224), of(Timed, 512, 28, 28),
	}
}

// differences are the sums over a map and its target.
func differences() []*Case {
	of := func(uses Use, shape ...int) *Case {
		return &Case{
			Operation: "difference", Variant: size(shape...), Uses: uses, Streams: true,
			Inputs: []Input{features("x", 1, shape...), features("target", 2, shape...)},
			Apply:  func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.SumDifference(in[0], in[1]) },
		}
	}
	return []*Case{
		of(Compared|Differentiated, 2, 3, 4), of(Compared, 1, 7, 11), of(Compared, 3, 1<<7, 1<<7), of(Compared, 1, 1, 3<<14+5),
		of(Timed, 512, 28, 28), of(Timed, 256, 56, 56),
	}
}

func variations() []*Case {
	of := func(uses Use, shape ...int) *Case {
		return &Case{
			Operation: "variation", Variant: size(shape...), Uses: uses, Streams: true,
			Inputs: []Input{features("x", 1, shape...)},
			Apply:  func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.TotalVariation(in[0]) },
		}
	}
	return []*Case{
		of(Compared|Differentiated, 3, 4, 5), of(Compared|Differentiated, 3, 1, 5), of(Compared|Differentiated, 3, 7, 1),
		of(Compared|Differentiated, 2, 2, 2), of(Compared, 3, 33, 65),
		of(Timed, 3, 224, 224), of(Timed, 3, 1024, 1024),
	}
}

// sums are weighted sums of scalars.
func sums() []*Case {
	return []*Case{{
		Operation: "sum", Variant: "3 terms", Uses: Compared | Differentiated,
		Inputs: []Input{scalar("a", 0.5), scalar("b", -2), scalar("c", 7)},
		Apply: func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return ops.WeightedSum([]float64{3, -2, 0.5}, in...)
		},
	}}
}
