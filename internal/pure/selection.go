package pure

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
)

// Selection says which positions of a map are looked at, and in what order. It is one
// mechanism for samples, for hard masks and for evaluating a picture in parts.
type Selection struct {
	Height, Width int // of the whole map
	// Mask are the positions that may be looked at, row·Width + column in ascending
	// order; nil stands for all.
	Mask []int32
	// Most is how many positions are drawn, one from each of as many runs of equal
	// length of those that may be looked at; all are taken where Most is 0 or there
	// are no more.
	Most int
	// Part is what a part of the map shows of the whole, and Inner those of its
	// positions that are selected by way of this part rather than another. Where Part
	// is empty, both are the whole map.
	Part, Inner image.Rectangle
	// Crop, unless empty, is the rectangle whose positions are selected, all of them and
	// row by row. There is neither mask, nor sample, nor part then.
	Crop image.Rectangle
}

// Identity tells selections apart.
func (s Selection) Identity() string {
	mask := sha256.New() // to which writing can't fail
	for some := range slices.Chunk(s.Mask, 1<<12) {
		var bytes []byte
		for _, position := range some {
			bytes = binary.LittleEndian.AppendUint32(bytes, uint32(position))
		}
		mask.Write(bytes)
	}
	return fmt.Sprintf("pure.Selection{%d×%d, masked %t of %d %x, most %d, part %v, inner %v, crop %v}",
		s.Height, s.Width, s.Mask != nil, len(s.Mask), mask.Sum(nil), s.Most, s.Part, s.Inner, s.Crop)
}

// Shown is what the selection's input has of the whole map.
func (s Selection) Shown() image.Rectangle {
	if s.Part.Empty() {
		return image.Rect(0, 0, s.Width, s.Height)
	}
	return s.Part
}

// allowed is how many positions may be looked at.
func (s Selection) allowed() int {
	switch {
	case s.Mask != nil:
		return len(s.Mask)
	case !s.Crop.Empty():
		return s.Crop.Dx() * s.Crop.Dy()
	}
	return s.Height * s.Width
}

// Count is how many positions are selected, K.
func (s Selection) Count() int {
	if s.Most == 0 {
		return s.allowed()
	}
	return min(s.allowed(), s.Most)
}

// Draws tells whether the positions depend on a key.
func (s Selection) Draws() bool { return s.Count() < s.allowed() }

// All tells whether the selection is the whole map as it is.
func (s Selection) All() bool {
	return s.Mask == nil && !s.Draws() && s.Part.Empty() && s.Crop.Empty()
}

// Positions returns the selected positions of the whole map, by the key. Maps of one
// size have the same, so that a map is at no distance from itself.
func (s Selection) Positions(key float64) []int32 {
	n, count := s.allowed(), s.Count()
	positions := make([]int32, count)
	random := rand.New(rand.NewPCG(math.Float64bits(key), 1))
	for i := range positions {
		at := i
		if count < n {
			first, end := i*n/count, (i+1)*n/count
			at = first + random.IntN(end-first)
		}
		switch {
		case s.Mask != nil:
			at = int(s.Mask[at])
		case !s.Crop.Empty():
			at = (s.Crop.Min.Y+at/s.Crop.Dx())*s.Width + s.Crop.Min.X + at%s.Crop.Dx()
		}
		positions[i] = int32(at)
	}
	return positions
}

// Places returns where the selected positions are in the selection's input, −1 for
// those that other parts select.
func (s Selection) Places(key float64) []int32 {
	places := s.Positions(key)
	if s.Part.Empty() {
		return places
	}
	for i, position := range places {
		at := image.Pt(int(position)%s.Width, int(position)/s.Width)
		places[i] = -1
		if at.In(s.Inner) {
			places[i] = int32((at.Y-s.Part.Min.Y)*s.Part.Dx() + at.X - s.Part.Min.X)
		}
	}
	return places
}

// Select computes y (C×K) from x (C×N): its columns at places, zero for −1.
func Select[T Float](y, x []T, places []int32, channels int) {
	n, k := len(x)/channels, len(places)
	for c := range channels {
		SelectRow(y[c*k:(c+1)*k], x[c*n:(c+1)*n], places)
	}
}

// SelectRow is Select for one channel.
func SelectRow[T Float](y, x []T, places []int32) {
	for i, at := range places {
		y[i] = 0
		if at >= 0 {
			y[i] = x[at]
		}
	}
}

// SelectGradient computes dx (C×N) from dy (C×K): dy at the places, else zero.
func SelectGradient[T Float](dx, dy []T, places []int32, channels int) {
	n, k := len(dx)/channels, len(places)
	for c := range channels {
		SelectRowGradient(dx[c*n:(c+1)*n], dy[c*k:(c+1)*k], places)
	}
}

// SelectRowGradient is SelectGradient for one channel.
func SelectRowGradient[T Float](dx, dy []T, places []int32) {
	clear(dx)
	for i, at := range places {
		if at >= 0 {
			dx[at] += dy[i]
		}
	}
}
