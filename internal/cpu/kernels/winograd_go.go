package kernels

import "math"

const (
	root2      = math.Sqrt2
	rootHalf   = root2 / 2
	root8      = root2 * 2
	rootEighth = root2 / 4
)

var winogradGo = winogradKernels{
	gather:       gatherGo,
	gatherPooled: gatherPooledGo,
	poolPixels:   poolPixelsGo,
	transpose:    transposeGo,
	scatter:      scatterGo,
	forms: [2]winogradForm{
		{4, 1, multiplyGo, transformColumns4Go, transformRows4Go, transformFilter4Go, invertRows4Go, invertColumns4Go},
		{6, 1, multiplyGo, transformColumns6Go, transformRows6Go, transformFilter6Go, invertRows6Go, invertColumns6Go},
	},
	bfloat16: &winogradForm{4, 2, multiplyBFloat16Go, transformColumns4Go, transformRowsBFloat16Go, transformFilterBFloat16Go, invertRows4Go, invertColumns4Go},
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

func gatherPooledGo(to, x, beside, dy []float32, plane, pooledPlane, n, _, below int) {
	for c := range channelBlock {
		for p := 0; p < n; p += 2 {
			own, other := x[c*plane+p:][:2], beside[c*plane+p:][:2]
			d := dy[c*pooledPlane+p/2]
			var gradient [2]float32
			switch most := max(own[0], own[1], other[0], other[1]); {
			case !(most > 0) || below == 1 && (other[0] == most || other[1] == most):
			case own[0] == most:
				gradient[0] = d
			case own[1] == most:
				gradient[1] = d
			}
			to[p*channelBlock+c], to[(p+1)*channelBlock+c] = gradient[0], gradient[1]
		}
	}
}

func poolPixelsGo(to, x []float32, row, n int) {
	for p := range n {
		for c := range channelBlock {
			pixel := x[2*p*channelBlock+c:]
			to[p*channelBlock+c] = max(pixel[0], pixel[channelBlock], pixel[row], pixel[row+channelBlock])
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

// transform4 is Bᵀd of F(4×4, 3×3).
func transform4(d [6]float32) [6]float32 {
	even, odd := d[4]-0.5*d[2], d[3]-0.5*d[1]
	wideEven, wideOdd := d[4]-2*d[2], d[3]-2*d[1]
	return [...]float32{
		d[0] + d[4] - 2.5*d[2],
		even + root2*odd,
		even - root2*odd,
		wideEven + rootHalf*wideOdd,
		wideEven - rootHalf*wideOdd,
		d[5] + d[1] - 2.5*d[3],
	}
}

// transform6 is Bᵀd of F(6×6, 3×3).
func transform6(d [8]float32) [8]float32 {
	even, odd := d[6]-4.25*d[4]+d[2], d[5]-4.25*d[3]+d[1]
	wideEven, wideOdd := d[6]-1.25*d[4]+0.25*d[2], d[5]-1.25*d[3]+0.25*d[1]
	nearEven, nearOdd := d[6]-5*d[4]+4*d[2], d[5]-5*d[3]+4*d[1]
	return [...]float32{
		d[0] - d[6] + 5.25*d[4] - 5.25*d[2],
		even + odd,
		even - odd,
		wideEven + 2*wideOdd,
		wideEven - 2*wideOdd,
		nearEven + 0.5*nearOdd,
		nearEven - 0.5*nearOdd,
		d[7] - d[1] + 5.25*d[3] - 5.25*d[5],
	}
}

// transformFilter4 is Gg of F(4×4, 3×3).
func transformFilter4(g [3]float32) [6]float32 {
	even, odd := (1./6)*g[0]+(1./3)*g[2], (root2/6)*g[1]
	wideEven, wideOdd := -(2./3)*g[0]-(1./3)*g[2], -(root2/3)*g[1]
	return [...]float32{g[0], even + odd, even - odd, wideEven + wideOdd, wideEven - wideOdd, g[2]}
}

// transformFilter6 is Gg of F(6×6, 3×3).
func transformFilter6(g [3]float32) [8]float32 {
	even, odd := -(2./9)*(g[0]+g[2]), -(2./9)*g[1]
	wideEven, wideOdd := (1./90)*g[0]+(2./45)*g[2], (1./45)*g[1]
	nearEven, nearOdd := (32./45)*g[0]+(8./45)*g[2], (16./45)*g[1]
	return [...]float32{g[0], even + odd, even - odd, wideEven + wideOdd, wideEven - wideOdd, nearEven + nearOdd, nearEven - nearOdd, g[2]}
}

// invert4 is Aᵀm of F(4×4, 3×3).
func invert4(m [6]float32) [4]float32 {
	sum, difference := m[1]+m[2], m[1]-m[2]
	wideSum, wideDifference := m[3]+m[4], m[3]-m[4]
	return [...]float32{
		m[0] + sum + wideSum,
		root2*difference + rootHalf*wideDifference,
		2*sum + 0.5*wideSum,
		m[5] + root8*difference + rootEighth*wideDifference,
	}
}

// invert6 is Aᵀm of F(6×6, 3×3).
func invert6(m [8]float32) [6]float32 {
	sum, difference := m[1]+m[2], m[1]-m[2]
	wideSum, wideDifference := m[3]+m[4], m[3]-m[4]
	nearSum, nearDifference := m[5]+m[6], m[5]-m[6]
	return [...]float32{
		m[0] + sum + wideSum + nearSum,
		difference + 2*wideDifference + (1./2)*nearDifference,
		sum + 4*wideSum + (1./4)*nearSum,
		difference + 8*wideDifference + (1./8)*nearDifference,
		sum + 16*wideSum + (1./16)*nearSum,
		m[7] + difference + 32*wideDifference + (1./32)*nearDifference,
	}
}

func transformColumns4Go(x []float32, row, n int) {
	for p := range n * channelBlock {
		var d [6]float32
		for i := range d {
			d[i] = x[i*row+p]
		}
		for i, v := range transform4(d) {
			x[i*row+p] = v
		}
	}
}

func transformRows4Go(v, x []float32, step, row, n int) {
	for i := range 6 {
		for t := range n {
			for c := range channelBlock {
				var d [6]float32
				for j := range d {
					d[j] = x[i*row+(4*t+j)*channelBlock+c]
				}
				for j, r := range transform4(d) {
					v[(6*i+j)*step+t*channelChunk+c] = r
				}
			}
		}
	}
}

func transformFilter4Go(u, filters []float32, step, turned int) {
	for at := range channelBlock * channelBlock {
		g := filterOf(filters, at, turned)
		var columns [3][6]float32
		for j := range columns {
			columns[j] = transformFilter4([3]float32{g[j], g[3+j], g[6+j]})
		}
		to := u[at/channelBlock*channelChunk+at%channelBlock:]
		for i := range 6 {
			for j, v := range transformFilter4([3]float32{columns[0][i], columns[1][i], columns[2][i]}) {
				to[(6*i+j)*step] = v
			}
		}
	}
}

func invertRows4Go(y, m []float32, step, row, n int) {
	for i := range 6 {
		for t := range n {
			for c := range channelBlock {
				var d [6]float32
				for j := range d {
					d[j] = m[(6*i+j)*step+t*channelChunk+c]
				}
				for j, v := range invert4(d) {
					y[i*row+(4*t+j)*channelBlock+c] = v
				}
			}
		}
	}
}

func invertColumns4Go(y, biases []float32, row, n, rectify int) {
	for p := range n * channelBlock {
		var d [6]float32
		for i := range d {
			d[i] = y[i*row+p]
		}
		for i, v := range invert4(d) {
			v += biases[p%channelBlock]
			if rectify != 0 && v < 0 {
				v = 0
			}
			y[i*row+p] = v
		}
	}
}

func transformColumns6Go(x []float32, row, n int) {
	for p := range n * channelBlock {
		var d [8]float32
		for i := range d {
			d[i] = x[i*row+p]
		}
		for i, v := range transform6(d) {
			x[i*row+p] = v
		}
	}
}

func transformRows6Go(v, x []float32, step, row, n int) {
	for i := range 8 {
		for t := range n {
			for c := range channelBlock {
				var d [8]float32
				for j := range d {
					d[j] = x[i*row+(6*t+j)*channelBlock+c]
				}
				for j, r := range transform6(d) {
					v[(8*i+j)*step+t*channelChunk+c] = r
				}
			}
		}
	}
}

func transformFilter6Go(u, filters []float32, step, turned int) {
	for at := range channelBlock * channelBlock {
		g := filterOf(filters, at, turned)
		var columns [3][8]float32
		for j := range columns {
			columns[j] = transformFilter6([3]float32{g[j], g[3+j], g[6+j]})
		}
		to := u[at/channelBlock*channelChunk+at%channelBlock:]
		for i := range 8 {
			for j, v := range transformFilter6([3]float32{columns[0][i], columns[1][i], columns[2][i]}) {
				to[(8*i+j)*step] = v
			}
		}
	}
}

func invertRows6Go(y, m []float32, step, row, n int) {
	for i := range 8 {
		for t := range n {
			for c := range channelBlock {
				var d [8]float32
				for j := range d {
					d[j] = m[(8*i+j)*step+t*channelChunk+c]
				}
				for j, v := range invert6(d) {
					y[i*row+(6*t+j)*channelBlock+c] = v
				}
			}
		}
	}
}

func invertColumns6Go(y, biases []float32, row, n, rectify int) {
	for p := range n * channelBlock {
		var d [8]float32
		for i := range d {
			d[i] = y[i*row+p]
		}
		for i, v := range invert6(d) {
			v += biases[p%channelBlock]
			if rectify != 0 && v < 0 {
				v = 0
			}
			y[i*row+p] = v
		}
	}
}

// filterOf returns the nine taps of one of 16×16 filters.
func filterOf(filters []float32, at, turned int) (g [9]float32) {
	for tap := range g {
		from := tap
		if turned != 0 {
			from = 8 - tap
		}
		g[tap] = filters[(at/channelBlock*9+from)*channelBlock+at%channelBlock]
	}
	return g
}
