package model

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"impasto/internal/picture"
	"impasto/losses"
	"impasto/vgg19"
)

// maskOf draws a mask by how white it is, from 0 to 1, at places from 0 to 1.
func maskOf(width, height int, white func(x, y float64) float64) image.Image {
	mask := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			v := white((float64(x)+0.5)/float64(width), (float64(y)+0.5)/float64(height))
			mask.SetGray(x, y, color.Gray{uint8(math.Round(255 * min(max(v, 0), 1)))})
		}
	}
	return mask
}

// Masks of which some are hard and some are soft.
func leftHalf(x, _ float64) float64   { return step(0.5 - x) }
func rightHalf(x, _ float64) float64  { return step(x - 0.5) }
func everywhere(_, _ float64) float64 { return 1 }
func slope(x, y float64) float64      { return 1.4*x - 0.4*y }
func disc(x, y float64) float64       { return step(0.3 - math.Hypot(x-0.6, y-0.5)) }

func step(v float64) float64 {
	if v > 0 {
		return 1
	}
	return 0
}

func TestARegionThatCoversAllIsNone(t *testing.T) {
	for _, loss := range []string{"gaussian", "sliced"} {
		o := shallow(tinyOptions())
		o.SetLoss(named(loss))
		want := must(t)(stylize(t, t.Context(), oneStyle, o))
		o.Regions = []Region{{Style: 0, Mask: maskOf(31, 21, everywhere), StyleMask: maskOf(9, 9, everywhere)}}
		if got := must(t)(stylize(t, t.Context(), oneStyle, o)); !slices.Equal(got, want) {
			t.Errorf("%s: the picture isn't the same bit by bit", loss)
		}
	}
}

func TestHalvesOfOneStyleAreNearlyTheWhole(t *testing.T) {
	o := shallow(tinyOptions())
	o.Size, o.MinSize, o.FirstIterations = 96, 96, 12
	o.Optimizer = LBFGS
	whole := must(t)(stylize(t, t.Context(), oneStyle, o))
	o.Regions = []Region{{Style: 0, Mask: maskOf(96, 64, leftHalf)}, {Style: 1, Mask: maskOf(96, 64, rightHalf)}}
	halves := must(t)(stylize(t, t.Context(), []Style{oneStyle[0], oneStyle[0]}, o))
	other := must(t)(stylize(t, t.Context(), []Style{oneStyle[0], {waves(50, 50, 0.3), 1}}, o))
	near, far := distance(halves, whole), distance(other, whole)
	t.Logf("halves of the style are off by %.4f, with another style on the right by %.4f", near, far)
	if near > 0.7*far {
		t.Errorf("halves of one style are %.4f from the whole; with another style on one side it is %.4f", near, far)
	}
}

func distance(a, b []float32) float64 {
	var sum float64
	for i, v := range a {
		sum += float64(v-b[i]) * float64(v-b[i])
	}
	return math.Sqrt(sum / float64(len(a)))
}

// guided is an extractor with the recipe of a level whose regions overlap, are hard and soft,
// leave something over for a third style and something as it is.
func guided(t *testing.T, r recipe, o vgg19.Options, l level, soft bool) extractor {
	t.Helper()
	options := Options{
		Pooling: o.Pooling,
		Regions: []Region{{Style: 1, Mask: maskOf(83, 69, leftHalf), StyleMask: maskOf(20, 15, slope)}, {Style: 2, Mask: maskOf(40, 30, slope)}},
		Protect: maskOf(83, 69, disc),
	}
	styles := []Style{{nil, 1}, {l.styles[1], 1}, {nil, 2}}
	r.styles = nil
	r.addStyles(styles, options.Regions)
	e := extractorOf(t, r, o)
	var err error
	if e.guide, err = newGuidance(t.Context(), r, image.Pt(l.width, l.height), styles, options, soft); err != nil {
		t.Fatal(err)
	}
	return e.at(l.outline())
}

// noisyLevel is a level of smooth noise, with style pictures of sizes.
func noisyLevel(t *testing.T, width, height int, styles ...image.Point) level {
	l := level{width: width, height: height, content: smoothNoise(t, width, height, 1), styleSizes: styles}
	for seed, size := range styles {
		l.styles = append(l.styles, smoothNoise(t, size.X, size.Y, 3+uint64(seed)))
	}
	return l
}

// TestRegionsInPartsHaveTheLossAndGradientOfTheWhole: of every loss.
func TestRegionsInPartsHaveTheLossAndGradientOfTheWhole(t *testing.T) {
	const width, height = 59, 45
	from := smoothNoise(t, width, height, 2)
	l := noisyLevel(t, width, height, image.Pt(36, 51), image.Pt(44, 30), image.Pt(37, 42))
	forms := losses.ContentForms()
	for i, loss := range losses.All() {
		if sampled, ok := loss.(losses.Sampled); ok {
			loss = sampled.WithSample(120)
		}
		for _, soft := range []bool{true, false} {
			if weighs := loss.Normalised().Weighs(); soft && !weighs || !soft && weighs && loss.Description().Name != "gram" {
				continue // what doesn't weigh chooses, and one that does stands for those on a GPU
			}
			t.Run(fmt.Sprintf("%s, soft %t", loss.Description().Name, soft), func(t *testing.T) {
				r := recipe{variation: 3, content: []contentPart{{layer: "relu2_2", weight: 0.5}, {layer: "relu1_2", weight: 0.2}}, contentForm: forms[i%len(forms)]}
				for i, layer := range []string{"relu1_1", "relu2_1", "relu3_1"} {
					if i == 0 && loss.Description().Growth == losses.AllPairs {
						continue // time goes with the square of the positions
					}
					r.style = append(r.style, stylePart{layer: layer, loss: loss, weight: 1 + float64(i)})
				}
				e := guided(t, r, vgg19.Options{Padding: "replicate"}, l, soft)
				if len(e.recipe.style) < 3*len(r.style)-1 {
					t.Fatalf("%d parts of %d terms in 3 regions", len(e.recipe.style), len(r.style))
				}
				whole := evaluateWhole(t, e, l, from, 0.375)
				for _, test := range []struct {
					columns, rows int
					kept          remembering
				}{{3, 2, remembering{}}, {2, 3, remembering{1 << 40, bothCarries}}} {
					if name := loss.Description().Name; test.kept.room > 0 && name != "gram" && name != "sliced" {
						continue // what is kept is the same for all
					}
					t.Run(fmt.Sprintf("%dx%d tiles, %v", test.columns, test.rows, test.kept), func(t *testing.T) {
						compareEvaluations(t, inTiles(t, e, l, from, test.columns, test.rows, test.kept, wholeMaps32), whole)
					})
				}
			})
		}
	}
}

// TestGradientsOfRegions are those of the loss: along random directions, by differences.
func TestGradientsOfRegions(t *testing.T) {
	const width, height = 45, 33
	from := smoothNoise(t, width, height, 2)
	l := noisyLevel(t, width, height, image.Pt(40, 35), image.Pt(34, 40), image.Pt(31, 30))
	for _, loss := range losses.All() {
		name := loss.Description().Name
		if name == "max-sliced" {
			continue // whose function is that of the features which it saw first
		}
		t.Run(name, func(t *testing.T) {
			r := recipe{style: []stylePart{{layer: "conv1_1", loss: loss, weight: 1}}, contentForm: losses.ContentForms()[0]}
			e := guided(t, r, vgg19.Options{Padding: "replicate"}, l, true)
			at := evaluateWhole(t, e, l, from, 0.375)
			random := rand.New(rand.NewPCG(1, 2))
			const by = 1e-5
			moved := [2]*picture.Picture{}
			for side := range moved {
				moved[side] = &picture.Picture{Width: width, Height: height, RGB: slices.Clone(from.RGB)}
			}
			var slope float64
			for i, g := range at.gradient {
				// Up the gradient, with as much of noise.
				d := float32(by) * (sign(g) + float32(random.NormFloat64())/2)
				moved[0].RGB[i] -= d
				moved[1].RGB[i] += d
				slope += float64(moved[1].RGB[i]-moved[0].RGB[i]) * float64(g)
			}
			got := evaluateWhole(t, e, l, moved[1], 0.375).loss - evaluateWhole(t, e, l, moved[0], 0.375).loss
			tolerance := 0.02
			if _, ok := loss.(losses.Iterative); ok {
				tolerance = 0.06 // its plan is exact to a tolerance only
			}
			if math.Abs(got-slope) > tolerance*math.Abs(slope) {
				t.Errorf("the loss changes by %g, and by its gradient it would by %g", got, slope)
			}
		})
	}
}

func sign(v float32) float32 {
	if v < 0 {
		return -1
	}
	return 1
}

// TestProtectedPixelsStay: at every level, with every optimiser, from every start, with
// colours kept, in what is shown on the way and in the end.
func TestProtectedPixelsStay(t *testing.T) {
	const width, height = 48, 32
	content := waves(width, height, 0.1)
	want := must(t)(&Result{Image: must2(picture.FromImage(content))}, nil)
	for _, test := range []struct {
		name string
		set  func(*Options)
	}{
		{"L-BFGS", func(o *Options) { o.Optimizer = LBFGS }},
		{"Adam from noise", func(o *Options) { o.Start = StartFromNoise }},
		{"colours by luminance", func(o *Options) { o.KeepColours, o.ColourMethod = 0.7, "luminance" }},
		{"colours by distribution", func(o *Options) { o.KeepColours, o.ColourMethod = 1, "distribution" }},
		{"a region, and nothing else", func(o *Options) {
			o.Protect, o.Regions = nil, []Region{{Style: 0, Mask: maskOf(width, height, leftHalf)}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := shallow(tinyOptions())
			o.Size, o.MinSize = width, 24
			o.Protect = maskOf(width, height, rightHalf)
			test.set(&o)
			shown := 0
			o.Progress = func(p Progress) {
				if p.Width != width {
					return
				}
				img, err := p.Picture()
				if err != nil {
					t.Fatal(err)
				}
				shown++
				checkStill(t, img.(*picture.Picture), want)
			}
			result, err := Stylize(t.Context(), content, oneStyle, o)
			if err != nil {
				t.Fatal(err)
			}
			checkStill(t, result.Image.(*picture.Picture), want)
			if shown == 0 {
				t.Error("nothing was shown on the way")
			}
			if moved := distance(result.Image.(*picture.Picture).RGB, want); moved < 0.005 {
				t.Errorf("the rest has hardly moved, by %v", moved)
			}
		})
	}
}

// checkStill demands that the right half of a picture is that of another, exactly.
func checkStill(t *testing.T, p *picture.Picture, want []float32) {
	t.Helper()
	for i, v := range p.RGB {
		if i%p.Width >= p.Width/2 && v != want[i] {
			t.Fatalf("the pixel at column %d, row %d is %v, in the content %v", i%p.Width, i/p.Width%p.Height, v, want[i])
		}
	}
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestMasksThatWontDoAreErrors(t *testing.T) {
	white, black := maskOf(20, 20, everywhere), maskOf(20, 20, func(_, _ float64) float64 { return 0 })
	for name, test := range map[string]struct {
		set  func(*Options)
		want string
	}{
		"a black mask":          {func(o *Options) { o.Regions = []Region{{Style: 0, Mask: black}} }, "mask of region 1 is empty"},
		"a black style mask":    {func(o *Options) { o.Regions = []Region{{Style: 0, Mask: white, StyleMask: black}} }, "style's mask of region 1 is empty"},
		"nothing protected":     {func(o *Options) { o.Protect = black }, "mask of what is protected is empty"},
		"all protected":         {func(o *Options) { o.Protect = white }, "all of the picture is protected"},
		"no mask":               {func(o *Options) { o.Regions = []Region{{Style: 0}} }, "region 1 has no mask"},
		"a style that isn't":    {func(o *Options) { o.Regions = []Region{{Style: 1, Mask: white}} }, "region 1 is of style 1"},
		"one style for two":     {func(o *Options) { o.Regions = []Region{{Style: 0, Mask: white}, {Style: 0, Mask: white}} }, "which has one"},
		"a style that is worth": {func(o *Options) { o.Regions = []Region{{Style: 0, Mask: white}} }, "weight of 0"},
	} {
		t.Run(name, func(t *testing.T) {
			o, styles := tinyOptions(), slices.Clone(oneStyle)
			if strings.Contains(test.want, "weight") {
				styles = []Style{{oneStyle[0].Image, 0}, oneStyle[0]}
			}
			test.set(&o)
			if _, err := stylize(t, t.Context(), styles, o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
		})
	}
}

func TestARegionSmallerThanAPositionIsLeftToOtherLayers(t *testing.T) {
	o := tinyOptions()
	o.Size, o.MinSize = 64, 64
	o.Regions = []Region{{Style: 1, Mask: maskOf(60, 40, func(x, y float64) float64 { return step(0.05 - math.Hypot(x-0.3, y-0.4)) })}}
	result, err := stylize(t, t.Context(), []Style{oneStyle[0], oneStyle[0]}, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(result.Remarks, func(remark string) bool {
		return strings.Contains(remark, "region 1") && strings.Contains(remark, "relu5_1") && !strings.Contains(remark, "relu1_1")
	}) {
		t.Errorf("remarks %q, want one of region 1 at relu5_1", result.Remarks)
	}
}

func TestAnotherMaskIsRefusedByItsCheckpoint(t *testing.T) {
	o := resumable(LBFGS, "gram")
	o.Regions = []Region{{Style: 0, Mask: maskOf(60, 40, leftHalf)}}
	o.Protect = maskOf(60, 40, disc)
	want, at := checkpoints(t, o)
	o.Resume = readFrom(t, at[1])
	got, err := stylize(t, t.Context(), oneStyle, o)
	if err != nil {
		t.Fatal(err)
	}
	checkSame(t, "gone on", got, want)
	for name, test := range map[string]struct {
		set  func(*Options)
		want string
	}{
		"mask of a region": {func(o *Options) { o.Regions = []Region{{Style: 0, Mask: maskOf(60, 40, slope)}} }, "its mask of region 1 is another"},
		"a mask of the style, more": {func(o *Options) {
			o.Regions = []Region{{Style: 0, Mask: maskOf(60, 40, leftHalf), StyleMask: maskOf(9, 9, slope)}}
		}, "it has no style's mask of region 1"},
		"what is protected": {func(o *Options) { o.Protect = maskOf(60, 40, rightHalf) }, "its mask of what is protected is another"},
	} {
		t.Run(name, func(t *testing.T) {
			o := o
			test.set(&o)
			c, err := ReadCheckpoint(bytes.NewReader(at[1]))
			if err != nil {
				t.Fatal(err)
			}
			o.Resume = c
			if _, err := stylize(t, t.Context(), oneStyle, o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
		})
	}
}

func TestAStyleThatIsLeftNothingIsNone(t *testing.T) {
	o := tinyOptions()
	want := must(t)(stylize(t, t.Context(), oneStyle, o))
	o.Regions = []Region{{Style: 1, Mask: maskOf(60, 40, everywhere)}}
	if got := must(t)(stylize(t, t.Context(), []Style{{waves(50, 50, 0.3), 1}, oneStyle[0]}, o)); !slices.Equal(got, want) {
		t.Error("a mask that covers all isn't its style alone")
	}
}

// TestRegionsInLittleMemory go through the network in tiles, as a run finds them.
func TestRegionsInLittleMemory(t *testing.T) {
	o := DefaultOptions()
	o.StyleTerms, o.ContentLayers = []StyleTerm{{"relu1_1", named("sliced"), 1}, {"relu2_1", named("gaussian"), 1}}, []LayerWeight{{"relu2_2", 1}}
	o.Size, o.MinSize, o.FirstIterations, o.Device = 192, 192, 2, "cpu"
	o.Regions = []Region{{Style: 1, Mask: maskOf(60, 40, slope)}, {Style: 2, Mask: maskOf(60, 40, leftHalf), StyleMask: maskOf(60, 40, disc)}}
	o.Protect = maskOf(60, 40, disc)
	styles := []Style{{waves(250, 250, 0.3), 1}, {waves(200, 150, 0.7), 1}, {waves(260, 200, 1.1), 1}}
	r, err := newRun(t.Context(), waves(300, 200, 0.1), styles, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	levels := []sketch{must2(r.extractor.sketch(r.levels[0].outline()))}
	least, found := int64(0), false
	for bytes := int64(12 << 20); bytes < 400<<20 && !found; bytes += bytes / 4 {
		ways, fits, err := r.allotIn(room{bytes, bytes, true}, levels, r.options.Optimizer.row().variants(r.extractor.Device)[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		if found = fits; found {
			least, r.ways = bytes, ways
		}
	}
	if !found || !r.ways[0].Tiled {
		t.Fatalf("in %d bytes the way is %+v, want tiles", least, r.ways)
	}
	if err := r.climb(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !(r.last.Loss > 0) || r.last.Done != 2 {
		t.Errorf("the run ended at %+v", r.last)
	}
}

// TestTheTableOfMasksIsTrue holds docs/masks.md to what losses take.
func TestTheTableOfMasksIsTrue(t *testing.T) {
	text, err := os.ReadFile("../docs/masks.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(string(text), "\n")
	for _, loss := range losses.All() {
		want := "chosen"
		if loss.Normalised().Weighs() {
			want = "by shares"
		}
		name := loss.Description().Name
		if !slices.ContainsFunc(rows, func(row string) bool {
			cells := strings.Split(row, "|")
			return len(cells) > 3 && strings.Contains(cells[1], "`"+name+"`") && strings.TrimSpace(cells[2]) == want
		}) {
			t.Errorf("docs/masks.md has no row that says of %s: %s", name, want)
		}
	}
	layers, err := sights([]string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}, vgg19.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for layer, want := range map[string]int{"relu1_1": 1, "relu2_1": 1, "relu3_1": 1, "relu4_1": 2, "relu5_1": 2} {
		if _, _, _, radius := (&guidance{layers: layers}).size(layer, 64, 64); radius != want {
			t.Errorf("at %s regions are eroded by %d positions, and docs/masks.md says %d", layer, radius, want)
		}
	}
}

// TestProtectedPixelsStandStillInTheDescent looks at the picture that the network sees.
func TestProtectedPixelsStandStillInTheDescent(t *testing.T) {
	for _, optimizer := range []Optimizer{LBFGS, Adam} {
		mask := image.NewGray(image.Rect(0, 0, 32, 32))
		for i := range mask.Pix {
			if i%32 < 12 {
				mask.Pix[i] = 255
			}
		}
		o := tinyOptions()
		o.Optimizer, o.FirstIterations, o.Protect = optimizer, 8, mask
		var r *run
		var first []float32
		moved := false
		o.Progress = func(p Progress) {
			seen := make([]float32, r.objective.point.Len())
			if err := r.extractor.Device.Download(seen, r.objective.point); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = seen
			}
			r.levels[0].still().each(func(at int) {
				if seen[at] != first[at] {
					t.Fatalf("%s: value %d is %v at iteration %d and was %v", optimizer, at, seen[at], p.Iteration, first[at])
				}
			})
			moved = moved || !slices.Equal(seen, first)
		}
		var err error
		if r, err = newRun(t.Context(), waves(32, 32, 0.1), []Style{{waves(32, 32, 1), 1}}, o, nil); err != nil {
			t.Fatal(err)
		}
		if err := r.climb(t.Context()); err != nil || !moved {
			t.Errorf("%s: the picture moved: %t (%v)", optimizer, moved, err)
		}
		r.close()
	}
}
