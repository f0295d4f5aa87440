package pairwise

import (
	"math"

	"impasto/internal/cpu/kernels"
)

// depthMultiple is what the count of channels is filled up to a multiple of.
const depthMultiple = 8

// Cloud is N points of C channels in tiles, each channel by channel, filled up
// with zeros.
type Cloud struct {
	// Squares are the points' |x|².
	Squares []float64

	path             *path
	points, channels int
	depth            int // channels and zeros
	values           []float32
}

// NewCloud returns the memory of a cloud, for use with Engines on the same
// workers.
func NewCloud(w *kernels.Workers, points, channels int) *Cloud {
	c := &Cloud{path: pathNamed(w.Path()), points: points, channels: channels}
	c.depth = (channels + depthMultiple - 1) / depthMultiple * depthMultiple
	c.Squares = make([]float64, points)
	c.values = make([]float32, c.tiles()*c.tileSize())
	return c
}

// Points is N.
func (c *Cloud) Points() int { return c.points }

// Channels is C.
func (c *Cloud) Channels() int { return c.channels }

func (c *Cloud) tiles() int { return (c.points + c.path.width() - 1) / c.path.width() }

func (c *Cloud) tileSize() int { return c.depth * c.path.width() }

func (c *Cloud) tile(i int) []float32 { return c.values[i*c.tileSize() : (i+1)*c.tileSize()] }

// Source is where the points of a cloud come from.
type Source struct {
	Features  []float32 // C planes of values
	Positions []int32   // of the points in each plane; nil takes the first N
	Centre    []float64 // is subtracted, by channel; nil for zero
	Unit      bool      // scales points to length 1, except zeros
}

// Fill takes the points from a source and reports whether any is new.
func (c *Cloud) Fill(w *kernels.Workers, from Source) (changed bool) {
	fresh := make([]bool, c.tiles())
	w.Run(c.tiles(), func(i int) { fresh[i] = c.fillTile(i, from) })
	for _, f := range fresh {
		changed = changed || f
	}
	return changed
}

func (c *Cloud) fillTile(tile int, from Source) (changed bool) {
	width, plane := c.path.width(), len(from.Features)/c.channels
	first := tile * width
	n := min(width, c.points-first)
	squares := c.Squares[first : first+n]
	var room [tileVectors * 16]float64
	sums := room[:n]
	row := func(channel, i int) float64 {
		at := first + i
		if from.Positions != nil {
			at = int(from.Positions[at])
		}
		x := float64(from.Features[channel*plane+at])
		if from.Centre != nil {
			x -= from.Centre[channel]
		}
		return x
	}
	for channel := range c.channels {
		for i := range sums {
			x := row(channel, i)
			sums[i] += x * x
		}
	}
	for channel := range c.channels {
		to := c.tile(tile)[channel*width : channel*width+n]
		for i := range to {
			x := row(channel, i)
			if from.Unit && sums[i] > 0 {
				x /= math.Sqrt(sums[i])
			}
			if y := float32(x); y != to[i] {
				to[i], changed = y, true
			}
		}
	}
	for i, s := range sums {
		if from.Unit && s > 0 {
			s = 1
		}
		squares[i] = s
	}
	return changed
}
