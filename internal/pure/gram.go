package pure

// Gram compares second raw moments S and T (C×C), the Gram matrices divided by
// the number of positions: Σ(S−T)². A summary holds C means, which do not
// count, then S.
type Gram struct {
	Channels int
	// Scaled asks for Σd²/Σ|d| with d = S−T, divided by T's mean diagonal, the
	// target's mean square activation.
	Scaled bool
}

// Compare implements Comparison.
func (g Gram) Compare(cotangent, summary, target []float64) (float64, error) {
	clear(cotangent[:g.Channels])
	cotangent, summary, target = cotangent[g.Channels:], summary[g.Channels:], target[g.Channels:]
	s := g.Slopes(SumDifference(summary, target), target)
	SlopeGradient(s, cotangent, summary, target, 1)
	return s.Value, nil
}

// Slopes puts the sums over all of S − T together, given T.
func (g Gram) Slopes(sums DifferenceSums, target []float64) Slopes {
	if g.Scaled {
		return scaledSquares(sums.Squares, sums.Magnitudes, 1/(trace(target, g.Channels)/float64(g.Channels)+epsilon))
	}
	return Slopes{Value: sums.Squares, Square: 1}
}

func trace(matrix []float64, n int) float64 {
	var sum float64
	for i := range n {
		sum += matrix[i*n+i]
	}
	return sum
}
