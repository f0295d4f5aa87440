package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// noise returns n values of normal noise.
func noise(n int, seed uint64) HostVector {
	r := rand.New(rand.NewPCG(seed, 1))
	v := make(HostVector, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

func TestSmoothingIsSymmetricAndPositiveDefinite(t *testing.T) {
	for _, s := range []Smoothing{
		{Width: 4, Height: 4, Levels: 1, Gain: 1}, {Width: 5, Height: 4, Levels: 3, Gain: 0.35}, {Width: 17, Height: 22, Levels: 4, Gain: 0.5},
		{Width: 64, Height: 7, Levels: 9, Gain: 2}, {Width: 3, Height: 90, Levels: 2, Gain: 1}, {Width: 9, Height: 9},
	} {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			n := 3 * s.Width * s.Height
			x, y := noise(n, 1), noise(n, 2)
			smoothedX, smoothedY := noise(n, 1), noise(n, 2)
			for _, v := range []HostVector{smoothedX, smoothedY} {
				if err := (Host{}).Smooth(v, nil, s); err != nil {
					t.Fatal(err)
				}
			}
			dots, err := Host{}.Dots([2]Vector{y, smoothedX}, [2]Vector{x, smoothedY}, [2]Vector{x, smoothedX}, [2]Vector{x, x})
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(dots[0]-dots[1]) > 1e-5*dots[2] {
				t.Errorf("yᵀMx is %v and xᵀMy %v, want the same", dots[0], dots[1])
			}
			if least := dots[3] * (1 - 1e-6); dots[2] < least || !s.None() && dots[2] < 1.05*least {
				t.Errorf("xᵀMx is %v, of an xᵀx of %v", dots[2], dots[3])
			}
			square, err := Host{}.SmoothedSquare(x, nil, s)
			if err != nil || math.Abs(square-dots[2]) > 1e-6*dots[2] {
				t.Errorf("the square is %v (%v), want %v", square, err, dots[2])
			}
		})
	}
}

// TestSmoothingKeepsPlanesApart smooths a plane of ones, of which each grid has ones times
// how many elements of the finest one it stands for, between two of zeros.
func TestSmoothingKeepsPlanesApart(t *testing.T) {
	const side = 16
	x := make(HostVector, 3*side*side)
	for i := range side * side {
		x[side*side+i] = 1
	}
	if err := (Host{}).Smooth(x, nil, Smoothing{Width: side, Height: side, Levels: 2, Gain: 0.5}); err != nil {
		t.Fatal(err)
	}
	for i, v := range x {
		want := 0.
		if i/(side*side) == 1 {
			want = 1 + 0.5*(4+0.5*16)
		}
		if math.Abs(float64(v)-want) > 1e-5 {
			t.Fatalf("element %d is %v, want %v", i, v, want)
		}
	}
}

// TestSmoothingShortensDescents minimises a quadratic function of two planes that is the
// flatter the smoother the direction, as losses of pictures are, with and without.
func TestSmoothingShortensDescents(t *testing.T) {
	const side = 32
	target := noise(2*side*side, 3)
	if err := (Host{}).Smooth(target, nil, Smoothing{Width: side, Height: side, Levels: 3, Gain: 1}); err != nil {
		t.Fatal(err)
	}
	after := func(compact bool, s Smoothing) float64 {
		point, gradient := make(HostVector, len(target)), make(HostVector, len(target))
		l, err := NewLBFGS(Host{}, point, gradient, LBFGSOptions{History: 5, Compact: compact, Smoothing: s})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		loss := 0.
		for range 15 {
			report, err := l.Step(func() (float64, error) { return roughness(gradient, point, target, side), nil })
			if err != nil {
				t.Fatal(err)
			}
			loss = report.Loss
		}
		return loss
	}
	for _, compact := range []bool{false, true} {
		without := after(compact, Smoothing{})
		with := after(compact, Smoothing{Width: side, Height: side, Levels: 4, Gain: 0.35})
		t.Logf("compact %v: %.4g without, %.4g with", compact, without, with)
		if !(with < 0.5*without) {
			t.Errorf("compact %v: after 15 steps the loss is %v with smoothing and %v without, want less than half", compact, with, without)
		}
	}
}

// roughness is half of the squared differences of neighbours in x − target, and a little of
// x − target itself. It writes the gradient.
func roughness(gradient, x, target HostVector, side int) (loss float64) {
	const little = 0.01
	clear(gradient)
	at := func(i int) float64 { return float64(x[i]) - float64(target[i]) }
	for i := range x {
		loss += little / 2 * at(i) * at(i)
		gradient[i] += float32(little * at(i))
		for _, next := range []int{1, side} {
			if next == 1 && i%side == side-1 || next == side && i/side%side == side-1 {
				continue
			}
			d := at(i+next) - at(i)
			loss += d * d / 2
			gradient[i+next] += float32(d)
			gradient[i] -= float32(d)
		}
	}
	return loss
}

// TestHeldElementsStay minimises the function of TestSmoothingShortensDescents where one
// corner isn't to move.
func TestHeldElementsStay(t *testing.T) {
	const side = 16
	target := noise(side*side, 3)
	hold := func(v HostVector) {
		for i := range v {
			if i%side < side/2 && i/side < side/2 {
				v[i] = 0
			}
		}
	}
	for _, compact := range []bool{false, true} {
		point, gradient := make(HostVector, len(target)), make(HostVector, len(target))
		l, err := NewLBFGS(Host{}, point, gradient, LBFGSOptions{
			Compact: compact, Smoothing: Smoothing{Width: side, Height: side, Levels: 3, Gain: 0.35},
			Hold: func(direction Vector) error { hold(direction.(HostVector)); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		first, last := 0., 0.
		for step := range 12 {
			report, err := l.Step(func() (float64, error) {
				loss := roughness(gradient, point, target, side)
				hold(gradient)
				return loss, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if last = report.Loss; step == 0 {
				first = last
			}
		}
		l.Close()
		moved := 0
		for i, v := range point {
			switch held := i%side < side/2 && i/side < side/2; {
			case held && v != 0:
				t.Fatalf("compact %v: element %d, which is held, is %v", compact, i, v)
			case v != 0:
				moved++
			}
		}
		if moved != len(point)*3/4 || !(last < first) {
			t.Errorf("compact %v: %d of %d elements moved, and the loss went from %v to %v", compact, moved, len(point), first, last)
		}
	}
}
