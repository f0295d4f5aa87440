package flow

// densify makes a field of the displacements of patches: in each pixel the mean of those of
// all patches that cover it, the more weight the less the two pictures differ there.
func (p *patches) densify(threads int) (Field, error) {
	l := p.level
	to := NewField(l.first.Width, l.first.Height)
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
	l, at := p.level, j*len(p.xs)+i
	u, v := p.u[at], p.v[at]
	x := min(max(float32(p.xs[i]+border)+u, 0), float32(l.padded.Width-patchSide-2))
	y := min(max(float32(p.ys[j]+border)+v, 0), float32(l.padded.Height-patchSide-2))
	left, top := int(x), int(y)
	a, b := x-float32(left), y-float32(top)
	w := [4]float32{(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b}
	for row := max(first-p.ys[j], 0); row < patchSide && p.ys[j]+row < end; row++ {
		from := (p.ys[j]+row)*to.Width + p.xs[i]
		own := l.first.Values[from:][:patchSide]
		upper := l.padded.Values[(top+row)*l.padded.Width+left:][:patchSide+1]
		lower := l.padded.Values[(top+row+1)*l.padded.Width+left:][:patchSide+1]
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
