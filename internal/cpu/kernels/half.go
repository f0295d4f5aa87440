package kernels

import (
	"unsafe"

	"impasto/internal/float16"
)

// Half is a value of a feature map in half of float32's memory: the IEEE 754
// float16 of a sixteenth of it. Features of VGG-19 as it was published reach 55000
// with rescaled average pooling, close to float16's largest value, 65504. Sixteenths
// raise that to HalfLimit. Near zero they are multiples of 2⁻²⁰, which is precise
// enough for features in the hundreds.
type Half uint16

const (
	// HalfUnit is how many times the float16 a Half stands for.
	HalfUnit = 16
	// HalfLimit is the largest value of a Half. What is greater becomes infinite.
	HalfLimit = HalfUnit * 65504
)

// halfOf rounds v to the nearest Half, ties to even.
func halfOf(v float32) Half { return Half(float16.FromFloat32(v * (1. / HalfUnit))) }

// Float32 is the value, exactly.
func (h Half) Float32() float32 { return float16.ToFloat32(uint16(h)) * HalfUnit }

// Map is a feature map, in float32 or in Half: one of the two is nil.
type Map struct {
	Single []float32
	Half   []Half
}

// Single is the map of float32 values.
func Single(x []float32) Map { return Map{Single: x} }

// none tells whether there is no map at all.
func (m Map) none() bool { return m.Single == nil && m.Half == nil }

// first is the first n values.
func (m Map) first(n int) Map {
	if m.Half != nil {
		return Map{Half: m.Half[:n]}
	}
	return Map{Single: m.Single[:n]}
}

// at is value i.
func (m Map) at(i int) float32 {
	if m.Half != nil {
		return m.Half[i].Float32()
	}
	return m.Single[i]
}

// read copies values from number i on.
func (m Map) read(k *halfKernels, to []float32, i int) {
	if m.Half != nil {
		k.widen(to, m.Half[i:])
		return
	}
	copy(to, m.Single[i:])
}

// line returns n values from number i on. Those of a Half it widens into room.
func (m Map) line(k *halfKernels, room []float32, i, n int) []float32 {
	if m.Half == nil {
		return m.Single[i : i+n]
	}
	k.widen(room[:n], m.Half[i:])
	return room[:n]
}

// Widen copies a map of Half.
func Widen(w *Workers, to []float32, from []Half) {
	from = from[:len(to)]
	eachBlock(w, len(to), func(first, end int) {
		w.isa.half.widen(to[first:end], from[first:end])
	})
}

// Infinite tells whether one of the values is infinite, as those become that are
// greater than HalfLimit.
func Infinite(x []Half) bool {
	for _, h := range x {
		if h&0x7fff == 0x7c00 {
			return true
		}
	}
	return false
}

// halfKernels are the inner loops on Half, for any count of values.
type halfKernels struct {
	// widen copies len(to) values.
	widen func(to []float32, from []Half)
	// narrow rounds len(from) values.
	narrow func(to []Half, from []float32)
	// mask is vectorKernels.mask, over len(to) values.
	mask func(to, x []float32, mask []Half)
	// gather is winogradKernels.gather of a map of Half, gatherMasked that of a map of
	// float32 under a mask of Half, scatter winogradKernels.scatter to a map of Half.
	gather       func(to []float32, x []Half, plane, n, ahead int)
	gatherMasked func(to, x []float32, mask []Half, plane, n, ahead int)
	scatter      func(y []Half, from []float32, plane, n int)
}

var halfGo = halfKernels{widenGo, narrowGo, maskHalfGo, gatherHalfGo, gatherMaskedHalfGo, scatterHalfGo}

func widenGo(to []float32, from []Half) {
	from = from[:len(to)]
	for i, h := range from {
		to[i] = h.Float32()
	}
}

func narrowGo(to []Half, from []float32) {
	to = to[:len(from)]
	for i, v := range from {
		to[i] = halfOf(v)
	}
}

func maskHalfGo(to, x []float32, mask []Half) {
	x, mask = x[:len(to)], mask[:len(to)]
	for i, m := range mask {
		v := x[i]
		if !(m.Float32() > 0) {
			v = 0
		}
		to[i] = v
	}
}

func gatherHalfGo(to []float32, x []Half, plane, n, _ int) {
	for c := range channelBlock {
		for p, h := range x[c*plane:][:n] {
			to[p*channelBlock+c] = h.Float32()
		}
	}
}

func gatherMaskedHalfGo(to, x []float32, mask []Half, plane, n, _ int) {
	for c := range channelBlock {
		for p, m := range mask[c*plane:][:n] {
			v := x[c*plane+p]
			if !(m.Float32() > 0) {
				v = 0
			}
			to[p*channelBlock+c] = v
		}
	}
}

func scatterHalfGo(y []Half, from []float32, plane, n int) {
	for c := range channelBlock {
		for p := range n {
			y[c*plane+p] = halfOf(from[p*channelBlock+c])
		}
	}
}

// halfAssembly are halfKernels in assembly, for a positive multiple of a vector's
// values.
type halfAssembly struct {
	lanes        int
	widen        func(to []float32, from []uint16)
	narrow       func(to []uint16, from []float32)
	mask         func(to, x []float32, mask []uint16)
	gather       func(to []float32, x []uint16, plane, n, ahead int)
	gatherMasked func(to, x []float32, mask []uint16, plane, n, ahead int)
	scatter      func(y []uint16, from []float32, plane, n int)
}

// orElse makes kernels for any count of values: those of a for one vector or more,
// those of k for fewer values.
func (a halfAssembly) orElse(k halfKernels) halfKernels {
	return halfKernels{
		// Written out without inVectors, because it is called for some dozens of values
		// at a time.
		widen: func(to []float32, from []Half) {
			n := len(to)
			from = from[:n]
			whole := n &^ (a.lanes - 1)
			switch {
			case whole == 0:
				k.widen(to, from)
				return
			case whole < n:
				a.widen(to[n-a.lanes:], bits(from[n-a.lanes:]))
			}
			a.widen(to[:whole], bits(from))
		},
		narrow: func(to []Half, from []float32) {
			if !a.inVectors(len(from), func(i, n int) { a.narrow(bits(to[i:i+n]), from[i:i+n]) }) {
				k.narrow(to, from)
			}
		},
		mask: func(to, x []float32, mask []Half) {
			if !a.inVectors(len(to), func(i, n int) { a.mask(to[i:i+n], x[i:i+n], bits(mask[i:i+n])) }) {
				k.mask(to, x, mask)
			}
		},
		gather: func(to []float32, x []Half, plane, n, ahead int) {
			if !a.inVectors(n, func(i, n int) { a.gather(to[i*channelBlock:], bits(x[i:]), plane, n, ahead) }) {
				k.gather(to, x, plane, n, ahead)
			}
		},
		gatherMasked: func(to, x []float32, mask []Half, plane, n, ahead int) {
			if !a.inVectors(n, func(i, n int) { a.gatherMasked(to[i*channelBlock:], x[i:], bits(mask[i:]), plane, n, ahead) }) {
				k.gatherMasked(to, x, mask, plane, n, ahead)
			}
		},
		scatter: func(y []Half, from []float32, plane, n int) {
			if !a.inVectors(n, func(i, n int) { a.scatter(bits(y[i:]), from[i*channelBlock:], plane, n) }) {
				k.scatter(y, from, plane, n)
			}
		},
	}
}

// inVectors calls part with the whole vectors among n values, then with the vector
// of the last values, which may overlap them. It tells whether n fills a vector.
func (a halfAssembly) inVectors(n int, part func(first, n int)) bool {
	if n < a.lanes {
		return false
	}
	whole := n &^ (a.lanes - 1)
	part(0, whole)
	if whole < n {
		part(n-a.lanes, a.lanes)
	}
	return true
}

// bits are the values as the assembly takes them.
func bits(x []Half) []uint16 { return unsafe.Slice((*uint16)(unsafe.SliceData(x)), len(x)) }
