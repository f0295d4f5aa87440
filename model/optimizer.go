package model

import (
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
	// elementBytes is how many bytes are held of a device for each element of the
	// picture, the average included. There are three elements a pixel.
	elementBytes func(on optim.Vectors) int64
	// averages tells that the result is the exponential average of the iterates, rather
	// than the last of them.
	averages bool
	open     func(device optim.Vectors, point, gradient optim.Vector, o Options) (optim.Optimiser, error)
}

var optimizers = [...]optimizer{
	{
		name: Adam, help: "Adam, of which the result is the average of the iterates",
		elementBytes: func(optim.Vectors) int64 { return optim.AdamElementBytes + optim.AverageElementBytes },
		averages:     true,
		open: func(device optim.Vectors, point, gradient optim.Vector, o Options) (optim.Optimiser, error) {
			return optim.NewAdam(device, point, gradient, optim.AdamOptions{StepSize: o.StepSize, Bounds: pixelRange})
		},
	},
	{
		name: LBFGS, help: "L-BFGS, which comes to the same loss in a fifth of the time or less",
		elementBytes: func(on optim.Vectors) int64 { return lbfgsOptions.ElementBytes(on) },
		open: func(device optim.Vectors, point, gradient optim.Vector, o Options) (optim.Optimiser, error) {
			return optim.NewLBFGS(device, point, gradient, lbfgsOptions)
		},
	},
}

// lbfgsOptions are those of L-BFGS. Five compact pairs do as well as ten in float32, which
// take three times the memory. The loss at the end, of a photograph of 979×734 in Van
// Gogh's Starry Night at 256 pixels (gram, good: 192):
//
//	              gaussian          gram
//	pairs         draft    good     draft    good
//	10, float32   0.1671   0.1624   0.1916   0.1813
//	10, compact   0.1670   0.1624   0.1922
//	5, float32    0.1671            0.1918
//	5, compact    0.1674   0.1623   0.1922   0.1814
//	3, compact    0.1676            0.1913
var lbfgsOptions = optim.LBFGSOptions{Bounds: pixelRange, History: 5, Compact: true}

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
