package pure

import (
	"math"
	"slices"
)

// MMD is the squared maximum mean discrepancy between two clouds of points of
// equal weight under a mixture of Gaussian kernels,
//
//	mean k(x,x′) + mean k(y,y′) − 2 mean k(x,y)
//	k = 1/5 Σ exp(−|x−y|²/2σ²)    σ² of ¼, ½, 1, 2 and 4 times h
//
// where h is the median squared distance between points of y (Gretton et al.
// 2012). Means are over all pairs, a point's with itself included.
type MMD struct {
	Channels int
	// Scaled multiplies by mmdStrength·h, which makes the loss one of second degree,
	// and divides by y's mean square activation, summed over channels.
	Scaled bool
}

// kernelsMixed is how many kernels the mixture has: u, u², u⁴, u⁸ and u¹⁶ with
// u = exp(−|x−y|²/8h).
const kernelsMixed = 5

// mmdStrength makes up for the kernels' flatness: with it, the gradient at the start
// of a typical stylisation is as long as that of a transport cost.
const mmdStrength = 6

// medianPoints is how many points of the target, at equal intervals, the median
// is taken over.
const medianPoints = 192

// Probe gathers the points of y (C×M) that the bandwidth is taken from.
func Probe[T Float](k MMD, y []T) []float64 {
	m := len(y) / k.Channels
	count := min(m, medianPoints)
	places := make([]int32, count)
	for i := range places {
		places[i] = int32(i * m / count)
	}
	probe := make([]T, count*k.Channels)
	Select(probe, y, places, k.Channels)
	return Doubles(probe)
}

// Bandwidth returns h of a target: the median squared distance between distinct
// points of its probe, or, where that is zero, its mean square activation summed
// over channels, or, where that is zero too, 1.
func (k MMD) Bandwidth(probe []float64, spread Spread) float64 {
	count := len(probe) / k.Channels
	costs := pairCosts(probe, probe, k.Channels)
	var distances []float64
	for i := range count {
		distances = append(distances, costs[i*count:i*count+i]...)
	}
	var median float64
	if len(distances) > 0 {
		slices.Sort(distances)
		median = distances[len(distances)/2]
	}
	if median > 1e-6*spread.Square {
		return median
	}
	if spread.Square > 0 {
		return spread.Square
	}
	return 1
}

// Dimensions implements CloudLoss.
func (k MMD) Dimensions() int { return k.Channels }

// Scale returns what the loss is multiplied by, given the target.
func (k MMD) Scale(bandwidth float64, y Spread) float64 {
	if k.Scaled {
		return mmdStrength * bandwidth / y.scale()
	}
	return 1
}

// Exponent returns the s of u = 2^(−s·|x−y|²).
func (k MMD) Exponent(bandwidth float64) float64 { return math.Log2E / (8 * bandwidth) }

// Value returns the loss from the sums of the mixture of kernels over all pairs.
func (k MMD) Value(xx, xy, yy float64, n, m int) float64 {
	a, b := float64(n), float64(m)
	return (xx/(a*a) + yy/(b*b) - 2*xy/(a*b)) / kernelsMixed
}

// Pull returns what Σ_j w_ij(x_i − x_j) and Σ_j w_ij(x_i − y_j) count for in the
// gradient by x_i, where w is u + 2u² + 4u⁴ + 8u⁸ + 16u¹⁶.
func (k MMD) Pull(bandwidth float64, n, m int) (xx, xy float64) {
	slope := -2 / (kernelsMixed * 8 * bandwidth) // of the kernel by |x−y|²/2
	a, b := float64(n), float64(m)
	return 2 * slope / (a * a), -2 * slope / (a * b)
}

// Compare implements CloudLoss.
func (k MMD) Compare(gradient, x, y []float64) (float64, error) {
	n, m := len(x)/k.Channels, len(y)/k.Channels
	spread := SpreadOf(y, k.Channels)
	h := k.Bandwidth(Probe(k, y), spread)
	factor, exponent := k.Scale(h, spread), k.Exponent(h)
	pullX, pullY := k.Pull(h, n, m)
	clear(gradient)
	xx := k.sum(gradient, x, x, exponent, factor*pullX)
	xy := k.sum(gradient, x, y, exponent, factor*pullY)
	yy := k.sum(nil, y, y, exponent, 0)
	return factor * k.Value(xx, xy, yy, n, m), nil
}

// sum returns the sum of the mixture over all pairs and adds pull·Σ_j w_ij(x_i−y_j)
// to a gradient.
func (k MMD) sum(gradient, x, y []float64, exponent, pull float64) float64 {
	n, m := len(x)/k.Channels, len(y)/k.Channels
	var sum float64
	for at, d := range pairCosts(x, y, k.Channels) {
		var weight float64
		for power := 1.0; power <= 16; power *= 2 {
			u := math.Exp2(-power * exponent * d)
			sum += u
			weight += power * u
		}
		if gradient == nil {
			continue
		}
		i, j := at/m, at%m
		for c := range k.Channels {
			gradient[c*n+i] += pull * weight * (x[c*n+i] - y[c*m+j])
		}
	}
	return sum
}
