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

// tileSide is the side of the square of the cost matrix that a tiled pass
// holds: 512×512 float32 values are 1 MiB, which a core's second-level cache
// has room for.
const tileSide = 512

// Tiled is the cost of one half-iteration of Sinkhorn's algorithm that makes the
// cost matrix tile by tile: 2·N²·C flop for the inner products and N²
// exponentials, with the features of both clouds (2·N·C), a norm and a
// potential of every point (4·N) and one tile in memory.
func (c Clouds) Tiled() Cost {
	n, channels := int64(c.Points), int64(c.Channels)
	return Cost{
		Bytes:     (2*n*channels + 4*n + tileSide*tileSide) * 4,
		Flop:      2 * n * n * channels,
		Other:     n * n,
		OtherKind: "exponentials",
	}
}

// Sliced is the cost of the sliced distance in some directions: 2·2·N·C flop for
// the projections and 2·N·log₂N comparisons for the sorting in every
// direction, with the features and the projections of both clouds in memory.
func (c Clouds) Sliced(directions int) Cost {
	n, channels, d := int64(c.Points), int64(c.Channels), int64(directions)
	return Cost{
		Bytes:     (2*n*channels + 2*n*d) * 4,
		Flop:      4 * n * channels * d,
		Other:     int64(2 * float64(n*d) * math.Log2(float64(n))),
		OtherKind: "comparisons",
	}
}
