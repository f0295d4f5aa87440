package optim

import (
	"errors"
	"math"
	"slices"
	"testing"
)

func newAdam(t *testing.T, p *problem, o AdamOptions) *Adam {
	t.Helper()
	a, err := NewAdam(Host{}, p.point, p.slope, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func step(t *testing.T, o Optimiser, p *problem, times int) Report {
	t.Helper()
	var report Report
	for range times {
		var err error
		if report, err = o.Step(p.objective); err != nil {
			t.Fatal(err)
		}
	}
	return report
}

// adamIterates are Adam's first five points on Rosenbrock's function from
// (−1.2, 1) with step size 0.02, computed in float64 by a Python script that
// follows algorithm 1 of Kingma and Ba line by line.
var adamIterates = [][2]float64{
	{-1.1800000000009276, 1.0199999999977274},
	{-1.1601729267902714, 1.0398446503769476},
	{-1.1406757051068104, 1.0593865922779626},
	{-1.1217018021339682, 1.0784364047430226},
	{-1.1034822266871207, 1.096756911036106},
}

func TestAdamTakesTheStepsOfThePaper(t *testing.T) {
	p := newProblem(rosenbrock())
	a := newAdam(t, p, AdamOptions{})
	for i, want := range adamIterates {
		step(t, a, p, 1)
		for j := range want {
			// Five steps in float32 on values near one.
			if got := float64(p.point[j]); math.Abs(got-want[j]) > 1e-6 {
				t.Errorf("x%d after step %d is %v, want %v", j, i+1, got, want[j])
			}
		}
	}
}

func TestAdamFindsTheMinimum(t *testing.T) {
	for _, f := range functions() {
		t.Run(f.name, func(t *testing.T) {
			p := newProblem(f)
			coarse := newAdam(t, p, AdamOptions{StepSize: 0.05})
			step(t, coarse, p, 4000)
			fine := newAdam(t, p, AdamOptions{StepSize: 0.002})
			step(t, fine, p, 6000)
			if got := p.distance(); got > 0.02 {
				t.Errorf("largest distance from the minimum is %v, want at most 0.02", got)
			}
		})
	}
}

func TestAdamReportsWhereItsStepBegan(t *testing.T) {
	p := newProblem(rosenbrock())
	report := step(t, newAdam(t, p, AdamOptions{}), p, 1)
	// By hand: f = 100·0.44² + 2.2² = 24.2 and ∇f = (−215.6, −88).
	if math.Abs(report.Loss-24.2) > 1e-4 || math.Abs(report.GradientNorm-math.Hypot(215.6, 88)) > 1e-3 {
		t.Errorf("loss %v and gradient norm %v, want 24.2 and %v", report.Loss, report.GradientNorm, math.Hypot(215.6, 88))
	}
}

func TestAdamStaysWithinBounds(t *testing.T) {
	p := newProblem(rosenbrock()) // starts at −1.2, outside
	a := newAdam(t, p, AdamOptions{StepSize: 0.1, Bounds: Bounds{0, 0.5}})
	for range 200 {
		step(t, a, p, 1)
		for _, v := range p.point {
			if v < 0 || v > 0.5 {
				t.Fatalf("point is %v, want it within 0 and 0.5", p.point)
			}
		}
	}
	if math.Abs(float64(p.point[0])-0.5) > 1e-3 || math.Abs(float64(p.point[1])-0.25) > 1e-3 {
		t.Errorf("point is %v, want (0.5, 0.25), the least within the bounds", p.point)
	}
}

func TestAdamStaysWhereItIsEvaluatedInVain(t *testing.T) {
	tests := []struct {
		name, what string
		spoil      func(p *problem, loss *float64)
	}{
		{"NaN loss", "loss", func(_ *problem, loss *float64) { *loss = math.NaN() }},
		{"infinite loss", "loss", func(_ *problem, loss *float64) { *loss = math.Inf(1) }},
		{"NaN in the gradient", "gradient", func(p *problem, _ *float64) { p.slope[1] = float32(math.NaN()) }},
		{"infinity in the gradient", "gradient", func(p *problem, _ *float64) { p.slope[0] = float32(math.Inf(-1)) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newProblem(rosenbrock())
			a := newAdam(t, p, AdamOptions{})
			step(t, a, p, 3)
			good := slices.Clone(p.point)
			_, err := a.Step(func() (float64, error) {
				loss, err := p.objective()
				test.spoil(p, &loss)
				return loss, err
			})
			var notFinite *NonFiniteError
			if !errors.As(err, &notFinite) || notFinite.What != test.what {
				t.Fatalf("error is %v, want one that names the %s", err, test.what)
			}
			if !slices.Equal(p.point, good) {
				t.Errorf("point is %v, want %v, where the step began", p.point, good)
			}
		})
	}
}

func TestAdamGoesOnAtAnotherScale(t *testing.T) {
	p := newProblem(quadratic("coarse", 4, 10))
	a := newAdam(t, p, AdamOptions{})
	step(t, a, p, 3)
	mean, square := slices.Clone(a.mean.(HostVector)), slices.Clone(a.square.(HostVector))

	fine := newProblem(quadratic("fine", 8, 10))
	var asked []Interpolation
	err := a.Rescale(fine.point, fine.slope, 0, 0, func(values []float32, how Interpolation) ([]float32, error) {
		asked = append(asked, how)
		return append(slices.Clone(values), values...), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(asked, []Interpolation{Overshooting, NonNegative}) {
		t.Errorf("interpolations asked for are %v, want smooth for the mean and then non-negative for the square", asked)
	}
	if got := a.mean.(HostVector); !slices.Equal(got[4:], mean) {
		t.Errorf("mean is %v, want twice %v", got, mean)
	}
	if got := a.square.(HostVector); !slices.Equal(got[4:], square) {
		t.Errorf("mean square is %v, want twice %v", got, square)
	}
	if a.iteration != 3 {
		t.Errorf("count of steps is %d, want 3", a.iteration)
	}
	step(t, a, fine, 1)

	failed := errors.New("no memory")
	err = a.Rescale(p.point, p.slope, 0, 0, func([]float32, Interpolation) ([]float32, error) { return nil, failed })
	if !errors.Is(err, failed) {
		t.Errorf("error is %v, want the resampler's", err)
	}
}

func TestAverageIsCorrectedForItsStart(t *testing.T) {
	x := HostVector{1, 0}
	a, err := NewAverage(Host{}, x, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	result := make(HostVector, 2)
	// By hand: weights ½ for the newest, ¼, ⅛ for the oldest, over their sum.
	want := []HostVector{{1, 0}, {1. / 3, 2. / 3}, {1. / 7, 6. / 7}}
	for i, w := range want {
		if i > 0 {
			x[0], x[1] = 0, 1
			a.Update(x)
		}
		if err := a.Result(result); err != nil {
			t.Fatal(err)
		}
		for j := range w {
			if math.Abs(float64(result[j]-w[j])) > 1e-6 {
				t.Errorf("average %d is %v, want %v", i, result, w)
			}
		}
	}
}

func TestAverageOfNoDecayIsTheLastPoint(t *testing.T) {
	x := HostVector{0.1, 0.9}
	a, err := NewAverage(Host{}, x, 0)
	if err != nil {
		t.Fatal(err)
	}
	x[0] = 0.7
	a.Update(x)
	result := make(HostVector, 2)
	if err := a.Result(result); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(result, x) {
		t.Errorf("average is %v, want %v", result, x)
	}
}

func TestAverageRefusesADecayOutOfRange(t *testing.T) {
	for _, decay := range []float64{-0.1, 1, 2, math.NaN()} {
		if _, err := NewAverage(Host{}, HostVector{1}, decay); err == nil {
			t.Errorf("decay %v gave no error", decay)
		}
	}
}
