package theory

import "math/rand/v2"

// Samples is how many points are drawn of each distribution, as in the essay.
const Samples = 10_000

// tolerance is what rounding may add to one side of an equality or inequality
// between distances of about 1.
const tolerance = 1e-12

// Numbers are the essay's results, computed.
type Numbers struct {
	WassersteinXY float64 `json:"wdist_xy"` // Wasserstein-2 distance of X and Y
	WassersteinWZ float64 `json:"wdist_wz"` // and of W and Z, √6
	GramXY        float64 `json:"gram_xy"`  // GramLoss of Samples points of X and Y
	GramWZ        float64 `json:"gram_wz"`  // and of W and Z
	// Symmetric: d(a, b) = d(b, a) over all pairs of X, Y, W and Z.
	Symmetric bool `json:"symmetric"`
	// Triangle: d(a, c) ≤ d(a, b) + d(b, c) over all triples of X, Y, W and Z. The
	// essay compares the squares of one triple, which is a stronger claim that
	// needn't hold.
	Triangle bool `json:"triangle"`
	// EMDBytes and EMDFlop are the cost of the earth mover's distance between
	// EssayClouds.
	EMDBytes int64 `json:"emd_bytes"`
	EMDFlop  int64 `json:"emd_flop"`
}

// Compute makes the essay's numbers. The seed is that of the samples.
func Compute(seed uint64) (Numbers, error) {
	var n Numbers
	var err error
	if n.WassersteinXY, err = Distance(X(), Y()); err != nil {
		return n, err
	}
	if n.WassersteinWZ, err = Distance(W(), Z()); err != nil {
		return n, err
	}
	random := rand.New(rand.NewPCG(seed, 0))
	if n.GramXY, err = sampledGramLoss(X(), Y(), random); err != nil {
		return n, err
	}
	if n.GramWZ, err = sampledGramLoss(W(), Z(), random); err != nil {
		return n, err
	}
	distances, err := Distances(X(), Y(), W(), Z())
	if err != nil {
		return n, err
	}
	n.Symmetric, n.Triangle = symmetric(distances), triangle(distances)
	cost := EssayClouds().EarthMover()
	n.EMDBytes, n.EMDFlop = cost.Bytes, cost.Flop
	return n, nil
}

func sampledGramLoss(a, b Normal, random *rand.Rand) (float64, error) {
	pointsA, err := a.Sample(random, Samples)
	if err != nil {
		return 0, err
	}
	pointsB, err := b.Sample(random, Samples)
	return GramLoss(pointsA, pointsB, len(a.Mean)), err
}

// Distances are the Wasserstein-2 distances from each of the distributions to
// each, itself included.
func Distances(distributions ...Normal) ([][]float64, error) {
	table := make([][]float64, len(distributions))
	for i, a := range distributions {
		for _, b := range distributions {
			d, err := Distance(a, b)
			if err != nil {
				return nil, err
			}
			table[i] = append(table[i], d)
		}
	}
	return table, nil
}

func symmetric(distances [][]float64) bool {
	for i, row := range distances {
		for j := range row {
			if distances[i][j] > distances[j][i]+tolerance {
				return false
			}
		}
	}
	return true
}

func triangle(distances [][]float64) bool {
	for i := range distances {
		for j := range distances {
			for k := range distances {
				if distances[i][k] > distances[i][j]+distances[j][k]+tolerance {
					return false
				}
			}
		}
	}
	return true
}
