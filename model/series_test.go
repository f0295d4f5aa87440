package model

import (
	"image"
	"image/color"
	"slices"
	"testing"
)

// countedImage counts how often its pixels are asked for.
type countedImage struct {
	image.Image
	asked *int
}

func (c countedImage) At(x, y int) color.Color {
	*c.asked++
	return c.Image.At(x, y)
}

// A series makes what single runs make, and looks at the style pictures once.
func TestASeriesMakesWhatSingleRunsMake(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"plain":       func(*Options) {},
		"from styles": func(o *Options) { o.Start = StartFromStyle },
	} {
		t.Run(name, func(t *testing.T) {
			o := shallow(tinyOptions())
			o.Size, o.MinSize = 45, 32
			change(&o)
			var err error
			if o.Parameters, err = network(); err != nil {
				t.Fatal(err)
			}
			asked := 0
			s, err := NewSeries([]Style{{countedImage{oneStyle[0].Image, &asked}, 1}}, o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			before := 0
			for i, content := range []image.Image{waves(60, 40, 0.1), waves(60, 40, 0.15)} {
				single := o
				f := Frame{Content: content}
				if i > 0 {
					f.Prior, f.MinSize, f.Iterations = &Prior{Image: waves(60, 40, 0.2), Trusted: maskOf(60, 40, leftHalf), Weight: 5}, o.Size, 3
					single.Prior, single.MinSize, single.Iterations = f.Prior, f.MinSize, f.Iterations
					single.LeastIterations = min(single.LeastIterations, 3)
				}
				got := must(t)(s.Stylize(t.Context(), f))
				want := must(t)(Stylize(t.Context(), content, oneStyle, single))
				if !slices.Equal(got, want) {
					t.Errorf("picture %d of the series isn't what a run by itself makes", i+1)
				}
				if i > 0 && asked != before && o.Start != StartFromStyle {
					t.Errorf("the style picture was looked at again")
				}
				before = asked
			}
		})
	}
}

// Colours that are kept are the first content's, so that they don't change from picture to
// picture, unless another picture is given for them.
func TestASeriesKeepsTheColoursOfItsFirst(t *testing.T) {
	for _, method := range ColourMethods() {
		o := shallow(tinyOptions())
		o.KeepColours, o.ColourMethod = 0.7, method
		var err error
		if o.Parameters, err = network(); err != nil {
			t.Fatal(err)
		}
		s, err := NewSeries(oneStyle, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		first := must(t)(s.Stylize(t.Context(), Frame{Content: waves(60, 40, 0.1)}))
		must(t)(s.Stylize(t.Context(), Frame{Content: waves(60, 40, 0.02)}))
		again := must(t)(s.Stylize(t.Context(), Frame{Content: waves(60, 40, 0.1)}))
		if !slices.Equal(first, again) {
			t.Errorf("%s: the same picture comes out in other colours after another one", method)
		}
		look := waves(60, 40, 0.02)
		other := must(t)(s.Stylize(t.Context(), Frame{Content: waves(60, 40, 0.1), Look: look}))
		back := must(t)(s.Stylize(t.Context(), Frame{Content: waves(60, 40, 0.1), Look: waves(60, 40, 0.1)}))
		if slices.Equal(other, first) || !slices.Equal(back, first) {
			t.Errorf("%s: the picture has other colours in another look: %v, and in its own again: %v", method, !slices.Equal(other, first), slices.Equal(back, first))
		}
	}
}
