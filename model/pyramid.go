package model

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"impasto/internal/picture"
)

// level is one level of the pyramid: the sizes and pictures at it.
type level struct {
	width, height int           // of the output
	styleSizes    []image.Point // of the style pictures
	iterations    int
	// content is filled in with colours where it is transparent, and keeps its alpha. It
	// and the styles are there from addPictures to dropPictures, the alpha also afterwards.
	content *picture.Picture
	styles  []*picture.Picture
	alpha   []float32
	// kept, unless nil, is how much of each pixel stays as it is in original, the content in
	// its own colours. They are there from addPictures to the level's end.
	kept     []float32
	original *picture.Picture
	held     *picture.Picture // what is kept, as the network sees it, until the level begins
	prior    *priorLevel      // what the level is to agree with; nil where there is nothing
	remarks  []string         // what a user may want to know of the sizes
}

// dropPictures leaves the pictures to the garbage collector.
func (l *level) dropPictures() { l.content, l.styles = nil, nil }

// stillPixels tells of each pixel whether it stays where it is in the descent; nil stands for
// none that does.
type stillPixels []bool

// each calls do with the place of every value of such a pixel in a picture's planes.
func (s stillPixels) each(do func(at int)) {
	for i, still := range s {
		if still {
			for plane := range 3 {
				do(plane*len(s) + i)
			}
		}
	}
}

// still are the level's. What is kept in part moves, and is blended when it is shown.
func (l level) still() stillPixels {
	still := l.protected()
	if l.prior == nil || l.prior.still.All(0) {
		return still
	}
	if still == nil {
		still = make(stillPixels, l.width*l.height)
	}
	for i, v := range l.prior.still.Values {
		still[i] = still[i] || v > 0
	}
	return still
}

// protected are the pixels that stay as the content has them.
func (l level) protected() stillPixels {
	if l.kept == nil {
		return nil
	}
	still := make(stillPixels, len(l.kept))
	for i, v := range l.kept {
		still[i] = v >= allButWhite
	}
	return still
}

// hold gives protected pixels their place in the descent.
func (l level) hold(p *picture.Picture) {
	l.protected().each(func(at int) { p.RGB[at] = l.held.RGB[at] })
}

// blend blends what is kept of the content into a picture.
func (l level) blend(p *picture.Picture) {
	for i, kept := range l.kept {
		for plane := range 3 {
			at := plane*len(l.kept) + i
			switch was := l.original.RGB[at]; {
			case kept >= allButWhite:
				p.RGB[at] = was
			case kept > 0:
				p.RGB[at] += kept * (was - p.RGB[at])
			}
		}
	}
}

// show makes a picture of the level's size one to hand out: its values are in 0–1, and it
// is transparent where the content is. The picture is changed and may not be used for
// anything else.
func (l level) show(p *picture.Picture) *picture.Picture {
	p.Clamp()
	p.Alpha = l.alpha
	return p
}

func (l level) size() string { return fmt.Sprintf("%d×%d", l.width, l.height) }

// levelSides returns the longer sides of the levels from the smallest to last:
// last/2^(i/perOctave), rounded, as long as it is at least first.
func levelSides(first, last, perOctave int) []int {
	first = min(first, last)
	var sides []int
	for i, side := 0, last; side >= first && side > 0; {
		if len(sides) == 0 || side != sides[0] {
			sides = append([]int{side}, sides...)
		}
		i++
		side = roundToEven(float64(last) / math.Pow(2, float64(i)/float64(perOctave)))
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

// fitAtLeast is fit where no side becomes shorter than least, for which the picture may
// become longer than longest and, where it is smaller by itself, be scaled up.
func fitAtLeast(width, height, longest, least int) (int, int) {
	if w, h := fit(width, height, longest, false); min(w, h) >= least {
		return w, h
	}
	return fit(width, height, longestFor(width, height, least), true)
}

// longestFor is the least longer side with which no side of a picture is shorter than
// least.
func longestFor(width, height, least int) int {
	longest := int(math.Ceil((float64(least) - 0.5) * float64(max(width, height)) / float64(min(width, height))))
	longest = max(longest, least)
	for {
		if w, h := fit(width, height, longest, true); min(w, h) >= least {
			return longest
		}
		longest++
	}
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

// sides are the longer sides of the levels at which every layer sees something of the
// content, whose size is given: of a panorama the smallest ones are left out. There are
// none where it is too thin for the last level.
func (o Options) sides(width, height int) []int {
	return slices.DeleteFunc(levelSides(o.MinSize, o.Size, o.LevelsPerOctave), func(side int) bool {
		w, h := fit(width, height, side, true)
		return min(w, h) < o.minimumSize()
	})
}

// emptyPyramid returns the levels from the smallest, without pictures.
func emptyPyramid(content image.Point, styles []Style, o Options) []level {
	var levels []level
	for _, side := range o.sides(content.X, content.Y) {
		sizes := outlineOf(content, styles, o, side)
		l := level{width: sizes.width, height: sizes.height, styleSizes: sizes.styles, iterations: o.iterationsAt(side)}
		if len(levels) == 0 && o.Start != StartFromResult {
			l.iterations = o.FirstIterations
		}
		if len(levels) == 0 {
			l.remarkSize(side, o)
		}
		for s, style := range styles {
			l.remarkStyle(s, style.Image.Bounds().Size(), l.styleSizes[s], o.styleSide(side))
		}
		levels = append(levels, l)
	}
	return levels
}

// remarkSize remarks on a first level that isn't the usual one.
func (l *level) remarkSize(side int, o Options) {
	if usual := levelSides(o.MinSize, o.Size, o.LevelsPerOctave)[0]; side != usual {
		l.remarks = append(l.remarks, fmt.Sprintf(
			"the first scale is %s: the content is so thin that at a size of %d not every layer would see anything of it",
			l.size(), usual))
	}
}

// addContent gives levels of the pyramid their content, and addStyles their style pictures.
// Every picture is resized from the original in one step, to all sizes in one pass over its
// rows; see picture.Source.
func addContent(ctx context.Context, levels []level, content image.Image, o picture.ResizeOptions) error {
	var sizes []image.Point
	for _, l := range levels {
		sizes = append(sizes, image.Pt(l.width, l.height))
	}
	resized, err := picture.Resized(ctx, content, o, sizes...)
	if err != nil {
		return pictureError("content picture", err)
	}
	for i, p := range resized {
		if levels[i].content, err = p.Filled(); err != nil {
			return fmt.Errorf("model: content picture: %w", err)
		}
		levels[i].alpha = levels[i].content.Alpha
	}
	return nil
}

func addStyles(ctx context.Context, levels []level, styles []Style) error {
	for s, style := range styles {
		var sizes []image.Point
		for _, l := range levels {
			sizes = append(sizes, l.styleSizes[s])
		}
		resized, err := picture.Resized(ctx, style.Image, onWhite, sizes...)
		if err != nil {
			return pictureError(fmt.Sprintf("style picture %d", s+1), err)
		}
		for i, p := range resized {
			levels[i].styles = append(levels[i].styles, p)
		}
	}
	return nil
}

// remarkStyle remarks on a style picture of a size that isn't the usual one.
func (l *level) remarkStyle(index int, original, size image.Point, longest int) {
	if w, h := fit(original.X, original.Y, longest, false); size != image.Pt(w, h) {
		l.remarks = append(l.remarks, fmt.Sprintf(
			"style picture %d is %d×%d instead of %d×%d, so that every layer sees something of it", index+1, size.X, size.Y, w, h))
	}
}

// remarkTexture remarks on style pictures that have none.
func (l *level) remarkTexture() {
	for s, p := range l.styles {
		if ofOneColour(p) {
			l.remarks = append(l.remarks, fmt.Sprintf(
				"style picture %d is of one colour: it has no texture to take over, and its singular covariances are given a ridge", s+1))
		}
	}
}

// onWhite is how pictures are resized that the network sees as they are.
var onWhite = picture.ResizeOptions{Filter: picture.Lanczos, OnWhite: true}

// pictureError says which picture an error is of, unless it names the picture's file.
func pictureError(what string, err error) error {
	if read := (*picture.ReadError)(nil); errors.As(err, &read) {
		return err
	}
	return fmt.Errorf("model: %s: %w", what, err)
}

// ofOneColour tells whether the colours of a picture differ by less than a level of 8 bits.
func ofOneColour(p *picture.Picture) bool {
	_, deviation := colourStatistics([]*picture.Picture{p}, []float64{1})
	return max(deviation[0], deviation[1], deviation[2]) < 1./math.MaxUint8
}

// OutputSize is the size of what Stylize makes of a content picture of a size, in pixels.
func OutputSize(width, height int, o Options) (int, int) { return fit(width, height, o.Size, true) }
