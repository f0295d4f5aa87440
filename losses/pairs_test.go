package losses_test

import (
	"math"
	"testing"
)

// pairLosses are those that compare positions pair by pair.
var pairLosses = []string{"sinkhorn", "sinkhorn-whole", "relaxed", "relaxed-euclidean", "mmd"}

func TestLossesOfPairsTellCloudsApart(t *testing.T) {
	for _, name := range pairLosses {
		t.Run(name, func(t *testing.T) {
			all := clouds()
			if name == "relaxed" { // for which a zero has no direction
				for _, c := range all {
					for i := range c {
						c[i] += 0.1
					}
				}
			}
			for i, x := range all {
				// Sinkhorn stops where rows are right to 0.1 %; costs are some 50.
				if d := plainValue(t, named(t, name), channels, x, x); math.Abs(d) > 5e-3 {
					t.Errorf("cloud %d is %g from itself", i, d)
				}
				for j, y := range all {
					if d := plainValue(t, named(t, name), channels, x, y); i != j && d < 2e-2 {
						t.Errorf("clouds %d and %d are %g apart", i, j, d)
					}
				}
			}
		})
	}
}

// TestLossesOfPairsSeeWhatGramIsBlindTo has the clouds of
// TestGramIsBlindToWhatGaussianSees.
func TestLossesOfPairsSeeWhatGramIsBlindTo(t *testing.T) {
	point, spread := make(cloud, 2*channels), make(cloud, 2*channels)
	for i := range point {
		point[i], spread[i] = 1, float64(1-2*(i%2))
	}
	// The spread's two points are 20 apart, squared, and so the mean of pairs is 10.
	const epsilon = 0.05 * 10
	for name, want := range map[string]float64{
		// Half has 20 to go. The plan of the spread with itself keeps its points apart,
		// for which entropy takes ε·log 2.
		"sinkhorn":          10 - epsilon*math.Ln2/2,
		"sinkhorn-whole":    10 - epsilon*math.Ln2/2,
		"relaxed":           1, // for half of the spread, the point is in the opposite direction
		"relaxed-euclidean": 10,
	} {
		if got := plainValue(t, named(t, name), channels, point, spread); math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: %g, want %g", name, got, want)
		}
	}
}
