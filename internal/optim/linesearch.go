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
		slope, err := l.place(t)
		if err != nil {
			return false, err
		}
		if !(slope < -resolution*math.Abs(first.loss)) {
			break
		}
		last = t
		e, end, err := l.evaluateAlong(objective)
		if err != nil && !errors.As(err, &notFinite) {
			return false, err
		}
		if err != nil {
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
		l.here = e
		if end >= l.options.Curvature*slope {
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
	_, err := l.place(near)
	if err != nil || near == last {
		return err
	}
	e, err := evaluate(l.vectors, l.gradient, objective)
	if err == nil {
		l.here = e
	}
	return err
}

// evaluateAlong evaluates the point where place has moved it, and returns the product of
// the gradient there and the step.
func (l *LBFGS) evaluateAlong(objective Objective) (e evaluation, slope float64, err error) {
	if l.compact == nil {
		return evaluateAlong(l.vectors, l.gradient, l.next.Step, objective)
	}
	if e, err = evaluate(l.vectors, l.gradient, objective); err == nil {
		slope, err = l.compact.DotDifference(l.gradient, l.point, l.origin)
	}
	return e, slope, err
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

// place moves the point to P(x + t·d) and returns gᵀs. Where pairs aren't compact, it
// leaves the step s in next.
func (l *LBFGS) place(t float64) (slope float64, err error) {
	v := l.vectors
	v.Copy(l.point, l.origin)
	v.AddScaled(l.point, t, l.direction)
	l.options.Bounds.apply(v, l.point)
	if l.compact != nil {
		return l.compact.DotDifference(l.originGradient, l.point, l.origin)
	}
	v.Copy(l.next.Step, l.point)
	v.AddScaled(l.next.Step, -1, l.origin)
	return v.Dot(l.originGradient, l.next.Step)
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
