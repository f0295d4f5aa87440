package timelapse

import (
	"image"
	"image/color"
	"image/gif"
	"io"
	"math/rand/v2"

	"github.com/soniakeys/quant/median"
)

// encodeGIF makes an animation with one palette for all frames, of colours that are dithered
// by an ordered pattern: both stay from frame to frame, so that still parts don't flicker.
func encodeGIF(w io.Writer, f *frames) error {
	colours, err := paletteOf(f)
	if err != nil {
		return err
	}
	nearest := newNearest(colours)
	animation := &gif.GIF{Config: image.Config{ColorModel: colours, Width: f.width, Height: f.height}}
	data := make([]byte, f.bytes())
	for i := range f.count {
		if err := f.read(i, data); err != nil {
			return err
		}
		delay := 100 / rate // in hundredths of a second
		if i == f.count-1 {
			delay = 100 * lastSeconds
		}
		frame := image.NewPaletted(image.Rect(0, 0, f.width, f.height), colours)
		nearest.dither(frame, data)
		animation.Image, animation.Delay = append(animation.Image, frame), append(animation.Delay, delay)
	}
	return gif.EncodeAll(w, animation)
}

// paletteOf is a palette of 256 colours for all frames: median cut, of some pixels of each.
func paletteOf(f *frames) (color.Palette, error) {
	const side = 256 // of a picture of all the pixels that are looked at
	sample := image.NewRGBA(image.Rect(0, 0, side, side))
	random := rand.New(rand.NewPCG(1, 1))
	data := make([]byte, f.bytes())
	for i := range f.count {
		if err := f.read(i, data); err != nil {
			return nil, err
		}
		for k := i * side * side / f.count; k < (i+1)*side*side/f.count; k++ {
			at := 3 * random.IntN(f.width*f.height)
			sample.SetRGBA(k%side, k/side, color.RGBA{data[at], data[at+1], data[at+2], 255})
		}
	}
	return median.Quantizer(256).Quantize(make(color.Palette, 0, 256), sample), nil
}

// nearest finds the colour of a palette that is nearest, for colours of 6 bits a channel.
type nearest struct {
	index  [1 << 18]uint8
	spread float64 // about how far colours of the palette lie apart
}

func newNearest(colours color.Palette) *nearest {
	n := &nearest{spread: 12}
	for i := range n.index {
		r, g, b := uint8(i>>12), uint8(i>>6&63), uint8(i&63)
		n.index[i] = uint8(colours.Index(color.RGBA{r<<2 | r>>4, g<<2 | g>>4, b<<2 | b>>4, 255}))
	}
	return n
}

// bayer is the ordered pattern of 8×8 thresholds (Bayer 1973), from 0 to 63.
var bayer = func() (pattern [8][8]float64) {
	for y := range 8 {
		for x := range 8 {
			for bit := range 3 {
				a, b := x>>bit&1, y>>bit&1
				pattern[y][x] += float64((2*(a^b) + b) << (2 * (2 - bit)))
			}
		}
	}
	return pattern
}()

func (n *nearest) dither(to *image.Paletted, data []byte) {
	width := to.Rect.Dx()
	for i := range to.Pix {
		shift := n.spread * ((bayer[i/width%8][i%width%8]+0.5)/64 - 0.5)
		at := 0
		for c := range 3 {
			v := min(max(float64(data[3*i+c])+shift, 0), 255)
			at = at<<6 | int(v)>>2
		}
		to.Pix[i] = n.index[at]
	}
}
