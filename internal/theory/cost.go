package theory

import "math"

// Clouds are two sets of feature vectors that optimal transport compares.
type Clouds struct {
	Points   int // of each picture: the positions of a layer, its height times its width
	Channels int
}

// EssayClouds are those that the essay counts with: relu1_1 of two pictures of
// 224×224 pixels.
func EssayClouds() Clouds {
	return Clouds{Points: 224 * 224, Channels: 64}
}

// Cost is what one evaluation needs.
type Cost struct {
	Bytes     int64 // of working memory, in float32
	Flop      int64 // floating-point additions and multiplications
	Other     int64 // operations of another kind, named by OtherKind
	OtherKind string
}

// EarthMover is the cost of the full earth mover's distance as the essay counts
// it: N²·C differences held at once, 4 bytes each, and an assignment in N³.
func (c Clouds) EarthMover() Cost {
	n, channels := int64(c.Points), int64(c.Channels)
	return Cost{Bytes: n * n * channels * 4, Flop: n * n * n}
}

// Tiled is the cost of one half-iteration of Sinkhorn's algorithm that makes the
// cost matrix tile by tile, as package pairwise does, which sums a tile up while
// it is in registers: 2·N²·C flop for the inner products and N² exponentials,
// with the features of both clouds (2·N·C) in memory, and a norm and a potential
// of every point in float64 (4·N, two places of float32 each).
func (c Clouds) Tiled() Cost {
	n, channels := int64(c.Points), int64(c.Channels)
	return Cost{
		Bytes:     (2*n*channels + 8*n) * 4,
		Flop:      2 * n * n * channels,
		Other:     n * n,
		OtherKind: "exponentials",
	}
}

// slicedBlock is how many directions the target is projected on at a time.
const slicedBlock = 16

// Sliced is the cost of the sliced distance in some directions with its gradient:
// 2·2·N·C flop for the projections, 2·N·C for the gradient and 2·N·log₂N
// comparisons for the sorting in every direction. In memory are the features of
// both clouds and the gradient (3·N·C), in whose place the projections of the one
// stand until it is made, and those of the other on a block of 16 directions; so
// memory doesn't grow with their number.
func (c Clouds) Sliced(directions int) Cost {
	n, channels, d := int64(c.Points), int64(c.Channels), int64(directions)
	return Cost{
		Bytes:     (3*n*channels + n*min(d, slicedBlock)) * 4,
		Flop:      6 * n * channels * d,
		Other:     int64(2 * float64(n*d) * math.Log2(float64(n))),
		OtherKind: "comparisons",
	}
}
