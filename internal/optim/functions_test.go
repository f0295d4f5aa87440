package optim

import (
	"math"
	"math/rand/v2"
	"testing"
)

// function is a test problem with its gradient, both in float64.
type function struct {
	name     string
	start    []float32
	minimum  []float64 // where the function is least
	value    func(x []float64) float64
	gradient func(g, x []float64)
}

// functions are problems from Moré, Garbow and Hillstrom, "Testing Unconstrained
// Optimization Software", 1981, and two quadratics.
func functions() []function {
	return []function{rosenbrock(), beale(), wood(), quadratic("round quadratic", 20, 1), quadratic("ill-conditioned quadratic", 50, 1e4)}
}

func rosenbrock() function {
	return function{
		name: "Rosenbrock", start: []float32{-1.2, 1}, minimum: []float64{1, 1},
		value: func(x []float64) float64 {
			a, b := 10*(x[1]-x[0]*x[0]), 1-x[0]
			return a*a + b*b
		},
		gradient: func(g, x []float64) {
			a := 10 * (x[1] - x[0]*x[0])
			g[0] = -40*x[0]*a - 2*(1-x[0])
			g[1] = 20 * a
		},
	}
}

func beale() function {
	y := []float64{1.5, 2.25, 2.625}
	return function{
		name: "Beale", start: []float32{1, 1}, minimum: []float64{3, 0.5},
		value: func(x []float64) float64 {
			var sum float64
			for i := range y {
				r := y[i] - x[0]*(1-math.Pow(x[1], float64(i+1)))
				sum += r * r
			}
			return sum
		},
		gradient: func(g, x []float64) {
			g[0], g[1] = 0, 0
			for i := range y {
				n := float64(i + 1)
				r := y[i] - x[0]*(1-math.Pow(x[1], n))
				g[0] -= 2 * r * (1 - math.Pow(x[1], n))
				g[1] += 2 * r * x[0] * n * math.Pow(x[1], n-1)
			}
		},
	}
}

func wood() function {
	return function{
		name: "Wood", start: []float32{-3, -1, -3, -1}, minimum: []float64{1, 1, 1, 1},
		value: func(x []float64) float64 {
			a, b, c, d := x[1]-x[0]*x[0], 1-x[0], x[3]-x[2]*x[2], 1-x[2]
			e, f := x[1]+x[3]-2, x[1]-x[3]
			return 100*a*a + b*b + 90*c*c + d*d + 10*e*e + 0.1*f*f
		},
		gradient: func(g, x []float64) {
			a, b, c, d := x[1]-x[0]*x[0], 1-x[0], x[3]-x[2]*x[2], 1-x[2]
			e, f := x[1]+x[3]-2, x[1]-x[3]
			g[0] = -400*x[0]*a - 2*b
			g[1] = 200*a + 20*e + 0.2*f
			g[2] = -360*x[2]*c - 2*d
			g[3] = 180*c + 20*e - 0.2*f
		},
	}
}

// quadratic is Σ kᵢ(xᵢ−mᵢ)²/2 with the k spread from 1 to condition by powers.
func quadratic(name string, n int, condition float64) function {
	random := rand.New(rand.NewPCG(1, 2))
	k, minimum, start := make([]float64, n), make([]float64, n), make([]float32, n)
	for i := range k {
		k[i] = math.Pow(condition, float64(i)/float64(n-1))
		minimum[i] = random.Float64()
		start[i] = random.Float32()
	}
	return function{
		name: name, start: start, minimum: minimum,
		value: func(x []float64) float64 {
			var sum float64
			for i, v := range x {
				sum += k[i] * (v - minimum[i]) * (v - minimum[i]) / 2
			}
			return sum
		},
		gradient: func(g, x []float64) {
			for i, v := range x {
				g[i] = k[i] * (v - minimum[i])
			}
		},
	}
}

// problem is a function at a point that an optimiser moves.
type problem struct {
	function
	point, slope HostVector
	evaluations  int
}

func newProblem(f function) *problem {
	return &problem{function: f, point: append(HostVector(nil), f.start...), slope: make(HostVector, len(f.start))}
}

func (p *problem) objective() (float64, error) {
	p.evaluations++
	x, g := widen(p.point), make([]float64, len(p.point))
	p.gradient(g, x)
	for i, v := range g {
		p.slope[i] = float32(v)
	}
	return p.value(x), nil
}

// distance is the largest difference of the point from the minimum.
func (p *problem) distance() float64 {
	var most float64
	for i, v := range p.point {
		most = math.Max(most, math.Abs(float64(v)-p.minimum[i]))
	}
	return most
}

func widen(x []float32) []float64 {
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	return wide
}

func TestGradientsOfTheTestFunctionsAreTheirDerivatives(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, f := range functions() {
		t.Run(f.name, func(t *testing.T) {
			x, g := make([]float64, len(f.start)), make([]float64, len(f.start))
			for i := range x {
				x[i] = float64(f.start[i]) + 0.3*random.NormFloat64()
			}
			f.gradient(g, x)
			for i := range x {
				const h = 1e-5
				at := x[i]
				x[i] = at + h
				above := f.value(x)
				x[i] = at - h
				below := f.value(x)
				x[i] = at
				if got, want := g[i], (above-below)/(2*h); math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("derivative %d is %v, central difference %v", i, got, want)
				}
			}
			f.gradient(g, f.minimum)
			for i, v := range g {
				if math.Abs(v) > 1e-9 {
					t.Errorf("derivative %d at the minimum is %v, want 0", i, v)
				}
			}
		})
	}
}
