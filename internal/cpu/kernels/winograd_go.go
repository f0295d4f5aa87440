package kernels

import (
	"math"
	"slices"
)

const (
	root2      = math.Sqrt2
	rootHalf   = root2 / 2
	root8      = root2 * 2
	rootEighth = root2 / 4
)

var winogradGo = winogradKernels{
	gather:       gatherGo,
	poolPixels:   poolPixelsGo,
	choosePixels: choosePixelsGo,
	expandPixels: expandPixelsGo,
	signPixels:   signPixelsGo,
	maskPixels:   maskPixelsGo,
	transpose:    transposeGo,
	scatter:      scatterGo,
	forms:        [2]winogradForm{form4Go.kernels(), form6Go.kernels()},
	bfloat16:     bfloat16Go(),
}

var (
	form4Go = formGo[[6]float32, [4]float32]{transform4, transformFilter4, invert4}
	form6Go = formGo[[8]float32, [6]float32]{transform6, transformFilter6, invert6}
)

func gatherGo(to, x, mask []float32, plane, n, _ int) {
	for c := range channelBlock {
		for p := range n {
			v := x[c*plane+p]
			if mask != nil && !(mask[c*plane+p] > 0) {
				v = 0
			}
			to[p*channelBlock+c] = v
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

func choosePixelsGo(to []float32, choices []uint8, x []float32, row, n int) {
	for p := range n {
		for c := range channelBlock {
			pixel := x[2*p*channelBlock+c:]
			window := [4]float32{pixel[0], pixel[channelBlock], pixel[row], pixel[row+channelBlock]}
			most := max(window[0], window[1], window[2], window[3])
			choice := notPositive
			if most > 0 {
				choice = slices.Index(window[:], most)
			}
			to[p*channelBlock+c], choices[p*channelBlock+c] = most, uint8(choice)
		}
	}
}

func expandPixelsGo(to, dy []float32, choices []uint8, n, below int) {
	for p := range n {
		for c := range channelBlock {
			for right := range 2 {
				v := float32(0)
				if int(choices[p*channelBlock+c]) == 2*below+right {
					v = dy[p*channelBlock+c]
				}
				to[(2*p+right)*channelBlock+c] = v
			}
		}
	}
}

func signPixelsGo(signs []uint16, x []float32, n int) {
	for p := range n {
		var bits uint16
		for c, v := range x[p*channelBlock:][:channelBlock] {
			if v > 0 {
				bits |= 1 << c
			}
		}
		signs[p] = bits
	}
}

func maskPixelsGo(x []float32, signs []uint16, n int) {
	for p, bits := range signs[:n] {
		for c := range channelBlock {
			if bits&(1<<c) == 0 {
				x[p*channelBlock+c] = 0
			}
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
			to := m[t*channelChunk+o:][:8]
			var low, high four[float32]
			if accumulate != 0 {
				low, high = fourOf(to), fourOf(to[4:])
			}
			for k, a := range v[t*channelChunk:][:depth] {
				weights := u[k*channelChunk+o:][:8]
				low, high = low.plus(a, fourOf(weights)), high.plus(a, fourOf(weights[4:]))
			}
			low.write(to, 4)
			high.write(to[4:], 4)
		}
	}
}

// formGo are the matrices of F(m×m, 3×3), as functions that multiply vectors by them.
// D holds m+2 values, R holds m.
type formGo[D [6]float32 | [8]float32, R [4]float32 | [6]float32] struct {
	data    func(d D) D          // Bᵀd
	filter  func(g [3]float32) D // Gg
	inverse func(m D) R          // Aᵀm
}

// kernels are the inner loops of the form.
func (f formGo[D, R]) kernels() winogradForm {
	var result R
	return winogradForm{
		tile: len(result), pack: 1, multiply: multiplyGo,
		transformColumns: f.transformColumns, transformRows: f.transformRows, transformFilter: f.transformFilter,
		invertRows: f.invertRows, invertColumns: f.invertColumns,
	}
}

func (f formGo[D, R]) transformColumns(x []float32, row, n int) {
	for p := range n * channelBlock {
		var d D
		for i := range len(d) {
			d[i] = x[i*row+p]
		}
		d = f.data(d)
		for i := range len(d) {
			x[i*row+p] = d[i]
		}
	}
}

func (f formGo[D, R]) transformRows(v, x []float32, step, row, n int) {
	var d D
	var result R
	inputs, tile := len(d), len(result)
	for i := range inputs {
		for t := range n {
			for c := range channelBlock {
				for j := range inputs {
					d[j] = x[i*row+(tile*t+j)*channelBlock+c]
				}
				transformed := f.data(d)
				for j := range inputs {
					v[(inputs*i+j)*step+t*channelChunk+c] = transformed[j]
				}
			}
		}
	}
}

func (f formGo[D, R]) transformFilter(u, filters []float32, step, turned int) {
	for at := range channelBlock * channelBlock {
		g := filterOf(filters, at, turned)
		var columns [3]D
		for j := range columns {
			columns[j] = f.filter([3]float32{g[j], g[3+j], g[6+j]})
		}
		to := u[at/channelBlock*channelChunk+at%channelBlock:]
		inputs := len(columns[0])
		for i := range inputs {
			row := f.filter([3]float32{columns[0][i], columns[1][i], columns[2][i]})
			for j := range inputs {
				to[(inputs*i+j)*step] = row[j]
			}
		}
	}
}

func (f formGo[D, R]) invertRows(y, m []float32, step, row, n int) {
	var d D
	inputs := len(d)
	for i := range inputs {
		for t := range n {
			for c := range channelBlock {
				for j := range inputs {
					d[j] = m[(inputs*i+j)*step+t*channelChunk+c]
				}
				result := f.inverse(d)
				for j := range len(result) {
					y[i*row+(len(result)*t+j)*channelBlock+c] = result[j]
				}
			}
		}
	}
}

func (f formGo[D, R]) invertColumns(y, biases []float32, row, n, rectify int) {
	for p := range n * channelBlock {
		var d D
		for i := range len(d) {
			d[i] = y[i*row+p]
		}
		result := f.inverse(d)
		for i := range len(result) {
			v := result[i] + biases[p%channelBlock]
			if rectify != 0 {
				v = rectified(v)
			}
			y[i*row+p] = v
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

// filterOf returns the nine taps of filter number at of a block of 16×16.
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
