package pairwise

import (
	"math"

	"impasto/internal/cpu/kernels"
)

// The count of channels of a tile is a multiple of depthMultiple.
const depthMultiple = 8

// Cloud is N points of C channels, in tiles that are stored channel by channel and
// filled up with zeros.
type Cloud struct {
	// Squares are |x|² of the points as they are stored.
	Squares []float64

	isa              *isa
	points, channels int
	depth            int // channels and zeros
	values           []float32
}

// NewCloud returns a cloud of zeros, for use with Engines on the same workers.
func NewCloud(w *kernels.Workers, points, channels int) *Cloud {
	c := &Cloud{isa: isaNamed(w.ISA()), points: points, channels: channels}
	c.depth = (channels + depthMultiple - 1) / depthMultiple * depthMultiple
	c.Squares = make([]float64, points)
	c.values = make([]float32, c.tiles()*c.tileSize())
	return c
}

// Points is N.
func (c *Cloud) Points() int { return c.points }

func (c *Cloud) tiles() int { return (c.points + c.isa.width() - 1) / c.isa.width() }

func (c *Cloud) tileSize() int { return c.depth * c.isa.width() }

func (c *Cloud) tile(i int) []float32 { return c.values[i*c.tileSize() : (i+1)*c.tileSize()] }

// Source is where the points of a cloud come from.
type Source struct {
	Features  []float32 // C planes of values
	Positions []int32   // of the points in each plane; nil takes the first N
	Centre    []float64 // to subtract, by channel; nil for zero
	Unit      bool      // scales points to length 1, except zeros
}

// Fill takes the points from a source and reports whether any has changed.
func (c *Cloud) Fill(w *kernels.Workers, from Source) (changed bool) {
	fresh := make([]bool, c.tiles())
	w.Run(c.tiles(), func(i int) { fresh[i] = c.fillTile(i, from) })
	for _, f := range fresh {
		changed = changed || f
	}
	return changed
}

// fillTile is Fill for one tile.
func (c *Cloud) fillTile(tile int, from Source) (changed bool) {
	width, plane := c.isa.width(), len(from.Features)/c.channels
	first := tile * width
	n := min(width, c.points-first)
	squares := c.Squares[first : first+n]
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
	var factors [tileVectors * 16]float64
	for i := range n {
		factors[i] = 1
	}
	if from.Unit {
		for i := range n {
			var sum float64
			for channel := range c.channels {
				sum += row(channel, i) * row(channel, i)
			}
			if sum > 0 {
				factors[i] = 1 / math.Sqrt(sum)
			}
		}
	}
	clear(squares)
	for channel := range c.channels {
		to := c.tile(tile)[channel*width : channel*width+n]
		for i := range to {
			x := float32(row(channel, i) * factors[i])
			if x != to[i] {
				to[i], changed = x, true
			}
			squares[i] += float64(x) * float64(x)
		}
	}
	return changed
}

// Each calls take with the points of every tile, numbers first … first+n−1, on any
// thread. The points are stored channel by channel, with stride values from one
// channel to the next.
func (c *Cloud) Each(w *kernels.Workers, take func(first, n, stride int, points []float32)) {
	width := c.isa.width()
	w.Run(c.tiles(), func(i int) { take(i*width, min(width, c.points-i*width), width, c.tile(i)) })
}

// Tile is the tile that begins with point number first, channel by channel.
func (c *Cloud) Tile(first int) []float32 { return c.tile(first / c.isa.width()) }
