package float16

import (
	"math"
	"testing"
)

func TestNumbersAreRoundedToTheNearest(t *testing.T) {
	for h := range 1 << 16 {
		v := ToFloat32(uint16(h))
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			if h>>10&31 != 31 {
				t.Fatalf("%#04x is read as %g", h, v)
			}
			continue
		}
		sign := 1.0
		if h&0x8000 != 0 {
			sign = -1
		}
		fraction, exponent := float64(h&0x3ff), h>>10&31
		want := sign * math.Ldexp(fraction, -24)
		if exponent > 0 {
			want = sign * math.Ldexp(1024+fraction, exponent-25)
		}
		if float64(v) != want {
			t.Fatalf("%#04x is read as %g, want %g", h, v, want)
		}
		if got := FromFloat32(v); got != uint16(h) {
			t.Fatalf("%g is written as %#04x, want %#04x", v, got, h)
		}
		if next := h&0x7fff + 1; next < 0x7c00 {
			middle := (v + ToFloat32(uint16(h&0x8000|next))) / 2
			even := uint16(h + h&1)
			if got := FromFloat32(middle); got != even {
				t.Fatalf("%g, a tie, is written as %#04x, want %#04x", middle, got, even)
			}
			away := math.Nextafter32(middle, float32(math.Inf(int(sign))))
			if got := FromFloat32(away); got != uint16(h+1) {
				t.Fatalf("%g is written as %#04x, want %#04x", away, got, h+1)
			}
		}
	}
	for v, want := range map[float32]uint16{
		65519: 0x7bff, 65520: 0x7c00, -1e9: 0xfc00, 1e-30: 0,
		float32(math.Inf(1)): 0x7c00, float32(math.Inf(-1)): 0xfc00,
	} {
		if got := FromFloat32(v); got != want {
			t.Errorf("%g is written as %#04x, want %#04x", v, got, want)
		}
	}
}

func TestWhatIsNoNumberStaysNone(t *testing.T) {
	for _, bits := range []uint32{0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff} {
		if v := ToFloat32(FromFloat32(math.Float32frombits(bits))); v == v {
			t.Errorf("NaN %#08x is %g again", bits, v)
		}
	}
}
