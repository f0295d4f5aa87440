package cpu

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"impasto/internal/cpu/kernels"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// objective is the loss as a descent uses it.
func objective(channels int) pure.Gaussian {
	return pure.Gaussian{Channels: channels, Ridge: 1e-4, Scaled: true}
}

// evaluation is a bound loss with its buffers: result has the loss, then the
// summary's cotangent.
type evaluation struct {
	result, summary, target []float64
	run                     func() error
	machine                 *machine
}

// bindGaussian binds a loss on a device of its own, so that it shares nothing.
func bindGaussian(w *kernels.Workers, loss pure.Gaussian) evaluation {
	n := loss.Channels * (1 + loss.Channels)
	e := evaluation{make([]float64, 1+n), make([]float64, n), make([]float64, n), nil, nil}
	summary, target := new(plan.Buffer), new(plan.Buffer)
	m := &machine{
		device: &Device{workers: w, workspaces: map[workspaceKey]*transportWorkspace{}},
		values: map[*plan.Buffer]value{summary: {double: e.summary}, target: {double: e.target}},
	}
	evaluate := m.gaussian(loss, []*plan.Buffer{summary, target}, workspaceKey{channels: loss.Channels})
	e.machine = m
	e.run = func() (err error) {
		e.result[0], err = evaluate(value{double: e.result[1:]})
		return err
	}
	return e
}

func (e evaluation) of(t *testing.T, summary, target []float64) []float64 {
	t.Helper()
	copy(e.summary, summary)
	copy(e.target, target)
	if err := e.run(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(e.result)
}

func define(t *testing.T, loss pure.Gaussian, summary, target []float64) []float64 {
	t.Helper()
	result := make([]float64, 1+len(summary))
	value, err := loss.Compare(result[1:], summary, target)
	if err != nil {
		t.Fatal(err)
	}
	result[0] = value
	return result
}

// distance is |a−b|.
func distance(a, b []float64) float64 {
	var sum float64
	for i, v := range b {
		sum += (a[i] - v) * (a[i] - v)
	}
	return math.Sqrt(sum)
}

// accuracy is a little more than the 1.04e-5 that lastStep promises. The definition
// itself is good to some 1e-7 where Σ is singular: it takes the root of
// eigenvalues 1e-12 times the largest.
const accuracy = 1.1e-5

func TestGaussianAgreesWithItsDefinition(t *testing.T) {
	w := testWorkers(t, 0)
	for _, tt := range gaussianPairs() {
		t.Run(tt.name, func(t *testing.T) {
			loss := objective(tt.from.channels)
			loss.Ridge = tt.ridge
			summary, target := tt.from.roundedSummary(t), tt.target.roundedSummary(t)
			want := define(t, loss, summary, target)
			e := bindGaussian(w, loss)
			got := e.of(t, summary, target)
			if remark := e.machine.Remark(); remark != "" {
				t.Errorf("remark %q", remark)
			}
			prepared := loss.Target(target)
			ridge, _ := loss.RidgeOf(summary, prepared)
			covariance := make([]float64, len(prepared.Covariance))
			loss.Covariance(covariance, summary, ridge)
			var variance float64
			for i := range loss.Channels {
				variance += covariance[i*loss.Channels+i]
			}
			// The accuracy is that of tr TΣ, which is no more than this root.
			if d := math.Abs(got[0] - want[0]); d > 2*accuracy*prepared.Scale*math.Sqrt(prepared.Trace*variance) {
				t.Errorf("loss %.12g, want %.12g", got[0], want[0])
			}
			// The features that T makes have the target's covariance.
			size := 2 * prepared.Scale * math.Sqrt(prepared.Trace/float64(tt.from.positions))
			if d := distance(tt.from.gradient(got[1:]), tt.from.gradient(want[1:])); !(d <= accuracy*size) {
				t.Errorf("gradient is off by %.2g of what the transport map contributes", d/size)
			}
			workspace, err := newTransportWorkspace(w, loss.Channels)
			if err != nil {
				t.Fatal(err)
			}
			m := newTransport(workspace)
			m.aim(prepared)
			if _, ok := m.from(ridge, func(to []float64) { copy(to, covariance) }); !ok {
				t.Error("the iteration did not reach its accuracy")
			}
		})
	}
}

func TestTransportRefinesItsInversesWhereItMust(t *testing.T) {
	tests := []struct {
		factor float32
		refine bool
	}{{1, false}, {10, true}}
	for _, tt := range tests {
		loss := objective(256)
		prepared := loss.Target(makeCloud(256, 300, 2).summary(t))
		covariance := make([]float64, 256*256)
		loss.Covariance(covariance, makeCloud(256, 64, 1).times(tt.factor).summary(t), prepared.Ridge)
		workspace, err := newTransportWorkspace(testWorkers(t, 1), 256)
		if err != nil {
			t.Fatal(err)
		}
		m := newTransport(workspace)
		m.aim(prepared)
		if _, ok := m.from(prepared.Ridge, func(to []float64) { copy(to, covariance) }); !ok || m.whole.careful != tt.refine {
			t.Errorf("picture %g times as strong: converged %t, refined %t", tt.factor, ok, m.whole.careful)
		}
	}
}

func TestResidualShowsAWrongMap(t *testing.T) {
	loss := objective(64)
	prepared := loss.Target(makeCloud(64, 300, 2).summary(t))
	covariance := make([]float64, 64*64)
	loss.Covariance(covariance, makeCloud(64, 30, 1).summary(t), prepared.Ridge)
	workspace, err := newTransportWorkspace(testWorkers(t, 1), 64)
	if err != nil {
		t.Fatal(err)
	}
	m := newTransport(workspace)
	m.aim(prepared)
	if _, ok := m.from(prepared.Ridge, func(to []float64) { copy(to, covariance) }); !ok {
		t.Fatal("the iteration did not reach its accuracy")
	}
	for i := range m.t {
		m.t[i] *= 1.001
	}
	// T is squared in TΣT.
	if r := m.residual(covariance); math.Abs(r-0.002) > 1e-4 {
		t.Errorf("residual %g of a map that is 0.001 too large", r)
	}
}

func TestLastStepIsAsAccurateAsItSays(t *testing.T) {
	var above, below float64
	for i := range 1001 {
		x := math.Pow(lastStep.Spread, float64(i)/1000-0.5)
		y := lastStep.Factor * x * (1 + lastStep.Weight[0]/(x*x+lastStep.Shift[0]) + lastStep.Weight[1]/(x*x+lastStep.Shift[1]))
		above, below = max(above, y-1), max(below, 1-y)
	}
	// The extremes are equal, as those of a best approximation are.
	if above > 1.04e-5 || math.Abs(above-below) > 1e-8 {
		t.Errorf("off by up to %.4g above and %.4g below", above, below)
	}
}

func TestGaussianIsZeroAtEquality(t *testing.T) {
	for _, positions := range []int{20, 500} {
		target := makeCloud(64, positions, 1).summary(t)
		got := bindGaussian(testWorkers(t, 0), objective(64)).of(t, target, target)
		prepared := objective(64).Target(target)
		if got[0] > 2*accuracy*prepared.Scale*prepared.Trace {
			t.Errorf("%d positions: loss %g of a target to itself", positions, got[0])
		}
		zero := make([]float64, 64*64)
		mean, covariance := got[1:65], got[65:]
		if d := distance(covariance, zero); d > accuracy*prepared.Scale*8 { // |1|, the norm of 64 ones
			t.Errorf("%d positions: the covariance's cotangent has the norm %g", positions, d)
		}
		if d := distance(mean, zero[:64]); d > 2*accuracy*prepared.Scale*distance(prepared.Mean, zero[:64]) {
			t.Errorf("%d positions: the mean's cotangent has the norm %g", positions, d)
		}
	}
}

func TestGaussianDependsOnNothingBefore(t *testing.T) {
	w, loss := testWorkers(t, 2), objective(80)
	from := makeCloud(80, 40, 1)
	targets := [][]float64{makeCloud(80, 30, 2).summary(t), makeCloud(80, 400, 3).summary(t)}
	steps := []struct {
		name            string
		summary, target []float64
	}{
		{"the first", from.summary(t), targets[0]},
		{"the same again", from.summary(t), targets[0]},
		{"a small step", from.moved(0.01, 4).summary(t), targets[0]},
		{"a jump", makeCloud(80, 40, 5).summary(t), targets[0]},
		{"a jump that needs refined inverses", from.times(1000).summary(t), targets[0]},
		{"another target", from.summary(t), targets[1]},
		{"and back", from.summary(t), targets[0]},
	}
	e := bindGaussian(w, loss)
	for _, s := range steps {
		got := e.of(t, s.summary, s.target)
		if fresh := bindGaussian(w, loss).of(t, s.summary, s.target); !slices.Equal(got, fresh) {
			t.Errorf("%s: differs from an evaluation that is the first", s.name)
		}
	}
}

func TestGaussianIsTheSameForAnyThreads(t *testing.T) {
	summary, target := makeCloud(150, 90, 1).summary(t), makeCloud(150, 400, 2).summary(t)
	want := bindGaussian(testWorkers(t, 1), objective(150)).of(t, summary, target)
	for _, threads := range []int{2, 3, 7} {
		if got := bindGaussian(testWorkers(t, threads), objective(150)).of(t, summary, target); !slices.Equal(got, want) {
			t.Errorf("%d threads differ from one", threads)
		}
	}
}

func TestGaussianFallsBackToItsDefinition(t *testing.T) {
	summary, target := makeCloud(40, 20, 1).summary(t), makeCloud(40, 20, 2).summary(t)
	// Too little variance for the mean: S − μμᵀ is indefinite.
	indefinite := slices.Clone(summary)
	for i := range 40 {
		indefinite[i] *= 2
	}
	tests := []struct {
		name            string
		ridge           float64
		summary, target []float64
	}{
		{"no ridge", 0, summary, target},
		{"an indefinite covariance", 1e-4, indefinite, target},
		{"an indefinite target", 1e-4, summary, indefinite},
		{"a target without variance", 1e-4, summary, make([]float64, len(target))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loss := objective(40)
			loss.Ridge = tt.ridge
			e := bindGaussian(testWorkers(t, 1), loss)
			got := e.of(t, tt.summary, tt.target)
			if !slices.Equal(got, define(t, loss, tt.summary, tt.target)) {
				t.Error("differs from the definition")
			}
			if e.machine.Remark() == "" {
				t.Error("no remark says that it was slow")
			}
		})
	}
}

func TestGaussianRefusesWhatIsNotFinite(t *testing.T) {
	good := makeCloud(40, 100, 1).summary(t)
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, at := range []int{0, 39, 40, 45, len(good) - 1} {
			bad := slices.Clone(good)
			bad[at] = v
			for i, pair := range [][2][]float64{{bad, good}, {good, bad}} {
				name := fmt.Sprintf("%g at %d of %s", v, at, []string{"the summary", "the target"}[i])
				e := bindGaussian(testWorkers(t, 1), objective(40))
				copy(e.summary, pair[0])
				copy(e.target, pair[1])
				if err := e.run(); err == nil || !strings.Contains(err.Error(), "not finite") {
					t.Errorf("%s: error %v", name, err)
				}
				e.of(t, good, good) // and recovers
			}
		}
	}
}

func TestGaussianAllocatesNothingOfNote(t *testing.T) {
	summary, target := makeCloud(128, 100, 1).summary(t), makeCloud(128, 100, 2).summary(t)
	e := bindGaussian(testWorkers(t, 2), objective(128))
	e.of(t, summary, target)
	const runs = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		if err := e.run(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	// A matrix has 128 KiB.
	if bytes := (after.TotalAlloc - before.TotalAlloc) / runs; bytes > 64<<10 {
		t.Errorf("%d bytes an evaluation", bytes)
	}
}
