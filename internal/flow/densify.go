package flow

// densify makes a field of the displacements of patches: in each pixel the mean of those of
// all patches that cover it, the more weight the less the two pictures differ there.
func (p *patches) densify(threads int) (Field, error) {
	to := NewField(p.first.Width, p.first.Height)
	const rows = 32 // of a stripe
	err := inStripes(threads, (to.Height+rows-1)/rows, func(stripe int) {
		first, end := stripe*rows, min((stripe+1)*rows, to.Height)
		weights := make([]float32, (end-first)*to.Width)
		for j, top := range p.ys {
			if top+patchSide <= first || top >= end {
				continue
			}
			for i := range p.xs {
				p.spread(to, weights, i, j, first, end)
			}
		}
		for i, w := range weights {
			at := first*to.Width + i
			to.U[at], to.V[at] = to.U[at]/w, to.V[at]/w
		}
	})
	return to, err
}

// spread adds a patch's displacement to the rows of a field from first to before end.
func (p *patches) spread(to Field, weights []float32, i, j, first, end int) {
	at := j*len(p.xs) + i
	u, v := p.u[at], p.v[at]
	there := p.counterpart(i, j, u, v)
	w := there.weights
	for row := max(first-p.ys[j], 0); row < patchSide && p.ys[j]+row < end; row++ {
		from := (p.ys[j]+row)*to.Width + p.xs[i]
		own := p.first.Values[from:][:patchSide]
		upper := p.padded.Values[there.at+row*p.padded.Width:][:patchSide+1]
		lower := p.padded.Values[there.at+(row+1)*p.padded.Width:][:patchSide+1]
		sums, us, vs := weights[from-first*to.Width:][:patchSide], to.U[from:][:patchSide], to.V[from:][:patchSide]
		for k := range own {
			d := w[0]*upper[k] + w[1]*upper[k+1] + w[2]*lower[k] + w[3]*lower[k+1] - own[k]
			weight := 1 / max(1, max(d, -d))
			sums[k] += weight
			us[k] += weight * u
			vs[k] += weight * v
		}
	}
}
