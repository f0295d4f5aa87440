package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"impasto/internal/cpu/kernels"
)

// guarded are n values amid others, which must stay.
type guarded struct{ all, values []float32 }

const guard = 80 // whole cache lines

func newGuarded(r *rand.Rand, n int, scale float64) guarded {
	all := make([]float32, n+2*guard)
	for i := range all {
		all[i] = float32(r.NormFloat64() * scale)
	}
	return guarded{all, all[guard : guard+n : guard+n]}
}

func (g guarded) clone() guarded {
	all := append([]float32(nil), g.all...)
	return guarded{all, all[guard : guard+len(g.values) : guard+len(g.values)]}
}

// call is a call of a loop: how many values its operands have, what they are to be like, and
// the loop itself on them.
type call struct {
	name    string
	lengths []int
	prepare func(o [][]float32)
	run     func(set *Set, o [][]float32)
}

// operands are random ones.
func (c call) operands(r *rand.Rand, scale float64) []guarded {
	var all []guarded
	for _, n := range c.lengths {
		all = append(all, newGuarded(r, n, scale))
	}
	if c.prepare != nil {
		c.prepare(values(all))
	}
	return all
}

// calls are calls of every loop.
func calls() []call {
	var all []call
	add := func(name string, run func(set *Set, o [][]float32), lengths ...int) {
		all = append(all, call{name: name, lengths: lengths, run: run})
	}
	prepare := func(f func(o [][]float32)) { all[len(all)-1].prepare = f }
	for _, blocks := range []int{1, 2, 5} {
		n := blocks * Block
		of := func(name string) string { return fmt.Sprintf("%s of %d blocks", name, blocks) }
		for _, step := range []int{Block, Coefficients * Block} {
			add(of(fmt.Sprint("Central to every ", step)), func(s *Set, o [][]float32) { s.Central(o[0], o[1], o[2], o[3], o[4], step, blocks) },
				(blocks-1)*step+Block, n, n, n, n)
		}
		add(of("Smoothness"), func(s *Set, o [][]float32) { s.Smoothness(o[0], o[1], o[2], o[3], o[4], blocks) }, n, n+1, n+1, n, n)
		add(of("Edges"), func(s *Set, o [][]float32) { s.Edges(o[0], o[1], o[2], o[3], blocks) }, n, n, n+1, n)
		add(of("Weigh"), func(s *Set, o [][]float32) { s.Weigh(o[0], o[1], o[2], o[3], o[4], o[5], o[6], blocks) },
			Equations*n, Coefficients*n, n, n, n+1, n, n)
		prepare(func(o [][]float32) {
			for _, edges := range o[4:] {
				positive(edges)
			}
		})
		add(of("Anchor"), func(s *Set, o [][]float32) { s.Anchor(o[0], o[1], o[2], o[3], o[4], blocks) }, Coefficients*n, n, n, n, n)
		add(of("Relax"), func(s *Set, o [][]float32) {
			s.Relax(o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7], o[8], o[9], o[10], o[11], blocks)
		}, Equations*n, n+1, n, n, n, n, n+2, n, n, n+2, n, n)
		add(of("Merge"), func(s *Set, o [][]float32) { s.Merge(o[0], o[1], o[2], o[3], blocks) }, n, n, Block, Block)
		add(of("Normalize"), func(s *Set, o [][]float32) { s.Normalize(o[0], o[1], o[2], blocks) }, n, n, n)
		prepare(func(o [][]float32) { o[0][3], o[1][3], o[2][3] = 0, 0, 0 })
	}
	for _, rows := range []int{1, 3, PatchSide} {
		for _, strides := range [][2]int{{8, 9}, {33, 57}} {
			stride, other := strides[0], strides[1]
			n, m := (rows-1)*stride+PatchSide, (rows-1)*other+PatchSide+1
			of := func(name string) string { return fmt.Sprintf("%s of %d rows %d apart", name, rows, stride) }
			add(of("Moments"), func(s *Set, o [][]float32) { s.Moments(o[0], o[1], o[2], stride, rows) }, Moments*PatchSide, n, n)
			add(of("Compare"), func(s *Set, o [][]float32) {
				s.Compare(o[0], o[1], o[2], o[3], o[4], o[5], 0.3, 0.2, 0.4, 0.1, stride, other, rows)
			}, Compared*PatchSide, n, n, n, m, m)
			add(of("Spread"), func(s *Set, o [][]float32) {
				s.Spread(o[0], o[1], o[2], o[3], o[4], o[5], 0.3, 0.2, 0.4, 0.1, 1.7, -2.3, stride, other, rows)
			}, n, n, n, n, m, m)
		}
	}
	return all
}

func positive(values []float32) {
	for i, v := range values {
		values[i] = max(v, -v)
	}
}

// TestLoopsAreThoseInGo compares every loop of every instruction set with that in Go, bit
// by bit, and also what lies beside the operands.
func TestLoopsAreThoseInGo(t *testing.T) {
	for _, name := range kernels.ISAs() {
		set := Named(name)
		t.Run(name, func(t *testing.T) {
			for i, c := range calls() {
				for _, scale := range []float64{1, 100} {
					r := rand.New(rand.NewPCG(uint64(i), 1))
					want := c.operands(r, scale)
					var got []guarded
					for _, o := range want {
						got = append(got, o.clone())
					}
					c.run(&setGo, values(want))
					c.run(set, values(got))
					compareBits(t, c.name, got, want)
				}
			}
		})
	}
}

func values(operands []guarded) [][]float32 {
	var all [][]float32
	for _, o := range operands {
		all = append(all, o.values)
	}
	return all
}

func compareBits(t *testing.T, name string, got, want []guarded) {
	t.Helper()
	for j := range want {
		for k, w := range want[j].all {
			if g := got[j].all[k]; math.Float32bits(g) != math.Float32bits(w) {
				t.Errorf("%s: value %d of operand %d is %v, want %v", name, k-guard, j, g, w)
				return
			}
		}
	}
}

// TestRelaxationSolvesItsEquations relaxes a single pixel amid a still flow until nothing
// changes, which must solve the equations that Weigh was to make.
func TestRelaxationSolvesItsEquations(t *testing.T) {
	const pixel = 5
	row := func(v float32) []float32 {
		all := make([]float32, Block+2)
		for i := range all {
			all[i] = v
		}
		return all
	}
	coefficients, equations := make([]float32, Coefficients*Block), make([]float32, Equations*Block)
	of := [Coefficients]float32{3, -2, 4, 0.5, 0.25, -0.75, 1, -2} // x, y, z, xx, xy, yy, xz, yz
	for i, v := range of {
		coefficients[i*Block+pixel] = v
	}
	u, v, still, edge := row(0.3), row(-0.2), row(0), row(0.7)
	setGo.Anchor(coefficients, row(of[2]), still, still, row(1), 1)
	setGo.Weigh(equations, coefficients, u, v, edge, edge, edge, 1)
	for range 200 {
		setGo.Relax(equations, edge, edge, edge, u, v, still, still, still, still, still, still, 1)
	}

	// The derivatives of the energy of that pixel, with penalties' weights at (0.3, −0.2).
	begin := [2]float64{float64(float32(0.3)), float64(float32(-0.2))}
	at := [2]float64{float64(u[pixel]), float64(v[pixel])}
	var slopes [2]float64
	weigh := func(weight float64, terms ...[3]float64) {
		squared := 0.0
		for _, e := range terms {
			d := e[2] + e[0]*begin[0] + e[1]*begin[1]
			squared += d * d / (e[0]*e[0] + e[1]*e[1] + 0.01)
		}
		for _, e := range terms {
			d := e[2] + e[0]*at[0] + e[1]*at[1]
			w := weight / math.Sqrt(squared+1e-6) / (e[0]*e[0] + e[1]*e[1] + 0.01)
			slopes[0] += w * d * e[0]
			slopes[1] += w * d * e[1]
		}
	}
	weigh(5, [3]float64{3, -2, 4})
	weigh(10, [3]float64{0.5, 0.25, 1}, [3]float64{0.25, -0.75, -2})
	for i := range slopes {
		slopes[i] += 4 * 0.7 * at[i]
		if !(math.Abs(slopes[i]) < 1e-4) {
			t.Errorf("at the end the energy's slope %d is %g, want 0", i, slopes[i])
		}
	}
}
