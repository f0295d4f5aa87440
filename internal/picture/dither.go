package picture

import (
	"math"
	"math/rand/v2"
	"sync"
)

// quantiser rounds a value in 0–1 of a channel (0–2 are colours, 3 is alpha) of the pixel at
// x, y to a level.
type quantiser func(v float32, x, y, channel int) uint32

// quantiser is that of the depth and of Dither.
func (o SaveOptions) quantiser() quantiser {
	switch {
	case o.Depth == 16:
		return func(v float32, _, _, _ int) uint32 { return level(v, math.MaxUint16) }
	case o.Dither:
		return dither(o.Seed)
	}
	return func(v float32, _, _, _ int) uint32 { return level(v, math.MaxUint8) }
}

// dither rounds colours to 8 bits up or down, by thresholds of blue noise, so that their
// mean over some pixels is the value's. Levels that a value hits stay as they are. Each
// channel has the mask shifted, by the seed.
//
// Of ways in which a pixel doesn't depend on others, this one leaves the least that is seen
// without making a pattern. Of a ramp of ten levels over 1024 pixels, what was left after a
// Gaussian blur of 1.5 pixels, as the eye blurs, was, root mean square, in levels:
//
//	rounding                    0.270
//	white noise                 0.078
//	Roberts' R2 sequence        0.022, in stripes
//	interleaved gradient noise  0.020, in stripes
//	Bayer's matrix of 8×8       0.019, in squares
//	blue noise of 64×64         0.019
//	Floyd and Steinberg         0.015, in worms, row after row
func dither(seed uint64) quantiser {
	const side = blueNoiseSide
	mask := blueNoise()
	var shifts [3]int
	for channel := range shifts {
		shifts[channel] = rand.New(rand.NewPCG(seed, uint64(channel))).IntN(side * side)
	}
	return func(v float32, x, y, channel int) uint32 {
		if channel >= len(shifts) {
			return level(v, math.MaxUint8)
		}
		shift := shifts[channel]
		threshold := mask[(y+shift/side)%side*side+(x+shift)%side]
		return uint32(float32(unit(v)*math.MaxUint8) + threshold)
	}
}

const (
	blueNoiseSide = 64
	// blueNoiseSigma is the width of the Gaussian by which points are close to each other.
	blueNoiseSigma = 1.9
)

// blueNoise is a mask of thresholds between 0 and 1, each of which occurs once, that
// repeats without seams. However many of the lowest are taken, they are spread evenly: the
// method of void and cluster (Ulichney, 1993). Distances are counted in whole numbers, so
// that every processor makes the same mask.
var blueNoise = sync.OnceValue(func() []float32 {
	const side, count = blueNoiseSide, blueNoiseSide * blueNoiseSide
	c := crowd{taken: make([]bool, count), crowding: make([]int64, count)}
	c.measure()
	random := rand.New(rand.NewPCG(1, 2))
	first := count / 10
	for n := 0; n < first; {
		if i := random.IntN(count); !c.taken[i] {
			c.set(i, true)
			n++
		}
	}
	for { // until moving a point out of the closest crowd brings it back there
		from := c.closest()
		c.set(from, false)
		to := c.emptiest()
		c.set(to, true)
		if from == to {
			break
		}
	}
	thresholds := make([]float32, count)
	put := func(i, rank int) { thresholds[i] = (float32(rank) + 0.5) / count }
	less := c.clone()
	for rank := first - 1; rank >= 0; rank-- {
		i := less.closest()
		less.set(i, false)
		put(i, rank)
	}
	for rank := first; rank < count; rank++ {
		i := c.emptiest()
		c.set(i, true)
		put(i, rank)
	}
	return thresholds
})

// crowd is some points of a square that goes on at its other side.
type crowd struct {
	taken    []bool
	crowding []int64 // of each place: the sum of what the points do there
	reach    []int64 // what a point at the first place does at each
}

func (c *crowd) measure() {
	const side = blueNoiseSide
	c.reach = make([]int64, side*side)
	for i := range c.reach {
		x, y := i%side, i/side
		x, y = min(x, side-x), min(y, side-y)
		c.reach[i] = int64(math.Round((1 << 16) * math.Exp(-float64(x*x+y*y)/(2*blueNoiseSigma*blueNoiseSigma))))
	}
}

func (c crowd) clone() crowd {
	return crowd{append([]bool(nil), c.taken...), append([]int64(nil), c.crowding...), c.reach}
}

// set puts a point to a place or takes it away.
func (c crowd) set(i int, taken bool) {
	const side = blueNoiseSide
	c.taken[i] = taken
	sign := int64(1)
	if !taken {
		sign = -1
	}
	for j := range c.crowding {
		c.crowding[j] += sign * c.reach[(j/side-i/side+side)%side*side+(j-i+side*side)%side]
	}
}

// closest is the point with the most of others around it.
func (c crowd) closest() int { return c.extreme(true, 1) }

// emptiest is the place without a point that has the least of them around it.
func (c crowd) emptiest() int { return c.extreme(false, -1) }

func (c crowd) extreme(taken bool, sign int64) int {
	best := -1
	for i, is := range c.taken {
		if is == taken && (best < 0 || sign*c.crowding[i] > sign*c.crowding[best]) {
			best = i
		}
	}
	return best
}
