package kernels

// Vectors that are kept as Half take part in sums by way of float32, in strips that stay in
// a core's first-level cache.

const (
	// strip is how many values are widened at a time.
	strip = 1 << 11
	// stripSlot and the two after it are where.
	stripSlot = 0
)

// Scaled are the values of a map times a unit. The zero value stands for zeros.
type Scaled struct {
	Map
	Unit float32
}

// stripsOf calls part for consecutive ranges of a block of a vector, and adds up what it
// returns.
func stripsOf(first, end int, part func(first, end int) float64) (sum float64) {
	for ; first < end; first += strip {
		sum += part(first, min(end, first+strip))
	}
	return sum
}

// sum adds up, in order, what part gives for each block of n values.
func (w *Workers) sum(n int, part func(s *workspace, first, end int) float64) (total float64) {
	blocks := (n + vectorBlock - 1) / vectorBlock
	w.exclusive(func(shared *workspace) {
		sums := shared.float64s(0, blocks)
		w.runLocked(blocks, func(block int, s *workspace) {
			first := block * vectorBlock
			sums[block] = stripsOf(first, min(n, first+vectorBlock), func(first, end int) float64 { return part(s, first, end) })
		})
		for _, v := range sums {
			total += v
		}
	})
	return total
}

// DotHalf returns Σ x·y, products and sums in float64.
func DotHalf(w *Workers, x, y Map, n int) float64 {
	half, dot := &w.isa.half, w.isa.vector.dot
	return w.sum(n, func(s *workspace, first, end int) float64 {
		a := x.line(half, s.float32s(stripSlot, strip), first, end-first)
		return dot(a, y.line(half, s.float32s(stripSlot+1, strip), first, end-first))
	})
}

// AxpyHalf computes y = y + alpha·x.
func AxpyHalf(w *Workers, y []float32, alpha float32, x []Half) {
	w.run((len(y)+vectorBlock-1)/vectorBlock, func(block int, s *workspace) {
		room := s.float32s(stripSlot, strip)
		stripsOf(block*vectorBlock, min(len(y), (block+1)*vectorBlock), func(first, end int) float64 {
			w.isa.half.widen(room[:end-first], x[first:end])
			w.isa.vector.axpy(y[first:end], room[:end-first], alpha)
			return 0
		})
	})
}

// difference writes factor·(x − y) for the values from first up to end.
func (w *Workers) difference(s *workspace, to, x []float32, y Scaled, first, end int, factor float32) {
	clear(to)
	x = x[first:end]
	if y.Half == nil && y.Single != nil && y.Unit == 1 {
		w.isa.vector.addDifference(to, x, y.Single[first:end], factor)
		return
	}
	w.isa.vector.axpy(to, x, factor)
	if y.Half != nil || y.Single != nil {
		line := y.line(&w.isa.half, s.float32s(stripSlot+2, strip), first, end-first)
		w.isa.vector.axpy(to, line, -factor*y.Unit)
	}
}

// NarrowDifference computes to = factor·(x − y).
func NarrowDifference(w *Workers, to []Half, x []float32, y Scaled, factor float32) {
	w.run((len(to)+vectorBlock-1)/vectorBlock, func(block int, s *workspace) {
		room := s.float32s(stripSlot, strip)
		stripsOf(block*vectorBlock, min(len(to), (block+1)*vectorBlock), func(first, end int) float64 {
			d := room[:end-first]
			w.difference(s, d, x, y, first, end, factor)
			w.isa.half.narrow(to[first:end], d)
			return 0
		})
	})
}

// DotDifference returns Σ z·(x − y): differences in float32, products and sums in float64.
func DotDifference(w *Workers, z Scaled, x, y []float32) float64 {
	return float64(z.Unit) * w.sum(len(x), func(s *workspace, first, end int) float64 {
		d := s.float32s(stripSlot, strip)[:end-first]
		w.difference(s, d, x, Scaled{Single(y), 1}, first, end, 1)
		return w.isa.vector.dot(d, z.line(&w.isa.half, s.float32s(stripSlot+1, strip), first, end-first))
	})
}

// DotDifferences returns Σ (x − y)(z − v) likewise.
func DotDifferences(w *Workers, x []float32, y Scaled, z []float32, v Scaled) float64 {
	return w.sum(len(x), func(s *workspace, first, end int) float64 {
		d, e := s.float32s(stripSlot, strip)[:end-first], s.float32s(stripSlot+1, strip)[:end-first]
		w.difference(s, d, x, y, first, end, 1)
		w.difference(s, e, z, v, first, end, 1)
		return w.isa.vector.dot(d, e)
	})
}
