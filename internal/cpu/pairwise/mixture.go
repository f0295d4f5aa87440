package pairwise

// MixtureSums writes Σ_j k(2^(scale·(x_i·y_j + bias_j) + rowBias_i)) for every row
// x_i to out, where k(u) = u + u² + u⁴ + u⁸ + u¹⁶. Exponents of distances are above
// zero by rounding only, and count as zero then.
func (e *Engine) MixtureSums(out []float64, rows, columns *Cloud, scale float64, rowBias, bias []float64) {
	b, r := padded(&e.bias, bias, columns), padded(&e.rowBias, rowBias, rows)
	width, lanes := e.isa.width(), e.isa.lanes
	e.parts(rows, func(first, end int, s *workspace) {
		n := (end - first) * width
		total, sums := sized(&s.total, n), sized(&s.sums, n*lanes)
		clear(total)
		clear(sums)
		for column := range columns.tiles() {
			for tile := first; tile < end; tile++ {
				e.isa.sumMixture(sums[(tile-first)*width*lanes:], rows.tile(tile), columns.tile(column), b[column*width:],
					r[tile*width:], float32(scale), rows.depth, e.isa.panels())
			}
			if (column+1)%foldTiles == 0 || column+1 == columns.tiles() {
				for i := range total {
					total[i] += takeSum(sums[i*lanes : (i+1)*lanes])
				}
			}
		}
		copy(out[first*width:min(end*width, rows.points)], total)
	})
}
