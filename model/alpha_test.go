package model

import (
	"image"
	"image/color"
	"math"
	"testing"

	"impasto/internal/picture"
	"impasto/losses"
)

// holed is a picture that is opaque on the left and hides red on the right.
func holed(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	whole := waves(width, height, 0.1)
	for y := range height {
		for x := range width {
			c := color.NRGBAModel.Convert(whole.At(x, y)).(color.NRGBA)
			if x >= width/2 {
				c = color.NRGBA{R: 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func tinyStylize(t *testing.T, content image.Image, style image.Image, change func(*Options)) *Result {
	t.Helper()
	o := tinyOptions()
	o.FirstIterations = 2
	var err error
	if o.Parameters, err = network(); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&o)
	}
	r, err := Stylize(t.Context(), content, []Style{{style, 1}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheResultIsTransparentWhereTheContentIs(t *testing.T) {
	var shown image.Image
	r := tinyStylize(t, holed(60, 40), waves(50, 50, 0.9), func(o *Options) {
		o.Progress = func(p Progress) {
			var err error
			if shown, err = p.Picture(); err != nil {
				t.Error(err)
			}
		}
	})
	last, err := r.Last.Picture()
	if err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]image.Image{"result": r.Image, "progress": shown, "last": last} {
		size := img.Bounds().Size()
		for y := range size.Y {
			for _, at := range []struct {
				x    int
				want float64
			}{{2, 1}, {size.X - 3, 0}} {
				_, _, _, a := img.At(at.x, y).RGBA()
				if math.Abs(float64(a)/65535-at.want) > 0.02 {
					t.Fatalf("%s: alpha at (%d, %d) is %d, want %v of 65535", name, at.x, y, a, at.want)
				}
			}
		}
	}
}

// TestWhatIsTransparentIsPaintedAsItsSurroundings has a content of one colour beside a
// hole, which has to be a picture of one colour for the network.
func TestWhatIsTransparentIsPaintedAsItsSurroundings(t *testing.T) {
	content := image.NewNRGBA(image.Rect(0, 0, 60, 40))
	for i := range 60 * 40 {
		c := color.NRGBA{30, 160, 90, 255}
		if i%60 >= 20 {
			c = color.NRGBA{R: 255}
		}
		content.SetNRGBA(i%60, i/60, c)
	}
	levels, err := pyramid(t.Context(), content, []Style{{waves(50, 50, 0.9), 1}}, tinyOptions())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range levels {
		for i, v := range l.content.RGB {
			want := [3]float64{30, 160, 90}[i/(l.width*l.height)] / 255
			if math.Abs(float64(v)-want) > 0.01 {
				t.Fatalf("level %s: value %d is %v, want %v", l.size(), i, v, want)
			}
		}
	}
}

func TestOpaqueContentsMakeOpaqueResults(t *testing.T) {
	r := tinyStylize(t, waves(60, 40, 0.1), holed(50, 50), nil)
	if !r.Image.(*picture.Picture).Opaque() {
		t.Error("a hole in the style makes the result transparent")
	}
}

// TestStylesStartsAndMeasuresAreLaidOnWhite compares with what is on white already.
func TestStylesStartsAndMeasuresAreLaidOnWhite(t *testing.T) {
	clear := holed(50, 50)
	p, err := picture.FromImage(clear)
	if err != nil {
		t.Fatal(err)
	}
	white := p.OnWhite()
	pixels := func(style image.Image, start image.Image) []float32 {
		return tinyStylize(t, waves(60, 40, 0.1), style, func(o *Options) {
			o.Start, o.StartImage, o.FirstIterations = StartFromImage, start, 1
		}).Image.(*picture.Picture).RGB
	}
	a, b := pixels(clear, clear), pixels(white, white)
	for i, v := range a {
		if v != b[i] {
			t.Fatalf("value %d is %v, and %v from what is on white", i, v, b[i])
		}
	}
	measured, err := Measure(t.Context(), clear, white, MeasureOptions{
		FeatureOptions: FeatureOptions{Layers: []string{"relu1_1"}}, Losses: []losses.Loss{named("gram")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range measured {
		if !(m.Value <= 1e-6) {
			t.Errorf("%s at %s is %v, want 0", m.Loss, m.Layer, m.Value)
		}
	}
}
