package picture

import (
	"fmt"
	"image"
)

// chromaFiller converts from luma and chroma.
func chromaFiller(m *image.YCbCr, yuv yuvRange) (filler, error) {
	chroma, err := newChroma(m)
	if err != nil {
		return nil, err
	}
	green := 1 - yuv.red - yuv.blue
	redOfCr, blueOfCb := float32(2*(1-yuv.red)), float32(2*(1-yuv.blue))
	greenOfCb := float32(2 * (1 - yuv.blue) * yuv.blue / green)
	greenOfCr := float32(2 * (1 - yuv.red) * yuv.red / green)
	return func(band *Picture, bounds image.Rectangle) {
		r, g, b := band.Planes()
		for y := range band.Height {
			from, to := y*band.Width, (y+1)*band.Width
			r, g, b := r[from:to], g[from:to], b[from:to]
			for x, v := range m.Y[m.YOffset(bounds.Min.X, bounds.Min.Y+y):][:band.Width] {
				r[x] = float32(v)
			}
			chroma.row(g, b, bounds.Min.Y-m.Rect.Min.Y+y)
			for i := range r {
				luma := (r[i] - yuv.black) / yuv.luma
				cb, cr := (g[i]-128)/yuv.chroma, (b[i]-128)/yuv.chroma
				r[i] = clamp(luma + redOfCr*cr)
				g[i] = clamp(luma - greenOfCb*cb - greenOfCr*cr)
				b[i] = clamp(luma + blueOfCb*cb)
			}
		}
	}, nil
}

// chroma interpolates a YCbCr image's chroma at every pixel, row by row. Chroma samples
// are centred on the pixels that share them, so halved ones are interpolated with weights
// 3/4 and 1/4, as libjpeg and libwebp do.
type chroma struct {
	image        *image.YCbCr
	across, down taps // from samples to pixels, of which there may be more than the image has
	skipX, skipY int  // of those, what lies before the image
	coarse       []float32
	// Lines of samples that are interpolated across, by the row of samples modulo their
	// number, which is no less than what one row of pixels needs.
	lines [4]chromaLine
}

// chromaLine is a row of samples, interpolated across. It is none while its row is 0.
type chromaLine struct {
	row    int // counted from 1
	cb, cr []float32
}

func newChroma(m *image.YCbCr) (*chroma, error) {
	across, down, err := chromaSteps(m.SubsampleRatio)
	if err != nil {
		return nil, err
	}
	bounds := m.Rect
	if bounds.Min.X < 0 || bounds.Min.Y < 0 {
		return nil, fmt.Errorf("YCbCr image with bounds %v; want no negative ones", bounds)
	}
	left, top := bounds.Min.X/across, bounds.Min.Y/down
	width := (bounds.Max.X+across-1)/across - left
	height := (bounds.Max.Y+down-1)/down - top
	return &chroma{
		image: m, coarse: make([]float32, width),
		across: newTaps(width, width*across, Bilinear), down: newTaps(height, height*down, Bilinear),
		skipX: bounds.Min.X - left*across, skipY: bounds.Min.Y - top*down,
	}, nil
}

// row sets cb and cr to the chroma of row y.
func (c *chroma) row(cb, cr []float32, y int) {
	clear(cb)
	clear(cr)
	tap := c.down.each[c.skipY+y]
	for i, w := range tap.weights {
		line := c.line(tap.first + i)
		for x, v := range line.cb[c.skipX:][:len(cb)] {
			cb[x] += w * v
		}
		for x, v := range line.cr[c.skipX:][:len(cr)] {
			cr[x] += w * v
		}
	}
}

// line returns a row of samples, interpolated across.
func (c *chroma) line(row int) *chromaLine {
	line := &c.lines[row%len(c.lines)]
	if line.row == row+1 {
		return line
	}
	if line.cb == nil {
		line.cb, line.cr = make([]float32, len(c.across.each)), make([]float32, len(c.across.each))
	}
	line.row = row + 1
	for _, plane := range []struct {
		dst []float32
		src []uint8
	}{{line.cb, c.image.Cb}, {line.cr, c.image.Cr}} {
		for x, v := range plane.src[row*c.image.CStride:][:len(c.coarse)] {
			c.coarse[x] = float32(v)
		}
		resizeRow(plane.dst, c.coarse, c.across)
	}
	return line
}

// chromaSteps returns how many pixels share a chroma sample in each direction.
func chromaSteps(ratio image.YCbCrSubsampleRatio) (across, down int, err error) {
	switch ratio {
	case image.YCbCrSubsampleRatio444:
		return 1, 1, nil
	case image.YCbCrSubsampleRatio422:
		return 2, 1, nil
	case image.YCbCrSubsampleRatio420:
		return 2, 2, nil
	case image.YCbCrSubsampleRatio440:
		return 1, 2, nil
	case image.YCbCrSubsampleRatio411:
		return 4, 1, nil
	case image.YCbCrSubsampleRatio410:
		return 4, 2, nil
	}
	return 0, 0, fmt.Errorf("unknown chroma subsampling %v", ratio)
}
