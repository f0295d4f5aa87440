package pure

import (
	"math"
)

// ChannelStatistics compares the mean and the standard deviation of each
// channel: |μ−μₜ|² + |σ−σₜ|². Summaries hold C means, then C mean squares.
type ChannelStatistics struct {
	Channels int
	// Scaled divides by the sum of the target's mean squares.
	Scaled bool
}

// Compare implements Comparison. The gradient of a deviation of zero is zero.
func (c ChannelStatistics) Compare(cotangent, summary, target []float64) (float64, error) {
	n := c.Channels
	factor := 1.
	if c.Scaled {
		var sum float64
		for _, square := range target[n:] {
			sum += square
		}
		factor = 1 / (sum + epsilon)
	}
	var value float64
	for i := range n {
		mean, deviation := summary[i], standardDeviation(summary[i], summary[n+i])
		dMean := mean - target[i]
		dDeviation := deviation - standardDeviation(target[i], target[n+i])
		value += factor * (dMean*dMean + dDeviation*dDeviation)
		cotangent[i], cotangent[n+i] = 2*factor*dMean, 0
		if deviation > 0 {
			// σ = √(square − mean²), so ∂σ/∂square = 1/2σ and ∂σ/∂mean = −mean/σ.
			cotangent[i] -= 2 * factor * dDeviation * mean / deviation
			cotangent[n+i] = factor * dDeviation / deviation
		}
	}
	return value, nil
}

func standardDeviation(mean, square float64) float64 { return math.Sqrt(max(square-mean*mean, 0)) }
