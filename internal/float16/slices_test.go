package float16

import (
	"math"
	"testing"
)

func TestSlicesAreConvertedNumberByNumber(t *testing.T) {
	for _, unit := range []float32{1, 16, 1. / 4096} {
		var singles []float32
		for _, v := range []float64{0, 1, 1.0005, 1.0015, 65504, 65519, 65520, 1e6, 6e-8, 2.9e-8, 3e-5, 6.1e-5, 6.2e-5, 1e-40, math.Inf(1), math.NaN()} {
			singles = append(singles, float32(v)*unit, -float32(v)*unit)
		}
		halves, back := make([]uint16, len(singles)), make([]float32, len(singles))
		Narrow(halves, singles, unit)
		Widen(back, halves, unit)
		for i, v := range singles {
			want := FromFloat32(v / unit)
			if halves[i] != want {
				t.Errorf("%g in units of %g is %#04x, want %#04x", v, unit, halves[i], want)
			}
			if f := ToFloat32(want) * unit; halves[i]&0x7c00 != 0x7c00 && back[i] != f {
				t.Errorf("%#04x in units of %g is %g, want %g", halves[i], unit, back[i], f)
			}
		}
	}
}

func TestBrainFloatsAreRoundedToTheNearest(t *testing.T) {
	for _, v := range []float32{0, 1, -1, 1.00390625, 1.01171875, 3e38, 1e-40, -2.5e-30, 1.0039063, float32(math.Inf(1))} {
		var b [1]uint16
		var back [1]float32
		NarrowBrain(b[:], []float32{v})
		WidenBrain(back[:], b[:])
		for _, other := range []uint16{b[0] - 1, b[0] + 1} {
			var near [1]float32
			WidenBrain(near[:], []uint16{other})
			d, n := math.Abs(float64(v-back[0])), math.Abs(float64(v-near[0]))
			if n < d || n == d && b[0]%2 == 1 {
				t.Errorf("%g is rounded to %g, %g is nearer", v, back[0], near[0])
			}
		}
	}
	var b [1]uint16
	var back [1]float32
	NarrowBrain(b[:], []float32{float32(math.NaN())})
	if WidenBrain(back[:], b[:]); back[0] == back[0] {
		t.Errorf("NaN becomes %g", back[0])
	}
}

func BenchmarkNarrow(b *testing.B) {
	from, to := make([]float32, 4096), make([]uint16, 4096)
	for i := range from {
		from[i] = float32(i%97) * float32(i%2)
	}
	b.SetBytes(4 * int64(len(from)))
	for b.Loop() {
		Narrow(to, from, 16)
	}
}

func BenchmarkWiden(b *testing.B) {
	from, to := make([]uint16, 4096), make([]float32, 4096)
	b.SetBytes(4 * int64(len(to)))
	for b.Loop() {
		Widen(to, from, 16)
	}
}
