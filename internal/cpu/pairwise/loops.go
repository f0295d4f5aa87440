package pairwise

import "math"

// In the Go loops a tile is 12 points wide and a panel 4 rows high.
const (
	goLanes = 4
	goRows  = 4
	goWidth = tileVectors * goLanes
)

// sumLimit is the greatest argument whose exponential is added to a sum: as many terms
// of 2^40 as there can be still fit a float32. For greater ones the shift is changed.
const sumLimit = 40

// panelProducts returns bias[j] + Σ_c rows[c·width+r]·columns[c·width+j] for the
// rows of a panel.
func panelProducts(rows, columns, bias []float32, depth int) [goRows][goWidth]float32 {
	var sums [goRows][goWidth]float32
	for r := range sums {
		copy(sums[r][:], bias[:goWidth])
	}
	for j := 0; j < goWidth; j += 4 {
		for r := 0; r < goRows; r += 2 {
			s0, s1, s2, s3 := sums[r][j], sums[r][j+1], sums[r][j+2], sums[r][j+3]
			t0, t1, t2, t3 := sums[r+1][j], sums[r+1][j+1], sums[r+1][j+2], sums[r+1][j+3]
			for c := range depth {
				x, z := rows[c*goWidth+r], rows[c*goWidth+r+1]
				y := columns[c*goWidth+j : c*goWidth+j+4 : c*goWidth+j+4]
				s0 += x * y[0]
				s1 += x * y[1]
				s2 += x * y[2]
				s3 += x * y[3]
				t0 += z * y[0]
				t1 += z * y[1]
				t2 += z * y[2]
				t3 += z * y[3]
			}
			sums[r][j], sums[r][j+1], sums[r][j+2], sums[r][j+3] = s0, s1, s2, s3
			sums[r+1][j], sums[r+1][j+1], sums[r+1][j+2], sums[r+1][j+3] = t0, t1, t2, t3
		}
	}
	return sums
}

// shifted returns scale·products + rowBias.
func shifted(rows, columns, bias, rowBias []float32, scale float32, depth int) [goRows][goWidth]float32 {
	sums := panelProducts(rows, columns, bias, depth)
	for r := range sums {
		for j := range sums[r] {
			sums[r][j] = scale*sums[r][j] + rowBias[r]
		}
	}
	return sums
}

// exp2 is 2^x for x up to 127, and 2^−125 for x below −125. The relative error is at
// most 2.5e-7: that of the polynomial, 7.5e-8, and a rounding or two.
func exp2(x float32) float32 {
	const magic = 1.5 * (1 << 23) // adding it rounds to a whole number
	x = max(x, -125)
	whole := x + magic
	x -= whole - magic
	y := float32(0.001327647129073739)
	y = y*x + 0.009675540961325169
	y = y*x + 0.05550713092088699
	y = y*x + 0.24022120237350464
	y = y*x + 0.6931469440460205
	y = y*x + 1.0000001192092896
	return math.Float32frombits(math.Float32bits(y) + math.Float32bits(whole)<<23)
}

// mixture is u + u² + u⁴ + u⁸ + u¹⁶.
func mixture(u float32) float32 {
	sum := u
	for range 4 {
		u *= u
		sum += u
	}
	return sum
}

// slope is u + 2u² + 4u⁴ + 8u⁸ + 16u¹⁶.
func slope(u float32) float32 {
	sum := u
	for factor := float32(2); factor <= 16; factor *= 2 {
		u *= u
		sum += factor * u
	}
	return sum
}

// sumGo adds the exponentials of a tile's pairs to the sums of the rows,
//
//	sums[i·lanes+j%lanes] += 2^(scale·(bias[j] + rows_i·columns_j) + rowBias[i])
//
// for the panels first … panels−1, and returns panels. If a panel has an argument
// greater than sumLimit, it stops before that panel and returns its number.
func sumGo(sums, rows, columns, bias, rowBias []float32, scale float32, depth, first, panels int) int {
	for ; first < panels; first++ {
		i := first * goRows
		p := shifted(rows[i:], columns, bias, rowBias[i:], scale, depth)
		for r := range p {
			for _, x := range p[r] {
				if x > sumLimit {
					return first
				}
			}
		}
		for r := range p {
			for j, x := range p[r] {
				sums[(i+r)*goLanes+j%goLanes] += exp2(x)
			}
		}
	}
	return first
}

// sumMixtureGo is sumGo for mixture(2^…). Arguments are above zero by rounding only,
// and count as zero then.
func sumMixtureGo(sums, rows, columns, bias, rowBias []float32, scale float32, depth, panels int) {
	for i := 0; i < panels*goRows; i += goRows {
		p := shifted(rows[i:], columns, bias, rowBias[i:], scale, depth)
		for r := range p {
			for j, x := range p[r] {
				sums[(i+r)*goLanes+j%goLanes] += mixture(exp2(min(x, 0)))
			}
		}
	}
}

// exponentialsGo stores the exponentials that sumGo adds, row by row of a tile.
func exponentialsGo(to, rows, columns, bias, rowBias []float32, scale float32, depth, panels int) {
	for i := 0; i < panels*goRows; i += goRows {
		p := shifted(rows[i:], columns, bias, rowBias[i:], scale, depth)
		for r := range p {
			for j, x := range p[r] {
				to[(i+r)*goWidth+j] = exp2(x)
			}
		}
	}
}

// slopesGo is exponentialsGo for slope(2^…), with arguments of at most zero, as in
// sumMixtureGo.
func slopesGo(to, rows, columns, bias, rowBias []float32, scale float32, depth, panels int) {
	for i := 0; i < panels*goRows; i += goRows {
		p := shifted(rows[i:], columns, bias, rowBias[i:], scale, depth)
		for r := range p {
			for j, x := range p[r] {
				to[(i+r)*goWidth+j] = slope(exp2(min(x, 0)))
			}
		}
	}
}

// greatestGo updates, for each row and lane, the greatest bias[j] + rows_i·columns_j so
// far and the number of the vector it was found in. The tile's first vector has the
// given number.
func greatestGo(best []float32, index []int32, rows, columns, bias []float32, depth, number, panels int) {
	for i := 0; i < panels*goRows; i += goRows {
		p := panelProducts(rows[i:], columns, bias, depth)
		for r := range p {
			for j, x := range p[r] {
				if at := (i+r)*goLanes + j%goLanes; x > best[at] {
					best[at], index[at] = x, int32(number+j/goLanes)
				}
			}
		}
	}
}

// accumulateGo multiplies a tile of weights, points rows of a tile's width, with
// the features of as many points of another tile:
//
//	to[c·width+i] += Σ_j features[c·width+j]·weights[j·width+i]
//
// channels is a multiple of eight.
func accumulateGo(to, features, weights []float32, channels, points int) {
	for c := range channels {
		sums := to[c*goWidth : (c+1)*goWidth]
		for j := range points {
			x, w := features[c*goWidth+j], weights[j*goWidth:(j+1)*goWidth]
			for i := range sums {
				sums[i] += x * w[i]
			}
		}
	}
}
