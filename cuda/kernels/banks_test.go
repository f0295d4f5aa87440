//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"impasto/cuda/kernels/host"
)

// banks is what the banks of dynamic shared memory have had to do for a kernel: turns, and
// how many there would have been without conflicts. Accesses are counted as the sources make
// them; where the compiler makes one of several neighbouring ones, the machine has fewer.
type banks struct{ turns, least int }

var counted = map[string]banks{}

// countBanks adds what a launch of a kernel does.
func countBanks(l *host.Library, kernel string, launch func()) {
	turns, least := l.Banks(launch)
	of := counted[kernel]
	counted[kernel] = banks{of.turns + turns, of.least + least}
}

// mostTurns are the turns that hot kernels may take for each that they would need: what they
// took when they were last looked at.
var mostTurns = []struct {
	family string
	most   float64
}{
	{"convolution_matrix", 1.0},
	{"convolution_hopper", 1.0},
	{"product_matrix", 1.0},
	{"second_moments_matrix", 1.0},
}

// isHot tells whether there is a limit for a kernel.
func isHot(kernel string) bool {
	for _, limit := range mostTurns {
		if strings.HasPrefix(kernel, limit.family) {
			return true
		}
	}
	return false
}

// conflicts lists the kernels whose accesses meet on a bank more often than they may.
func conflicts() (found []string) {
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		of := counted[name]
		for _, limit := range mostTurns {
			if !strings.HasPrefix(name, limit.family) || of.least == 0 {
				continue
			}
			if turns := float64(of.turns) / float64(of.least); turns > limit.most+0.005 {
				found = append(found, fmt.Sprintf("the kernel %s takes the banks of shared memory %.2f turns for each that it needs, want %.2f at most", name, turns, limit.most))
			}
		}
	}
	return found
}
