package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
)

// FromImage converts any image to planes, in sRGB as its own conversions have it.
// Sixteen-bit values keep their precision; subsampled chroma is interpolated linearly.
// A *Picture is returned as it is.
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
	if p, ok := img.(*Picture); ok && p != nil {
		return p, nil
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
		p.setPixels(bounds, func(i, x, y int) {
			p.setAlpha(i, float32(m.A[m.AOffset(x, y)])/math.MaxUint8)
		})
	case *image.NRGBA:
		p.setPixels(bounds, func(i, x, y int) {
			c := m.NRGBAAt(x, y)
			p.setPixel(i, 257*uint32(c.R), 257*uint32(c.G), 257*uint32(c.B), 257*uint32(c.A))
		})
	case *image.NRGBA64:
		p.setPixels(bounds, func(i, x, y int) {
			c := m.NRGBA64At(x, y)
			p.setPixel(i, uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
		})
	case *image.Paletted:
		p.setPaletted(m)
	case image.RGBA64Image:
		p.setPixels(bounds, func(i, x, y int) {
			c := m.RGBA64At(x, y)
			p.setPremultiplied(i, uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
		})
	default:
		p.setPixels(bounds, func(i, x, y int) { p.setColour(i, m.At(x, y)) })
	}
	return p, nil
}

// setPixels calls set for every pixel: its number in the planes and its place in the
// image.
func (p *Picture) setPixels(bounds image.Rectangle, set func(i, x, y int)) {
	i := 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			set(i, x, y)
			i++
		}
	}
}

// setPixel sets pixel i from levels of 16 bits that aren't premultiplied.
func (p *Picture) setPixel(i int, r, g, b, a uint32) {
	n := p.Width * p.Height
	p.RGB[i], p.RGB[n+i], p.RGB[2*n+i] = unit16(r), unit16(g), unit16(b)
	p.setAlpha(i, unit16(a))
}

// setPremultiplied sets pixel i from premultiplied levels of 16 bits. A channel above
// its alpha, which is wrong but found, is the lightest there is.
func (p *Picture) setPremultiplied(i int, r, g, b, a uint32) {
	if a == math.MaxUint16 {
		p.setPixel(i, r, g, b, a)
		return
	}
	n, alpha := p.Width*p.Height, max(float32(a), 1)
	p.RGB[i], p.RGB[n+i], p.RGB[2*n+i] = min(float32(r)/alpha, 1), min(float32(g)/alpha, 1), min(float32(b)/alpha, 1)
	p.setAlpha(i, unit16(a))
}

func (p *Picture) setColour(i int, c color.Color) {
	switch c := c.(type) {
	case color.NRGBA:
		p.setPixel(i, 257*uint32(c.R), 257*uint32(c.G), 257*uint32(c.B), 257*uint32(c.A))
	case color.NRGBA64:
		p.setPixel(i, uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
	default:
		r, g, b, a := c.RGBA()
		p.setPremultiplied(i, r, g, b, a)
	}
}

// setPaletted converts each colour of the palette once. An index beyond it is black.
func (p *Picture) setPaletted(m *image.Paletted) {
	palette := &Picture{Width: 256, Height: 1, RGB: make([]float32, 3*256)}
	for i, c := range m.Palette[:min(len(m.Palette), 256)] {
		palette.setColour(i, c)
	}
	n := p.Width * p.Height
	p.setPixels(m.Rect, func(i, x, y int) {
		index := int(m.Pix[m.PixOffset(x, y)])
		for plane := range 3 {
			p.RGB[plane*n+i] = palette.RGB[plane*256+index]
		}
		if palette.Alpha != nil {
			p.setAlpha(i, palette.Alpha[index])
		}
	})
}

// unit16 maps 16-bit levels to 0–1.
func unit16(v uint32) float32 { return float32(v) / math.MaxUint16 }

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
	var fine []float32 // where it isn't what is wanted, but more at the edges
	if width*across != bounds.Dx() || height*down != bounds.Dy() {
		fine = make([]float32, width*across*height*down)
	}
	for _, plane := range []struct {
		dst []float32
		src []uint8
	}{{cb, m.Cb}, {cr, m.Cr}} {
		for y := range height {
			for x, v := range plane.src[y*m.CStride:][:width] {
				coarse[y*width+x] = float32(v)
			}
		}
		to := fine
		if fine == nil {
			to = plane.dst
		}
		if err := ResizePlanes(to, coarse, 1, height, width, height*down, width*across, Bilinear); err != nil {
			return err
		}
		if fine == nil {
			continue
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
