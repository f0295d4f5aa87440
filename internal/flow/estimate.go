package flow

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"impasto/internal/flow/kernels"
)

// Options say how flow is estimated. Start from DefaultOptions.
type Options struct {
	// Stride is by how many pixels patches are apart, 1 to 8.
	Stride int
	// Iterations are the most steps of a patch's search at each level, in each of two
	// passes.
	Iterations int
	// Finest is the level at which the search ends, 0 for that of the pictures; at those
	// beyond, the field is only refined.
	Finest int
	// Rounds are those of the refinement at each level, in each of which so many Relaxations
	// are made at the level of the pictures, and more at others. None leave it out.
	Rounds, Relaxations int
	Threads             int // 0 uses every core
}

// DefaultOptions are a good compromise of exactness and time.
func DefaultOptions() Options {
	return Options{Stride: 4, Iterations: 2, Finest: 0, Rounds: 3, Relaxations: 3}
}

// Estimator estimates flow between pictures of one size, in memory that it keeps. It is for
// one goroutine at a time.
type Estimator struct {
	options Options
	set     *kernels.Set
	levels  []*level
	zeros   []float32 // a row
}

// level is the memory for one size of pictures.
type level struct {
	size
	patches    *patches // nil where nothing is searched
	refinement *refinement
}

// NewEstimator makes an Estimator for pictures of a size, at least 8×8. It fails on others,
// and on options out of range.
func NewEstimator(width, height int, o Options) (*Estimator, error) {
	if width < patchSide || height < patchSide {
		return nil, fmt.Errorf("flow: pictures of %d×%d, want %d pixels a side at least", width, height, patchSide)
	}
	if o.Stride < 1 || o.Stride > patchSide || o.Iterations < 1 || o.Finest < 0 || o.Rounds < 0 || o.Relaxations < 0 || o.Threads < 0 {
		return nil, fmt.Errorf("flow: options %+v are out of range", o)
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	set, err := kernels.Best()
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	e := &Estimator{options: o, set: set}
	for i, s := range sizes(width, height) {
		e.levels = append(e.levels, &level{size: s, refinement: newRefinement(s, relaxationsAt(i, o))})
	}
	for _, l := range e.levels[e.finest():] {
		l.patches = newPatches(l.size, o.Stride)
	}
	e.zeros = make([]float32, e.levels[0].refinement.flow[0].u.stride)
	return e, nil
}

// relaxationsAt are those of a round at a level, 0 for that of the pictures. At coarser ones
// there are more: they take little time there, and carry motion far into plain areas, which
// have none of their own.
func relaxationsAt(level int, o Options) int {
	if o.Relaxations == 0 {
		return 0
	}
	return o.Relaxations + 3*level*level
}

// finest is the level at which the search ends.
func (e *Estimator) finest() int { return min(e.options.Finest, len(e.levels)-1) }

// Flow returns the flow from a first picture to a second. It fails on frames of an Estimator
// for another size or with other options, and where ctx ends.
func (e *Estimator) Flow(ctx context.Context, first, second *Frame) (Field, error) {
	if !e.fits(first) || !e.fits(second) {
		return Field{}, errors.New("flow: frames of an estimator for another size or with other options, want its own")
	}
	e.prepare(first)
	var coarser *vectors
	for i := len(e.levels) - 1; i >= 0; i-- {
		if err := context.Cause(ctx); err != nil {
			return Field{}, err
		}
		l := e.levels[i]
		e.estimateLevel(l, &first.levels[i], &second.levels[i], coarser)
		coarser = &l.refinement.flow[0]
	}
	return coarser.field(), nil
}

// estimateLevel leaves the flow of a level in its refinement's flow[0], given that of the
// coarser one, or nil.
func (e *Estimator) estimateLevel(l *level, first, second *frameLevel, coarser *vectors) {
	r := l.refinement
	if l.patches != nil {
		l.patches.begin(coarser, l.size)
		s := search{e.set, l.patches, first, second}
		e.inStripes(l.patches.stripes, func(stripe int) { s.stripe(stripe, e.options.Iterations) })
		e.densify(s, r)
	} else {
		e.inRows(l.height, func(y int) { r.flow[0].resize(coarser, y) })
	}
	e.refine(r, first.grey, second.grey)
}

// Estimate returns the flow from a first picture to a second, of grey values in 0–255 (see
// Grey) and of one size, at least 8×8. It fails on others, and where ctx ends. For more than
// two pictures, an Estimator takes less time.
func Estimate(ctx context.Context, first, second Plane, o Options) (Field, error) {
	if first.Width != second.Width || first.Height != second.Height {
		return Field{}, fmt.Errorf("flow: pictures of %d×%d and %d×%d, want one size", first.Width, first.Height, second.Width, second.Height)
	}
	e, err := NewEstimator(first.Width, first.Height, o)
	if err != nil {
		return Field{}, err
	}
	from, err := e.Frame(first)
	if err != nil {
		return Field{}, err
	}
	to, err := e.Frame(second)
	if err != nil {
		return Field{}, err
	}
	return e.Flow(ctx, from, to)
}
