package cpu

import (
	"math/rand/v2"
	"slices"
	"testing"

	"impasto/internal/cpu/kernels"
)

// cloud is a feature map like those of a network, channels × positions:
// rectified and sparse, a few directions much stronger than the rest, some
// channels never active.
type cloud struct {
	channels, positions int
	x                   []float32
}

func makeCloud(channels, positions int, seed uint64) cloud {
	const factors = 48
	random := rand.New(rand.NewPCG(seed, 0))
	mix := make([]float64, channels*factors)
	for i := range mix {
		mix[i] = random.NormFloat64() / float64(1+i%factors)
	}
	c := cloud{channels, positions, make([]float32, channels*positions)}
	var hidden [factors]float64
	for n := range positions {
		for k := range hidden {
			hidden[k] = random.NormFloat64()
		}
		for i := range channels {
			v := 0.3*random.NormFloat64() - 0.2
			for k, h := range hidden {
				v += mix[i*factors+k] * h
			}
			if i%11 != 5 {
				c.x[i*positions+n] = float32(50 * max(v, 0))
			}
		}
	}
	return c
}

// moved is c with every feature changed by about that share of itself.
func (c cloud) moved(share float64, seed uint64) cloud {
	random := rand.New(rand.NewPCG(seed, 1))
	c.x = slices.Clone(c.x)
	for i := range c.x {
		c.x[i] *= float32(1 + share*random.NormFloat64())
	}
	return c
}

// times is c with every feature multiplied.
func (c cloud) times(factor float32) cloud {
	c.x = slices.Clone(c.x)
	for i := range c.x {
		c.x[i] *= factor
	}
	return c
}

// repeated has the first position's features so many times.
func (c cloud) repeated(positions int) cloud {
	r := cloud{c.channels, positions, make([]float32, c.channels*positions)}
	for i := range r.x {
		r.x[i] = c.x[i/positions*c.positions]
	}
	return r
}

func (c cloud) summary(t testing.TB) []float64 { return c.moments(t, true) }

// roundedSummary has the moments as a descent computes them, with the rounding of float32.
func (c cloud) roundedSummary(t testing.TB) []float64 { return c.moments(t, false) }

func (c cloud) moments(t testing.TB, precise bool) []float64 {
	s := make([]float64, c.channels*(1+c.channels))
	kernels.Moments(testWorkers(t, 1), s[:c.channels], s[c.channels:], kernels.Single(c.x), c.channels, c.positions, precise)
	return s
}

// gradient is dL/dX.
func (c cloud) gradient(cotangent []float64) []float64 {
	n := c.channels
	g := make([]float64, len(c.x))
	for i := range n {
		for p := range c.positions {
			sum := cotangent[i]
			for k := range n {
				sum += (cotangent[n+i*n+k] + cotangent[n+k*n+i]) * float64(c.x[k*c.positions+p])
			}
			g[i*c.positions+p] = sum / float64(c.positions)
		}
	}
	return g
}

// gaussianPair is a picture's features and a target's, and the ridge to compare them with.
type gaussianPair struct {
	name         string
	from, target cloud
	ridge        float64
}

// gaussianPairs are those for which the iteration has to reach its accuracy.
func gaussianPairs() []gaussianPair {
	flat := func(channels, positions int) cloud {
		return cloud{channels, positions, make([]float32, channels*positions)}
	}
	return []gaussianPair{
		{"one channel", makeCloud(1, 50, 1), makeCloud(1, 60, 2), 1e-4},
		{"two channels", makeCloud(2, 50, 1), makeCloud(2, 60, 2), 1e-4},
		{"an odd count of channels", makeCloud(67, 300, 1), makeCloud(67, 200, 2), 1e-4},
		{"a well conditioned pair", makeCloud(64, 1000, 1), makeCloud(64, 1000, 2), 1},
		{"many positions", makeCloud(128, 2000, 1), makeCloud(128, 2000, 2), 1e-4},
		{"fewer positions than channels", makeCloud(130, 16, 1), makeCloud(130, 25, 2), 1e-4},
		{"one position", makeCloud(96, 1, 1), makeCloud(96, 100, 2), 1e-4},
		{"a target of one direction", makeCloud(96, 100, 1), makeCloud(96, 2, 2), 1e-4},
		{"a small ridge", makeCloud(64, 30, 1), makeCloud(64, 30, 2), 1e-6},
		{"a flat picture", flat(64, 30), makeCloud(64, 30, 2), 1e-4},
		{"a much stronger picture", makeCloud(64, 30, 1).times(30), makeCloud(64, 30, 2), 1e-4},
		{"a much stronger picture of few positions", makeCloud(256, 64, 1).times(10), makeCloud(256, 300, 2), 1e-4},
		{"a layer's size", makeCloud(256, 64, 1), makeCloud(256, 256, 2), 1e-4},
		{"a ridge that rounding hides", makeCloud(64, 30, 1), makeCloud(64, 30, 2), 1e-17},
		{"a target of one colour", makeCloud(96, 300, 1), makeCloud(96, 1, 2).repeated(300), 1e-4},
		{"a target of one position", makeCloud(256, 64, 1), makeCloud(256, 1, 2), 1e-4},
		{"a target of hardly any contrast", makeCloud(96, 300, 1), makeCloud(96, 1, 2).repeated(300).moved(1e-3, 5), 1e-4},
		{"a far weaker target", makeCloud(256, 64, 1).times(1e5), makeCloud(256, 40, 2), 1e-4},
		{"both of one colour", makeCloud(96, 1, 1).repeated(200), makeCloud(96, 1, 2).repeated(300), 1e-4},
	}
}
