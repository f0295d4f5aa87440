package model

import (
	"fmt"

	"impasto/internal/cpu"
)

// How many vectors of a picture's size optimisers hold: Adam its two moments, where
// the step began and the average twice; L-BFGS ten pairs, room for another, and
// three besides.
const (
	adamVectors  = 5
	lbfgsVectors = 25
)

// picturesFit reports a size of the output of which not even the content at all
// scales fits into memory; the scales' pixels are twice the last one's.
func picturesFit(width, height int) error {
	needed := 2 * 3 * 4 * int64(width) * int64(height)
	if available, known := cpu.AvailableMemory(); known && needed > available {
		return tooLarge(width, height, needed, available)
	}
	return nil
}

// lastScaleFits reports, once the first scale is ready, that the last one won't be.
// scaling is the first one's memory that goes with its pixels, so what is
// refused can't be done; what can't be done and isn't refused here is when its scale
// is begun.
func (r *run) lastScaleFits(scaling int64) error {
	device, tells := r.engine.device.(interface{ Available() (int64, bool) })
	from, to := r.levels[0], r.levels[len(r.levels)-1]
	if !tells || len(r.levels) == 1 {
		return nil
	}
	pixels := int64(to.width) * int64(to.height)
	vectors := int64(adamVectors)
	if r.options.Optimizer == "lbfgs" {
		vectors = lbfgsVectors
	}
	needed := int64(float64(scaling)*float64(pixels)/(float64(from.width)*float64(from.height))) + vectors*3*4*pixels
	if available, known := device.Available(); known && needed > available+scaling {
		return tooLarge(to.width, to.height, needed, available+scaling)
	}
	return nil
}

func tooLarge(width, height int, needed, available int64) error {
	return &OptionError{"Size", fmt.Sprintf("a picture of %d×%d pixels needs more than %.0f GiB of memory, and %.1f GiB are available; choose a smaller size",
		width, height, float64(needed)/(1<<30), float64(available)/(1<<30))}
}
