package picture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
)

// ResizeOptions say how pictures are resampled.
type ResizeOptions struct {
	Filter Filter
	// OnWhite lays the picture on white before it is resampled, as Picture.OnWhite does.
	OnWhite bool
}

// Resized returns any image resampled to each of the sizes. A *Source is decoded once, by
// Source.Resize; other images are taken by FromImage.
func Resized(ctx context.Context, img image.Image, o ResizeOptions, sizes ...image.Point) ([]*Picture, error) {
	if s, ok := img.(*Source); ok {
		return s.Resize(ctx, o, sizes...)
	}
	p, err := FromImage(img)
	if err != nil {
		return nil, err
	}
	return p.resize(o, sizes)
}

// ResizedTo is Resized to one size.
func ResizedTo(ctx context.Context, img image.Image, o ResizeOptions, width, height int) (*Picture, error) {
	resized, err := Resized(ctx, img, o, image.Pt(width, height))
	if err != nil {
		return nil, err
	}
	return resized[0], nil
}

// Resize returns the picture resampled to width×height and clamped to 0–1. Where it is
// transparent, colours count by their alpha, so that what is hidden doesn't show at edges.
func (p *Picture) Resize(width, height int, filter Filter) (*Picture, error) {
	resized, err := p.resize(ResizeOptions{Filter: filter}, []image.Point{{X: width, Y: height}})
	if err != nil {
		return nil, err
	}
	return resized[0], nil
}

func (p *Picture) resize(o ResizeOptions, sizes []image.Point) ([]*Picture, error) {
	r, err := newResampler(p.Width, p.Height, p.Alpha != nil, o, sizes)
	if err != nil {
		return nil, err
	}
	r.addRows(0, p)
	return r.finish(), nil
}

// resampler resamples a picture to several sizes at once, from its rows as they come. A
// row is resampled across and then added, by its weights, to the rows of the results that
// it counts in: sums are those of ResizePlanes, in the same order.
type resampler struct {
	onWhite   bool
	alpha     bool // there is alpha to be resampled
	clear     bool // some pixel isn't opaque
	results   []result
	row, line []float32
}

// result is a picture that grows as rows come.
type result struct {
	*Picture
	across, down taps
	next         int // the first row that isn't complete
}

func newResampler(width, height int, alpha bool, o ResizeOptions, sizes []image.Point) (*resampler, error) {
	if o.Filter.Kernel == nil || !(o.Filter.Support > 0) {
		return nil, errors.New("picture: resize: the filter has no kernel or no support; want Lanczos, Bicubic or Bilinear")
	}
	r := &resampler{onWhite: o.OnWhite, alpha: alpha && !o.OnWhite, row: make([]float32, width)}
	for _, size := range sizes {
		p, err := newPicture(size.X, size.Y)
		if err != nil {
			return nil, fmt.Errorf("picture: resize: %w", err)
		}
		if r.alpha {
			p.Alpha = make([]float32, size.X*size.Y)
		}
		r.results = append(r.results, result{
			Picture: p,
			across:  newTaps(width, size.X, o.Filter),
			down:    newTaps(height, size.Y, o.Filter),
		})
		r.line = slices.Grow(r.line[:0], size.X)
	}
	return r, nil
}

// addRows adds a band of the picture, from row y on.
func (r *resampler) addRows(y int, band *Picture) {
	n := band.Width * band.Height
	for i := range band.Height {
		at := i * band.Width
		var alpha []float32
		if band.Alpha != nil {
			alpha = band.Alpha[at:][:band.Width]
		}
		for plane := range 3 {
			values := band.RGB[plane*n+at:][:band.Width]
			switch {
			case alpha == nil:
			case r.onWhite:
				onWhite(r.row, values, alpha)
				values = r.row
			default:
				for x, a := range alpha {
					r.row[x] = a * values[x]
				}
				values = r.row
			}
			r.addRow(y+i, values, func(p *Picture) []float32 { return p.RGB[plane*p.Width*p.Height:] })
		}
		if r.alpha {
			r.clear = r.clear || slices.ContainsFunc(alpha, func(a float32) bool { return a < 1 })
			r.addRow(y+i, alpha, func(p *Picture) []float32 { return p.Alpha })
		}
		for k := range r.results {
			r.results[k].complete(y + i)
		}
	}
}

// addRow adds row y of a plane to that plane of the results.
func (r *resampler) addRow(y int, values []float32, plane func(*Picture) []float32) {
	for _, to := range r.results {
		line := r.line[:to.Width]
		dst := plane(to.Picture)
		resampled := false
		for row := to.next; row < to.Height && to.down.each[row].first <= y; row++ {
			if !resampled {
				resizeRow(line, values, to.across)
				resampled = true
			}
			tap := to.down.each[row]
			w := tap.weights[y-tap.first]
			for x, v := range line {
				dst[row*to.Width+x] += w * v
			}
		}
	}
}

// complete goes past the rows that need none after row y.
func (r *result) complete(y int) {
	for ; r.next < r.Height; r.next++ {
		if tap := r.down.each[r.next]; tap.first+len(tap.weights)-1 > y {
			return
		}
	}
}

// finish returns the pictures once all rows have been added.
func (r *resampler) finish() []*Picture {
	var pictures []*Picture
	for _, result := range r.results {
		p := result.Picture
		if !r.clear {
			p.Alpha = nil // and colours were multiplied by 1
		}
		n := p.Width * p.Height
		for i, a := range p.Alpha {
			for plane := range 3 {
				if a > 0 {
					p.RGB[plane*n+i] /= a
				}
			}
			p.Alpha[i] = clamp(a)
		}
		for i, v := range p.RGB {
			p.RGB[i] = clamp(v)
		}
		pictures = append(pictures, p)
	}
	return pictures
}
