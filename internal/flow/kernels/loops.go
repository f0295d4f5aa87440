package kernels

import "math"

// Products are converted to float32 before they are added, which keeps compilers from
// joining the two with one rounding.

// The energy that Smoothness, Weigh and Relax lower is that of Brox, Bruhn, Papenberg and
// Weickert (2004), with the weights of Dense Inverse Search for grey values of 0–255: of
// equal brightness, of equal derivatives, and of smoothness. A penalty is √(x²+robust²),
// nearly |x|; flatness keeps what is divided by derivatives finite where there are none.
const (
	brightnessWeight = 5
	gradientWeight   = 10
	smoothnessWeight = 20
	robustSquared    = 1e-3 * 1e-3
	flatnessSquared  = 0.1 * 0.1
	// overrelaxation is by how much more a relaxation goes than to its own end.
	overrelaxation = 1.6
)

// centralGo is the derivative by central differences of fourth order, given the values two
// before and one before each, and those after. The results of each block are step values
// after those of the block before.
func centralGo(to, before2, before, after, after2 []float32, step, blocks int) {
	const twelfth = float32(1.0 / 12)
	for block := range blocks {
		to := to[block*step:][:Block]
		for i := range to {
			n := block*Block + i
			near, far := after[n]-before[n], after2[n]-before2[n]
			to[i] = (float32(near*8) - far) * twelfth
		}
	}
}

// anchorGo makes coefficients of derivatives that were taken at a flow (u, v). Those of a
// pixel are the derivatives x and y of two pictures, a place for the difference z, and the
// second derivatives xx, xy, yy, xz and yz. To first order, the difference at another flow
// (U, V) is x·U + y·V − (x·u + y·v − z); what is in parentheses becomes z, and xz and yz
// likewise. All become 0 where counts is 0; elsewhere that is 1.
func anchorGo(coefficients, difference, u, v, counts []float32, blocks int) {
	for n := range blocks * Block {
		of := coefficients[n/Block*Coefficients*Block+n%Block:]
		of[2*Block] = difference[n]
		for _, e := range [3][3]int{{0, 1, 2}, {3, 4, 6}, {4, 5, 7}} {
			z := float32(of[e[0]*Block]*u[n]) + float32(of[e[1]*Block]*v[n]) - of[e[2]*Block]
			of[e[2]*Block] = z * counts[n]
		}
		for _, i := range [5]int{0, 1, 3, 4, 5} {
			of[i*Block] *= counts[n]
		}
	}
}

// smoothnessGo is the weight of each pixel's smoothness, given the flow of a row, one value
// longer, and that of the row below.
func smoothnessGo(to, u, v, belowU, belowV []float32, blocks int) {
	for i := range blocks * Block {
		slope := square(u[i+1]-u[i]) + square(belowU[i]-u[i])
		slope += square(v[i+1] - v[i])
		slope += square(belowV[i] - v[i])
		to[i] = smoothnessWeight / root(slope+robustSquared)
	}
}

func square(x float32) float32 { return float32(x * x) }

func root(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// edgesGo are the weights between each pixel and its neighbours to the right and below,
// given those of a row's smoothness, one value longer, and of the row below.
func edgesGo(right, down, smooth, below []float32, blocks int) {
	for i := range blocks * Block {
		right[i], down[i] = (smooth[i]+smooth[i+1])*0.5, (smooth[i]+below[i])*0.5
	}
}

// weighGo makes a row's equations at a flow (u, v), given coefficients as of anchorGo. Right
// and up are of the edges to the left and above, so right begins one pixel before the row.
// Equations of a pixel are
//
//	a11·U + a12·V + Σ edge·(U − U of the neighbour) = c1
//	a12·U + a22·V + Σ edge·(V − V of the neighbour) = c2
//
// as a12, c1, c2, 1/(a11 + Σ edge), 1/(a22 + Σ edge).
//
// Divisions take the most time, so fractions are brought to one: the weight of equal
// brightness is w/√(d²/n + r²)/n for a difference d and a norm n, which is w/√((d² + n·r²)·n),
// and with two differences and norms likewise.
func weighGo(equations, coefficients, u, v, right, down, up []float32, blocks int) {
	for n := range blocks * Block {
		block, lane := n/Block, n%Block
		of := coefficients[block*Coefficients*Block+lane:]
		x, y, z := of[0], of[Block], of[2*Block]
		xx, xy, yy := of[3*Block], of[4*Block], of[5*Block]
		xz, yz := of[6*Block], of[7*Block]

		norm := square(x) + square(y) + flatnessSquared
		apart := float32(u[n]*x) + float32(v[n]*y) - z
		squared := square(apart) + float32(norm*robustSquared)
		first := brightnessWeight / root(squared*norm)

		normX := square(xx) + square(xy) + flatnessSquared
		normY := square(yy) + square(xy) + flatnessSquared
		both := float32(normX * normY)
		apartX := float32(u[n]*xx) + float32(v[n]*xy) - xz
		apartY := float32(u[n]*xy) + float32(v[n]*yy) - yz
		squared = float32(square(apartX)*normY) + float32(square(apartY)*normX)
		squared += float32(both * robustSquared)
		weight := gradientWeight / root(squared*both)
		second, third := float32(weight*normY), float32(weight*normX)

		x1, y1 := float32(first*x), float32(first*y)
		x2, y2 := float32(second*xx), float32(second*xy)
		x3, y3 := float32(third*xy), float32(third*yy)
		a11 := float32(x1*x) + float32(x2*xx) + float32(x3*xy)
		a12 := float32(x1*y) + float32(x2*xy) + float32(x3*yy)
		a22 := float32(y1*y) + float32(y2*xy) + float32(y3*yy)
		c1 := float32(x1*z) + float32(x2*xz) + float32(x3*yz)
		c2 := float32(y1*z) + float32(y2*xz) + float32(y3*yz)
		pull := right[n] + right[n+1] + up[n] + down[n]
		to := equations[block*Equations*Block+lane:]
		to[0], to[Block], to[2*Block] = a12, c1, c2
		d1, d2 := a11+pull, a22+pull
		inverse := 1 / float32(d1*d2)
		to[3*Block], to[4*Block] = d2*inverse, d1*inverse
	}
}

// relaxGo moves a row's flow (u, v) towards what solves its equations, given the flow of its
// neighbours, and beyond that. Right, otherU and otherV begin one pixel before the row.
func relaxGo(equations, right, down, up, u, v, otherU, aboveU, belowU, otherV, aboveV, belowV []float32, blocks int) {
	for n := range blocks * Block {
		of := equations[n/Block*Equations*Block+n%Block:]
		toward := func(other, above, below []float32) float32 {
			return float32(right[n]*other[n]) + float32(right[n+1]*other[n+2]) + float32(up[n]*above[n]) + float32(down[n]*below[n])
		}
		a12, c1, c2 := of[0], of[Block], of[2*Block]
		target := c1 - float32(a12*v[n]) + toward(otherU, aboveU, belowU)
		u[n] += float32((float32(target*of[3*Block]) - u[n]) * overrelaxation)
		target = c2 - float32(a12*u[n]) + toward(otherV, aboveV, belowV)
		v[n] += float32((float32(target*of[4*Block]) - v[n]) * overrelaxation)
	}
}

// mergeGo takes values from a where even is 1 and from b where odd is, else both are 0, and
// writes them to both.
func mergeGo(a, b, even, odd []float32, blocks int) {
	for n := range blocks * Block {
		v := float32(a[n]*even[n%Block]) + float32(b[n]*odd[n%Block])
		a[n], b[n] = v, v
	}
}

// momentsGo are sums over a patch, of each column by itself: of x, y, x², x·y and y².
func momentsGo(sums, x, y []float32, stride, rows int) {
	clear(sums[:Moments*PatchSide])
	for row := range rows {
		x, y := x[row*stride:][:PatchSide], y[row*stride:][:PatchSide]
		for i := range PatchSide {
			for k, v := range [Moments]float32{x[i], y[i], square(x[i]), float32(x[i] * y[i]), square(y[i])} {
				sums[k*PatchSide+i] += v
			}
		}
	}
}

// compareGo compares a patch with what is interpolated between the pixels of another
// picture, given at upper and, a row below, at lower: the weights are those of the pixel
// there, of that beside it, and of the two below. Sums, of each column by itself, are of
// the differences d, of d·x and d·y, and of d².
func compareGo(sums, own, x, y, upper, lower []float32, w00, w10, w01, w11 float32, stride, otherStride, rows int) {
	clear(sums[:Compared*PatchSide])
	for row := range rows {
		own, x, y := own[row*stride:][:PatchSide], x[row*stride:][:PatchSide], y[row*stride:][:PatchSide]
		upper, lower := upper[row*otherStride:][:PatchSide+1], lower[row*otherStride:][:PatchSide+1]
		for i := range PatchSide {
			d := float32(w00*upper[i]) + float32(w10*upper[i+1]) + float32(w01*lower[i]) + float32(w11*lower[i+1]) - own[i]
			sums[i] += d
			sums[PatchSide+i] += float32(d * x[i])
			sums[2*PatchSide+i] += float32(d * y[i])
			sums[3*PatchSide+i] += float32(d * d)
		}
	}
}

// spreadGo adds the flow (u, v) of a patch, weighed, and the weight: in each pixel 1, or by
// how much the pictures differ there the less; see compareGo.
func spreadGo(weights, us, vs, own, upper, lower []float32, w00, w10, w01, w11, u, v float32, stride, otherStride, rows int) {
	for row := range rows {
		own, upper, lower := own[row*stride:][:PatchSide], upper[row*otherStride:][:PatchSide+1], lower[row*otherStride:][:PatchSide+1]
		weights, us, vs := weights[row*stride:][:PatchSide], us[row*stride:][:PatchSide], vs[row*stride:][:PatchSide]
		for i := range PatchSide {
			d := float32(w00*upper[i]) + float32(w10*upper[i+1]) + float32(w01*lower[i]) + float32(w11*lower[i+1]) - own[i]
			weight := 1 / max(d, -d, 1)
			weights[i] += weight
			us[i] += float32(weight * u)
			vs[i] += float32(weight * v)
		}
	}
}

// normalizeGo divides a row's sums by their weights; those without any are 0.
func normalizeGo(u, v, weights []float32, blocks int) {
	for i := range blocks * Block {
		weight := max(weights[i], 1e-20)
		u[i], v[i] = u[i]/weight, v[i]/weight
	}
}
