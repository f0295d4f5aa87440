package pure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestPointsOnALineAreMatchedInOrder(t *testing.T) {
	tests := []struct {
		name           string
		x, y, gradient []float64
		value          float64
	}{
		{"one to one", []float64{5, 1, 3}, []float64{2, 4, 9}, []float64{-8. / 3, -2. / 3, -2. / 3}, (16. + 1 + 1) / 3},
		// x = 0 goes half to 1 and half to 2, x = 6 half to 2 and half to 3: thirds
		// of y are cut at the half.
		{"two to three", []float64{6, 0}, []float64{3, 1, 2}, []float64{6 - 8./3, -4. / 3}, (1*2 + 4*1 + 16*1 + 9*2) / 6.},
		{"one to three", []float64{1}, []float64{0, 3, 6}, []float64{-4}, (1. + 4 + 25) / 3},
		{"three to one", []float64{0, 3, 6}, []float64{1}, []float64{-2. / 3, 4. / 3, 10. / 3}, (1. + 4 + 25) / 3},
		{"ties go to one mean", []float64{1, 1, 1, 0}, []float64{-1, 0, 2, 4}, []float64{-.5, -.5, -.5, .5}, (1. + 1 + 1 + 9) / 4},
		{"all alike", []float64{2, 2}, []float64{2, 2, 2}, []float64{0, 0}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			gradient := make([]float64, len(test.x))
			value := CompareLines(gradient, test.x, test.y)
			if math.Abs(value-test.value) > 1e-12 {
				t.Errorf("distance %g, want %g", value, test.value)
			}
			for i, want := range test.gradient {
				if math.Abs(gradient[i]-want) > 1e-12 {
					t.Errorf("gradient %v, want %v", gradient, test.gradient)
					break
				}
			}
		})
	}
}

func TestDirectionsAreOrthonormalAndDrawn(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 7}, {7, 7}, {64, 64}, {64, 512}} {
		count, channels := size[0], size[1]
		all := Directions(count, channels, 0.5)
		if len(all) != count*channels {
			t.Fatalf("%d values, want %d×%d", len(all), count, channels)
		}
		for i := range count {
			for j := range i + 1 {
				want := 0.
				if i == j {
					want = 1
				}
				if got := dot(all[i*channels:(i+1)*channels], all[j*channels:(j+1)*channels]); math.Abs(got-want) > 1e-13 {
					t.Errorf("%d of %d channels: product of directions %d and %d is %g, want %g", count, channels, i, j, got, want)
				}
			}
		}
		if !slices.Equal(all, Directions(count, channels, 0.5)) {
			t.Error("the same key gives other directions")
		}
		if channels > 1 && slices.Equal(all, Directions(count, channels, 0.25)) {
			t.Error("another key gives the same directions")
		}
	}
}

// TestSlicedMovesWithTheCloud shifts a cloud: a full set of orthonormal
// directions sees all of the shift, whatever they are.
func TestSlicedMovesWithTheCloud(t *testing.T) {
	const channels, n = 6, 30
	x, y, gradient := make([]float64, channels*n), make([]float64, channels*n), make([]float64, channels*n)
	r := rand.New(rand.NewPCG(1, 1))
	var square float64
	for c := range channels {
		shift := r.NormFloat64()
		square += shift * shift
		for i := range n {
			y[c*n+i] = r.NormFloat64()
			x[c*n+(i+7)%n] = y[c*n+i] + shift // elsewhere in the picture
		}
	}
	for _, directions := range []int{0, channels} {
		value := CompareSliced(Sliced{Channels: channels, Directions: directions}, gradient, x, y, 0.5)
		if want := square / channels; math.Abs(value-want) > 1e-12*want {
			t.Errorf("%d directions: %g, want %g", directions, value, want)
		}
	}
}

// TestAscentFindsWhereCloudsAreFarthestApart shifts a cloud by a vector, and
// compares with its length. At the maximum the gradient that takes the directions
// to be constant is that of the whole, but for what a maximum where the matching
// changes leaves open.
func TestAscentFindsWhereCloudsAreFarthestApart(t *testing.T) {
	const channels, n = 5, 30
	x, y, gradient := make([]float64, channels*n), make([]float64, channels*n), make([]float64, channels*n)
	r := rand.New(rand.NewPCG(1, 4))
	var square float64
	for c := range channels {
		shift := 2 * r.NormFloat64()
		square += shift * shift
		for i := range n {
			y[c*n+i] = r.NormFloat64()
			x[c*n+i] = y[c*n+i] + shift
		}
	}
	s := Sliced{Channels: channels, Directions: 1, Ascent: 60}
	for _, key := range []float64{0, 0.3, 0.8} {
		if value := CompareSliced(s, gradient, x, y, key); math.Abs(value-square) > 1e-6*square {
			t.Errorf("key %g: %g, want %g", key, value, square)
		}
	}
	for i := range x {
		x[i] += 0.5 * r.NormFloat64()
	}
	CompareSliced(s, gradient, x, y, 0)
	other := make([]float64, len(gradient))
	for i := range x {
		const h = 1e-5
		at := x[i]
		x[i] = at + h
		up := CompareSliced(s, other, x, y, 0)
		x[i] = at - h
		down := CompareSliced(s, other, x, y, 0)
		x[i] = at
		if numeric := (up - down) / (2 * h); math.Abs(numeric-gradient[i]) > 3e-3 {
			t.Errorf("element %d: gradient %g, by finite differences %g", i, gradient[i], numeric)
		}
	}
}

func TestAscentStaysWhereThereIsNoSlope(t *testing.T) {
	x, gradient := []float64{1, 2, 3, 5, 8, 13}, make([]float64, 6)
	s := Sliced{Channels: 2, Directions: 2, Ascent: 3}
	for _, cloud := range [][]float64{x, make([]float64, 6)} {
		if value := CompareSliced(s, gradient, cloud, cloud, 0); value != 0 {
			t.Errorf("of a cloud from itself %g", value)
		}
	}
}

func TestScaledSlicedHasNoUnit(t *testing.T) {
	const channels, n, m = 3, 20, 11
	r := rand.New(rand.NewPCG(1, 2))
	x, y, gradient := make([]float64, channels*n), make([]float64, channels*m), make([]float64, channels*n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	for i := range y {
		y[i] = r.NormFloat64()
	}
	s := Sliced{Channels: channels, Directions: 2, Scaled: true}
	want := CompareSliced(s, gradient, x, y, 0)
	for i := range x {
		x[i] *= 1000
	}
	for i := range y {
		y[i] *= 1000
	}
	if got := CompareSliced(s, gradient, x, y, 0); math.Abs(got-want) > 1e-7*want {
		t.Errorf("in another unit %g, want %g", got, want)
	}
}

func TestSlicedOfConstantFeatures(t *testing.T) {
	const channels, n, m = 3, 8, 5
	x, y, gradient := make([]float64, channels*n), make([]float64, channels*m), make([]float64, channels*n)
	for i := range y {
		y[i] = float64(i%m) - 1 // mean 1
	}
	for _, directions := range []int{0, 3} {
		for _, s := range []Sliced{{Channels: channels, Directions: directions}, {Channels: channels, Directions: directions, Scaled: true}} {
			CompareSliced(s, gradient, x, y, 0.5)
			for i, g := range gradient {
				if math.Abs(g-gradient[0]) > 1e-12 || !(g < 0) {
					t.Fatalf("%v: gradient %v at %d, want one negative value everywhere", s, gradient, i)
				}
			}
			// From and to nothing but zeros, all is zero, not NaN.
			if value := CompareSliced(s, gradient, x, make([]float64, channels*m), 0.5); value != 0 {
				t.Errorf("%v: of zeros %g", s, value)
			}
			if slices.ContainsFunc(gradient, func(g float64) bool { return g != 0 }) {
				t.Errorf("%v: gradient of zeros %v", s, gradient)
			}
		}
	}
}
