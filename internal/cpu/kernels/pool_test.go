package kernels

import (
	"testing"

	"impasto/internal/pure"
)

// Channels, height, width.
var poolShapes = [][3]int{{1, 1, 1}, {2, 1, 5}, {3, 5, 1}, {1, 2, 2}, {3, 3, 3}, {2, 4, 6}, {5, 7, 35}, {2, 6, 64}, {4, 9, 71}}

const poolingScale = 0.78

var poolings = []struct {
	name     string
	mode     pure.PoolMode
	scale    float64
	forward  func(w *Workers, y, x Map, c, h, wd int)
	gradient func(w *Workers, dx, dy []float32, x Map, c, h, wd int, rectified bool)
}{
	{"max", pure.MaxPool, 1, MaxPool, MaxPoolGradient},
	{"mean", pure.MeanPool, poolingScale,
		func(w *Workers, y, x Map, c, h, wd int) { MeanPool(w, y, x, c, h, wd, poolingScale) },
		func(w *Workers, dx, dy []float32, x Map, c, h, wd int, rectified bool) {
			MeanPoolGradient(w, dx, dy, x, c, h, wd, poolingScale, rectified)
		}},
	{"l2", pure.L2Pool, poolingScale,
		func(w *Workers, y, x Map, c, h, wd int) { L2Pool(w, y, x, c, h, wd, poolingScale) },
		func(w *Workers, dx, dy []float32, x Map, c, h, wd int, rectified bool) {
			L2PoolGradient(w, dx, dy, x, c, h, wd, poolingScale, rectified)
		}},
}

func TestPoolingMatchesPlainLoops(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, m := range poolings {
			for _, s := range poolShapes {
				c, h, wd := s[0], s[1], s[2]
				x := values(1, c*h*wd)
				for i := range x {
					x[i] = float32(int(2 * x[i])) // so that there are ties, and windows of zeros
				}
				n := c * (h / 2) * (wd / 2)
				definition := pure.Pool{Mode: m.mode, Channels: c, Height: h, Width: wd, Scale: m.scale}
				want, dWant := make([]float64, n), make([]float64, c*h*wd)
				pure.ApplyPool(definition, want, float64s(x))
				y := newGuarded[float32](n)
				m.forward(w, Single(y.values), Single(x), c, h, wd)
				near(t, m.name+shape(c, h, wd), y.values, want, 4e-7)
				y.check(t, m.name+shape(c, h, wd))

				dy := values(2, n)
				pure.PoolGradient(definition, dWant, float64s(dy), float64s(x))
				dx := newGuarded[float32](c * h * wd)
				m.gradient(w, dx.values, dy, Single(x), c, h, wd, false)
				near(t, m.name+" gradient "+shape(c, h, wd), dx.values, dWant, 4e-7)
				dx.check(t, m.name+" gradient "+shape(c, h, wd))

				for i, v := range x {
					if !(v > 0) {
						dWant[i] = 0
					}
				}
				m.gradient(w, dx.values, dy, Single(x), c, h, wd, true)
				near(t, m.name+" rectified gradient "+shape(c, h, wd), dx.values, dWant, 4e-7)
				dx.check(t, m.name+" rectified gradient "+shape(c, h, wd))
			}
		}
	})
}
