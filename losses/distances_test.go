package losses_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"impasto/internal/pure"
	"impasto/losses"
)

// pair is two clouds and the distances between them as other programs find
// them; testdata/make_distances.py says which and made them.
type pair struct {
	Channels           int
	X, Y               []float64
	Exact, Axes        float64
	Directions         []float64
	Along, Sphere, Cmd float64
}

func pairs(t *testing.T) []pair {
	t.Helper()
	raw, err := os.ReadFile("testdata/distances.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []pair
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func equal(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s: %g, want %g", what, got, want)
	}
}

func TestSlicedIsOptimalTransportAlongLines(t *testing.T) {
	for _, p := range pairs(t) {
		sliced := func(s pure.Sliced, x, y []float64, key float64) float64 {
			return pure.CompareSliced(s, make([]float64, len(x)), x, y, key)
		}
		axes := sliced(pure.Sliced{Channels: p.Channels}, p.X, p.Y, 0)
		equal(t, "along the axes", axes, p.Axes, 1e-12)
		if p.Channels == 1 {
			equal(t, "of one channel, the distance itself", axes, p.Exact, 1e-12)
		}
		count := len(p.Directions) / p.Channels
		along := sliced(pure.Sliced{Channels: count}, lines(p.Directions, p.X, p.Channels), lines(p.Directions, p.Y, p.Channels), 0)
		equal(t, "along given directions", along, p.Along, 1e-12)

		const keys = 4000
		var mean float64
		for key := range keys {
			value := sliced(pure.Sliced{Channels: p.Channels, Directions: p.Channels}, p.X, p.Y, float64(key))
			// The best transport moves each point along all directions at once, so
			// along each of an orthonormal set it's no better than the best there.
			if bound := p.Exact / float64(p.Channels); value > bound*(1+1e-9) {
				t.Errorf("key %d: %g, want at most %g", key, value, bound)
			}
			mean += value / keys
		}
		// 4000 sets deviate from the mean over the sphere by some half per cent.
		equal(t, "over the sphere", mean, p.Sphere, 0.02)
	}
}

// lines are the points' places along directions.
func lines(directions, points []float64, channels int) []float64 {
	n := len(points) / channels
	along := make([]float64, len(directions)/channels*n)
	for i, weight := range directions {
		for k := range n {
			along[i/channels*n+k] += weight * points[i%channels*n+k]
		}
	}
	return along
}

func TestDistancesAgreeWithOtherPrograms(t *testing.T) {
	for _, p := range pairs(t) {
		got := map[string]float64{}
		for _, name := range losses.Names() {
			got[name] = plainValue(t, named(t, name), p.Channels, p.X, p.Y)
		}
		equal(t, "cmd", got["cmd"], p.Cmd, 1e-9)
		equal(t, "sliced", got["sliced"], p.Axes, 1e-12)
		equal(t, "histogram", got["histogram"], float64(p.Channels)*p.Axes, 1e-12)
		// Each sees more than the one before (Gelbrich 1990 for gaussian).
		chains := [][]float64{
			{got["moments"], got["cmd"]},
			{got["moments"], got["histogram"], p.Exact},
			{got["sliced"], got["max-sliced"], p.Exact},
			{got["moments"], got["gaussian"], p.Exact},
		}
		for _, chain := range chains {
			for i, bound := range chain[1:] {
				if chain[i] > bound*(1+1e-9)+1e-9 {
					t.Errorf("distances %v, want them to grow", chain)
				}
			}
		}
	}
}
