package optim

import (
	"errors"
	"math"
)

// search looks along the projected path for a point that fulfils both Wolfe
// conditions,
//
//	f(x+s) ≤ f(x) + c₁·gᵀs   and   g(x+s)ᵀs ≥ c₂·gᵀs,
//
// by bracketing: a point that fails the first is too far, one that fails only
// the second too near (Lewis and Overton 2013, "Nonsmooth optimization via
// quasi-Newton methods", algorithm 4.6). If the evaluations run out, a point
// that fulfils the first will do. A loss or gradient that isn't finite counts as
// too far; where no point had finite ones, that is the error. Steps that promise less
// than the loss resolves aren't tried.
func (l *LBFGS) search(objective Objective) (found bool, err error) {
	first := l.here
	near, far := 0.0, math.Inf(1)
	last := 0.0
	var notFinite *NonFiniteError
	anyFinite := false
	t, err := l.firstLength()
	if err != nil {
		return false, err
	}
	for range l.options.Evaluations {
		var unusable *NonFiniteError
		e, err := l.try(t, first, objective)
		if err != nil && !errors.As(err, &unusable) {
			return false, err
		}
		if e.evaluated {
			last = t
		}
		slope := e.slope
		if !promises(slope, first) {
			break
		}
		if err != nil {
			notFinite = unusable
			far = t
			t = near + 0.1*(far-near)
			continue
		}
		anyFinite = true
		if !(e.loss <= first.loss+l.options.Decrease*slope) {
			far = t
			t = shorter(near, far, e.loss-first.loss, slope)
			continue
		}
		l.here = e.evaluation
		if e.end >= l.options.Curvature*slope {
			return true, nil
		}
		near = t
		if math.IsInf(far, 1) {
			t *= 2
		} else {
			t = (near + far) / 2
		}
	}
	if near > 0 {
		return true, l.settle(near, last, objective)
	}
	if notFinite != nil && !anyFinite {
		return false, notFinite
	}
	return false, nil
}

// settle goes back to a length that fulfilled the first condition, unless it is
// the one tried last.
func (l *LBFGS) settle(near, last float64, objective Objective) error {
	l.move(near)
	if near == last {
		return nil
	}
	e, err := evaluate(l.vectors, l.gradient, objective)
	if err == nil {
		l.here = e
	}
	return err
}

// promises tells whether a step along which the loss has a slope at its beginning promises more
// than the loss resolves.
func promises(slope float64, first evaluation) bool {
	return slope < -resolution*math.Abs(first.loss)
}

// trial is what is known of a point along the path.
type trial struct {
	evaluation
	evaluated  bool
	slope, end float64 // products of the step with the gradients where it begins and ends
}

// try evaluates the point at a length along the path, if a step there promises something. A
// device that can foresee products evaluates in any case, so that all of that takes one wait for
// it: a search whose steps promise nothing is the last one of a descent.
func (l *LBFGS) try(t float64, first evaluation, objective Objective) (r trial, err error) {
	l.move(t)
	var products []float64
	if _, foresees := l.vectors.(Foreseer); foresees && l.compact == nil {
		r.evaluated = true
		r.evaluation, products, err = evaluateWith(l.vectors, l.gradient, objective,
			[2]Vector{l.originGradient, l.next.Step}, [2]Vector{l.gradient, l.next.Step})
		if products != nil {
			r.slope, r.end = products[0], products[1]
		}
		return r, err
	}
	if r.slope, err = l.slope(); err != nil || !promises(r.slope, first) {
		return r, err
	}
	r.evaluated = true
	if l.compact == nil {
		r.evaluation, products, err = evaluateWith(l.vectors, l.gradient, objective, [2]Vector{l.gradient, l.next.Step})
		if products != nil {
			r.end = products[0]
		}
		return r, err
	}
	if r.evaluation, err = evaluate(l.vectors, l.gradient, objective); err == nil {
		r.end, err = l.compact.DotDifference(l.gradient, l.point, l.origin)
	}
	return r, err
}

// strideGrowth is by how much a step along the gradient may be longer than the one before.
const strideGrowth = 10

// firstLength is the length to try first: the full step of the quasi-Newton
// direction, or one of a known size along the gradient. Where the last step had to be
// far shorter than that, the next one is expected to be so, too.
func (l *LBFGS) firstLength() (float64, error) {
	if len(l.pairs) > 0 || l.here.norm == 0 {
		return 1, nil
	}
	length := l.here.norm
	if !l.options.Smoothing.None() {
		square, err := l.vectors.Dot(l.direction, l.direction)
		if err != nil {
			return 0, err
		}
		length = math.Sqrt(square)
	}
	size := l.options.FirstStep
	if l.stride > 0 {
		size = min(size, strideGrowth*l.stride)
	}
	return size * math.Sqrt(float64(l.point.Len())) / length, nil
}

// slope returns gᵀs of the step to where the point was moved.
func (l *LBFGS) slope() (float64, error) {
	if l.compact != nil {
		return l.compact.DotDifference(l.originGradient, l.point, l.origin)
	}
	return l.vectors.Dot(l.originGradient, l.next.Step)
}

// move moves the point to P(x + t·d). Where pairs aren't compact, it leaves the step s in next.
func (l *LBFGS) move(t float64) {
	v := l.vectors
	v.Copy(l.point, l.origin)
	v.AddScaled(l.point, t, l.direction)
	l.options.Bounds.apply(v, l.point)
	if l.compact == nil {
		v.Copy(l.next.Step, l.point)
		v.AddScaled(l.next.Step, -1, l.origin)
	}
}

// shorter returns a length between near and far for a step of length far that
// changed the loss by rise where its slope promised a fall. From the origin it
// is the minimum of the parabola through both values and the slope, kept within
// a tenth and a half (Nocedal and Wright, page 58).
func shorter(near, far, rise, slope float64) float64 {
	if near > 0 {
		return (near + far) / 2
	}
	minimum := far * -slope / (2 * (rise - slope))
	if math.IsNaN(minimum) {
		return far / 2
	}
	return min(max(minimum, far/10), far/2)
}
