package optim

import (
	"fmt"
	"iter"
	"math"
)

// State is what an optimiser goes on from, so that one that restores it makes the same
// steps as the one that it is of. The point isn't in it.
type State struct {
	// Vectors are the optimiser's own, of the point's length and in an order of its own.
	// They hold until the next step.
	Vectors []Vector
	Numbers []float64
}

// Values hands out the values of a state's vectors one after the other, each until the
// next is asked for, or an error, which is the last.
type Values = iter.Seq2[[]float32, error]

// load copies values to vectors of a device, of which there have to be as many. Compact
// vectors without a unit get one that fits their values.
func load(vectors Vectors, to []Vector, values Values) error {
	loaded := 0
	for from, err := range values {
		if err != nil {
			return err
		}
		if loaded == len(to) {
			return fmt.Errorf("optim: a state has more vectors than the %d wanted", len(to))
		}
		v := to[loaded]
		if c, ok := v.(*Compact); ok && c.Unit == 0 {
			c.Unit = unitFor(sumOfSquares(from), len(from))
		}
		if err := vectors.Upload(v, from); err != nil {
			return err
		}
		loaded++
	}
	if loaded < len(to) {
		return fmt.Errorf("optim: a state has %d vectors, want %d", loaded, len(to))
	}
	return nil
}

// numbersOf checks that a state has at least so many numbers, all finite.
func numbersOf(numbers []float64, least int) error {
	if len(numbers) < least {
		return fmt.Errorf("optim: a state has %d numbers, want %d or more", len(numbers), least)
	}
	for i, v := range numbers {
		if !finite(v) {
			return fmt.Errorf("optim: number %d of a state is %v, want a finite one", i+1, v)
		}
	}
	return nil
}

// State implements Optimiser: both moments, and the count of steps.
func (a *Adam) State() State {
	return State{Vectors: []Vector{a.mean, a.square}, Numbers: []float64{float64(a.iteration)}}
}

// Restore implements Optimiser.
func (a *Adam) Restore(values Values, numbers []float64) error {
	if err := numbersOf(numbers, 1); err != nil {
		return err
	}
	if iteration := int(numbers[0]); iteration < 0 || float64(iteration) != numbers[0] {
		return fmt.Errorf("optim: a state of adam is of iteration %v", numbers[0])
	}
	a.iteration = int(numbers[0])
	return load(a.vectors, []Vector{a.mean, a.square}, values)
}

// A state of L-BFGS has lbfgsNumbers numbers, and pairNumbers more for each of its pairs.
const (
	lbfgsNumbers = 4
	pairNumbers  = 4
)

// State implements Optimiser: the pairs, the length of the last step, and the loss and
// the gradient at the point where they are known. Of vectors of pairs it has the units,
// which are 0 where they are in float32.
func (l *LBFGS) State() State {
	s := State{Numbers: []float64{0, 0, 0, l.stride}}
	if l.evaluated {
		s.Numbers = []float64{1, l.here.loss, l.here.norm, l.stride}
		s.Vectors = append(s.Vectors, l.gradient)
	}
	for _, p := range l.pairs {
		s.Vectors = append(s.Vectors, p.Step, p.Change)
		s.Numbers = append(s.Numbers, p.Product, p.Square, unitOf(p.Step), unitOf(p.Change))
	}
	return s
}

func unitOf(v Vector) float64 {
	if c, ok := v.(*Compact); ok {
		return float64(c.Unit)
	}
	return 0
}

// Restore implements Optimiser. The state may be that of an optimiser whose pairs are kept
// otherwise, as another device does.
func (l *LBFGS) Restore(values Values, numbers []float64) error {
	if err := numbersOf(numbers, lbfgsNumbers); err != nil {
		return err
	}
	ofPairs := numbers[lbfgsNumbers:]
	count := len(ofPairs) / pairNumbers
	if len(ofPairs)%pairNumbers != 0 || count > l.options.History {
		return fmt.Errorf("optim: a state of l-bfgs has %d numbers of pairs, want %d for each of at most %d", len(ofPairs), pairNumbers, l.options.History)
	}
	l.forget()
	var to []Vector
	if l.evaluated = numbers[0] != 0; l.evaluated {
		l.here = evaluation{loss: numbers[1], norm: numbers[2]}
		to = append(to, l.gradient)
	}
	l.stride = numbers[3]
	for i := range count {
		p, err := l.newPair()
		if err != nil {
			return err
		}
		l.pairs = append(l.pairs, p)
		of := ofPairs[pairNumbers*i:]
		l.pairs[i].Product, l.pairs[i].Square = of[0], of[1]
		for k, v := range []Vector{p.Step, p.Change} {
			c, compact := v.(*Compact)
			if !compact {
				continue
			}
			c.Unit = float32(of[2+k]) // 0 of a vector in float32, for load to find one
			if fraction, _ := math.Frexp(float64(c.Unit)); c.Unit != 0 && (fraction != 0.5 || math.IsInf(float64(1/c.Unit), 0)) {
				return fmt.Errorf("optim: a state of l-bfgs has a vector in units of %v, want a power of two", of[2+k])
			}
		}
		to = append(to, p.Step, p.Change)
	}
	if err := load(l.vectors, to, values); err != nil {
		return err
	}
	return l.round(ofPairs)
}

// round makes the products of restored pairs those of the rounded pairs, where rounding
// was done as they were restored.
func (l *LBFGS) round(ofPairs []float64) error {
	for i := range l.pairs {
		p, of := &l.pairs[i], ofPairs[pairNumbers*i:]
		if l.compact == nil || of[2] != 0 && of[3] != 0 {
			continue
		}
		dots, err := l.vectors.Dots([2]Vector{p.Step, p.Change}, [2]Vector{p.Change, p.Change})
		if err != nil {
			return err
		}
		if p.Product = dots[0]; !(p.Product > 0) {
			l.forget() // which costs a step along the gradient
			return nil
		}
		if p.Square, err = l.smoothedSquare(p.Change, dots[1]); err != nil {
			return err
		}
	}
	return nil
}

func sumOfSquares(values []float32) (sum float64) {
	for _, v := range values {
		sum += float64(v) * float64(v)
	}
	return sum
}

// State is the average's, with the decay of its beginning for the number.
func (a *Average) State() State {
	return State{Vectors: []Vector{a.value}, Numbers: []float64{a.rest}}
}

// Restore makes the average that of a state.
func (a *Average) Restore(values Values, numbers []float64) error {
	if err := numbersOf(numbers, 1); err != nil {
		return err
	}
	if a.rest = numbers[0]; !(a.rest >= 0 && a.rest < 1) {
		return fmt.Errorf("optim: a state of an average has the rest %v, want 0 ≤ rest < 1", a.rest)
	}
	return load(a.vectors, []Vector{a.value}, values)
}
