package tiff

import (
	"fmt"
	"math"
)

// converter makes values of 0–1 from the numbers of samples.
type converter struct {
	*layout
	wanted  int // samples of a pixel
	scale   float32
	alphaBy float32 // the scale of alpha
	table   []float32
	yuv     *yuvWeights
	out     []float32
}

func newConverter(l *layout) (*converter, error) {
	_, wanted := l.picks(0)
	channels := wanted
	c := &converter{layout: l, wanted: wanted, scale: l.highest(), alphaBy: l.highest()}
	switch l.photometric {
	case palette:
		channels += 2
		if c.table = l.paletteColours(); c.table == nil {
			return nil, fmt.Errorf("a palette that isn't one of %d colours; the file is damaged or truncated", 1<<l.bits)
		}
	case photoYCbCr:
		c.yuv = l.weights()
	}
	c.out = make([]float32, l.chunkWidth*channels)
	return c, nil
}

// paletteColours are the red, the green and the blue values of all indices, or nil.
func (l *layout) paletteColours() []float32 {
	v, count := l.fields[tagColorMap], 3<<l.bits
	if v.len() < count {
		return nil
	}
	highest, low := uint64(0), uint64(0)
	for i := range count {
		value := v.uint(l.order, i)
		highest, low = max(highest, value), low|value&0xff
	}
	shift, scale := 0, float32(math.MaxUint16)
	switch {
	case highest <= math.MaxUint8: // as old writers had it
		scale = math.MaxUint8
	case low == 0: // 8 bits, with nothing after them
		shift, scale = 8, math.MaxUint8
	}
	table := make([]float32, count)
	for i := range table {
		table[i] = float32(v.uint(l.order, i)>>shift) / scale
	}
	return table
}

// convert returns the values of a row of samples. They are good until the next call.
func (c *converter) convert(samples []float32) []float32 {
	channels := len(c.out) / c.chunkWidth
	pixels := len(samples) / c.wanted
	for i := range pixels {
		in, out := samples[i*c.wanted:][:c.wanted], c.out[i*channels:][:channels]
		switch c.photometric {
		case minIsWhite:
			out[0] = clamp(1 - in[0]/c.scale)
		case palette:
			size := len(c.table) / 3
			index := int(in[0])
			out[0], out[1], out[2] = c.table[index], c.table[size+index], c.table[2*size+index]
		case photoYCbCr:
			c.yuv.convert(out, in)
		case cieLab, iccLab:
			c.labToSRGB(out, in)
		default:
			for k := range c.colours {
				out[k] = clamp(in[k] / c.scale)
			}
		}
		if c.alpha >= 0 {
			c.setAlpha(out, clamp(in[c.wanted-1]/c.alphaBy))
		}
	}
	return c.out[:pixels*channels]
}

// setAlpha sets the last value of a pixel, and divides its colours by it where they are
// premultiplied.
func (c *converter) setAlpha(out []float32, alpha float32) {
	last := len(out) - 1
	out[last] = alpha
	if !c.associated || alpha == 1 {
		return
	}
	for k, v := range out[:last] {
		if alpha == 0 {
			out[k] = 0
			continue
		}
		out[k] = clamp(v / alpha)
	}
}

func clamp(v float32) float32 {
	return min(max(v, 0), 1)
}

// yuvWeights convert YCbCr to RGB.
type yuvWeights struct {
	black, span      [3]float32 // the numbers of black or no colour, and those from there to the highest
	red, green, blue float32    // shares of luma
}

// weights are those that the file says, except of JPEGs, which have their own.
func (l *layout) weights() *yuvWeights {
	luma := []float64{0.299, 0.587, 0.114}
	reference := []float64{0, 255, 128, 255, 128, 255}
	if l.compression != jpegCoded {
		if given := l.floats(tagYCbCrCoefficients, luma); given[1] > 0 {
			luma = given
		}
		if given := l.floats(tagReferenceBW, reference); given[0] != given[1] && given[2] != given[3] && given[4] != given[5] {
			reference = given
		}
	}
	w := &yuvWeights{red: float32(luma[0]), green: float32(luma[1]), blue: float32(luma[2])}
	for i := range w.black {
		w.black[i], w.span[i] = float32(reference[2*i]), float32(reference[2*i+1]-reference[2*i])
	}
	return w
}

// convert is the inverse of TIFF 6.0's section 21, in which chroma spans 127 levels each
// way.
func (w *yuvWeights) convert(out, in []float32) {
	luma := (in[0] - w.black[0]) / w.span[0]
	cb := (in[1] - w.black[1]) / w.span[1] * 127 / 255
	cr := (in[2] - w.black[2]) / w.span[2] * 127 / 255
	red, blue := luma+cr*(2-2*w.red), luma+cb*(2-2*w.blue)
	green := (luma - w.red*red - w.blue*blue) / w.green
	out[0], out[1], out[2] = clamp(red), clamp(green), clamp(blue)
}

// labToSRGB converts CIE L*a*b* of illuminant D50, 8 or 16 bits. A lightness of 100 is
// the highest number, but for 16 bits of ICC's kind, where it is 0xff00. a* and b* are
// whole numbers of 8 bits, and 256ths with 16; ICC's begin at -128, and others are two's
// complement.
func (c *converter) labToSRGB(out, in []float32) {
	unit := float32(1)
	if c.bits == 16 {
		unit = 256
	}
	top := c.scale
	if c.photometric == iccLab {
		top = 255 * unit
	}
	lightness := in[0] / top * 100
	chroma := func(v float32) float64 {
		if c.photometric == iccLab || c.format == signedSamples {
			return float64(v/unit - 128)
		}
		if v > c.scale/2 {
			v -= c.scale + 1
		}
		return float64(v / unit)
	}
	fy := (float64(lightness) + 16) / 116
	x := 0.96422 * labInverse(fy+chroma(in[1])/500)
	y := labInverse(fy)
	z := 0.82521 * labInverse(fy-chroma(in[2])/200)
	// From XYZ of D50 to linear sRGB of D65, adapted by Bradford's method.
	out[0] = encodeSRGB(3.1338561*x - 1.6168667*y - 0.4906146*z)
	out[1] = encodeSRGB(-0.9787684*x + 1.9161415*y + 0.0334540*z)
	out[2] = encodeSRGB(0.0719453*x - 0.2289914*y + 1.4052427*z)
}

// labInverse is the inverse of CIE's function of lightness.
func labInverse(t float64) float64 {
	const delta = 6.0 / 29
	if t > delta {
		return t * t * t
	}
	return 3 * delta * delta * (t - 4.0/29)
}

// encodeSRGB applies sRGB's transfer function.
func encodeSRGB(linear float64) float32 {
	if linear <= 0.0031308 {
		return clamp(float32(12.92 * linear))
	}
	return clamp(float32(1.055*math.Pow(linear, 1/2.4) - 0.055))
}
