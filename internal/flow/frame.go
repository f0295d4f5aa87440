package flow

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"impasto/internal/flow/kernels"
)

// Frame is a picture as an Estimator needs it: at all sizes, and from the first flow from it
// on with what the search needs. It serves for every flow from the picture and to it.
// Goroutines may share it.
type Frame struct {
	options Options
	levels  []frameLevel

	prepared sync.Once
}

// frameLevel is a picture at one size.
type frameLevel struct {
	grey           sheet
	acrossX, downY sheet    // derivatives, where the search comes to, once prepared
	tensors        []tensor // of the patches, row by row, likewise
}

// size is that of a level.
type size struct{ width, height int }

// sizes are those of the pictures from a size on, down to where patches are a fair part of
// them: to the level at which the longer side has some four patches, and the shorter one at
// least one.
func sizes(width, height int) []size {
	long, short := float64(max(width, height)), float64(min(width, height))
	coarsest := int(min(math.Log2(long/(4*patchSide))+0.5, math.Log2(short/patchSide)))
	all := []size{{width, height}}
	for range max(coarsest, 0) {
		width, height = width/2, height/2
		all = append(all, size{width, height})
	}
	return all
}

// Frame makes a picture of grey values in 0–255 (see Grey) ready. It fails where that isn't
// of the Estimator's size, and on other values.
func (e *Estimator) Frame(picture Plane) (*Frame, error) {
	full := e.levels[0]
	if picture.Width != full.width || picture.Height != full.height || len(picture.Values) != full.width*full.height {
		return nil, fmt.Errorf("flow: a picture of %d×%d and %d values, want %d×%d", picture.Width, picture.Height, len(picture.Values), full.width, full.height)
	}
	for i, v := range picture.Values {
		if !(v >= -1 && v <= 256) { // some more than 0–255, for rounding
			return nil, fmt.Errorf("flow: value %d of a picture is %v, want 0–255", i, v)
		}
	}
	f := &Frame{options: e.options}
	for i, l := range e.levels {
		of := frameLevel{grey: newSheet(l.width, l.height)}
		if i == 0 {
			for y := range l.height {
				copy(of.grey.row(y), picture.row(y))
			}
		} else {
			of.grey.halve(f.levels[i-1].grey)
		}
		of.grey.surround()
		f.levels = append(f.levels, of)
	}
	return f, nil
}

// prepare adds to a frame what the search for its patches needs, where it isn't there yet.
func (e *Estimator) prepare(f *Frame) {
	f.prepared.Do(func() {
		for i := e.finest(); i < len(e.levels); i++ {
			e.prepareLevel(&f.levels[i], e.levels[i].patches)
		}
	})
}

func (e *Estimator) prepareLevel(of *frameLevel, p *patches) {
	of.acrossX, of.downY = newSheet(of.grey.width, of.grey.height), newSheet(of.grey.width, of.grey.height)
	e.inRows(of.grey.height, func(y int) {
		e.across(of.acrossX.from(0, y), kernels.Block, of.grey, y)
		e.down(of.downY.from(0, y), kernels.Block, of.grey, y)
	})
	of.tensors = make([]tensor, len(p.xs)*len(p.ys))
	e.inStripes(len(p.ys), func(j int) {
		sums := make([]float32, kernels.Moments*patchSide)
		for i, x := range p.xs {
			e.set.Moments(sums, of.acrossX.from(x, p.ys[j]), of.downY.from(x, p.ys[j]), of.acrossX.stride, patchSide)
			of.tensors[j*len(p.xs)+i] = tensorOf(sums)
		}
	})
}

// across is the derivative along a row of a sheet with a border, for blocks that are step
// values apart.
func (e *Estimator) across(to []float32, step int, s sheet, y int) {
	e.set.Central(to, s.from(-2, y), s.from(-1, y), s.from(1, y), s.from(2, y), step, blocksOf(s.width))
}

// down is the derivative down the columns likewise, where the outermost rows are repeated.
func (e *Estimator) down(to []float32, step int, s sheet, y int) {
	e.set.Central(to, s.clamped(y-2), s.clamped(y-1), s.clamped(y+1), s.clamped(y+2), step, blocksOf(s.width))
}

// fits says whether a frame is one of an Estimator with the same options and size.
func (e *Estimator) fits(f *Frame) bool {
	return f != nil && f.options == e.options && slices.EqualFunc(f.levels, e.levels, func(a frameLevel, b *level) bool {
		return a.grey.width == b.width && a.grey.height == b.height
	})
}
