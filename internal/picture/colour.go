package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
)

// FromImage converts any image to planes. Sixteen-bit values keep their
// precision; what is transparent is composited on white, in sRGB as viewers
// do; subsampled chroma is interpolated linearly.
func FromImage(img image.Image) (*Picture, error) {
	p, err := fromImage(img, fullRange)
	if err != nil {
		return nil, fmt.Errorf("picture: convert image: %w", err)
	}
	return p, nil
}

// yuvRange is how the bytes of a YCbCr image spread over the range of values.
type yuvRange struct {
	black, luma float32 // the byte of black, and the bytes from black to white
	chroma      float32 // the bytes from the lowest to the highest chroma
	red, blue   float64 // the weights of red and blue in luma
}

var (
	fullRange   = yuvRange{black: 0, luma: 255, chroma: 255, red: 0.299, blue: 0.114}  // JFIF, ITU-R BT.601
	studioRange = yuvRange{black: 16, luma: 219, chroma: 224, red: 0.299, blue: 0.114} // ITU-R BT.601, as in lossy WebP
)

func fromImage(img image.Image, yuv yuvRange) (*Picture, error) {
	if img == nil {
		return nil, errors.New("no image given")
	}
	bounds := img.Bounds()
	p, err := newPicture(bounds.Dx(), bounds.Dy())
	if err != nil {
		return nil, err
	}
	switch m := img.(type) {
	case *image.YCbCr:
		return p, p.setYCbCr(m, yuv)
	case *image.NYCbCrA:
		if err := p.setYCbCr(&m.YCbCr, yuv); err != nil {
			return nil, err
		}
		p.compositeOnWhite(m)
	case image.RGBA64Image:
		p.setColours(bounds, m.RGBA64At)
	default:
		p.setColours(bounds, func(x, y int) color.RGBA64 {
			r, g, b, a := m.At(x, y).RGBA()
			return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
		})
	}
	return p, nil
}

// setColours sets p from premultiplied colours, composited on white.
func (p *Picture) setColours(bounds image.Rectangle, at func(x, y int) color.RGBA64) {
	r, g, b := p.Planes()
	i := 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := at(x, y)
			white := math.MaxUint16 - uint32(c.A)
			r[i] = unit16(uint32(c.R) + white)
			g[i] = unit16(uint32(c.G) + white)
			b[i] = unit16(uint32(c.B) + white)
			i++
		}
	}
}

// unit16 maps 16-bit levels to 0–1. A premultiplied channel above its alpha,
// which is wrong but found, is white.
func unit16(v uint32) float32 {
	return min(float32(v)/math.MaxUint16, 1)
}

// compositeOnWhite blends p, whose colours are not premultiplied, with white.
func (p *Picture) compositeOnWhite(m *image.NYCbCrA) {
	r, g, b := p.Planes()
	i := 0
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			alpha := float32(m.A[m.AOffset(x, y)]) / 255
			r[i] = 1 - alpha*(1-r[i])
			g[i] = 1 - alpha*(1-g[i])
			b[i] = 1 - alpha*(1-b[i])
			i++
		}
	}
}

// setYCbCr converts from luma and chroma.
func (p *Picture) setYCbCr(m *image.YCbCr, yuv yuvRange) error {
	r, g, b := p.Planes()
	i := 0
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			r[i] = float32(m.Y[m.YOffset(x, y)])
			i++
		}
	}
	if err := upsampleChroma(g, b, m); err != nil {
		return err
	}
	green := 1 - yuv.red - yuv.blue
	redOfCr, blueOfCb := float32(2*(1-yuv.red)), float32(2*(1-yuv.blue))
	greenOfCb := float32(2 * (1 - yuv.blue) * yuv.blue / green)
	greenOfCr := float32(2 * (1 - yuv.red) * yuv.red / green)
	for i := range r {
		luma := (r[i] - yuv.black) / yuv.luma
		cb, cr := (g[i]-128)/yuv.chroma, (b[i]-128)/yuv.chroma
		r[i] = clamp(luma + redOfCr*cr)
		g[i] = clamp(luma - greenOfCb*cb - greenOfCr*cr)
		b[i] = clamp(luma + blueOfCb*cb)
	}
	return nil
}

// upsampleChroma fills cb and cr with m's chroma at every pixel. Chroma
// samples are centred on the pixels that share them, so halved ones are
// interpolated with weights 3/4 and 1/4, as libjpeg and libwebp do.
func upsampleChroma(cb, cr []float32, m *image.YCbCr) error {
	across, down, err := chromaSteps(m.SubsampleRatio)
	if err != nil {
		return err
	}
	bounds := m.Rect
	if bounds.Min.X < 0 || bounds.Min.Y < 0 {
		return fmt.Errorf("YCbCr image with bounds %v; want no negative ones", bounds)
	}
	left, top := bounds.Min.X/across, bounds.Min.Y/down
	width := (bounds.Max.X+across-1)/across - left
	height := (bounds.Max.Y+down-1)/down - top
	coarse := make([]float32, width*height)
	fine := make([]float32, width*across*height*down)
	for _, plane := range []struct {
		dst []float32
		src []uint8
	}{{cb, m.Cb}, {cr, m.Cr}} {
		for y := range height {
			for x, v := range plane.src[y*m.CStride:][:width] {
				coarse[y*width+x] = float32(v)
			}
		}
		if err := ResizePlanes(fine, coarse, 1, height, width, height*down, width*across, Bilinear); err != nil {
			return err
		}
		skipX, skipY := bounds.Min.X-left*across, bounds.Min.Y-top*down
		for y := range bounds.Dy() {
			copy(plane.dst[y*bounds.Dx():][:bounds.Dx()], fine[(y+skipY)*width*across+skipX:])
		}
	}
	return nil
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
