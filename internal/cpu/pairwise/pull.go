package pairwise

// Weighting is how much the columns y_j of a cloud weigh for each row x_i: for
// the exponent v = scale·(x_i·y_j + bias_i) + columnBias_j, it is 2^v or, of a
// Mixture, u + 2u² + 4u⁴ + 8u⁸ + 16u¹⁶ with u = 2^min(v, 0).
type Weighting struct {
	Scale            float64
	Bias, ColumnBias []float64
	Mixture          bool
}

// Pull works out Σ_j w_ij·y_j and Σ_j w_ij for every row x_i. It hands each tile's
// to take, on any thread: those of the rows first … first+n−1, channel by channel
// with stride values from one to the next, and their sums of weights.
func (e *Engine) Pull(rows, columns *Cloud, w Weighting, take func(first, n, stride int, pulled, mass []float32)) {
	b, c := padded(&e.bias, w.Bias, rows), padded(&e.rowBias, w.ColumnBias, columns)
	width, depth := e.path.width(), rows.depth
	weigh := e.path.exponentials
	if w.Mixture {
		weigh = e.path.slopes
	}
	ones := make([]float32, depthMultiple*width)
	for i := range ones {
		ones[i] = 1
	}
	e.parts(rows, func(first, end int, s *scratch) {
		size := (depth + depthMultiple) * width
		sums := sized(&s.sums, (end-first)*size)
		clear(sums)
		weights := sized(&s.tile, width*width)
		for column := range columns.tiles() {
			for tile := first; tile < end; tile++ {
				to := sums[(tile-first)*size:]
				// Here the lanes of vectors are the rows: their sums stand side by side.
				weigh(weights, columns.tile(column), rows.tile(tile), b[tile*width:], c[column*width:], float32(w.Scale), depth, e.path.panels())
				e.path.accumulate(to, columns.tile(column), weights, depth, width)
				e.path.accumulate(to[depth*width:], ones, weights, depthMultiple, width)
			}
		}
		for tile := first; tile < end; tile++ {
			to := sums[(tile-first)*size:]
			take(tile*width, min(width, rows.points-tile*width), width, to[:depth*width], to[depth*width:(depth+1)*width])
		}
	})
}
