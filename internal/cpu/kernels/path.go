package kernels

import (
	"fmt"
	"os"
	"strings"
)

// path is one set of inner loops.
type path struct {
	name  string
	lanes int // float32 values in a vector; half as many float64
	rows  int // of a register tile, a divisor of panelRows
	// By the count of vectors in a row of the register tile, less one.
	direct    [tileVectors]directKernel
	narrow    [tileVectors]directKernel // the same for narrowRows rows
	product32 productKernels[float32]
	product64 productKernels[float64]
	winograd  winogradKernels
	vector    vectorKernels
	// By type of element.
	difference32 differenceKernels[float32]
	difference64 differenceKernels[float64]
	pool         poolKernels
	half         halfKernels
	sweep        sweepKernel
	// Second moments, by columns of a block.
	moments32     momentKernel
	moments64     momentKernel
	momentColumns int
}

const (
	// tileVectors is the greatest count of vectors in a row of a register tile.
	tileVectors = 3
	// panelRows is the count of rows in a packed panel of the left operand of a
	// product, and of output channels in a panel of filters.
	panelRows = 8
	// narrowRows is the count of rows of a register tile for few channels.
	narrowRows = 4
	// maxLanes is the count of float32 values in the longest vector.
	maxLanes = 16
)

// Environment names the variable that forces a path.
const Environment = "IMPASTO_CPU"

var goPath = path{
	name:          "go",
	lanes:         4,
	rows:          4,
	direct:        [tileVectors]directKernel{directGo(1), directGo(2), directGo(3)},
	narrow:        [tileVectors]directKernel{directGo(1), directGo(2), directGo(3)},
	product32:     productKernels[float32]{[tileVectors]productKernel[float32]{productGo[float32](1, 4), productGo[float32](2, 4), productGo[float32](3, 4)}, packGo[float32](12), packLeftGo[float32]},
	product64:     productKernels[float64]{[tileVectors]productKernel[float64]{productGo[float64](1, 2), productGo[float64](2, 2), productGo[float64](3, 2)}, packGo[float64](6), packLeftGo[float64]},
	winograd:      winogradGo,
	vector:        vectorsGo,
	difference32:  differenceKernels[float32]{sumDifferenceGo[float32], slopeGo[float32]},
	difference64:  differenceKernels[float64]{sumDifferenceGo[float64], slopeGo[float64]},
	pool:          poolGo,
	half:          halfGo,
	sweep:         sweepGo,
	moments32:     momentsGo,
	moments64:     momentsGo,
	momentColumns: 4,
}

// Paths names the sets of inner loops that this processor can run, best first.
func Paths() []string {
	var names []string
	for _, p := range paths() {
		names = append(names, p.name)
	}
	return names
}

// choosePath returns the path that the environment asks for, or the best.
func choosePath() (*path, error) {
	all := paths()
	want := os.Getenv(Environment)
	if want == "" {
		return all[0], nil
	}
	for _, p := range all {
		if p.name == want {
			return p, nil
		}
	}
	return nil, fmt.Errorf("cpu: %s is %q, which this processor doesn't have; use one of %s", Environment, want, strings.Join(Paths(), ", "))
}
