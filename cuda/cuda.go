// Package cuda runs schedules on an NVIDIA GPU, by way of gorgonia.org/cu and the
// kernels in package kernels.
//
// It is compiled in by the build tag gpu, with cgo, on Linux and Windows; without it,
// NewDevice and Devices say so. A program that has it needs nothing of CUDA to
// start: the driver is looked for when a device is asked for. The environment
// variable IMPASTO_CUDA=ampere leaves out the kernels that only the Hopper
// generation can run, IMPASTO_CUDA=slow-doubles leaves as little as can be to
// float64, as on GPUs on which that is slow, and IMPASTO_CUDA_PTX=1 has the driver
// compile all kernels itself, as it does for GPUs that there is no machine code for.
package cuda

import (
	"fmt"
	"math"

	"impasto/device"
)

// Options are the settings of a device. The zero value is the first GPU in
// float32.
type Options struct {
	Index     int              // of the GPU, from 0 on, as Devices lists them
	Precision device.Precision // f32 where empty, f16 where it is AutoPrecision
}

// Info is what there is to know of a GPU before it is used.
type Info struct {
	Index  int    `json:"index"`
	Name   string `json:"name"`
	Memory int64  `json:"memory"` // bytes, those in use included
	// Capability is the compute capability, such as 9.0.
	Capability string `json:"capability"`
	// Driver is the version of CUDA that the driver speaks, such as 13.0.
	Driver string `json:"driver"`
	// Problem is why the GPU can't be used, or empty.
	Problem string `json:"problem,omitempty"`
}

// UnavailableError says that there is no GPU to use as asked: what was found, and
// what is needed.
type UnavailableError struct{ Reason string }

func (e *UnavailableError) Error() string { return "cuda: " + e.Reason }

// MemoryError says that a device's memory doesn't suffice.
type MemoryError struct {
	What              string // the memory is for
	Need, Free, Total int64  // bytes
	// Shrinks says that a smaller picture needs less, in proportion to its pixels.
	Shrinks bool
}

func (e *MemoryError) Error() string {
	text := fmt.Sprintf("cuda: %s takes %s of the GPU's memory, of which %s of %s are free",
		e.What, mebibytes(e.Need), mebibytes(e.Free), mebibytes(e.Total))
	if e.Shrinks && e.Free < e.Need {
		text += fmt.Sprintf("; a picture of %.0f %% of the width and height would fit", math.Floor(100*math.Sqrt(float64(e.Free)/float64(e.Need))))
	}
	return text
}

func mebibytes(bytes int64) string {
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}
