package weights

import "math"

// fromHalf widens an IEEE 754 binary16 number, exactly.
func fromHalf(h uint16) float32 {
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

// toHalf rounds a finite number to the nearest binary16, ties to even; one that
// is too large becomes infinite.
func toHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits>>16) & 0x8000
	magnitude := bits &^ (1 << 31)
	switch {
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

// toBrain rounds a finite number to the nearest bfloat16, ties to even.
func toBrain(v float32) uint16 {
	bits := math.Float32bits(v)
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
