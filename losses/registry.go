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

// Usable are those whose cost doesn't grow with the square of the picture's size, in
// alphabetical order.
func Usable() []Loss {
	return slices.DeleteFunc(All(), func(l Loss) bool { return l.Description().Growth == AllPairs })
}

// Names are the names of All.
func Names() []string { return NamesOf(builtIn) }

// NamesOf are the names of losses.
func NamesOf(losses []Loss) []string {
	names := make([]string, len(losses))
	for i, loss := range losses {
		names[i] = loss.Description().Name
	}
	return names
}

// CheckNames reports a loss that is missing or has no name, and two of one name, whose
// results couldn't be told apart.
func CheckNames(losses []Loss) error {
	seen := map[string]bool{}
	for i, loss := range losses {
		if loss == nil {
			return fmt.Errorf("losses: loss %d of %d is nil", i+1, len(losses))
		}
		name := loss.Description().Name
		if name == "" {
			return fmt.Errorf("losses: loss %d of %d has no name", i+1, len(losses))
		}
		if seen[name] {
			return fmt.Errorf("losses: two losses are named %s, want names that differ", name)
		}
		seen[name] = true
	}
	return nil
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

// Must returns a loss that Named or Custom gave without an error, and panics else: for
// names and functions that a program is written with.
func Must(loss Loss, err error) Loss {
	if err != nil {
		panic(err)
	}
	return loss
}
