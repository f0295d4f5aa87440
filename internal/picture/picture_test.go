package picture

import (
	"image"
	"image/color"
	"math"
	"testing"
)

func TestFitSizeKeepsTheAspect(t *testing.T) {
	tests := []struct{ width, height, longest, wantWidth, wantHeight int }{
		{1000, 500, 256, 256, 128},
		{500, 1000, 256, 128, 256},
		{300, 300, 7, 7, 7},
		{3, 2, 512, 512, 341},
		{5, 1000, 100, 1, 100},
		{10000, 1, 64, 64, 1},
		{1, 1, 9, 9, 9},
		{0, 4, 9, 1, 1},
		{4, 4, 0, 1, 1},
	}
	for _, test := range tests {
		width, height := FitSize(test.width, test.height, test.longest)
		if width != test.wantWidth || height != test.wantHeight {
			t.Errorf("FitSize(%d, %d, %d) is %d×%d, want %d×%d", test.width, test.height, test.longest,
				width, height, test.wantWidth, test.wantHeight)
		}
	}
}

func TestImageClampsAndRounds(t *testing.T) {
	p := &Picture{Width: 3, Height: 1, RGB: []float32{
		-0.5, 1.5, float32(math.NaN()),
		1000.4 / 65535, 1000.6 / 65535, 0.5,
		1, 0, float32(math.Inf(1)),
	}}
	want := []color.RGBA64{{0, 1000, 65535, 65535}, {65535, 1001, 0, 65535}, {0, 32768, 65535, 65535}}
	img := p
	for x, c := range want {
		if got := img.RGBA64At(x, 0); got != c {
			t.Errorf("pixel %d is %v, want %v", x, got, c)
		}
	}
	if got := (rounded{p, SaveOptions{}.quantiser()}).At(1, 0); got != (color.RGBA{255, 4, 0, 255}) {
		t.Errorf("8-bit pixel 1 is %v", got)
	}
}

// onlyAt hides all methods but those of image.Image.
type onlyAt struct{ image.Image }

func TestAlphaIsCompositedOnWhite(t *testing.T) {
	bounds := image.Rect(-2, 3, -1, 4)
	straight, premultiplied := image.NewNRGBA(bounds), image.NewRGBA64(bounds)
	straight.Set(-2, 3, color.NRGBA{R: 200, G: 100, B: 0, A: 51})
	premultiplied.Set(-2, 3, color.NRGBA{R: 200, G: 100, B: 0, A: 51})
	// 51/255 = 1/5 of the colour and 4/5 of white.
	want := []float64{1.0/5*200/255 + 4.0/5, 1.0/5*100/255 + 4.0/5, 4.0 / 5}
	for name, img := range map[string]image.Image{
		"straight": straight, "premultiplied": premultiplied, "only At": onlyAt{straight},
	} {
		p, err := FromImage(img)
		if err != nil {
			t.Fatal(err)
		}
		if colour := [3]float32{200. / 255, 100. / 255, 0}; math.Abs(float64(p.Alpha[0])-0.2) > 1e-5 || distance(p.RGB, colour[:]) > 5.0/65535 {
			t.Errorf("%s: %v with alpha %v, want %v with 0.2", name, p.RGB, p.Alpha, colour)
		}
		p = p.OnWhite()
		for i, w := range want {
			if math.Abs(float64(p.RGB[i])-w) > 2.0/65535 {
				t.Errorf("%s: channel %d is %v, want %v", name, i, p.RGB[i], w)
			}
		}
	}
}

func TestFromImageKeepsSixteenBits(t *testing.T) {
	img := image.NewGray16(image.Rect(5, 5, 105, 6))
	for i := range 100 {
		img.SetGray16(5+i, 5, color.Gray16{Y: uint16(i * 661)})
	}
	p, err := FromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	back := p
	for i := range 100 {
		if r, _, b, _ := back.At(i, 0).RGBA(); r != uint32(i*661) || b != r {
			t.Fatalf("level %d came back as %d", i*661, r)
		}
	}
}

func TestYCbCrIsConvertedAtEverySubsampling(t *testing.T) {
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		img := image.NewYCbCr(image.Rect(0, 0, 9, 7), ratio)
		fill(img.Y, 120)
		fill(img.Cb, 90)
		fill(img.Cr, 200)
		// JFIF: R = Y + 1.402 Cr, G = Y − 0.344136 Cb − 0.714136 Cr, B = Y + 1.772 Cb, Cb and Cr less 128.
		want := []float64{120 + 1.402*72, 120 + 0.344136*38 - 0.714136*72, 120 - 1.772*38}
		// A sub-image that starts inside a chroma cell.
		for _, part := range []image.Image{img, img.SubImage(image.Rect(3, 1, 8, 6))} {
			p, err := FromImage(part)
			if err != nil {
				t.Fatal(err)
			}
			if p.Width != part.Bounds().Dx() || p.Height != part.Bounds().Dy() {
				t.Fatalf("%v: size %d×%d", ratio, p.Width, p.Height)
			}
			for i, v := range p.RGB {
				if c := i / (p.Width * p.Height); math.Abs(255*float64(v)-want[c]) > 1e-3 {
					t.Fatalf("%v: value %d of channel %d is %v levels, want %v", ratio, i, c, 255*v, want[c])
				}
			}
		}
	}
}

func fill(s []uint8, v uint8) {
	for i := range s {
		s[i] = v
	}
}

func TestASubImageOfYCbCrIsThatPartOfTheWhole(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 12, 10), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = uint8(100 + i%50)
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = uint8(110+i), uint8(140-i)
	}
	whole, err := FromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	bounds := image.Rect(3, 3, 9, 8)
	part, err := FromImage(img.SubImage(bounds))
	if err != nil {
		t.Fatal(err)
	}
	// One pixel inside the edge, where the interpolation sees the same chroma.
	for y := 1; y < part.Height-1; y++ {
		for x := 1; x < part.Width-1; x++ {
			for c := range 3 {
				got := part.RGB[(c*part.Height+y)*part.Width+x]
				want := whole.RGB[(c*whole.Height+y+bounds.Min.Y)*whole.Width+x+bounds.Min.X]
				if math.Abs(float64(got-want)) > 1e-6 {
					t.Fatalf("channel %d of (%d, %d) is %v, want %v", c, x, y, got, want)
				}
			}
		}
	}
}

// claimed has a size and no pixels.
type claimed struct {
	image.Image
	bounds image.Rectangle
}

func (c claimed) Bounds() image.Rectangle { return c.bounds }

func TestFromImageRefusesWhatIsNoPicture(t *testing.T) {
	blank := image.NewGray(image.Rect(0, 0, 1, 1))
	for name, img := range map[string]image.Image{
		"nil":                nil,
		"empty":              image.NewRGBA(image.Rect(0, 0, 0, 5)),
		"too large":          claimed{blank, image.Rect(0, 0, 1<<20, 1<<20)},
		"unknown ratio":      image.NewYCbCr(image.Rect(0, 0, 2, 2), 99),
		"negative YCbCr":     image.NewYCbCr(image.Rect(-2, 0, 2, 2), image.YCbCrSubsampleRatio420),
		"inverted rectangle": claimed{blank, image.Rectangle{Min: image.Pt(5, 5), Max: image.Pt(1, 1)}},
	} {
		if p, err := FromImage(img); err == nil {
			t.Errorf("%s: became %d×%d", name, p.Width, p.Height)
		} else {
			checkMessage(t, err, "picture: convert image: ", "")
		}
	}
}
