package kernels

import (
	"fmt"
	"os"
	"strings"
)

// isa is an instruction set with its inner loops.
type isa struct {
	name string
	// base is the instruction set whose inner loops it has but for bfloat16, or nil.
	base  *isa
	lanes int // float32 values in a vector; half as many float64
	rows  int // of a register tile, a divisor of panelRows
	// Element v is for rows of v+1 vectors.
	direct    [tileVectors]directKernel
	narrow    [tileVectors]directKernel // the same for narrowRows rows
	product32 productKernels[float32]
	product64 productKernels[float64]
	winograd  winogradKernels
	tiles     *tileKernels // for BFloat16, or nil for winograd's
	vector    vectorKernels

	difference32 differenceKernels[float32]
	difference64 differenceKernels[float64]

	pool  poolKernels
	half  halfKernels
	sweep sweepKernel

	moments32     momentKernel
	moments64     momentKernel
	momentColumns int // of a block of second moments
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

// Environment names the variable that forces an instruction set.
const Environment = "IMPASTO_CPU"

// isaGo are the inner loops in Go, for any processor, in vectors of four values.
var isaGo = isa{
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

// ISAs names the instruction sets that this processor can run, best first. The last
// is go, for the loops in Go.
func ISAs() []string {
	var names []string
	for _, set := range isas() {
		names = append(names, set.name)
	}
	return names
}

// ChosenISA names the instruction set that NewWorkers takes.
func ChosenISA() (string, error) {
	set, err := chooseISA()
	if err != nil {
		return "", err
	}
	return set.name, nil
}

// chooseISA returns the instruction set that the environment asks for, or the best.
func chooseISA() (*isa, error) {
	all := isas()
	want := os.Getenv(Environment)
	if want == "" {
		return all[0], nil
	}
	for _, set := range all {
		if set.name == want {
			return set, nil
		}
	}
	return nil, fmt.Errorf("cpu: %s is %q, which this processor doesn't have; use one of %s", Environment, want, strings.Join(ISAs(), ", "))
}
