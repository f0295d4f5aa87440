package float16

import "math"

// Widen writes the numbers of from, which are finite, times unit to to.
func Widen(to []float32, from []uint16, unit float32) {
	// Shifted into place, a number's exponent is too small by 112, subnormal or not.
	const rebias = 1 << 112
	unit *= rebias
	for i, h := range from[:len(to)] {
		to[i] = math.Float32frombits(uint32(h&0x8000)<<16|uint32(h&0x7fff)<<13) * unit
	}
}

// Narrow writes the numbers of from, divided by unit, a power of two, to to, rounded to
// the nearest, ties to even.
func Narrow(to []uint16, from []float32, unit float32) {
	inverse := 1 / unit
	for i, v := range from[:len(to)] {
		v *= inverse
		bits := math.Float32bits(v)
		magnitude := bits &^ (1 << 31)
		switch {
		case magnitude-0x38800000 < 0x477ff000-0x38800000: // normal there, too
			magnitude -= 112 << 23
			to[i] = uint16(bits>>16)&0x8000 | uint16((magnitude+0xfff+magnitude>>13&1)>>13)
		case magnitude == 0:
			to[i] = uint16(bits >> 16)
		default:
			to[i] = FromFloat32(v)
		}
	}
}

// WidenBrain writes bfloat16 numbers, the upper halves of float32, to to.
func WidenBrain(to []float32, from []uint16) {
	for i, b := range from[:len(to)] {
		to[i] = math.Float32frombits(uint32(b) << 16)
	}
}

// NarrowBrain writes the numbers of from as bfloat16, with 8 bits' precision and the range
// of float32, rounded to the nearest, ties to even.
func NarrowBrain(to []uint16, from []float32) {
	for i, v := range from[:len(to)] {
		bits := math.Float32bits(v)
		if bits&^(1<<31) > 0x7f800000 { // none
			to[i] = uint16(bits>>16) | 1<<6
			continue
		}
		to[i] = uint16((bits + 0x7fff + bits>>16&1) >> 16)
	}
}
