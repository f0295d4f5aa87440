package kernels

// Vectors that are kept as Half take part in sums by way of float32, in strips that stay in
// a core's first-level cache.

const (
	// strip is how many values are widened at a time.
	strip = 1 << 11
	// stripSlot and stripSlot+1 are where.
	stripSlot = 0
)

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

// difference writes factor·(x − y).
func (w *Workers) difference(to, x, y []float32, factor float32) {
	clear(to)
	w.isa.vector.addDifference(to, x, y, factor)
}

// NarrowDifference computes to = factor·(x − y); y may be nil for zeros.
func NarrowDifference(w *Workers, to []Half, x, y []float32, factor float32) {
	w.run((len(to)+vectorBlock-1)/vectorBlock, func(block int, s *workspace) {
		room := s.float32s(stripSlot, strip)
		stripsOf(block*vectorBlock, min(len(to), (block+1)*vectorBlock), func(first, end int) float64 {
			d := room[:end-first]
			if y == nil {
				clear(d)
				w.isa.vector.axpy(d, x[first:end], factor)
			} else {
				w.difference(d, x[first:end], y[first:end], factor)
			}
			w.isa.half.narrow(to[first:end], d)
			return 0
		})
	})
}

// DotDifference returns Σ z·(x − y): differences in float32, products and sums in float64.
func DotDifference(w *Workers, z, x, y []float32) float64 {
	return w.sum(len(z), func(s *workspace, first, end int) float64 {
		d := s.float32s(stripSlot, strip)[:end-first]
		w.difference(d, x[first:end], y[first:end], 1)
		return w.isa.vector.dot(d, z[first:end])
	})
}

// DotDifferences returns Σ (x − y)(z − v) likewise.
func DotDifferences(w *Workers, x, y, z, v []float32) float64 {
	return w.sum(len(x), func(s *workspace, first, end int) float64 {
		d, e := s.float32s(stripSlot, strip)[:end-first], s.float32s(stripSlot+1, strip)[:end-first]
		w.difference(d, x[first:end], y[first:end], 1)
		w.difference(e, z[first:end], v[first:end], 1)
		return w.isa.vector.dot(d, e)
	})
}
