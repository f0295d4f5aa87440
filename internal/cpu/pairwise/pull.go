package pairwise

// Weighting defines the weight w_ij of column y_j for row x_i. The exponent is
// v = Scale·(x_i·y_j + Bias_i) + ColumnBias_j. The weight is 2^v or, where Mixture is
// set, u + 2u² + 4u⁴ + 8u⁸ + 16u¹⁶ with u = 2^min(v, 0).
type Weighting struct {
	Scale            float64
	Bias, ColumnBias []float64 // by row and by column; nil for zeros
	Mixture          bool
}

// Pull computes pulled_i = Σ_j w_ij·y_j and mass_i = Σ_j w_ij for every row x_i. It
// calls take with those of every tile, rows first … first+n−1, on any thread. pulled is
// stored channel by channel, with stride values from one channel to the next.
func (e *Engine) Pull(rows, columns *Cloud, w Weighting, take func(first, n, stride int, pulled, mass []float32)) {
	b, c := padded(&e.bias, w.Bias, rows), padded(&e.rowBias, w.ColumnBias, columns)
	width, depth := e.isa.width(), rows.depth
	weigh := e.isa.exponentials
	if w.Mixture {
		weigh = e.isa.slopes
	}
	ones := make([]float32, depthMultiple*width)
	for i := range ones {
		ones[i] = 1
	}
	e.parts(rows, func(first, end int, s *workspace) {
		size := (depth + depthMultiple) * width
		sums := sized(&s.sums, (end-first)*size)
		clear(sums)
		weights := sized(&s.tile, width*width)
		for column := range columns.tiles() {
			for tile := first; tile < end; tile++ {
				to := sums[(tile-first)*size:]
				// Columns and rows are exchanged: the lanes of vectors are the rows, whose
				// sums are next to each other.
				weigh(weights, columns.tile(column), rows.tile(tile), b[tile*width:], c[column*width:], float32(w.Scale), depth, e.isa.panels())
				e.isa.accumulate(to, columns.tile(column), weights, depth, width)
				e.isa.accumulate(to[depth*width:], ones, weights, depthMultiple, width)
			}
		}
		for tile := first; tile < end; tile++ {
			to := sums[(tile-first)*size:]
			take(tile*width, min(width, rows.points-tile*width), width, to[:depth*width], to[depth*width:(depth+1)*width])
		}
	})
}
