package flow

// densify makes a flow of the displacements of patches: in each pixel the mean of those of
// all patches that cover it, the more weight the less the two pictures differ there.
func (e *Estimator) densify(s search, r *refinement) {
	bands := bandsOf(r.height, leastBand)
	e.inStripes(len(bands), func(i int) {
		b := bands[i]
		s.spreadOver(b, r)
		for y := b.first; y < b.end; y++ {
			e.set.Normalize(r.flow[0].u.from(0, y), r.flow[0].v.from(0, y), r.weights().from(0, y), blocksOf(r.width))
		}
	})
}

// spreadOver adds the displacements of all patches that cover rows, and their weights.
func (s search) spreadOver(rows band, r *refinement) {
	us, vs, weights := r.flow[0].u, r.flow[0].v, r.weights()
	for y := rows.first; y < rows.end; y++ {
		for _, of := range []sheet{us, vs, weights} {
			clear(of.from(0, y)[:of.stride-border])
		}
	}
	p, own, other, c := s.patches, s.first.grey, s.second.grey, s.comparer()
	for j, top := range p.ys {
		first, end := max(top, rows.first), min(top+patchSide, rows.end)
		if first >= end {
			continue
		}
		for i, x := range p.xs {
			of := p.found[j*len(p.xs)+i]
			there, w := counterpart(&other, clamp(float32(x+border)+of.u, c.right), clamp(float32(top+border)+of.v, c.bottom))
			there += (first - top) * other.stride
			s.set.Spread(weights.from(x, first), us.from(x, first), vs.from(x, first), own.from(x, first),
				other.values[there:], other.values[there+other.stride:], w[0], w[1], w[2], w[3], of.u, of.v,
				own.stride, other.stride, end-first)
		}
	}
}
