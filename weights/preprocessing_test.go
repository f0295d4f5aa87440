package weights

import (
	"math"
	"strings"
	"testing"

	"impasto/vgg19"
)

// convolve is conv1_1 at one place, in float64: at(c, dy, dx) is the input.
func convolve(filter []float32, bias float32, at func(c, dy, dx int) float64) float64 {
	sum := float64(bias)
	for c := range 3 {
		for dy := range 3 {
			for dx := range 3 {
				sum += float64(filter[c*9+dy*3+dx]) * at(c, dy-1, dx-1)
			}
		}
	}
	return sum
}

func TestFoldedConvolutionEqualsTheUnfoldedOne(t *testing.T) {
	const height, width = 4, 5
	picture := func(c, y, x int) float64 { return float64((c*31+y*17+x*7)%23) / 22 }
	inside := func(y, x int) bool { return y >= 0 && y < height && x >= 0 && x < width }
	for name, p := range map[string]Preprocessing{
		"Caffe": Caffe, "torchvision": Torchvision, "normalised": NormalisedRGB,
		"uneven": {"BGR", 1, [3]float64{0.1, 0.5, 0.9}, [3]float64{0.2, 0.4, 0.8}},
	} {
		plain, folded := plain(), folded(p)
		for y := range height {
			for x := range width { // borders included
				for o := range vgg19.Convolutions[0].Out {
					want := convolve(plain.Filters[0][o*27:], plain.Biases[0][o], func(j, dy, dx int) float64 {
						if !inside(y+dy, x+dx) {
							return 0 // as the network was trained
						}
						c := j
						if p.Order == "BGR" {
							c = 2 - j
						}
						return (picture(c, y+dy, x+dx)*p.Range - p.Mean[j]) / p.Deviation[j]
					})
					got := convolve(folded.Filters[0][o*27:], folded.Biases[0][o], func(c, dy, dx int) float64 {
						if !inside(y+dy, x+dx) {
							return float64(folded.Neutral[c])
						}
						return picture(c, y+dy, x+dx)
					})
					// The folded values are float32, and those of Caffe's sum up to some 2,000.
					if math.Abs(got-want) > 1e-6*27*p.Range/p.Deviation[0] {
						t.Fatalf("%s, output %d at %d, %d: folded gives %g, want %g", name, o, x, y, got, want)
					}
				}
			}
		}
	}
}

func TestPreprocessingTextIsReadBack(t *testing.T) {
	for _, want := range []Preprocessing{Caffe, Torchvision, NormalisedRGB} {
		if got, err := ParsePreprocessing(want.String()); err != nil || got != want {
			t.Errorf("%q is read as %v, %v", want, got, err)
		}
	}
	for name, want := range map[string]Preprocessing{"caffe": Caffe, "Torchvision": Torchvision} {
		if got, err := ParsePreprocessing(name); err != nil || got != want {
			t.Errorf("%q is read as %v, %v", name, got, err)
		}
	}
}

func TestUnusablePreprocessingIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                          "is not understood",
		"keras":                                     "is not understood",
		Caffe.String() + " 5":                       "is not understood",
		"GBR 0-255, mean 1 2 3, deviation 1 1 1":    "order",
		"BGR 0-100, mean 1 2 3, deviation 1 1 1":    "range",
		"BGR 0-1, mean 1 2 3, deviation 1 1 1":      "mean 2",
		"BGR 0-1, mean NaN 0 0, deviation 1 1 1":    "mean NaN",
		"BGR 0-255, mean 1 2 3, deviation 0 1 1":    "deviation 0",
		"BGR 0-255, mean 1 2 3, deviation 1 +Inf 1": "deviation +Inf",
	} {
		if _, err := ParsePreprocessing(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want one with %q", text, err, want)
		}
	}
}

func TestBrainPrecisionIsRoundedToTheNearest(t *testing.T) {
	for v, want := range map[float32]uint16{
		1: 0x3f80, -2: 0xc000,
		1 + 1.0/256:          0x3f80, // a tie, to even
		1 + 3.0/256:          0x3f82, // a tie, to even
		1 + 1.0/256 + 1e-6:   0x3f81,
		math.MaxFloat32:      0x7f80,
		-1.0 / (1 << 30) / 3: 0xafab,
	} {
		if got := toBrain(v); got != want {
			t.Errorf("%g is written as %#04x, want %#04x", v, got, want)
		}
	}
}
