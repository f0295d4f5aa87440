package flow

import (
	"context"
	"fmt"
	"runtime"
)

// Options say how flow is estimated. Start from DefaultOptions.
type Options struct {
	// Stride is by how many pixels patches are apart, 1 to 8.
	Stride int
	// Iterations are the most steps of a patch's search at each level.
	Iterations int
	// Finest is the level at which the search ends, 0 for that of the pictures; at those
	// beyond, the field is only refined.
	Finest int
	// Rounds and Relaxations are those of the refinement at each level; no Rounds leave it
	// out.
	Rounds, Relaxations int
	Threads             int // 0 uses every core
}

// DefaultOptions are those of a careful estimate.
func DefaultOptions() Options {
	return Options{Stride: 4, Iterations: 16, Finest: 0, Rounds: 5, Relaxations: 5}
}

// Estimate returns the flow from a first picture to a second, of grey values in 0–255 (see
// Grey) and of one size, at least 8×8. It fails on others, and where ctx ends.
func Estimate(ctx context.Context, first, second Plane, o Options) (Field, error) {
	if first.Width != second.Width || first.Height != second.Height {
		return Field{}, fmt.Errorf("flow: pictures of %d×%d and %d×%d, want one size", first.Width, first.Height, second.Width, second.Height)
	}
	if first.Width < patchSide || first.Height < patchSide {
		return Field{}, fmt.Errorf("flow: pictures of %d×%d, want %d pixels a side at least", first.Width, first.Height, patchSide)
	}
	if o.Stride < 1 || o.Stride > patchSide || o.Iterations < 2 || o.Finest < 0 || o.Rounds < 0 || o.Relaxations < 0 || o.Threads < 0 {
		return Field{}, fmt.Errorf("flow: options %+v are out of range", o)
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	all := levels(first, second)
	finest := min(o.Finest, len(all)-1)
	var field Field
	for i := len(all) - 1; i >= 0; i-- {
		if err := context.Cause(ctx); err != nil {
			return Field{}, err
		}
		l := all[i]
		if field.Width == 0 {
			field = NewField(l.first.Width, l.first.Height)
		} else {
			field = field.resized(l.first.Width, l.first.Height)
		}
		if i >= finest {
			p := newPatches(l, field, o.Stride)
			if err := p.search(o.Threads, o.Iterations); err != nil {
				return Field{}, err
			}
			var err error
			if field, err = p.densify(o.Threads); err != nil {
				return Field{}, err
			}
		}
		if err := refine(l, field, o.Threads, o.Rounds, o.Relaxations); err != nil {
			return Field{}, err
		}
	}
	return field, nil
}
