package kernels

import "math"

const (
	root2      = math.Sqrt2
	rootHalf   = root2 / 2
	root8      = root2 * 2
	rootEighth = root2 / 4
)

var winogradGo = winogradKernels{
	gather:           gatherGo,
	transpose:        transposeGo,
	scatter:          scatterGo,
	transformColumns: transformColumnsGo,
	transformRows:    transformRowsGo,
	transformFilter:  transformFilterGo,
	multiply:         multiplyGo,
	invertRows:       invertRowsGo,
	invertColumns:    invertColumnsGo,
}

func gatherGo(to, x, gate []float32, plane, n, _ int) {
	for c := range channelBlock {
		for p := range n {
			v := x[c*plane+p]
			if gate != nil && !(gate[c*plane+p] > 0) {
				v = 0
			}
			to[p*channelBlock+c] = v
		}
	}
}

func transposeGo(to, from []float32, toRow, fromRow int) {
	for i := range channelBlock {
		for j := range channelBlock {
			to[j*toRow+i] = from[i*fromRow+j]
		}
	}
}

func scatterGo(y, from []float32, plane, n int) {
	for c := range channelBlock {
		for p := range n {
			y[c*plane+p] = from[p*channelBlock+c]
		}
	}
}

// transform6 is Bᵀd.
func transform6(d0, d1, d2, d3, d4, d5 float32) (v0, v1, v2, v3, v4, v5 float32) {
	even, odd := d4-0.5*d2, d3-0.5*d1
	wideEven, wideOdd := d4-2*d2, d3-2*d1
	return d0 + d4 - 2.5*d2,
		even + root2*odd,
		even - root2*odd,
		wideEven + rootHalf*wideOdd,
		wideEven - rootHalf*wideOdd,
		d1 + d5 - 2.5*d3
}

func transformColumnsGo(x []float32, row, n int) {
	for p := range n * channelBlock {
		x[p], x[row+p], x[2*row+p], x[3*row+p], x[4*row+p], x[5*row+p] =
			transform6(x[p], x[row+p], x[2*row+p], x[3*row+p], x[4*row+p], x[5*row+p])
	}
}

func transformRowsGo(v, x []float32, step, row, n int) {
	const pixel = channelBlock
	for i := range tileInputs {
		to := v[i*tileInputs*step:]
		for t := range n {
			d := x[i*row+t*tileSize*pixel:]
			for c := range channelBlock {
				at := t*channelChunk + c
				to[at], to[step+at], to[2*step+at], to[3*step+at], to[4*step+at], to[5*step+at] =
					transform6(d[c], d[pixel+c], d[2*pixel+c], d[3*pixel+c], d[4*pixel+c], d[5*pixel+c])
			}
		}
	}
}

// transform3 is Gg.
func transform3(g0, g1, g2 float32) [tileInputs]float32 {
	even, odd := (1./6)*g0+(1./3)*g2, (root2/6)*g1
	wideEven, wideOdd := -(2./3)*g0-(1./3)*g2, -(root2/3)*g1
	return [...]float32{g0, even + odd, even - odd, wideEven + wideOdd, wideEven - wideOdd, g2}
}

func transformFilterGo(u, filters []float32, step, turned int) {
	for at := range channelBlock * channelBlock {
		var g [9]float32
		for tap := range g {
			from := tap
			if turned != 0 {
				from = 8 - tap
			}
			g[tap] = filters[(at/channelBlock*9+from)*channelBlock+at%channelBlock]
		}
		var columns [3][tileInputs]float32
		for j := range columns {
			columns[j] = transform3(g[j], g[3+j], g[6+j])
		}
		to := u[at/channelBlock*channelChunk+at%channelBlock:]
		for i := range tileInputs {
			for j, v := range transform3(columns[0][i], columns[1][i], columns[2][i]) {
				to[(tileInputs*i+j)*step] = v
			}
		}
	}
}

func multiplyGo(m, v, u []float32, n, depth, accumulate int) {
	for t := range n {
		for o := 0; o < channelChunk; o += 8 {
			to := m[t*channelChunk+o : t*channelChunk+o+8 : t*channelChunk+o+8]
			var s0, s1, s2, s3, s4, s5, s6, s7 float32
			if accumulate != 0 {
				s0, s1, s2, s3, s4, s5, s6, s7 = to[0], to[1], to[2], to[3], to[4], to[5], to[6], to[7]
			}
			for k, a := range v[t*channelChunk : t*channelChunk+depth] {
				b := u[k*channelChunk+o : k*channelChunk+o+8 : k*channelChunk+o+8]
				s0 += a * b[0]
				s1 += a * b[1]
				s2 += a * b[2]
				s3 += a * b[3]
				s4 += a * b[4]
				s5 += a * b[5]
				s6 += a * b[6]
				s7 += a * b[7]
			}
			to[0], to[1], to[2], to[3], to[4], to[5], to[6], to[7] = s0, s1, s2, s3, s4, s5, s6, s7
		}
	}
}

// invert6 is Aᵀm.
func invert6(m0, m1, m2, m3, m4, m5 float32) (y0, y1, y2, y3 float32) {
	sum, difference := m1+m2, m1-m2
	wideSum, wideDifference := m3+m4, m3-m4
	return m0 + sum + wideSum,
		root2*difference + rootHalf*wideDifference,
		2*sum + 0.5*wideSum,
		m5 + root8*difference + rootEighth*wideDifference
}

func invertRowsGo(y, m []float32, step, row, n int) {
	const pixel = channelBlock
	for i := range tileInputs {
		from := m[i*tileInputs*step:]
		for t := range n {
			to := y[i*row+t*tileSize*pixel:]
			for c := range channelBlock {
				at := t*channelChunk + c
				to[c], to[pixel+c], to[2*pixel+c], to[3*pixel+c] =
					invert6(from[at], from[step+at], from[2*step+at], from[3*step+at], from[4*step+at], from[5*step+at])
			}
		}
	}
}

func invertColumnsGo(y, biases []float32, row, n, rectify int) {
	for p := range n {
		for c := range channelBlock {
			at := p*channelBlock + c
			y0, y1, y2, y3 := invert6(y[at], y[row+at], y[2*row+at], y[3*row+at], y[4*row+at], y[5*row+at])
			for i, v := range [...]float32{y0, y1, y2, y3} {
				v += biases[c]
				if rectify != 0 && !(v > 0) {
					v = 0
				}
				y[i*row+at] = v
			}
		}
	}
}
