package optim

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// compactPairs makes all pairs compact, and compactGradients the gradients that steps begin
// with; see TestLBFGSDoesTheSameWithCompactPairs.
var compactPairs, compactGradients bool

func newLBFGS(t *testing.T, p *problem, o LBFGSOptions) *LBFGS {
	t.Helper()
	o.Compact, o.CompactGradient = o.Compact || compactPairs, o.CompactGradient || compactGradients
	l, err := NewLBFGS(Host{}, p.point, p.slope, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLBFGSFindsTheMinimum(t *testing.T) {
	for _, f := range functions() {
		t.Run(f.name, func(t *testing.T) {
			p := newProblem(f)
			l := newLBFGS(t, p, LBFGSOptions{})
			steps := 0
			// A float64 script of the same method needs 400 steps for 0.0004 on the
			// ill-conditioned quadratic, whose eigenvalues are spread over 1–10⁴.
			for ; steps < 1000; steps++ {
				if step(t, l, p, 1).Stationary {
					break
				}
			}
			// The gradient at a float32 point near the minimum is some 1e-7 times
			// the curvature, which bounds the distance.
			if got := p.distance(); got > 2e-3 {
				t.Errorf("largest distance from the minimum is %v after %d steps, want at most 0.002", got, steps)
			}
			if p.evaluations > 1000 {
				t.Errorf("took %d evaluations, want at most 1000", p.evaluations)
			}
			t.Logf("%d steps, %d evaluations, distance %.2g", steps, p.evaluations, p.distance())
		})
	}
}

func TestLBFGSNeverGoesUphill(t *testing.T) {
	for _, f := range functions() {
		t.Run(f.name, func(t *testing.T) {
			p := newProblem(f)
			l := newLBFGS(t, p, LBFGSOptions{})
			loss := math.Inf(1)
			for range 60 {
				report := step(t, l, p, 1)
				if report.Loss > loss {
					t.Fatalf("loss rose from %v to %v", loss, report.Loss)
				}
				loss = report.Loss
				if here := p.value(widen(p.point)); here != loss {
					t.Fatalf("reported loss is %v, at the point it is %v", loss, here)
				}
				g := make([]float64, len(p.point))
				p.gradient(g, widen(p.point))
				for i, v := range g {
					if p.slope[i] != float32(v) {
						t.Fatalf("gradient left behind is %v, at the point it is %v", p.slope, g)
					}
				}
			}
		})
	}
}

func TestLBFGSTakesTheSameStepsEveryTime(t *testing.T) {
	run := func() HostVector {
		p := newProblem(wood())
		step(t, newLBFGS(t, p, LBFGSOptions{}), p, 25)
		return p.point
	}
	if first, second := run(), run(); !slices.Equal(first, second) {
		t.Errorf("points are %v and %v, want the same", first, second)
	}
}

func TestLBFGSFindsTheMinimumWithinBounds(t *testing.T) {
	p := newProblem(quadratic("shifted quadratic", 30, 100))
	want := make([]float64, len(p.minimum))
	for i, v := range p.minimum {
		want[i] = math.Min(math.Max(v, 0.3), 0.6) // the problem is separable
	}
	l := newLBFGS(t, p, LBFGSOptions{Bounds: Bounds{0.3, 0.6}})
	for range 200 {
		report := step(t, l, p, 1)
		for _, v := range p.point {
			if v < 0.3 || v > 0.6 {
				t.Fatalf("point is %v, want it within 0.3 and 0.6", p.point)
			}
		}
		if report.Stationary {
			break
		}
	}
	p.minimum = want
	if got := p.distance(); got > 1e-3 {
		t.Errorf("largest distance from the minimum within the bounds is %v, want at most 0.001", got)
	}
	t.Logf("%d evaluations, distance %.2g", p.evaluations, p.distance())
}

func TestLBFGSSurvivesAFlatStart(t *testing.T) {
	p := newProblem(quadratic("at the minimum", 5, 10))
	for i, v := range p.minimum {
		p.point[i] = float32(v)
		p.minimum[i] = float64(float32(v))
	}
	start := slices.Clone(p.point)
	l := newLBFGS(t, p, LBFGSOptions{})
	for range 3 {
		report := step(t, l, p, 1)
		if !report.Stationary || report.GradientNorm != 0 || report.Loss != 0 {
			t.Fatalf("report is %+v, want a stationary point of loss and gradient 0", report)
		}
	}
	if !slices.Equal(p.point, start) {
		t.Errorf("point moved from %v to %v", start, p.point)
	}
	if p.evaluations != 1 {
		t.Errorf("took %d evaluations, want 1", p.evaluations)
	}
}

func TestLBFGSSurvivesAStartBesideACliff(t *testing.T) {
	tests := map[string]float64{"NaN": math.NaN(), "infinity": math.Inf(1), "minus infinity": math.Inf(-1)}
	for name, cliff := range tests {
		t.Run(name, func(t *testing.T) {
			p := newProblem(quadratic("cliff", 4, 10))
			l := newLBFGS(t, p, LBFGSOptions{FirstStep: 100})
			objective := func() (float64, error) {
				loss, err := p.objective()
				if v := p.point[0]; v < -1 || v > 2 {
					return cliff, err
				}
				return loss, err
			}
			for range 40 {
				if _, err := l.Step(objective); err != nil {
					t.Fatal(err)
				}
			}
			if got := p.distance(); got > 1e-3 {
				t.Errorf("largest distance from the minimum is %v, want at most 0.001", got)
			}
		})
	}
}

// cosine has negative curvature at its start, near the top of a wave.
func cosine() function {
	return function{
		name: "cosine", start: []float32{0.1}, minimum: []float64{math.Pi},
		value:    func(x []float64) float64 { return math.Cos(x[0]) },
		gradient: func(g, x []float64) { g[0] = -math.Sin(x[0]) },
	}
}

func TestLBFGSSkipsPairsOfNegativeCurvature(t *testing.T) {
	p := newProblem(cosine())
	// Two evaluations can't leave the top of the wave, so the step is accepted
	// for its decrease alone.
	l := newLBFGS(t, p, LBFGSOptions{Evaluations: 2, FirstStep: 0.01})
	report := step(t, l, p, 1)
	if report.Stationary || len(l.pairs) != 0 {
		t.Fatalf("report is %+v with %d pairs, want a step whose pair was skipped", report, len(l.pairs))
	}
	for range 200 {
		step(t, l, p, 1)
		for _, pair := range l.pairs {
			if !(pair.Product > 0) {
				t.Fatalf("history has a pair of curvature %v", pair.Product)
			}
		}
	}
	// Any trough of the wave will do.
	if got := p.value(widen(p.point)); got > -1+1e-6 {
		t.Errorf("loss is %v, want the minimum -1", got)
	}
}

func TestLBFGSFallsBackToSteepestDescent(t *testing.T) {
	p := newProblem(rosenbrock())
	l := newLBFGS(t, p, LBFGSOptions{})
	step(t, l, p, 5)
	for i := range l.pairs {
		l.pairs[i].Product *= -1 // the direction now points uphill
	}
	before := p.value(widen(p.point))
	report := step(t, l, p, 1)
	if report.Stationary || report.Loss >= before {
		t.Errorf("report is %+v, want a step down from %v", report, before)
	}
	if len(l.pairs) > 1 {
		t.Errorf("history has %d pairs, want it dropped", len(l.pairs))
	}
}

// TestLBFGSTriesNoStepTooSmallToTell has a slope that promises less than float32 objectives
// resolve.
func TestLBFGSTriesNoStepTooSmallToTell(t *testing.T) {
	for slope, tried := range map[float32]bool{5e-10: false, 1e-3: true} {
		point, gradient := make(HostVector, 100), make(HostVector, 100)
		l, err := NewLBFGS(Host{}, point, gradient, LBFGSOptions{Compact: compactPairs, CompactGradient: compactGradients})
		if err != nil {
			t.Fatal(err)
		}
		report, err := l.Step(func() (float64, error) {
			loss := 1.0
			for i, x := range point {
				gradient[i] = slope
				loss += float64(slope * x)
			}
			return loss, nil
		})
		if err != nil || report.Stationary == tried || (report.Evaluations > 1) != tried {
			t.Errorf("a slope of %g: %+v, %v; want a step: %t", slope, report, err, tried)
		}
		want := slope
		if !tried {
			want = rounded(slope)
		}
		if gradient[0] != want {
			t.Errorf("the gradient left behind is %g, want %g", gradient[0], want)
		}
	}
}

// rounded is what is left of an element of a gradient that is put back after a step.
func rounded(v float32) float32 {
	if !compactGradients {
		return v
	}
	c := &Compact{Unit: unitFor(float64(v)*float64(v), 1), Bits: make([]uint16, 1)}
	c.Set([]float32{v})
	return c.Value(c.Bits[0])
}

// TestLBFGSRemembersHowFarItGot counts evaluations along the gradient where the first
// length is ten thousand times too long.
func TestLBFGSRemembersHowFarItGot(t *testing.T) {
	point, gradient := make(HostVector, 100), make(HostVector, 100)
	l, err := NewLBFGS(Host{}, point, gradient, LBFGSOptions{FirstStep: 1})
	if err != nil {
		t.Fatal(err)
	}
	objective := func() (float64, error) { // a valley of 1e-4 beside the origin
		var loss float64
		for i, x := range point {
			d := float64(x) - 1e-4
			gradient[i] = float32(2e6 * d)
			loss += 1e6 * d * d
		}
		return loss, nil
	}
	first, err := l.Step(objective)
	if err != nil {
		t.Fatal(err)
	}
	l.forget()
	point[0] += 1e-4
	l.Renew()
	second, err := l.Step(objective)
	if err != nil || first.Evaluations < 4 || second.Evaluations >= first.Evaluations {
		t.Errorf("%d evaluations at first and %d then (%v), want fewer", first.Evaluations, second.Evaluations, err)
	}
}

func TestLBFGSReturnsToTheLastGoodPoint(t *testing.T) {
	device := errors.New("device lost")
	tests := []struct {
		name  string
		spoil func(p *problem, loss float64) (float64, error)
		fits  func(error) bool
	}{
		{
			"NaN loss everywhere",
			func(*problem, float64) (float64, error) { return math.NaN(), nil },
			func(err error) bool {
				var e *NonFiniteError
				return errors.As(err, &e) && e.What == "loss"
			},
		}, {
			"NaN in the gradient everywhere",
			func(p *problem, loss float64) (float64, error) {
				p.slope[0] = float32(math.NaN())
				return loss, nil
			},
			func(err error) bool {
				var e *NonFiniteError
				return errors.As(err, &e) && e.What == "gradient"
			},
		}, {
			"failing device",
			func(*problem, float64) (float64, error) { return 0, device },
			func(err error) bool { return errors.Is(err, device) },
		},
	}
	for _, test := range tests {
		for _, steps := range []int{0, 4} {
			t.Run(test.name, func(t *testing.T) {
				p := newProblem(rosenbrock())
				l := newLBFGS(t, p, LBFGSOptions{})
				step(t, l, p, steps)
				good := slices.Clone(p.point)
				_, err := l.Step(func() (float64, error) {
					loss, _ := p.objective()
					return test.spoil(p, loss)
				})
				if !test.fits(err) {
					t.Fatalf("error is %v", err)
				}
				if !slices.Equal(p.point, good) {
					t.Errorf("point is %v, want %v, the last good one", p.point, good)
				}
				// Once the fault is gone, the run goes on from there.
				if report := step(t, l, p, 1); report.Stationary {
					t.Errorf("report is %+v, want a step", report)
				}
			})
		}
	}
}

func TestLBFGSKeepsTheNewestPairs(t *testing.T) {
	p := newProblem(quadratic("ill-conditioned", 40, 1e4))
	l := newLBFGS(t, p, LBFGSOptions{History: 3})
	step(t, l, p, 12)
	if len(l.pairs) != 3 {
		t.Fatalf("history has %d pairs, want 3", len(l.pairs))
	}
	newest := l.pairs[2].Step.(HostVector)
	for i := range newest {
		if want := p.point[i] - l.origin.(HostVector)[i]; newest[i] != want {
			t.Fatalf("newest step is %v, want the one just made", newest)
		}
	}
}

func TestLBFGSStartsAfreshAtAnotherScale(t *testing.T) {
	p := newProblem(quadratic("coarse", 4, 10))
	l := newLBFGS(t, p, LBFGSOptions{})
	step(t, l, p, 2)
	fine := newProblem(quadratic("fine", 8, 10))
	if err := l.Rescale(fine.point, fine.slope, 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	step(t, l, fine, 40)
	if got := fine.distance(); got > 1e-3 {
		t.Errorf("largest distance from the minimum is %v, want at most 0.001", got)
	}
}

// TestLBFGSFollowsAnObjectiveThatChanges draws one of several functions with
// different minima before each step, all of which have the same mean.
func TestLBFGSFollowsAnObjectiveThatChanges(t *testing.T) {
	p := newProblem(quadratic("changing", 8, 10))
	l := newLBFGS(t, p, LBFGSOptions{})
	for turn := range 60 {
		l.Renew()
		shift := float32(1-2*(turn%2)) * 0.01
		report, err := l.Step(func() (float64, error) {
			loss, err := p.objective()
			for i, x := range p.point {
				loss += float64(shift * x)
				p.slope[i] += shift
			}
			return loss, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if report.Evaluations < 2 {
			t.Fatalf("step %d evaluated %d times, want the origin and a point further on", turn, report.Evaluations)
		}
	}
	// The minima are at most 0.01 over the least curvature from that of the mean.
	if got := p.distance(); got > 0.011 {
		t.Errorf("largest distance from the minimum is %v, want at most 0.011", got)
	}
}

func TestOptimisersRefuseAPointWithoutItsGradient(t *testing.T) {
	for _, sizes := range [][2]int{{3, 2}, {0, 0}} {
		point, gradient := make(HostVector, sizes[0]), make(HostVector, sizes[1])
		if _, err := NewAdam(Host{}, point, gradient, AdamOptions{}); err == nil {
			t.Errorf("adam took a point of %d and a gradient of %d elements", sizes[0], sizes[1])
		}
		if _, err := NewLBFGS(Host{}, point, gradient, LBFGSOptions{}); err == nil {
			t.Errorf("l-bfgs took a point of %d and a gradient of %d elements", sizes[0], sizes[1])
		}
	}
}

// waiting counts the operations that a device has to be waited for.
type waiting struct {
	Host
	waits *int
}

func (w waiting) Dot(x, y Vector) (float64, error) {
	*w.waits++
	return w.Host.Dot(x, y)
}

func (w waiting) Dots(pairs ...[2]Vector) ([]float64, error) {
	*w.waits++
	return w.Host.Dots(pairs...)
}

// TestLBFGSWaitsForADeviceThreeTimesAStep counts what a step of one evaluation needs to
// know: the slope along the step, what the line search decides on, and whether the new
// pair is worth keeping. The recursion for the direction is none of it.
func TestLBFGSWaitsForADeviceThreeTimesAStep(t *testing.T) {
	waits, steps := 0, 0
	p := newProblem(functions()[0])
	l, err := NewLBFGS(waiting{waits: &waits}, p.point, p.slope, LBFGSOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 10 {
		waits = 0
		report := step(t, l, p, 1)
		if report.Evaluations != 1 || report.Stationary {
			continue
		}
		if steps++; waits != 3 {
			t.Errorf("step %d waits %d times, want 3", steps, waits)
		}
	}
	if steps == 0 {
		t.Error("no step took but one evaluation")
	}
}
