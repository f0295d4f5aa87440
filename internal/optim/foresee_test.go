package optim

import (
	"slices"
	"testing"
)

// foreseeing is a device that makes foreseen products along with the next evaluation, and counts
// how often it is waited for: for an evaluation, and for products that it doesn't know.
type foreseeing struct {
	Host
	foreseen, known [][2]Vector
	waits           int
}

func (f *foreseeing) Foresee(pairs ...[2]Vector) { f.foreseen = pairs }

func (f *foreseeing) Dots(pairs ...[2]Vector) ([]float64, error) {
	for _, pair := range pairs {
		if !slices.ContainsFunc(f.known, func(known [2]Vector) bool {
			return &known[0].(HostVector)[0] == &pair[0].(HostVector)[0] && &known[1].(HostVector)[0] == &pair[1].(HostVector)[0]
		}) {
			f.waits++
			break
		}
	}
	return f.Host.Dots(pairs...)
}

func (f *foreseeing) Dot(x, y Vector) (float64, error) {
	dots, err := f.Dots([2]Vector{x, y})
	if err != nil {
		return 0, err
	}
	return dots[0], nil
}

// evaluation runs the objective, and what is known of vectors is what was foreseen.
func (f *foreseeing) evaluation(objective Objective) (float64, error) {
	f.waits++
	loss, err := objective()
	f.known, f.foreseen = f.foreseen, nil
	return loss, err
}

// TestLBFGSWaitsTwiceForAStepThatIsTakenAtOnce compares steps on a device that foresees with
// those on the host. Beside evaluations, each of which has all that the search has to know of
// it, there is one wait for what a new pair is worth.
func TestLBFGSWaitsTwiceForAStepThatIsTakenAtOnce(t *testing.T) {
	for _, f := range functions() {
		t.Run(f.name, func(t *testing.T) {
			p, onHost := newProblem(f), newProblem(f)
			device := &foreseeing{}
			l, err := NewLBFGS(device, p.point, p.slope, LBFGSOptions{})
			if err != nil {
				t.Fatal(err)
			}
			reference, err := NewLBFGS(Host{}, onHost.point, onHost.slope, LBFGSOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 40 {
				device.waits = 0
				report, err := l.Step(func() (float64, error) { return device.evaluation(p.objective) })
				if err != nil {
					t.Fatal(err)
				}
				want, err := reference.Step(onHost.objective)
				if err != nil {
					t.Fatal(err)
				}
				if want.Stationary {
					break // where evaluations may be made in vain
				}
				if report != want || !slices.Equal(p.point, onHost.point) {
					t.Fatalf("step %d: %+v at %v, want %+v at %v", i, report, p.point, want, onHost.point)
				}
				if device.waits != report.Evaluations+1 {
					t.Errorf("step %d waits %d times for the device with %d evaluations, want one time more", i, device.waits, report.Evaluations)
				}
			}
		})
	}
}

// TestLBFGSEndsWhereItStepsToAlongWithEvaluations looks at the gradient that steps leave behind
// once steps promise nothing any more.
func TestLBFGSEndsWhereItStepsToAlongWithEvaluations(t *testing.T) {
	for _, f := range functions() {
		p := newProblem(f)
		l, err := NewLBFGS(&foreseeing{}, p.point, p.slope, LBFGSOptions{})
		if err != nil {
			t.Fatal(err)
		}
		stationary := false
		for range 1000 {
			report, err := l.Step(p.objective)
			if err != nil {
				t.Fatal(err)
			}
			g := make([]float64, len(p.point))
			p.gradient(g, widen(p.point))
			for i, v := range g {
				if p.slope[i] != float32(v) {
					t.Fatalf("%s: gradient left behind is %v, at the point it is %v", f.name, p.slope, g)
				}
			}
			if stationary = report.Stationary; stationary {
				break
			}
		}
		if !stationary {
			t.Errorf("%s: no end after 1000 steps", f.name)
		}
	}
}
