package model

import (
	"fmt"
	"image"
	"math"

	"impasto/internal/picture"
)

// level is one level of the pyramid: the sizes and pictures at it.
type level struct {
	width, height int // of the output
	iterations    int
	content       *picture.Picture
	styles        []*picture.Picture
}

func (l level) size() string { return fmt.Sprintf("%d×%d", l.width, l.height) }

// levelSides returns the longer sides of the levels from the smallest to last:
// last/√2ⁱ, rounded, as long as it is at least first.
func levelSides(first, last int) []int {
	first = min(first, last)
	var sides []int
	for i, side := 0, last; side >= first && side > 0; {
		if len(sides) == 0 || side != sides[0] {
			sides = append([]int{side}, sides...)
		}
		i++
		side = roundToEven(float64(last) / math.Pow(2, float64(i)/2))
	}
	return sides
}

// fit returns the size of a width×height picture whose longer side is made
// longest. A picture that is no larger stays as it is unless scaleUp is true.
func fit(width, height, longest int, scaleUp bool) (int, int) {
	if !scaleUp && max(width, height) <= longest {
		return width, height
	}
	side := func(shorter, longer int) int {
		return max(1, roundToEven(float64(longest)*float64(shorter)/float64(longer)))
	}
	if height > width {
		return side(width, height), longest
	}
	return longest, side(height, width)
}

// roundToEven rounds halves to the even neighbour, as Python does, so that the
// sizes are those of crowsonkb/style-transfer-pytorch.
func roundToEven(x float64) int { return int(math.RoundToEven(x)) }

// styleSide is the longest that a style picture may be at a level, given the level's
// own longer side.
func (o Options) styleSide(side int) int {
	if o.StyleSize > 0 {
		return o.StyleSize
	}
	return roundToEven(float64(side) * o.StyleScale)
}

// pyramid returns the levels from the smallest. Every picture is resized from
// the original in one step, and one original at a time is held in float32.
func pyramid(content image.Image, styles []Style, o Options) ([]level, error) {
	sides := levelSides(o.MinSize, o.Size)
	levels := make([]level, len(sides))
	for i := range levels {
		levels[i].iterations = o.Iterations
	}
	levels[0].iterations = o.FirstIterations

	original, err := picture.FromImage(content)
	if err != nil {
		return nil, fmt.Errorf("model: content picture: %w", err)
	}
	for i, side := range sides {
		l := &levels[i]
		l.width, l.height = fit(original.Width, original.Height, side, true)
		if l.content, err = original.Resize(l.width, l.height, picture.Lanczos); err != nil {
			return nil, fmt.Errorf("model: content picture: %w", err)
		}
	}
	for s, style := range styles {
		if original, err = picture.FromImage(style.Image); err != nil {
			return nil, fmt.Errorf("model: style picture %d: %w", s+1, err)
		}
		for i, side := range sides {
			width, height := fit(original.Width, original.Height, o.styleSide(side), false)
			resized, err := original.Resize(width, height, picture.Lanczos)
			if err != nil {
				return nil, fmt.Errorf("model: style picture %d: %w", s+1, err)
			}
			levels[i].styles = append(levels[i].styles, resized)
		}
	}
	return levels, nil
}
