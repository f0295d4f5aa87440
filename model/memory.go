package model

import (
	"fmt"

	"impasto/internal/memory"
)

// pictureBytes is what a picture takes: three planes of float32.
func pictureBytes(width, height int) int64 { return 3 * 4 * int64(width) * int64(height) }

// picturesFit reports a size of the output of which not even the content at all
// levels fits into memory; the levels' pixels are twice the last one's.
func picturesFit(width, height int) error {
	needed := 2 * pictureBytes(width, height)
	if available, known := memory.Available(); known && needed > available {
		return tooLarge(width, height, needed, available)
	}
	return nil
}

// lastLevelFits reports, once the first level is ready, that the last one won't be.
// taken is the first one's memory that goes with its pixels, so what is refused can't
// be done; what can't be done and isn't refused here is when its level is begun.
func (r *run) lastLevelFits(taken int64) error {
	from, to := r.levels[0], r.levels[len(r.levels)-1]
	available, known := r.extractor.Device.Available()
	if !known || len(r.levels) == 1 {
		return nil
	}
	ratio := float64(to.width) * float64(to.height) / (float64(from.width) * float64(from.height))
	needed := int64(float64(taken)*ratio) + int64(r.options.Optimizer.row().vectors)*pictureBytes(to.width, to.height)
	if needed > available+taken {
		return tooLarge(to.width, to.height, needed, available+taken)
	}
	return nil
}

func tooLarge(width, height int, needed, available int64) error {
	return &OptionError{"Size", fmt.Sprintf("a picture of %d×%d pixels needs more than %.0f GiB of memory, and %.1f GiB are available; choose a smaller size",
		width, height, float64(needed)/(1<<30), float64(available)/(1<<30))}
}
