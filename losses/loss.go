// Package losses holds the losses that drive the descent. A style loss compares
// the features X (C×N, N = H·W) of one layer with a target's in two steps: the
// features are summarised, and the summary is compared with the target's, which
// gives the loss and, by way of the summary's cotangent, dL/dX.
//
// Each style loss has a file of its own.
package losses

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
)

// Loss is a style loss. Its methods add operations to the graph of the nodes
// that they are given.
type Loss interface {
	// Name is what a user types.
	Name() string
	// Summarise reduces a feature map (C×H×W) to what the loss compares.
	Summarise(features *gorgonia.Node) (*gorgonia.Node, error)
	// Blends tells that the summaries are float64 vectors which blend linearly to
	// that of a target made of several pictures. Where they don't, such a target's
	// loss is the weighted mean of the losses to each picture.
	Blends() bool
	// Distance is the plain loss between two summaries as its literature defines
	// it, a float64 scalar.
	Distance(summary, target *gorgonia.Node) (*gorgonia.Node, error)
	// Objective is what the descent minimises: of second degree in the features
	// and divided by the target's mean square activation, so that a layer's
	// weight means the same for every loss, layer, network and size of picture.
	Objective(summary, target *gorgonia.Node) (*gorgonia.Node, error)
}

// Sampled is a loss whose objective looks at a sample of the positions.
type Sampled interface {
	Loss
	// WithSample is the same loss with an objective that looks at so many positions
	// of either side, or at all where there are no more.
	WithSample(positions int) Loss
}

var registry = map[string]Loss{
	centralMoments{}.Name():         centralMoments{},
	gaussian{}.Name():               gaussian{},
	gram{}.Name():                   gram{},
	histogram{}.Name():              histogram{},
	maxSliced{}.Name():              maxSliced{},
	mmd{}.Name():                    mmd{},
	moments{}.Name():                moments{},
	relaxed{euclidean: true}.Name(): relaxed{euclidean: true},
	relaxed{}.Name():                relaxed{},
	sinkhorn{whole: true}.Name():    sinkhorn{whole: true},
	sinkhorn{}.Name():               sinkhorn{},
	sliced{}.Name():                 sliced{},
}

// costly are the losses that grow with the square of the picture's size.
var costly = []string{sinkhorn{whole: true}.Name()}

// Names are the known losses in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(registry)) }

// Usable are those of the losses whose cost doesn't grow with the square of the
// picture's size, in alphabetical order.
func Usable() []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return slices.Contains(costly, name) })
}

// Named returns the loss of that name.
func Named(name string) (Loss, error) {
	if loss, ok := registry[name]; ok {
		return loss, nil
	}
	return nil, fmt.Errorf("losses: unknown loss %q, want one of %s", name, strings.Join(Names(), ", "))
}
