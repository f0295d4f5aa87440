package model

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"testing"

	"impasto/internal/picture"
	"impasto/internal/regions"
	"impasto/losses"
	"impasto/vgg19"
)

// priorOptions are those of a run of one small level that begins with a prior.
func priorOptions(p *Prior) Options {
	o := shallow(tinyOptions())
	o.Optimizer, o.FirstIterations, o.Prior, o.Start = LBFGS, 8, p, StartFromNoise
	return o
}

func TestStillPixelsStayAsThePriorHasThem(t *testing.T) {
	for _, size := range []struct{ size, first int }{{32, 32}, {64, 32}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			o := priorOptions(nil)
			o.Size, o.MinSize = size.size, size.first
			width, height := OutputSize(60, 40, o)
			prior, err := picture.ResizedTo(t.Context(), waves(90, 60, 0.3), picture.ResizeOptions{Filter: picture.Bicubic}, width, height)
			if err != nil {
				t.Fatal(err)
			}
			o.Prior = &Prior{Image: prior, Still: maskOf(90, 60, leftHalf), Weight: 1}
			got := must(t)(stylize(t, t.Context(), oneStyle, o))
			same, moved := 0, 0
			for i, v := range got {
				switch left := i%prior.Width < prior.Width/2; {
				case left && v != prior.RGB[i]:
					t.Fatalf("value %d is %v, want the prior's %v", i, v, prior.RGB[i])
				case left:
					same++
				case v != prior.RGB[i]:
					moved++
				}
			}
			if same == 0 || moved < same/2 {
				t.Errorf("%d values stayed and %d moved", same, moved)
			}
		})
	}
}

// The more the prior counts, the nearer the result is where it is trusted; where it isn't, the
// prior doesn't matter.
func TestResultAgreesWithThePriorWhereItIsTrusted(t *testing.T) {
	prior := waves(60, 40, 0.3)
	var before float64
	for i, weight := range []float64{0, 300, 30000} {
		o := priorOptions(&Prior{Image: prior, Trusted: maskOf(60, 40, leftHalf), Weight: weight})
		got := must(t)(stylize(t, t.Context(), oneStyle, o))
		want, err := picture.ResizedTo(t.Context(), prior, picture.ResizeOptions{Filter: picture.Bicubic}, 32, 21)
		if err != nil {
			t.Fatal(err)
		}
		var apart, beyond float64
		for i, v := range got {
			if d := math.Abs(float64(v - want.RGB[i])); i%32 < 16 {
				apart += d
			} else {
				beyond += d
			}
		}
		if i > 0 && !(apart < 0.8*before) {
			t.Errorf("with a weight of %v the mean difference is %v, before %v", weight, apart, before)
		}
		if !(beyond > 2*apart) && weight > 0 {
			t.Errorf("with a weight of %v the result is %v from the prior where that isn't trusted, and %v where it is", weight, beyond, apart)
		}
		before = apart
	}
}

func TestAPriorThatIsTrustedNowhereDoesNothing(t *testing.T) {
	black := image.NewGray(image.Rect(0, 0, 60, 40))
	with := must(t)(stylize(t, t.Context(), oneStyle, priorOptions(&Prior{Image: waves(60, 40, 0.3), Trusted: black, Weight: 5})))
	without := must(t)(stylize(t, t.Context(), oneStyle, priorOptions(nil)))
	if !slices.Equal(with, without) {
		t.Error("the result differs from that without a prior")
	}
}

// A picture that is to agree with its own result begins with a step that is short enough.
func TestAPictureThatBeginsNearItsEndTakesShortSteps(t *testing.T) {
	o := tinyOptions()
	o.StyleTerms = DefaultOptions().StyleTerms
	o = shallow(o)
	o.Optimizer, o.Size, o.MinSize, o.FirstIterations, o.Iterations = LBFGS, 48, 34, 20, 10
	var err error
	if o.Parameters, err = network(); err != nil {
		t.Fatal(err)
	}
	content := smoothNoise(t, 80, 60, 1)
	whole, err := Stylize(t.Context(), content, oneStyle, o)
	if err != nil {
		t.Fatal(err)
	}
	o.FirstIterations, o.Iterations, o.Start, o.StartImage, o.Prior = 2, 2, StartFromImage, whole.Image, &Prior{Image: whole.Image, Weight: 30}
	r, err := newRun(t.Context(), content, oneStyle, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.climb(t.Context()); err != nil {
		t.Fatal(err)
	}
	if most := r.estimate.iterations + float64(len(r.levels)); r.estimate.evaluated > most {
		t.Errorf("%v iterations made %v evaluations, want one more for each level's beginning: %v", r.estimate.iterations, r.estimate.evaluated, most)
	}
}

// priorLevelOf is a level with a prior that is trusted in its left half, and a picture to
// evaluate at.
func priorLevelOf(t *testing.T, width, height int) (level, *picture.Picture) {
	t.Helper()
	l := level{
		width: width, height: height, content: smoothNoise(t, width, height, 1), styles: []*picture.Picture{smoothNoise(t, 36, 51, 3)},
		prior: &priorLevel{picture: smoothNoise(t, width, height, 5), trusted: regions.NewMask(width, height), still: regions.NewMask(width, height)},
	}
	for i := range l.prior.trusted.Values {
		if i%width < width/2 {
			l.prior.trusted.Values[i] = 1
		}
	}
	return l, smoothNoise(t, width, height, 2)
}

// The loss has the mean of squared differences where the prior is trusted, and the gradient
// its derivative; in tiles both are those of the whole.
func TestThePriorsPartOfTheLoss(t *testing.T) {
	const width, height, weight = 59, 45, 7.
	l, from := priorLevelOf(t, width, height)
	for _, everywhere := range []bool{false, true} {
		if everywhere {
			l.prior.trusted = regions.Full(width, height)
		}
		r := recipe{
			style:       []stylePart{{layer: "relu1_1", loss: named("gram"), weight: 1}},
			content:     []contentPart{{layer: "relu2_1", weight: 1}},
			contentForm: losses.ContentForms()[0], styles: []float64{1},
		}
		e := extractorOf(t, r, vgg19.Options{Padding: "replicate"})
		without := evaluateWhole(t, e, l, from, 0)
		e.recipe.agreement = l.prior.agreement(weight)
		with := evaluateWhole(t, e, l, from, 0)
		loss, gradient := without.loss, slices.Clone(without.gradient)
		for i, v := range from.RGB {
			d := float64(v - l.prior.picture.RGB[i])
			if l.prior.trusted.Values[i%(width*height)] > 0 {
				loss += weight * d * d / float64(len(from.RGB))
				gradient[i] += float32(2 * weight * d / float64(len(from.RGB)))
			}
		}
		terms := append(slices.Clone(without.terms), loss-without.loss)
		want := evaluation{loss: loss, terms: terms, gradient: gradient}
		compareEvaluations(t, with, want)
		compareEvaluations(t, inTiles(t, e, l, from, 2, 2, remembering{}, wholeMaps32), want)
		if gradientDistance(without, want) < 0.01 {
			t.Error("the prior hardly counts, so its part isn't tested")
		}
	}
}

func TestPriorsThatWontDo(t *testing.T) {
	empty := image.NewGray(image.Rectangle{})
	for want, p := range map[string]Prior{
		"no picture to agree with":                {},
		"picture to agree with is empty":          {Image: empty},
		"mask of what is trusted is empty":        {Image: waves(8, 8, 1), Trusted: empty},
		"mask of what is still is empty":          {Image: waves(8, 8, 1), Still: empty},
		"weight of agreeing with a picture is -1": {Image: waves(8, 8, 1), Weight: -1},
	} {
		_, err := stylize(t, t.Context(), oneStyle, priorOptions(&p))
		var wrong *OptionError
		if !errors.As(err, &wrong) || wrong.Option != "Prior" || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one of Prior with %q", err, want)
		}
	}
}

// A run that was stopped goes on from a checkpoint only with the same prior.
func TestACheckpointIsOfItsPrior(t *testing.T) {
	o := priorOptions(&Prior{Image: waves(60, 40, 0.3), Weight: 5})
	var checkpoint bytes.Buffer
	o.Checkpoint = func(m Moment) {
		if m.Last.Done == 3 {
			if err := m.Write(&checkpoint, nil); err != nil {
				t.Error(err)
			}
		}
	}
	want := must(t)(stylize(t, t.Context(), oneStyle, o))
	o.Checkpoint = nil
	resume := func() {
		var err error
		if o.Resume, err = ReadCheckpoint(bytes.NewReader(checkpoint.Bytes())); err != nil {
			t.Fatal(err)
		}
	}
	resume()
	if got := must(t)(stylize(t, t.Context(), oneStyle, o)); !slices.Equal(got, want) {
		t.Error("what went on from a checkpoint isn't what wasn't stopped")
	}
	for _, other := range []Prior{{Image: waves(60, 40, 0.4), Weight: 5}, {Image: waves(60, 40, 0.3), Weight: 6}, {Image: waves(60, 40, 0.3), Weight: 5, Still: maskOf(60, 40, leftHalf)}} {
		resume()
		o.Prior = &other
		if _, err := stylize(t, t.Context(), oneStyle, o); err == nil || !strings.Contains(err.Error(), "prior") {
			t.Errorf("with another prior the error is %v", err)
		}
	}
}
