package losses

import (
	"fmt"
	"slices"
	"strings"
)

// builtIn are the losses of this package, in alphabetical order.
var builtIn = []Loss{
	centralMoments{},
	gaussian{},
	gram{},
	histogram{},
	maxSliced{},
	mmd{},
	moments{},
	relaxed{},
	relaxed{euclidean: true},
	sinkhorn{},
	sinkhorn{whole: true},
	sliced{},
}

// All are the losses of this package, in alphabetical order.
func All() []Loss { return slices.Clone(builtIn) }

// Names are the names of All.
func Names() []string { return namesOf(builtIn) }

// Usable are the names of those whose cost doesn't grow with the square of the
// picture's size, in alphabetical order.
func Usable() []string {
	return namesOf(slices.DeleteFunc(All(), func(l Loss) bool { return l.Description().Growth == AllPairs }))
}

func namesOf(losses []Loss) []string {
	names := make([]string, len(losses))
	for i, loss := range losses {
		names[i] = loss.Description().Name
	}
	return names
}

// Named returns the loss of that name.
func Named(name string) (Loss, error) {
	for _, loss := range builtIn {
		if loss.Description().Name == name {
			return loss, nil
		}
	}
	return nil, fmt.Errorf("losses: unknown loss %q, want one of %s", name, strings.Join(Names(), ", "))
}
