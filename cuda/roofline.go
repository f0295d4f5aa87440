package cuda

import (
	"strings"

	"impasto/cuda/kernels"
)

// Peak is the most that a GPU can do in a second, by its maker's figures: what times are
// judged against. What isn't known is 0.
type Peak struct {
	// Operations of each unit, a multiplication and an addition counting two; the matrix
	// units sum in float32 and skip no zeros.
	Operations [kernels.Units]float64
	Bytes      float64 // of device memory
}

// perClock are the operations of one multiprocessor in one cycle of its clock, by compute
// capability, in the order of kernels.Unit: the CUDA programming guide's table of
// arithmetic instructions, and for the matrix units the white papers of the architectures
// (GA100, GA102, AD102, GH100, GB100, GB202) divided by multiprocessors and clock.
var perClock = map[string][kernels.Units]float64{
	"8.0":  {128, 64, 1024, 2048},
	"8.6":  {256, 4, 512, 1024},
	"8.7":  {256, 4, 512, 1024},
	"8.9":  {256, 4, 512, 1024},
	"9.0":  {256, 128, 2048, 4096},
	"10.0": {256, 128, 4096, 8192},
	"10.3": {256, 4, 4096, 8192},
	"12.0": {256, 4, 512, 1024},
	"12.1": {256, 4, 512, 1024},
}

// limits are attributes of a device, as the driver tells them.
type limits struct {
	name, capability string
	multiprocessors  int
	clock            float64 // cycles a second, the highest
	memoryClock      float64 // likewise
	busWidth         int     // bits
}

// peak works out what a device can do. Memory transfers twice in a cycle of its clock.
func (l limits) peak() Peak {
	p := Peak{Bytes: 2 * l.memoryClock * float64(l.busWidth) / 8}
	for unit, operations := range perClock[l.capability] {
		if strings.Contains(l.name, "GeForce") && (unit == int(kernels.MatrixHalf) || unit == int(kernels.MatrixTF32)) {
			operations /= 2 // where the matrix units sum in float32
		}
		p.Operations[unit] = operations * float64(l.multiprocessors) * l.clock
	}
	return p
}

// Bound is the least time in seconds that work can take, whether arithmetic or memory is
// what limits it, or 0 where that isn't known. Operands that are still in a cache make it
// possible to be faster.
func (p Peak) Bound(w kernels.Work) float64 {
	if p.Bytes == 0 || w.Operations > 0 && p.Operations[w.Unit] == 0 {
		return 0
	}
	seconds := w.Bytes / p.Bytes
	if w.Operations > 0 {
		seconds = max(seconds, w.Operations/p.Operations[w.Unit])
	}
	return seconds
}
