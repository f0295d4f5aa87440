// Package losses holds the losses that drive the descent. A style loss compares
// the features X (C×N, N = H·W) of one layer with a target's in two steps: the
// features are summarised, and the summary is compared with the target's, which
// gives the loss and, by way of the summary's cotangent, dL/dX. The summary is a
// vector that is a mean over positions, such as the means and second moments of the
// channels; or the features themselves, as a cloud of points, of all positions or
// of a sample.
//
// A loss says in a Form what its summaries are and how they are compared. How a
// form is evaluated for a whole picture, for the positions of a mask, or for a
// picture in parts, is the same for all losses and is done here, once.
//
// Each style loss has a file of its own, with everything about it. Losses from
// outside implement Loss, or are made of a function of features by Custom.
package losses

import (
	"gorgonia.org/gorgonia"
)

// Loss is a style loss.
type Loss interface {
	// Description says what the loss is.
	Description() Description
	// Plain is the loss as its literature defines it, in units of activations.
	Plain() Form
	// Normalised is what a descent minimises: of second degree in the features and
	// divided by the target's mean square activation, so that a layer's weight means
	// the same for every loss, layer, network and size of picture.
	Normalised() Form
}

// Description is what help texts, tables and benchmarks say of a loss.
type Description struct {
	Name      string // what a user types
	Help      string // in one line, for help texts
	Formula   string // of the plain loss, in one line
	Reference string // where it comes from
	Sees      string // what of two clouds of features it compares
	Blind     string // in what they may differ without its noticing
	// Growth is how the time of an evaluation grows, and Cost more exactly what takes
	// it, for C channels and N positions.
	Growth Growth
	Cost   string
	// Operations counts the floating-point operations of one evaluation with its
	// gradient, for C channels and so many positions of the picture and of the
	// target; a multiplication and an addition count two. It is nil for losses whose
	// time isn't, for the most part, arithmetic that can be counted, as it is where
	// they sort: such a count can be held against a machine's rate of matrix products.
	Operations func(channels, positions, targetPositions int) float64
	// Fixed counts the operations of one evaluation that are as many for any number of
	// positions, such as those on C×C matrices, which Operations leaves out. It is nil
	// where they don't count beside the others.
	Fixed func(channels int) float64
}

// Growth is how the time of an evaluation grows.
type Growth int

const (
	// Linear losses take time in proportion to C·N.
	Linear Growth = iota
	// Products are of C×N matrices, and take C²·N.
	Products
	// Sorting takes N·log N for each of some directions.
	Sorting
	// SampledPairs of positions are compared, as many for any N.
	SampledPairs
	// AllPairs of positions are compared, and take C·N².
	AllPairs
)

// Sampled is a loss whose normalised form looks at a sample of the positions.
type Sampled interface {
	Loss
	// WithSample is the same loss with a normalised form that looks at so many
	// positions of either side, or at all where there are no more.
	WithSample(positions int) Loss
}

// Iterative is a loss that goes through all pairs of positions again and again, as
// often as it takes to be exact enough. So only the time of one pass follows from
// the shape.
type Iterative interface {
	Loss
	// Pass adds one pass over the pairs of the normalised form's summaries to their
	// graph. Its result is a vector that serves no other purpose than to be timed.
	Pass(x, target []Summarised) (*gorgonia.Node, error)
	// PassOperations counts the operations of a pass as Description counts those of
	// an evaluation.
	PassOperations(channels, positions, targetPositions int) float64
}
