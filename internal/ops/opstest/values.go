package opstest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"gorgonia.org/tensor"
)

// normal are normally distributed values.
func normal(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	values := make([]float64, n)
	for i := range values {
		values[i] = r.NormFloat64()
	}
	return values
}

// rounded are values as float32 holds them.
func rounded(values []float64) []float64 {
	for i, v := range values {
		values[i] = float64(float32(v))
	}
	return values
}

func singles(values []float64) []float32 {
	single := make([]float32, len(values))
	for i, v := range values {
		single[i] = float32(v)
	}
	return single
}

// activations are like a network's: rectified, with directions that are much stronger
// than others and channels that are never active.
func activations(channels, positions int, seed uint64) []float64 {
	const factors = 48
	r := rand.New(rand.NewPCG(seed, 1))
	mix := make([]float64, channels*factors)
	for i := range mix {
		mix[i] = r.NormFloat64() / float64(1+i%factors)
	}
	x := make([]float64, channels*positions)
	var hidden [factors]float64
	for n := range positions {
		for k := range hidden {
			hidden[k] = r.NormFloat64()
		}
		for c := range channels {
			v := 0.3*r.NormFloat64() - 0.2
			for k, h := range hidden {
				v += mix[c*factors+k] * h
			}
			if c%11 != 5 {
				x[c*positions+n] = 50 * max(v, 0)
			}
		}
	}
	return rounded(x)
}

// size writes a shape.
func size(shape ...int) string {
	var sides []string
	for _, side := range shape {
		sides = append(sides, fmt.Sprint(side))
	}
	return strings.Join(sides, "x")
}

// features is a feature map of normally distributed values.
func features(name string, seed uint64, shape ...int) Input {
	return Input{Name: name, Kind: Map, Shape: shape, Values: func() []float64 {
		return rounded(normal(tensor.Shape(shape).TotalSize(), seed))
	}}
}

// activity is a feature map like a network's.
func activity(name string, seed uint64, shape ...int) Input {
	return Input{Name: name, Kind: Map, Shape: shape, Values: func() []float64 {
		return activations(shape[0], shape[1]*shape[2], seed)
	}}
}

// apart is a feature map whose channels differ in size and mean from those of
// features, so that a loss between the two isn't small.
func apart(name string, seed uint64, shape ...int) Input {
	return Input{Name: name, Kind: Map, Shape: shape, Values: func() []float64 {
		n := shape[1] * shape[2]
		values := normal(shape[0]*n, seed)
		for i := range values {
			values[i] = (values[i] + 0.3) * float64(1+i/n%3)
		}
		return rounded(values)
	}}
}

// skewed is a feature map that differs from features clearly in some directions, so
// that rounding doesn't decide which these are.
func skewed(name string, seed uint64, shape ...int) Input {
	return Input{Name: name, Kind: Map, Shape: shape, Values: func() []float64 {
		n := shape[1] * shape[2]
		values := normal(shape[0]*n, seed)
		for i := range values {
			values[i] = values[i]*float64(1+i/n%7) + float64(i/n%5)
		}
		return rounded(values)
	}}
}

// vector is a summary.
func vector(name string, length int, values func() []float64) Input {
	return Input{Name: name, Kind: Vector, Shape: tensor.Shape{length}, Values: values}
}

// keyName is the name of the scalar that a sample or directions are drawn by.
const keyName = "key"

// scalar is a key, a loss or a cotangent of one.
func scalar(name string, value float64) Input {
	return Input{Name: name, Kind: Scalar, Values: func() []float64 { return []float64{value} }}
}
