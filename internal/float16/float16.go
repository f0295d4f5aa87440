// Package float16 converts numbers of 16 bits, IEEE 754 binary16, to float32 and
// back: 11 bits' precision from 2⁻¹⁴ to 65504, and multiples of 2⁻²⁴ below.
package float16

import "math"

// ToFloat32 widens a number, exactly.
func ToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10)&31, uint32(h&0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction·2⁻²⁴
		v := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// FromFloat32 rounds a number to the nearest, ties to even; one that is too large
// becomes infinite, and one that is none stays so.
func FromFloat32(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits>>16) & 0x8000
	magnitude := bits &^ (1 << 31)
	switch {
	case magnitude > 0x7f800000:
		return sign | 0x7e00 | uint16(magnitude>>13)&0x3ff
	case magnitude >= 0x477ff000: // 65520, half way beyond the largest
		return sign | 0x7c00
	case magnitude < 0x38800000: // below 2⁻¹⁴: a multiple of 2⁻²⁴
		units := float64(math.Float32frombits(magnitude)) * (1 << 24)
		return sign | uint16(math.RoundToEven(units))
	}
	magnitude -= 112 << 23
	magnitude += 0xfff + magnitude>>13&1
	return sign | uint16(magnitude>>13)
}
