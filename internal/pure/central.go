package pure

import (
	"math"
)

// Orders is how many moments PowerMoments takes of each channel.
const Orders = 5

// binomials are those of Pascal's triangle.
var binomials = [Orders + 1][Orders + 1]float64{
	{1}, {1, 1}, {1, 2, 1}, {1, 3, 3, 1}, {1, 4, 6, 4, 1}, {1, 5, 10, 10, 5, 1},
}

// PowerMoments computes the raw moments of one channel x, the means of x¹ … x⁵.
// They accumulate over parts of a picture and blend linearly between pictures,
// which central moments don't. They are put together from central ones, so that
// these can be had again from them to within some rounding errors of one
// operation, not of a sum.
func PowerMoments[T Float](moments []float64, x []T) {
	n := float64(len(x))
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / n
	var s2, s3, s4, s5 float64
	for _, v := range x {
		d := float64(v) - mean
		d2 := d * d
		s2 += d2
		s3 += d2 * d
		s4 += d2 * d2
		s5 += d2 * d2 * d
	}
	central := [Orders + 1]float64{1, 0, s2 / n, s3 / n, s4 / n, s5 / n}
	for k := range Orders {
		moments[k], _ = shiftMoment(central[:], k+1, mean)
	}
}

// PowerMomentsGradient computes dx from the cotangents of PowerMoments' results:
// dx = Σ k·cotangent·xᵏ⁻¹/N.
func PowerMomentsGradient[T Float](dx, x []T, cotangent []float64) {
	n := float64(len(x))
	a0, a1, a2, a3, a4 := cotangent[0]/n, 2*cotangent[1]/n, 3*cotangent[2]/n, 4*cotangent[3]/n, 5*cotangent[4]/n
	for i, v := range x {
		v := float64(v)
		dx[i] = T(a0 + v*(a1+v*(a2+v*(a3+v*a4))))
	}
}

// shiftMoment returns the moment of an order about a point that lies shift below
// that which moments 0 … are about, and the sum of the magnitudes of its terms.
func shiftMoment(moments []float64, order int, shift float64) (moment, magnitude float64) {
	power := 1.
	for j := order; j >= 0; j-- {
		term := binomials[order][j] * moments[j] * power
		moment += term
		magnitude += math.Abs(term)
		power *= shift
	}
	return moment, magnitude
}

// CentralMoments compares each channel's mean μ and central moments cₖ of orders
// 2 to 5 by their roots:
//
//	|μ−μₜ|² + Σₖ |ρₖ(c)−ρₖ(cₜ)|²    with ρₖ(c) = sign(c)·|c|^1/k
//
// Summaries hold the Orders raw moments of each channel, channel by channel.
type CentralMoments struct {
	Channels int
	// Smoothing, from 0, makes roots of moments near zero smooth: below it, in
	// units of the channel's deviation in the target, and below a hundredth of the
	// target's root mean square, ρₖ is linear,
	//
	//	ρₖ(c) = c·(c² + δ²ᵏ)^(1/k−1)/2
	Smoothing float64
	// Scaled divides by the sum of the target's mean squares.
	Scaled bool
}

// least is what δ is at least, in units of the target's root mean square.
const least = 1e-2

// Compare implements Comparison. Without smoothing, the gradient of a root at
// zero is zero.
func (m CentralMoments) Compare(cotangent, summary, target []float64) (float64, error) {
	var squares float64
	for c := range m.Channels {
		squares += target[c*Orders+1]
	}
	factor := 1.
	if m.Scaled {
		factor = 1 / (squares + epsilon)
	}
	var floor float64
	if m.Smoothing > 0 {
		floor = least * least * squares / float64(m.Channels)
	}
	var value float64
	for c := range m.Channels {
		raw, to := summary[c*Orders:(c+1)*Orders], centralMoments(target[c*Orders:(c+1)*Orders])
		value += factor * m.channel(cotangent[c*Orders:(c+1)*Orders], raw, centralMoments(raw), to,
			math.Sqrt(m.Smoothing*m.Smoothing*to[2]+floor), factor)
		cotangent[c*Orders] += 2 * factor * (raw[0] - target[c*Orders])
		value += factor * (raw[0] - target[c*Orders]) * (raw[0] - target[c*Orders])
	}
	return value, nil
}

// channel returns what the orders above the first contribute, and writes its
// cotangent, multiplied by factor.
func (m CentralMoments) channel(cotangent, raw []float64, from, to [Orders + 1]float64, delta, factor float64) (value float64) {
	clear(cotangent)
	mean := raw[0]
	for k := 2; k <= Orders; k++ {
		root, slope := smoothRoot(from[k], k, delta)
		toRoot, _ := smoothRoot(to[k], k, delta)
		d := root - toRoot
		value += d * d
		// cₖ = Σ binomial·mⱼ·(−μ)^(k−j), and moving all points moves it by −k·cₖ₋₁.
		slope *= 2 * factor * d
		power := 1.
		for j := k; j > 0; j-- {
			cotangent[j-1] += slope * binomials[k][j] * power
			power *= -mean
		}
		cotangent[0] -= slope * float64(k) * from[k-1]
	}
	return value
}

// centralMoments returns those of order 0 to Orders. Ones that rounding alone
// could have made are zero.
func centralMoments(raw []float64) (central [Orders + 1]float64) {
	moments := [Orders + 1]float64{1}
	copy(moments[1:], raw)
	central[0] = 1
	for k := 2; k <= Orders; k++ {
		moment, magnitude := shiftMoment(moments[:], k, -raw[0])
		if !(math.Abs(moment) <= 0x1p-47*magnitude) {
			central[k] = moment
		}
	}
	return central
}

// smoothRoot returns ρₖ(c) and its derivative, zero where that is infinite.
func smoothRoot(c float64, k int, delta float64) (root, slope float64) {
	h := math.Hypot(c, math.Pow(delta, float64(k)))
	if h == 0 {
		return 0, 0
	}
	exponent := 1/float64(k) - 1
	power := math.Pow(h, exponent)
	return c * power, power * (1 + exponent*(c/h)*(c/h))
}
