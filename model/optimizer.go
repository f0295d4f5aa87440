package model

import (
	"fmt"

	"impasto/internal/optim"
)

// Optimizer names how the picture is optimised.
type Optimizer string

// The optimisers.
const (
	Adam  Optimizer = "adam"
	LBFGS Optimizer = "lbfgs"
)

// optimizer is one row of the table of optimisers.
type optimizer struct {
	name Optimizer
	help string
	// variants are the forms that it has on a device, each of which takes less memory than
	// the one before.
	variants func(on optim.Vectors) []variant
	// averages tells that the result is the exponential average of the iterates, rather
	// than the last of them.
	averages bool
}

// variant is one form of an optimiser.
type variant struct {
	// elementBytes is how many bytes are held of a device for each element of the picture,
	// the average included. There are three elements a pixel.
	elementBytes int64
	slowness     float64 // how many times the iterations it takes to the same loss
	remark       string  // how it differs from the first, for people; empty of that
	open         func(device optim.Vectors, point, gradient optim.Vector, r *run) (optim.Optimiser, error)
}

var optimizers = [...]optimizer{
	{
		name: Adam, help: "Adam, of which the result is the average of the iterates",
		averages: true,
		variants: func(optim.Vectors) []variant {
			return []variant{{
				elementBytes: optim.AdamElementBytes + optim.AverageElementBytes, slowness: 1,
				open: func(device optim.Vectors, point, gradient optim.Vector, r *run) (optim.Optimiser, error) {
					return optim.NewAdam(device, point, gradient, optim.AdamOptions{
						StepSize: r.options.StepSize, Bounds: pixelRange,
						Along: func() bool { return r.objective.inOneRun() },
					})
				},
			}}
		},
	},
	{
		name: LBFGS, help: "L-BFGS, which comes to the same loss in a fifth of the time or less",
		variants: lbfgsVariants,
	},
}

// histories are how many pairs L-BFGS may keep, in 16 bits. Five do as well as ten in
// float32, which take three times the memory. The loss at the end, of a photograph of
// 979×734 in Van Gogh's Starry Night at 256 pixels (gram, good: 192):
//
//	              gaussian          gram
//	pairs         draft    good     draft    good
//	10, float32   0.1671   0.1624   0.1916   0.1813
//	10, compact   0.1670   0.1624   0.1922
//	5, float32    0.1671            0.1918
//	5, compact    0.1674   0.1623   0.1922   0.1814
//	3, compact    0.1676            0.1913
//
// With fewer, and the gradient that a step begins with in 16 bits, it is, of that photograph
// in The Scream at 192 pixels, after 40 and 100 iterations:
//
//	              gaussian          gram
//	pairs         40       100      40       100
//	5             0.1482   0.1459   0.1522   0.1475
//	2             0.1487   0.1466   0.1526   0.1478
//	1             0.1481   0.1453   0.1529   0.1484
var histories = []struct {
	pairs    int
	slowness float64
}{{5, 1}, {3, 1.03}, {2, 1.05}, {1, 1.1}}

// The smoothing that the inverse Hessian of L-BFGS begins with. The mean distance to the
// style (docs/performance.md, "Time to a picture") after 40, 15 and 30 iterations at 128,
// 181 and 256 pixels, by the gain:
//
//	                                     0       0.25    0.35    0.5
//	golden_gate in starry_night          0.311   0.306   0.305   0.305
//	tubingen in the_scream               0.379   0.368   0.364   0.368
//
// Half as many iterations at each level come to 0.339 with a gain of 0 and 0.311 with 0.35.
const (
	smoothingLevels = 4
	smoothingGain   = 0.35
)

// nearStep is the first step at each level of a picture that is to agree with another, and so
// begins near to where it ends. The step of others was too long, and cost another evaluation, at
// 17 of 28 levels of two films' frames; this one at none.
const nearStep = 0.004

func lbfgsVariants(on optim.Vectors) []variant {
	var all []variant
	for i, history := range histories {
		// The first is for everyone; the others are for want of memory.
		o := optim.LBFGSOptions{Bounds: pixelRange, Compact: true, CompactGradient: i > 0, History: history.pairs}
		v := variant{
			elementBytes: o.ElementBytes(on), slowness: history.slowness,
			open: func(device optim.Vectors, point, gradient optim.Vector, r *run) (optim.Optimiser, error) {
				o, first := o, r.levels[r.first]
				o.Hold = func(direction optim.Vector) error { return r.objective.hold(direction) }
				if first.prior.near() {
					o.FirstStep = nearStep
				}
				o.Smoothing = optim.Smoothing{Width: first.width, Height: first.height, Levels: smoothingLevels, Gain: smoothingGain}
				return optim.NewLBFGS(device, point, gradient, o)
			},
		}
		if i > 0 {
			v.remark = fmt.Sprintf("L-BFGS goes by the last %d of its steps instead of %d, for which there is the memory", history.pairs, histories[0].pairs)
		}
		all = append(all, v)
	}
	return all
}

// pixelRange is what every value of the picture stays in.
var pixelRange = optim.Bounds{Low: 0, High: 1}

// OptimizerNames are the optimisers that there are.
func OptimizerNames() []string {
	var names []string
	for _, row := range optimizers {
		names = append(names, string(row.name))
	}
	return names
}

// Help describes the optimiser in one line.
func (o Optimizer) Help() string { return o.row().help }

// Averages tells whether the result is the exponential average of the iterates, so that
// Options.StepSize and Options.AverageDecay count.
func (o Optimizer) Averages() bool { return o.row().averages }

// row is the optimiser's in the table; of a name that isn't there it is empty.
func (o Optimizer) row() optimizer {
	for _, row := range optimizers {
		if row.name == o {
			return row
		}
	}
	return optimizer{}
}
