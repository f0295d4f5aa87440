package model

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strings"
	"testing"

	"impasto/internal/picture"
	"impasto/internal/recolour"
)

func startOf(t *testing.T, o Options, styles []Style, weights ...float64) *picture.Picture {
	t.Helper()
	o.MinSize, o.Size = 96, 96
	levels, err := pyramid(t.Context(), waves(96, 64, 0.1), styles, o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := start(t.Context(), levels[0], weights, o)
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 96 || p.Height != 64 || len(p.RGB) != 3*96*64 {
		t.Fatalf("start is %d×%d with %d values, want 96×64 with %d", p.Width, p.Height, len(p.RGB), 3*96*64)
	}
	for _, v := range p.RGB {
		if !(v >= 0 && v <= 1) {
			t.Fatalf("start has a value of %v, want 0 to 1", v)
		}
	}
	return p
}

func plain(c color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
	for i := range 32 * 32 {
		img.Set(i%32, i/32, c)
	}
	return img
}

func TestStartHasTheStatisticsAskedFor(t *testing.T) {
	// Two plain styles at ¾ and ¼: by hand, red has mean ¾·0.2 + ¼·0.6 = 0.3 and
	// deviation 0.4·√(¾·¼) = 0.1732; green and blue are 0.4 and 0.6 throughout.
	styles := []Style{
		{plain(color.NRGBA{51, 102, 153, 255}), 3},
		{plain(color.NRGBA{153, 102, 153, 255}), 1},
	}
	sixth := 1 / math.Sqrt(12) // deviation of a uniform distribution of width 1
	tests := []struct {
		start           Start
		mean, deviation [3]float64
	}{
		{"style", [3]float64{0.3, 0.4, 0.6}, [3]float64{0.4 * math.Sqrt(3) / 4, 0, 0}},
		{"grey", [3]float64{0.502, 0.502, 0.502}, [3]float64{sixth / 255, sixth / 255, sixth / 255}},
		{"noise", [3]float64{0.5, 0.5, 0.5}, [3]float64{sixth, sixth, sixth}},
	}
	for _, test := range tests {
		t.Run(string(test.start), func(t *testing.T) {
			o := tinyOptions()
			o.Start = test.start
			p := startOf(t, o, styles, 0.75, 0.25)
			mean, deviation := colourStatistics([]*picture.Picture{p}, []float64{1})
			for c := range 3 {
				// Three standard errors of 6144 draws, and what clamping at 0 moves.
				if math.Abs(mean[c]-test.mean[c]) > 0.04*test.deviation[c]+0.004 {
					t.Errorf("mean of channel %d is %v, want %v", c, mean[c], test.mean[c])
				}
				if math.Abs(deviation[c]-test.deviation[c]) > 0.08*test.deviation[c]+1e-4 {
					t.Errorf("deviation of channel %d is %v, want %v", c, deviation[c], test.deviation[c])
				}
			}
		})
	}
}

func TestStartFollowsTheSeed(t *testing.T) {
	styles := []Style{{waves(40, 40, 1), 1}}
	for _, name := range []Start{StartFromStyle, StartFromGrey, StartFromNoise} {
		t.Run(string(name), func(t *testing.T) {
			o := tinyOptions()
			o.Start = name
			first, again := startOf(t, o, styles, 1), startOf(t, o, styles, 1)
			o.Seed++
			other := startOf(t, o, styles, 1)
			if !slices.Equal(first.RGB, again.RGB) {
				t.Error("same seed gave another start")
			}
			if slices.Equal(first.RGB, other.RGB) {
				t.Error("another seed gave the same start")
			}
		})
	}
}

func TestStartFromContentOrImageIsThatPicture(t *testing.T) {
	styles := []Style{{waves(40, 40, 1), 1}}
	o := tinyOptions()
	content, err := picture.FromImage(waves(96, 64, 0.1))
	if err != nil {
		t.Fatal(err)
	}
	if got := startOf(t, o, styles, 1); !slices.Equal(got.RGB, content.RGB) {
		t.Error("start from content differs from the content")
	}
	o.Start, o.StartImage = "image", plain(color.NRGBA{51, 102, 153, 255})
	p := startOf(t, o, styles, 1)
	for i, v := range p.RGB {
		if want := []float32{0.2, 0.4, 0.6}[i/(96*64)]; math.Abs(float64(v-want)) > 1e-6 {
			t.Fatalf("value %d of the start from a plain image is %v, want %v", i, v, want)
		}
	}
}

func TestNoiseIsAsStrongAsAskedFor(t *testing.T) {
	grey := func(value float32) *picture.Picture {
		p := &picture.Picture{Width: 120, Height: 90, RGB: make([]float32, 3*120*90)}
		for i := range p.RGB {
			p.RGB[i] = value
		}
		return p
	}
	p := grey(0.5)
	addNoise(p, 0.05, 1)
	plane := p.Width * p.Height
	want := 0.05 * math.Sqrt(1+colourNoise*colourNoise)
	for channel := range 3 {
		var sum, square, alternating float64
		for i, v := range p.RGB[channel*plane:][:plane] {
			d := float64(v) - 0.5
			sum, square = sum+d, square+d*d
			alternating += d * float64(1-2*((i%p.Width+i/p.Width)%2))
		}
		n := float64(plane)
		if got := math.Sqrt(square / n); math.Abs(got/want-1) > 0.05 {
			t.Errorf("channel %d has a deviation of %.4f, want %.4f", channel, got, want)
		}
		if math.Abs(sum/n) > 0.1*want || math.Abs(alternating/n) > 0.002*want {
			t.Errorf("channel %d has a mean of %.2g and of alternating signs %.2g, want 0", channel, sum/n, alternating/n)
		}
	}
	other, none, white := grey(0.5), grey(0.5), grey(1)
	addNoise(other, 0.05, 2)
	addNoise(none, 0, 1)
	addNoise(white, 0.05, 1)
	if slices.Equal(other.RGB, p.RGB) {
		t.Error("another seed makes the same noise")
	}
	if !slices.Equal(none.RGB, grey(0.5).RGB) {
		t.Error("no noise changes the picture")
	}
	if slices.Max(white.RGB) > 1 || slices.Min(white.RGB) > 0.95 {
		t.Errorf("noise on white is from %g to %g, want some below 1 and none above", slices.Min(white.RGB), slices.Max(white.RGB))
	}
}

// TestLevelsBeginWithNoise looks at what levels begin with: a start of one's own has none,
// unless it is a result to go on from.
func TestLevelsBeginWithNoise(t *testing.T) {
	o := tinyOptions()
	o.Size, o.MinSize = 64, 32
	content, styles := waves(40, 40, 0.1), []Style{{waves(40, 40, 1), 1}}
	for _, start := range []Start{StartFromContent, StartFromImage, StartFromResult} {
		o.Start, o.StartImage = start, nil
		if start.IsPicture() {
			o.StartImage = waves(30, 30, 0.3)
		}
		r, err := newRun(t.Context(), content, styles, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range r.levels[:2] {
			plain, err := r.best.Resize(l.width, l.height, picture.Bicubic)
			if err != nil {
				t.Fatal(err)
			}
			begins, err := r.beginning(r.best, l)
			if err != nil {
				t.Fatal(err)
			}
			if want := i > 0 || start != StartFromImage; slices.Equal(plain.RGB, begins.RGB) == want {
				t.Errorf("started from %s, level %d begins with noise: %t, want %t", start, i+1, !want, want)
			}
		}
		r.close()
	}
}

// TestLevelsAfterAResultAreThoseThatAreLarger has the sizes and iterations of one run's last
// levels, whatever MinSize is.
func TestLevelsAfterAResultAreThoseThatAreLarger(t *testing.T) {
	for _, test := range []struct{ result, size, min, want int }{
		{128, 512, 128, 181}, {256, 512, 128, 362}, {250, 512, 128, 256}, {362, 512, 128, 512}, {363, 512, 128, 512}, {511, 512, 128, 512},
		{64, 512, 256, 256}, {64, 512, 512, 512},
	} {
		o := DefaultOptions()
		o.Size, o.MinSize = test.size, test.min
		all := emptyPyramid(image.Pt(300, 200), nil, o)
		o.Start, o.StartImage = StartFromResult, waves(test.result, test.result*2/3, 1)
		if err := o.Check(); err != nil {
			t.Fatal(err)
		}
		levels := emptyPyramid(image.Pt(300, 200), nil, o.settleStart())
		if levels[0].width != test.want {
			t.Errorf("after a result of %d pixels comes %s, want a width of %d", test.result, levels[0].size(), test.want)
		}
		for i, l := range levels {
			of := all[len(all)-len(levels)+i]
			if want := o.iterationsAt(of.width); l.width != of.width || l.iterations != want {
				t.Errorf("after a result of %d pixels, level %s makes %d iterations, want %s and %d", test.result, l.size(), l.iterations, of.size(), want)
			}
		}
	}
}

// TestGoingOnFromAResultComesToWhatOneRunDoes goes from 64 by 90 to 128 pixels in one run,
// and in two with a picture of 8 bits between them. What is left to differ are the rounding
// and what the optimiser knows of the level before.
func TestGoingOnFromAResultComesToWhatOneRunDoes(t *testing.T) {
	for _, keep := range []float64{0, 0.5, 1} {
		o := shallowOptions(t)
		o.Size, o.MinSize, o.KeepColours = 128, 64, keep
		o.FirstIterations, o.MiddleIterations, o.Iterations = 12, 8, 8
		// last are the losses at 128 pixels.
		last := func(o Options) (losses []float64, img image.Image) {
			o.Progress = func(p Progress) {
				if p.Width == 128 {
					losses = append(losses, p.Loss)
				}
			}
			result, err := Stylize(t.Context(), waves(60, 40, 0.1), []Style{{waves(120, 120, 0.4), 1}}, o)
			if err != nil {
				t.Fatal(err)
			}
			return losses, result.Image
		}
		want, _ := last(o)
		smaller := o
		smaller.Size = 90
		_, result := last(smaller)
		rounded := image.NewNRGBA(result.Bounds())
		draw.Draw(rounded, rounded.Rect, result, image.Point{}, draw.Src)
		o.Start, o.StartImage = StartFromResult, rounded
		got, _ := last(o)
		if len(got) != len(want) {
			t.Fatalf("keeping %g of the colours, going on made %d iterations and one run %d", keep, len(got), len(want))
		}
		for i, bound := range map[int]float64{0: 0.05, len(want) - 1: 0.03} {
			if ratio := got[i] / want[i]; math.Abs(ratio-1) > bound {
				t.Errorf("keeping %g of the colours, going on has a loss of %.4g after iteration %d, and one run of %.4g", keep, got[i], i+1, want[i])
			}
		}
		t.Logf("keeping %g: %.4v, one run %.4v", keep, got, want)
	}
}

// TestResultsAreGoneOnFromWithoutTheirContentsColours undoes what show does in the end.
func TestResultsAreGoneOnFromWithoutTheirContentsColours(t *testing.T) {
	content, err := picture.FromImage(waves(48, 32, 0.05))
	if err != nil {
		t.Fatal(err)
	}
	painted, err := picture.FromImage(waves(48, 32, 0.2))
	if err != nil {
		t.Fatal(err)
	}
	grey := func(p *picture.Picture, colour float64) *picture.Picture {
		p, err := recolour.Relight(t.Context(), p, recolour.Colours{}, recolour.Colours{}, 0, colour)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	content, painted = grey(content, 0.2), grey(painted, 0.2) // so that sRGB has all that is made of them
	for _, keep := range []float64{0.3, 0.8, 1} {
		o := tinyOptions()
		o.KeepColours = keep
		left := math.Sqrt(1 - keep)
		before := grey(painted, left) // of what the network saw, as the descent left it
		shown, err := recolour.Paint(t.Context(), before, content, left, keep)
		if err != nil {
			t.Fatal(err)
		}
		o.Start, o.StartImage = StartFromResult, shown
		got, err := fromResult(t.Context(), level{width: 48, height: 32, content: grey(content, left)}, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range before.RGB {
			if math.Abs(float64(v-got.RGB[i])) > 0.002 {
				t.Fatalf("keeping %g of the colours, value %d is %v again, want %v", keep, i, got.RGB[i], v)
			}
		}
	}
}

func TestAResultOfAnotherShapeIsTold(t *testing.T) {
	o := tinyOptions()
	o.Start = StartFromResult
	for height, want := range map[int]string{13: "", 14: "the result to go on from is 20×14 and the content 60×40: it is stretched", 20: "20×20"} {
		o.StartImage = waves(20, height, 1)
		told := ""
		o.Planned = func(p Plan) { told = strings.Join(p.Remarks, "; ") }
		if _, err := stylize(t, t.Context(), oneStyle, o); err != nil {
			t.Fatal(err)
		}
		if (told == "") != (want == "") || !strings.Contains(told, want) {
			t.Errorf("of a result of 20×%d is told %q, want %q", height, told, want)
		}
	}
}
