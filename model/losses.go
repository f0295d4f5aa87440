package model

import (
	"fmt"
	"slices"

	"impasto/losses"
)

// lossNamed finds a loss by its name among those of package losses and others.
func lossNamed(name string, others []losses.Loss) (losses.Loss, error) {
	for _, loss := range others {
		if loss.Description().Name == name {
			return loss, nil
		}
	}
	return losses.Named(name)
}

// lossNames are the names that lossNamed knows.
func lossNames(others []losses.Loss) []string {
	names := losses.Names()
	for _, loss := range others {
		names = append(names, loss.Description().Name)
	}
	return names
}

// checkOwnLosses reports losses from outside that have no names of their own.
func checkOwnLosses(own []losses.Loss) error {
	for i, loss := range own {
		if loss == nil || loss.Description().Name == "" {
			return &OptionError{"OwnLosses", fmt.Sprintf("loss %d of one's own is missing or has no name", i+1)}
		}
		if name := loss.Description().Name; slices.Contains(lossNames(own[:i]), name) {
			return &OptionError{"OwnLosses", fmt.Sprintf("there is another loss %s; give each a name of its own", name)}
		}
	}
	return nil
}
