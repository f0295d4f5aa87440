package losses_test

import (
	"math"
	"math/rand/v2"
	"testing"
)

// cloud is a feature map in float64, 5 channels of as many positions as it has
// columns.
type cloud []float64

const channels = 5

// clouds are of several sizes; the last two have fewer positions than channels,
// so their covariances are singular.
func clouds() []cloud {
	var made []cloud
	for i, positions := range []int{40, 23, 64, 3, 4} {
		r := rand.New(rand.NewPCG(uint64(i), 7))
		c := make(cloud, channels*positions)
		for k := range c {
			channel := k / positions
			c[k] = max(0, r.NormFloat64()*float64(1+channel)+0.3*float64(i)) // as after ReLU
		}
		made = append(made, c)
	}
	return made
}

func TestRootsOfLossesAreDistancesBetweenSummaries(t *testing.T) {
	for _, name := range []string{"gram", "gaussian", "moments", "sliced", "histogram", "cmd"} {
		t.Run(name, func(t *testing.T) {
			all := clouds()
			d := make([][]float64, len(all))
			for i := range all {
				for j := range all {
					d[i] = append(d[i], math.Sqrt(plainValue(t, named(t, name), channels, all[i], all[j])))
				}
			}
			// A rounding error of 1e-16 in a loss of size one is 1e-8 in its root, and
			// singular covariances bring another root.
			const tolerance = 1e-6
			for i := range all {
				if d[i][i] > tolerance*d[i][(i+1)%len(all)] {
					t.Errorf("cloud %d is %g from itself", i, d[i][i])
				}
				for j := range all {
					if i != j && d[i][j] <= tolerance {
						t.Errorf("clouds %d and %d are %g apart", i, j, d[i][j])
					}
					if diff := math.Abs(d[i][j] - d[j][i]); diff > tolerance*d[i][j]+tolerance {
						t.Errorf("from %d to %d is %g, back %g", i, j, d[i][j], d[j][i])
					}
					for k := range all {
						if d[i][k] > (d[i][j]+d[j][k])*(1+tolerance) {
							t.Errorf("from %d to %d is %g, by way of %d only %g", i, k, d[i][k], j, d[i][j]+d[j][k])
						}
					}
				}
			}
		})
	}
}

// TestGramIsBlindToWhatGaussianSees compares a point at 1 with a cloud around 0
// that has the same second moments.
func TestGramIsBlindToWhatGaussianSees(t *testing.T) {
	point, spread := make(cloud, 2*channels), make(cloud, 2*channels)
	for i := range point {
		point[i], spread[i] = 1, float64(1-2*(i%2))
	}
	for name, want := range map[string]float64{
		"gram": 0,
		// The point is √5 from the centre, and the cloud, all ones for a covariance,
		// has a variance of 5.
		"gaussian": 10,
		// Each of five channels: means 1 apart, deviations 1 apart.
		"moments": 10,
		// Along each axis half of the point is there already, half has 2 to go.
		"sliced":    2,
		"histogram": 10,
		// Along the diagonal, √5·(±1) against √5.
		"max-sliced": 10,
		// Each channel: means 1 apart, and roots of the central moments 0 against 1,
		// 0, 1 and 0.
		"cmd": 15,
	} {
		if got := plainValue(t, named(t, name), channels, point, spread); math.Abs(got-want) > 1e-7 {
			t.Errorf("%s: %g, want %g", name, got, want)
		}
	}
}
