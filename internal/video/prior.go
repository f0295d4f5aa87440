package video

import (
	"bytes"
	"context"
	"image"
	"math"
	"slices"

	"impasto/internal/picture"
	"impasto/model"
)

// painted is a frame that has its result.
type painted struct {
	view
	result *picture.Picture
	// ages are for how many frames each pixel has been painted, up to settled.
	ages []uint8
}

// A frame's iterations are too few to paint what is new in it, so that goes on in the frames
// behind: a pixel is pulled to what it was from the age of pulled on, and kept as it was, where it
// stands still, from that of settled on.
const pulled, settled = 3, 9

// allSettled are the ages of a frame that was painted by itself.
func allSettled(pixels int) []uint8 { return bytes.Repeat([]byte{settled}, pixels) }

// tracker knows the frames of a shot that were painted last.
type tracker struct {
	reach []int     // how many frames back to look, ascending
	past  []painted // the newest last
	// reference is what each pixel showed when its result was last painted rather than kept, and
	// in the frames after it: the mean of shown frames, of which there are averaged at most.
	reference *picture.Picture
	shown     []uint8
	stayed    []bool // the pixels whose result hasn't been painted anew in the last frame
}

// prior is what a frame is to agree with.
type prior struct {
	picture        *picture.Picture
	trusted, still []bool
	ages           []uint8 // that pixels have before they are painted now
	last           match   // with the frame before
}

// add takes in a frame and its result. stayed are the pixels that are as they were, all of the
// first frame.
func (t *tracker) add(p painted, stayed []bool) {
	if t.reference == nil {
		t.reference, t.shown = p.content, make([]uint8, len(p.ages))
	}
	t.refer(p.content, stayed)
	t.stayed = stayed
	t.past = append(t.past, p)
	if most := slices.Max(t.reach); len(t.past) > most {
		t.past = slices.Delete(t.past, 0, len(t.past)-most)
	}
}

// averaged is how many frames the reference of a pixel is the mean of at most: of more, it would
// go along with slow changes of light.
const averaged = 8

// refer has the reference take in a frame.
func (t *tracker) refer(content *picture.Picture, stayed []bool) {
	to := &picture.Picture{Width: content.Width, Height: content.Height, RGB: slices.Clone(t.reference.RGB)}
	for i, same := range stayed {
		if !same {
			t.shown[i] = 0
		} else if t.shown[i] == averaged {
			continue
		}
		t.shown[i]++
		for channel := i; channel < len(to.RGB); channel += len(stayed) {
			to.RGB[channel] += (content.RGB[channel] - to.RGB[channel]) / float32(t.shown[i])
		}
	}
	t.reference = to
}

// take takes in a frame and its result, given what it had of those before it; nil begins a shot. It
// returns which pixels stayed as they were, and the ages of all.
func (t *tracker) take(before *prior, now view, result *picture.Picture) (stayed []bool, ages []uint8) {
	if before == nil {
		*t = tracker{reach: t.reach}
		stayed, ages = slices.Repeat([]bool{true}, len(now.grey.Values)), allSettled(len(now.grey.Values))
	} else {
		stayed, ages = before.still, before.ages
	}
	t.add(painted{now, result, ages}, stayed)
	return stayed, ages
}

// agesAlong are the ages that pixels of a frame have which a match leads to this one: a frame
// more than here, and none where it can't be trusted.
func (p painted) agesAlong(m match) []uint8 {
	ages, width, height := make([]uint8, len(m.trusted)), m.field.Width, m.field.Height
	for i, trusted := range m.trusted {
		if trusted {
			x := int(math.Round(float64(i%width) + float64(m.field.U[i])))
			y := int(math.Round(float64(i/width) + float64(m.field.V[i])))
			ages[i] = min(p.ages[min(max(y, 0), height-1)*width+min(max(x, 0), width-1)]+1, settled)
		}
	}
	return ages
}

// blend is one picture, and where over says so another.
func blend(one, other *picture.Picture, over []bool) *picture.Picture {
	to := &picture.Picture{Width: one.Width, Height: one.Height, RGB: slices.Clone(one.RGB)}
	for i := range to.RGB {
		if over[i%len(over)] {
			to.RGB[i] = other.RGB[i]
		}
	}
	return to
}

// last is the frame before.
func (t *tracker) last() painted { return t.past[len(t.past)-1] }

// prior matches a frame to those before, of which there is one at least. Each pixel takes what
// the nearest one has in which it can be trusted (Ruder et al., section 4.3).
func (t *tracker) prior(ctx context.Context, now view) (*prior, error) {
	p := &prior{}
	for _, back := range t.reach {
		if back > len(t.past) {
			break
		}
		before := t.past[len(t.past)-back]
		m, err := matchOf(ctx, now, before.view)
		if err != nil {
			return nil, err
		}
		warped, err := warp(before.result, m.field)
		if err != nil {
			return nil, err
		}
		ages := before.agesAlong(m)
		if p.picture == nil {
			p.picture, p.trusted, p.ages, p.last = warped, slices.Clone(m.trusted), ages, m
			continue
		}
		more := make([]bool, len(m.trusted))
		for i, trusted := range m.trusted {
			if more[i] = trusted && !p.trusted[i]; more[i] {
				p.trusted[i], p.ages[i] = true, ages[i]
			}
		}
		p.picture = blend(p.picture, warped, more)
	}
	stands := standing(now.grey, p.last.field)
	p.still = unchanged(now.content, t.reference, stands, t.stayed)
	for i, at := range stands {
		p.still[i] = p.still[i] && at
	}
	last := t.last()
	p.picture = blend(p.picture, last.result, p.still)
	for i, still := range p.still {
		if still {
			p.trusted[i], p.ages[i] = true, min(last.ages[i]+1, settled)
		}
		p.still[i] = still && p.ages[i] == settled
	}
	return p, nil
}

// fillRadius is how far around a pixel the relation between frames and results is looked at
// first, as a share of the longer side, and fillRidge what keeps it from following noise.
const (
	fillRadius = 1. / 25
	fillRidge  = 1e-3
)

// filled is the prior with what can't be trusted made of what the frame shows there, in the
// colours that results have about it: by the line that fits those best to the frame's values
// (He, Sun and Tang 2010, "Guided Image Filtering"), channel by channel.
func (p *prior) filled(content *picture.Picture) *picture.Picture {
	plane, width, height := len(p.trusted), content.Width, content.Height
	to := &picture.Picture{Width: width, Height: height, RGB: slices.Clone(p.picture.RGB)}
	weights := make([]float32, plane)
	for i, trusted := range p.trusted {
		if trusted {
			weights[i] = 1
		}
	}
	longer := max(width, height)
	known := slices.Clone(p.trusted)
	for radius := max(2, int(fillRadius*float64(longer))); ; radius *= 4 {
		mean := func(of func(i int) float32) []float32 {
			values := make([]float32, plane)
			for i, w := range weights {
				values[i] = w * of(i)
			}
			return boxMean(values, width, height, radius)
		}
		total := boxMean(weights, width, height, radius)
		for channel := 0; channel < len(to.RGB); channel += plane {
			from, result := content.RGB[channel:][:plane], p.picture.RGB[channel:][:plane]
			means, results := mean(func(i int) float32 { return from[i] }), mean(func(i int) float32 { return result[i] })
			squares, products := mean(func(i int) float32 { return square(from[i]) }), mean(func(i int) float32 { return from[i] * result[i] })
			for i, w := range total {
				if known[i] || w == 0 {
					continue
				}
				m, r := means[i]/w, results[i]/w
				slope := (products[i]/w - m*r) / (squares[i]/w - m*m + fillRidge)
				to.RGB[channel+i] = min(max(r+slope*(from[i]-m), 0), 1)
			}
		}
		for i, w := range total {
			known[i] = known[i] || w > 0
		}
		if radius >= longer {
			return to
		}
	}
}

// mask is a picture of a width that is white where of says so.
func mask(of []bool, width int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, width, len(of)/width))
	for i, white := range of {
		if white {
			img.Pix[i] = 255
		}
	}
	return img
}

// halfway is the prior where what is trusted and moves is between it and another result (Ruder et
// al., section 4.4).
func (p *prior) halfway(result *picture.Picture) *prior {
	of := *p
	of.picture = &picture.Picture{Width: result.Width, Height: result.Height, RGB: slices.Clone(p.picture.RGB)}
	for i, v := range of.picture.RGB {
		if !p.still[i%len(p.still)] {
			of.picture.RGB[i] = (v + result.RGB[i]) / 2
		}
	}
	return &of
}

// held are the pixels that are pulled to what they were.
func (p *prior) held() []bool {
	held := make([]bool, len(p.trusted))
	for i, trusted := range p.trusted {
		held[i] = trusted && p.ages[i] >= pulled
	}
	return held
}

// news is how much of the frame is new, 0 to 1.
func (p *prior) news() float64 { return 1 - share(p.held()) }

// model is the prior as the model takes it, without what is too new.
func (p *prior) model(weight float64) *model.Prior {
	return &model.Prior{
		Image: p.picture, Trusted: mask(p.held(), p.picture.Width), Still: mask(p.still, p.picture.Width), Weight: weight,
	}
}
