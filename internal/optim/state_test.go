package optim

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// optimisers are those that there are, each made for a problem.
var optimisers = map[string]func(p *problem) (Optimiser, error){
	"adam":  func(p *problem) (Optimiser, error) { return NewAdam(Host{}, p.point, p.slope, AdamOptions{}) },
	"lbfgs": func(p *problem) (Optimiser, error) { return NewLBFGS(Host{}, p.point, p.slope, LBFGSOptions{}) },
	"lbfgs, compact": func(p *problem) (Optimiser, error) {
		return NewLBFGS(Host{}, p.point, p.slope, LBFGSOptions{Compact: true})
	},
	"lbfgs, compact gradient": func(p *problem) (Optimiser, error) {
		return NewLBFGS(Host{}, p.point, p.slope, LBFGSOptions{Compact: true, CompactGradient: true})
	},
}

// copied is a state by values, as a file would have it.
func copied(s State) (vectors [][]float32, numbers []float64) {
	for _, v := range s.Vectors {
		values := make([]float32, v.Len())
		_ = Host{}.Download(values, v)
		vectors = append(vectors, values)
	}
	return vectors, slices.Clone(s.Numbers)
}

// oneBuffer hands out vectors in one buffer, which has others' values before and after.
func oneBuffer(vectors [][]float32) Values {
	return func(yield func([]float32, error) bool) {
		var buffer []float32
		for _, v := range vectors {
			buffer = append(buffer[:0], v...)
			if !yield(buffer, nil) {
				return
			}
			for i := range buffer {
				buffer[i] = float32(math.NaN())
			}
		}
	}
}

func TestRestoredOptimiserMakesTheSameSteps(t *testing.T) {
	for name, open := range optimisers {
		for steps := range 16 {
			there := newProblem(rosenbrock())
			first, err := open(there)
			if err != nil {
				t.Fatal(err)
			}
			step(t, first, there, steps)
			// A step that is called off changes nothing.
			calledOff, evaluations := errors.New("called off"), 0
			if _, err := first.Step(func() (float64, error) {
				if evaluations++; evaluations > steps%3 {
					return 0, calledOff
				}
				return there.objective()
			}); err != nil && !errors.Is(err, calledOff) {
				t.Fatal(err)
			}
			here := newProblem(rosenbrock())
			copy(here.point, there.point)
			second, err := open(here)
			if err != nil {
				t.Fatal(err)
			}
			vectors, numbers := copied(first.State())
			if err := second.Restore(oneBuffer(vectors), numbers); err != nil {
				t.Fatal(err)
			}
			step(t, first, there, 5)
			step(t, second, here, 5)
			if !slices.Equal(here.point, there.point) {
				t.Errorf("%s restored after %d steps comes to %v, want %v", name, steps, here.point, there.point)
			}
		}
	}
}

func TestStateThatDoesntFitIsRefused(t *testing.T) {
	for name, open := range optimisers {
		p := newProblem(rosenbrock())
		o, err := open(p)
		if err != nil {
			t.Fatal(err)
		}
		step(t, o, p, 3)
		vectors, numbers := copied(o.State())
		short := slices.Clone(vectors)
		short[0] = short[0][:1]
		unreadable := errors.New("unreadable")
		broken := func(yield func([]float32, error) bool) {
			if yield(vectors[0], nil) {
				yield(nil, unreadable)
			}
		}
		if err := o.Restore(broken, numbers); !errors.Is(err, unreadable) {
			t.Errorf("%s takes a state whose second vector can't be read: %v", name, err)
		}
		for what, err := range map[string]error{
			"no numbers":     o.Restore(oneBuffer(vectors), nil),
			"a vector less":  o.Restore(oneBuffer(vectors[1:]), numbers),
			"a vector more":  o.Restore(oneBuffer(append(slices.Clone(vectors), vectors[0])), numbers),
			"a short vector": o.Restore(oneBuffer(short), numbers),
		} {
			if err == nil {
				t.Errorf("%s takes a state with %s", name, what)
			}
		}
		if err := o.Restore(oneBuffer(vectors), numbers); err != nil {
			t.Errorf("%s: its own state is refused: %v", name, err)
		}
	}
}

// A state of pairs in float32 may be gone on from with compact ones, and the other way
// round: the steps are nearly the same.
func TestStatesAreExchangedBetweenCompactPairsAndOthers(t *testing.T) {
	for _, compact := range []bool{false, true} {
		there := newProblem(quadratic("quadratic", 50, 100))
		first := newLBFGS(t, there, LBFGSOptions{Compact: compact})
		step(t, first, there, 6)
		here := newProblem(quadratic("quadratic", 50, 100))
		copy(here.point, there.point)
		second := newLBFGS(t, here, LBFGSOptions{Compact: !compact})
		vectors, numbers := copied(first.State())
		if err := second.Restore(oneBuffer(vectors), numbers); err != nil {
			t.Fatal(err)
		}
		if len(second.pairs) != len(first.pairs) || len(first.pairs) == 0 {
			t.Errorf("%d pairs become %d", len(first.pairs), len(second.pairs))
		}
		near := step(t, second, here, 1).Loss
		if far := step(t, first, there, 1).Loss; math.Abs(near-far) > 1e-3*far {
			t.Errorf("compact %t: the loss after a step is %g, and had been %g", compact, near, far)
		}
	}
}
