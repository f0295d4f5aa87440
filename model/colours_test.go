package model

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"testing"

	"impasto/internal/picture"
	"impasto/internal/recolour"
)

// coloured is a picture of waves in a colour.
func coloured(width, height int, phase float64, red, green, blue float64) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	of := waves(width, height, phase)
	for y := range height {
		for x := range width {
			c := color.GrayModel.Convert(of.At(x, y)).(color.Gray)
			v := 0.3 + 0.5*float64(c.Y)/255
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(255 * v * red), G: uint8(255 * v * green), B: uint8(255 * v * blue), A: 255})
		}
	}
	return img
}

func TestKeptColoursAreThoseOfTheContent(t *testing.T) {
	content, style := coloured(60, 40, 0.1, 1, 0.6, 0.3), coloured(50, 50, 0.9, 0.2, 0.5, 1)
	flat, err := picture.FromImage(content)
	if err != nil {
		t.Fatal(err)
	}
	// difference is that of a result and its picture while it descends.
	difference := func(method string, strength float64) (d [2]float64) {
		var shown image.Image
		r := tinyStylize(t, content, style, func(o *Options) {
			*o = shallow(*o)
			o.KeepColours, o.ColourMethod, o.FirstIterations = strength, method, 12
			o.Start = StartFromStyle
			o.Progress = func(p Progress) {
				if shown, err = p.Picture(); err != nil {
					t.Error(err)
				}
			}
		})
		for i, img := range []image.Image{r.Image, shown} {
			p, err := picture.FromImage(img)
			if err != nil {
				t.Fatal(err)
			}
			small, err := flat.Resize(p.Width, p.Height, picture.Lanczos)
			if err != nil {
				t.Fatal(err)
			}
			if d[i], err = recolour.Difference(p, small); err != nil {
				t.Fatal(err)
			}
		}
		return d
	}
	none := difference(ColourMethods()[0], 0) // as with any method
	for _, method := range ColourMethods() {
		t.Run(method, func(t *testing.T) {
			half, all := difference(method, 0.5), difference(method, 1)
			for i, what := range []string{"result", "picture on the way"} {
				if !(all[i] < half[i] && half[i] < none[i] && all[i] < 0.6*none[i]) {
					t.Errorf("colours of the %s differ by %.1f, %.1f and %.1f at strengths 0, ½ and 1", what, none[i], half[i], all[i])
				}
			}
		})
	}
}

func TestAStrengthOfZeroChangesNothing(t *testing.T) {
	content, style := coloured(60, 40, 0.1, 1, 0.6, 0.3), coloured(50, 50, 0.9, 0.2, 0.5, 1)
	var sums [][]byte
	for _, method := range ColourMethods() {
		r := tinyStylize(t, content, style, func(o *Options) { o.ColourMethod = method })
		p, err := picture.FromImage(r.Image)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, fmt.Append(nil, p.RGB))
	}
	for _, sum := range sums[1:] {
		if !bytes.Equal(sum, sums[0]) {
			t.Error("pictures differ by the method")
		}
	}
}

func TestKeptColoursOfATransparentPicture(t *testing.T) {
	for _, method := range ColourMethods() {
		r := tinyStylize(t, holed(60, 40), waves(50, 50, 0.9), func(o *Options) { o.KeepColours, o.ColourMethod = 1, method })
		if r.Image.(*picture.Picture).Opaque() {
			t.Errorf("%s: the result isn't transparent", method)
		}
	}
}
