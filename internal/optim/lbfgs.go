package optim

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// LBFGSOptions are the settings of L-BFGS. The zero value of each means the
// value named beside it.
type LBFGSOptions struct {
	History     int     // 10: pairs of steps and gradient changes kept
	Evaluations int     // 20: the most evaluations in one line search
	FirstStep   float64 // 0.01: root mean square of the first step tried without a history
	Decrease    float64 // 1e-4: c₁ of the Wolfe conditions
	Curvature   float64 // 0.9: c₂ of the Wolfe conditions
	// Compact keeps the pairs and the direction in 16 bits, on devices that can. The
	// products that the recursion takes of pairs are those of the rounded ones.
	Compact bool
	// CompactGradient keeps the gradient that a step begins with in 16 bits, too, where the
	// pairs are. Changes of elements far smaller than the gradient's root mean square are
	// then lost in rounding.
	CompactGradient bool
	// Bounds: none; else every point that is tried is moved into them before it
	// is evaluated.
	Bounds Bounds
	// Smoothing: none; else what the inverse Hessian begins with.
	Smoothing Smoothing
	// Hold: none; else what makes those elements of a direction zero that aren't to move,
	// of which the gradient has zeros. A smoothing would move them along with others.
	Hold func(direction Vector) error
}

func (o LBFGSOptions) withDefaults() LBFGSOptions {
	if o.History <= 0 {
		o.History = 10
	}
	if o.Evaluations <= 0 {
		o.Evaluations = 20
	}
	setDefault(&o.FirstStep, 0.01)
	setDefault(&o.Decrease, 1e-4)
	setDefault(&o.Curvature, 0.9)
	return o
}

// ElementBytes is how many bytes L-BFGS takes of a device for each element of the point:
// three vectors, of which one or two may be compact, the history, and where the pairs
// aren't compact, room for another.
func (o LBFGSOptions) ElementBytes(on Vectors) int64 {
	o = o.withDefaults()
	if o.Compact && on.Compact() != nil {
		gradient := int64(4)
		if o.CompactGradient {
			gradient = 2
		}
		return 4 + gradient + 2 + int64(o.History)*2*2
	}
	return 3*4 + int64(o.History+1)*2*4
}

// LBFGS is the limited-memory BFGS method: Nocedal and Wright, "Numerical
// Optimization", second edition 2006, algorithm 7.4 (two-loop recursion, page
// 178) with the scaling of equation 7.20, and steps that fulfil the Wolfe
// conditions (equation 3.6, page 34).
//
// With bounds, the line search follows the projected path P(x + t·d), and both
// Wolfe conditions are measured along the step s = P(x + t·d) − x that it really
// takes (Bertsekas 1976, "On the Goldstein–Levitin–Polyak gradient projection
// method"). So what is evaluated is what is kept, the pairs in the history are
// those of points within the bounds, and steepest descent always goes downhill
// along the path. Moving the point into the bounds after the search instead
// would undo decrease that the search had found.
//
// The last evaluation in a step is always at the point where the step ends.
type LBFGS struct {
	vectors         Vectors
	compact         CompactVectors // nil where pairs are in float32
	options         LBFGSOptions
	point, gradient Vector
	here            evaluation // at the point, once evaluated
	evaluated       bool

	origin, originGradient, direction Vector

	pairs []Curvature // from the oldest to the newest
	next  Curvature   // room for the next one; compact, none once the history is full
	// dropped are pairs that this step does without, which come back where it fails.
	dropped []Curvature

	stride float64 // root mean square of the last step, 0 before the first
}

// Curvature is one step and what it did to the gradient.
type Curvature struct {
	Step, Change    Vector  // s and y
	Product, Square float64 // sᵀy and yᵀMy
}

var _ Optimiser = (*LBFGS)(nil)

// minimumCurvature is the least sᵀy/(|s||y|) that a pair must have to enter the
// history; at or below zero the matrix it stands for isn't positive definite
// (page 137), and just above, float32 gradients make it noise.
const minimumCurvature = 1e-8

// resolution is the least fall of the loss, as a share of it, that a search looks for:
// what float32 objectives can't tell from rounding.
const resolution = 1e-9

// NewLBFGS returns an optimiser of point by the gradient that the objective
// leaves in gradient.
func NewLBFGS(vectors Vectors, point, gradient Vector, o LBFGSOptions) (*LBFGS, error) {
	l := &LBFGS{vectors: vectors, options: o.withDefaults()}
	if o.Compact {
		l.compact = vectors.Compact()
	}
	if err := l.attach(point, gradient); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *LBFGS) attach(point, gradient Vector) error {
	if err := checkPair(point, gradient); err != nil {
		return err
	}
	n := point.Len()
	var err error
	if l.origin, err = l.vectors.NewVector(n); err == nil {
		l.direction, err = l.newKept(n)
	}
	if err == nil && l.options.CompactGradient {
		l.originGradient, err = l.newKept(n)
	} else if err == nil {
		l.originGradient, err = l.vectors.NewVector(n)
	}
	if err != nil {
		l.Close()
		return fmt.Errorf("optim: memory for l-bfgs: %w", err)
	}
	l.point, l.gradient = point, gradient
	l.evaluated, l.stride = false, 0
	return nil
}

// Rescale starts afresh: pairs of another resolution describe another function.
func (l *LBFGS) Rescale(point, gradient Vector, width, height int, _ Resampler) error {
	l.Close()
	l.options.Smoothing.Width, l.options.Smoothing.Height = width, height
	return l.attach(point, gradient)
}

// Close implements Optimiser.
func (l *LBFGS) Close() {
	l.forget()
	free(l.vectors, l.origin, l.originGradient, l.direction, l.next.Step, l.next.Change)
	l.origin, l.originGradient, l.direction, l.next = nil, nil, nil, Curvature{}
}

// forget frees the history.
func (l *LBFGS) forget() {
	l.free(l.pairs)
	l.pairs = nil
}

func (l *LBFGS) free(pairs []Curvature) {
	for _, p := range pairs {
		free(l.vectors, p.Step, p.Change)
	}
}

// Renew makes the next step evaluate its point again. The history stays: each of
// its pairs is of one function, and those of functions of a kind are alike.
func (l *LBFGS) Renew() { l.evaluated = false }

// Step makes one line search along the quasi-Newton direction. Where that finds
// nothing, the history is dropped and steepest descent is tried.
func (l *LBFGS) Step(objective Objective) (Report, error) {
	evaluations := 0
	counted := func() (float64, error) {
		evaluations++
		return objective()
	}
	if err := l.prepare(counted); err != nil {
		return Report{Evaluations: evaluations}, err
	}
	before, began := evaluations, l.here
	moved, err := l.descend(counted)
	if err == nil && !moved {
		err = l.restore(counted, evaluations > before)
	}
	if err != nil {
		l.vectors.Copy(l.point, l.origin)
		l.vectors.Copy(l.gradient, l.originGradient)
		l.here = began
		l.pairs, l.dropped = append(l.pairs, l.dropped...), nil
		return Report{Evaluations: evaluations}, err
	}
	l.free(l.dropped)
	l.dropped = nil
	return Report{
		Loss: l.here.loss, GradientNorm: l.here.norm,
		Evaluations: evaluations, Stationary: !moved,
	}, nil
}

// prepare evaluates the point unless the last step did, and marks it as the
// origin of this step.
func (l *LBFGS) prepare(objective Objective) error {
	if !l.evaluated {
		l.options.Bounds.apply(l.vectors, l.point)
		e, err := evaluate(l.vectors, l.gradient, objective)
		if err != nil {
			return err
		}
		l.here, l.evaluated = e, true
	}
	l.vectors.Copy(l.origin, l.point)
	l.keepGradient()
	if l.next.Step != nil || l.compact != nil && len(l.pairs) == l.options.History {
		return nil
	}
	var err error
	l.next, err = l.newPair()
	return err
}

// keepGradient keeps the gradient of the origin. Rounded once, it stays the same where it
// is put back into its place and kept again.
func (l *LBFGS) keepGradient() {
	if c, ok := l.originGradient.(*Compact); ok {
		l.compact.Pack(c, unitFor(l.here.norm*l.here.norm, c.Len()), l.gradient, nil)
		return
	}
	l.vectors.Copy(l.originGradient, l.gradient)
}

// newPair returns a pair of zeros.
func (l *LBFGS) newPair() (p Curvature, err error) {
	if p.Step, err = l.newKept(l.point.Len()); err == nil {
		p.Change, err = l.newKept(l.point.Len())
	}
	if err != nil {
		free(l.vectors, p.Step)
		return Curvature{}, fmt.Errorf("optim: memory for the history of l-bfgs: %w", err)
	}
	return p, nil
}

// newKept returns n zeros, kept as the pairs are.
func (l *LBFGS) newKept(n int) (Vector, error) {
	if l.compact == nil {
		return l.vectors.NewVector(n)
	}
	v, err := l.compact.NewCompact(n)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// descend searches along the quasi-Newton direction and then, if need be, along
// the gradient.
func (l *LBFGS) descend(objective Objective) (moved bool, err error) {
	for {
		if err := l.findDirection(); err != nil {
			return false, err
		}
		moved, err := l.search(objective)
		if err == nil && moved {
			return true, l.remember()
		}
		var notFinite *NonFiniteError
		if err != nil && !errors.As(err, &notFinite) || len(l.pairs) == 0 {
			return false, err
		}
		l.pairs, l.dropped = nil, l.pairs
	}
}

// restore goes back to the origin after a search in vain, and evaluates it again
// if other points were evaluated since.
func (l *LBFGS) restore(objective Objective, evaluatedSince bool) error {
	l.vectors.Copy(l.point, l.origin)
	if !evaluatedSince {
		l.vectors.Copy(l.gradient, l.originGradient) // where a direction may be
		return nil
	}
	e, err := evaluate(l.vectors, l.gradient, objective)
	if err == nil {
		l.here = e
	}
	return err
}

// findDirection computes −H·g by the two-loop recursion.
func (l *LBFGS) findDirection() error {
	smoothing := l.options.Smoothing
	if l.compact == nil {
		l.vectors.Copy(l.direction, l.originGradient)
		if err := l.vectors.TwoLoop(l.direction, l.next.Step, l.pairs, smoothing); err != nil {
			return err
		}
		return l.hold(l.direction)
	}
	q := l.gradient // which every evaluation writes anew
	l.vectors.Copy(q, l.originGradient)
	if err := l.vectors.TwoLoop(q, l.direction, l.pairs, smoothing); err != nil {
		return err
	}
	if err := l.hold(q); err != nil {
		return err
	}
	square, err := l.vectors.Dot(q, q)
	l.compact.Pack(l.direction.(*Compact), unitFor(square, q.Len()), q, nil)
	return err
}

func (l *LBFGS) hold(direction Vector) error {
	if l.options.Hold == nil {
		return nil
	}
	return l.options.Hold(direction)
}

// TwoLoop computes q = −H·q by the two-loop recursion, H being what a history, from
// the oldest pair to the newest, makes of the inverse Hessian; without one it is the M of
// the smoothing. It is made of the other operations of vectors; the room is as for Smooth.
func TwoLoop(v Vectors, q, room Vector, history []Curvature, s Smoothing) error {
	alphas := make([]float64, len(history))
	for i, p := range slices.Backward(history) {
		dot, err := v.Dot(p.Step, q)
		if err != nil {
			return err
		}
		alphas[i] = dot / p.Product
		v.AddScaled(q, -alphas[i], p.Change)
	}
	if n := len(history); n > 0 {
		v.Scale(history[n-1].Product/history[n-1].Square, q)
	}
	if !s.None() {
		if err := v.Smooth(q, room, s); err != nil {
			return err
		}
	}
	for i, p := range history {
		dot, err := v.Dot(p.Change, q)
		if err != nil {
			return err
		}
		v.AddScaled(q, alphas[i]-dot/p.Product, p.Step)
	}
	v.Scale(-1, q)
	return nil
}

// remember takes the step just made into the history, unless its curvature is
// too small.
func (l *LBFGS) remember() error {
	if l.compact != nil {
		return l.rememberCompact()
	}
	v, p := l.vectors, l.next
	v.Copy(p.Change, l.gradient)
	v.AddScaled(p.Change, -1, l.originGradient)
	curved, err := l.measure(&p)
	if err != nil || !curved {
		return err
	}
	l.next = Curvature{}
	if len(l.pairs) == l.options.History {
		l.next = l.pairs[0]
		l.pairs = append(l.pairs[:0], l.pairs[1:]...)
	}
	l.pairs = append(l.pairs, p)
	return nil
}

// measure fills in the products of a pair, and tells whether its curvature is large enough.
// The direction is lost.
func (l *LBFGS) measure(p *Curvature) (curved bool, err error) {
	if m, ok := l.vectors.(Measurer); ok {
		ss, sy, yy, smoothed, err := m.Measure(p.Step, p.Change, l.direction, l.options.Smoothing)
		p.Product, p.Square = sy, smoothed
		return l.curved(ss, sy, yy), err
	}
	dots, err := l.vectors.Dots([2]Vector{p.Step, p.Change}, [2]Vector{p.Step, p.Step}, [2]Vector{p.Change, p.Change})
	if err != nil {
		return false, err
	}
	if p.Product = dots[0]; !l.curved(dots[1], dots[0], dots[2]) {
		return false, nil
	}
	p.Square, err = l.smoothedSquare(p.Change, dots[2])
	return true, err
}

// smoothedSquare returns yᵀMy of a change of the gradient, given yᵀy. The direction is lost.
func (l *LBFGS) smoothedSquare(change Vector, square float64) (float64, error) {
	if l.options.Smoothing.None() {
		return square, nil
	}
	return l.vectors.SmoothedSquare(change, l.direction, l.options.Smoothing)
}

// curved tells whether a pair's curvature is large enough, given sᵀs, sᵀy and yᵀy, and
// notes how long the step was.
func (l *LBFGS) curved(ss, sy, yy float64) bool {
	l.stride = math.Sqrt(ss / float64(l.point.Len()))
	return sy > minimumCurvature*math.Sqrt(ss*yy)
}

// rememberCompact is remember for pairs that are kept compact. They are made right where
// they are kept, which of a full history is in the place of the oldest.
func (l *LBFGS) rememberCompact() error {
	c, n := l.compact, l.point.Len()
	ss, sy, yy, err := c.DotDifferences(l.point, l.origin, l.gradient, l.originGradient)
	if err != nil || !l.curved(ss, sy, yy) {
		return err
	}
	p := l.next
	switch last := len(l.dropped) - 1; {
	case p.Step != nil:
		l.next = Curvature{}
	case len(l.pairs) > 0:
		p = l.pairs[0]
		l.pairs = append(l.pairs[:0], l.pairs[1:]...)
	default: // after steepest descent
		p, l.dropped = l.dropped[last], l.dropped[:last]
	}
	c.Pack(p.Step.(*Compact), unitFor(ss, n), l.point, l.origin)
	c.Pack(p.Change.(*Compact), unitFor(yy, n), l.gradient, l.originGradient)
	dots, err := c.Dots([2]Vector{p.Step, p.Change}, [2]Vector{p.Change, p.Change})
	if err == nil && dots[0] > 0 {
		p.Product = dots[0]
		if p.Square, err = l.smoothedSquare(p.Change, dots[1]); err == nil {
			l.pairs = append(l.pairs, p)
			return nil
		}
	}
	l.next = p // rounding left nothing of the curvature
	return err
}
