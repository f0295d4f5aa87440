package model

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
	"impasto/weights"
)

// network is the embedded one, decoded once for all tests.
var network = sync.OnceValues(weights.Default)

// tinyOptions are for stylisations that take a second: one level of 32 pixels.
func tinyOptions() Options {
	o := DefaultOptions()
	o.SetLoss(named("gram"))
	o.Size, o.MinSize = 32, 32
	o.FirstIterations, o.MiddleIterations, o.Iterations = 6, 4, 4
	o.Optimizer, o.Threads = "adam", 1 // more would wait for each other
	return o
}

// shallow are options that look at the first third of the network only, which is an eighth
// of the work.
func shallow(o Options) Options {
	o.StyleTerms, o.ContentLayers = o.StyleTerms[:3], []LayerWeight{{"relu3_1", 1}}
	return o
}

// named is the loss of a name that there is.
func named(name string) losses.Loss { return losses.Must(losses.Named(name)) }

// waves draws a smooth pattern of waves with so many radians a pixel.
func waves(width, height int, frequency float64) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			angle := float64(x)*frequency + 3*math.Cos(float64(y)*frequency)
			level := func(phase float64) uint8 { return uint8(127 + 120*math.Sin(angle+phase)) }
			img.Set(x, y, color.NRGBA{level(0), level(2), level(4), 255})
		}
	}
	return img
}

func stylize(t *testing.T, ctx context.Context, styles []Style, o Options) (*Result, error) {
	t.Helper()
	var err error
	if o.Parameters, err = network(); err != nil {
		t.Fatal(err)
	}
	return Stylize(ctx, waves(60, 40, 0.1), styles, o)
}

var oneStyle = []Style{{waves(50, 50, 0.9), 1}}

// must fails the test where the stylisation failed, and returns its pixels.
func must(t *testing.T) func(*Result, error) []float32 {
	return func(r *Result, err error) []float32 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r.Image.(*picture.Picture).RGB
	}
}

func TestLossFallsFromEveryStart(t *testing.T) {
	for _, optimizer := range []Optimizer{Adam, LBFGS} {
		for _, row := range starts {
			start := row.name
			t.Run(fmt.Sprintf("%s from %s", optimizer, start), func(t *testing.T) {
				o := shallow(tinyOptions())
				o.Optimizer, o.Start = optimizer, start
				if start.IsPicture() {
					o.StartImage = waves(20, 20, 2)
				}
				want := o.FirstIterations
				if start == StartFromResult {
					want = o.Iterations
				}
				var seen []float64
				o.Progress = func(p Progress) { seen = append(seen, p.Loss) }
				must(t)(stylize(t, t.Context(), oneStyle, o))
				if len(seen) != want {
					t.Fatalf("progress came %d times, want %d", len(seen), want)
				}
				if first, last := seen[0], seen[len(seen)-1]; !(last < first) {
					t.Errorf("loss went from %v to %v, want it to fall", first, last)
				}
			})
		}
	}
}

// TestEveryPoolingPaddingAndTermDescends; TestEverythingComesNearerToTheStyle has every loss.
func TestEveryPoolingPaddingAndTermDescends(t *testing.T) {
	tests := map[string]func(*Options){
		"the whole network": func(o *Options) { *o = tinyOptions() },
		"one of its own":    func(o *Options) { o.StyleTerms[1].Loss = named("moments") },
		"average":           func(o *Options) { o.Pooling = "avg" },
		"plain l2":          func(o *Options) { o.Pooling, o.PlainPooling = "l2", true },
		"zero padding":      func(o *Options) { o.Padding = "zero" },
		"mse":               func(o *Options) { o.ContentLoss, o.Start = "mse", "noise" },
		"no content":        func(o *Options) { o.ContentWeight, o.ContentLayers = 0, nil },
		"a single term": func(o *Options) {
			o.StyleTerms, o.ContentWeight, o.TotalVariationWeight = []StyleTerm{{"relu2_1", named("gram"), 1}}, 0, 0
		},
		"no variation": func(o *Options) { o.TotalVariationWeight = 0 },
		"no average":   func(o *Options) { o.AverageDecay = 0 },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			o := shallow(tinyOptions())
			change(&o)
			o.FirstIterations = 3
			var seen []float64
			o.Progress = func(p Progress) { seen = append(seen, p.Loss) }
			must(t)(stylize(t, t.Context(), oneStyle, o))
			if first, last := seen[0], seen[len(seen)-1]; !(last < first) {
				t.Errorf("loss went from %v to %v, want it to fall", first, last)
			}
		})
	}
}

func TestResultIsTheSameForAnyNumberOfThreads(t *testing.T) {
	for _, optimizer := range []Optimizer{Adam, LBFGS} {
		t.Run(string(optimizer), func(t *testing.T) {
			var first []float32
			for _, threads := range []int{1, 2, 3} {
				o := shallow(tinyOptions())
				o.StyleTerms[1].Loss = named("sliced")
				o.Size, o.Optimizer, o.Threads, o.Start = 45, optimizer, threads, "style"
				o.FirstIterations, o.Iterations = 3, 2
				pixels := must(t)(stylize(t, t.Context(), oneStyle, o))
				if first == nil {
					first = pixels
				} else if !slices.Equal(pixels, first) {
					t.Errorf("result of %d threads differs from that of one", threads)
				}
			}
		})
	}
}

// TestSeedDecidesWhatIsDrawn compares runs that start alike, so that nothing but
// the directions of the sliced loss can differ.
func TestSeedDecidesWhatIsDrawn(t *testing.T) {
	for _, optimizer := range []Optimizer{Adam, LBFGS} {
		run := func(seed uint64, loss string) []float32 {
			o := shallow(tinyOptions())
			o.SetLoss(named(loss))
			o.Optimizer, o.Seed, o.FirstIterations, o.Noise = optimizer, seed, 3, 0
			return must(t)(stylize(t, t.Context(), oneStyle, o))
		}
		first := run(1, "sliced")
		if !slices.Equal(run(1, "sliced"), first) {
			t.Errorf("%s: one seed, two results", optimizer)
		}
		if slices.Equal(run(2, "sliced"), first) {
			t.Errorf("%s: two seeds, one result", optimizer)
		}
		if !slices.Equal(run(2, "gram"), run(1, "gram")) {
			t.Errorf("%s: gram, with nothing to draw, depends on the seed", optimizer)
		}
	}
}

// TestLossesThatDoNotBlendWeighStyles gives a style twice, which changes
// nothing, and then another one beside it, which does.
func TestLossesThatDoNotBlendWeighStyles(t *testing.T) {
	run := func(styles ...Style) (loss float64) {
		o := tinyOptions()
		o.SetLoss(named("sliced"))
		o.FirstIterations = 1
		o.Progress = func(p Progress) { loss = p.Loss }
		must(t)(stylize(t, t.Context(), styles, o))
		return loss
	}
	other := Style{waves(50, 50, 0.3), 1}
	alone, twice, beside := run(oneStyle[0]), run(oneStyle[0], oneStyle[0]), run(other)
	if math.Abs(twice-alone) > 1e-6*alone {
		t.Errorf("loss to a style given twice %v, once %v", twice, alone)
	}
	if both := run(oneStyle[0], other); math.Abs(both-(alone+beside)/2) > 1e-6*alone {
		t.Errorf("loss to both styles %v, want the mean of %v and %v", both, alone, beside)
	}
}

func TestStylesCountByTheirWeights(t *testing.T) {
	other := Style{waves(50, 50, 0.3), 0}
	o := shallow(tinyOptions())
	alone := must(t)(stylize(t, t.Context(), oneStyle, o))
	beside := must(t)(stylize(t, t.Context(), []Style{oneStyle[0], other}, o))
	if !slices.Equal(alone, beside) {
		t.Error("a style of weight 0 changed the result")
	}
	twice := must(t)(stylize(t, t.Context(), []Style{oneStyle[0], oneStyle[0]}, o))
	if !slices.Equal(alone, twice) {
		t.Error("the same style twice, at half the weight each, changed the result")
	}
	other.Weight = 1
	if both := must(t)(stylize(t, t.Context(), []Style{oneStyle[0], other}, o)); slices.Equal(alone, both) {
		t.Error("a second style changed nothing")
	}
}

func TestProgressTellsWhereTheRunStands(t *testing.T) {
	o := tinyOptions()
	o.Size, o.FirstIterations, o.Iterations = 45, 3, 2
	var seen []Progress
	var kept func() (image.Image, error)
	o.Progress = func(p Progress) {
		seen = append(seen, p)
		img, err := p.Picture()
		if err != nil {
			t.Fatal(err)
		}
		if size := img.Bounds().Size(); size != image.Pt(p.Width, p.Height) {
			t.Errorf("picture is %v, want %d×%d", size, p.Width, p.Height)
		}
		kept = p.Picture
	}
	result, err := stylize(t, t.Context(), oneStyle, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1/2 32×21 1/3 1/5", "1/2 32×21 2/3 2/5", "1/2 32×21 3/3 3/5",
		"2/2 45×30 1/2 4/5", "2/2 45×30 2/2 5/5",
	}
	if len(seen) != len(want) {
		t.Fatalf("progress came %d times, want %d", len(seen), len(want))
	}
	names := []string{"style relu1_1", "style relu2_1", "style relu3_1", "style relu4_1", "style relu5_1", "content relu4_2", "total variation"}
	for i, p := range seen {
		got := fmt.Sprintf("%d/%d %d×%d %d/%d %d/%d", p.Level, p.Levels, p.Width, p.Height, p.Iteration, p.Iterations, p.Done, p.Total)
		if got != want[i] {
			t.Errorf("progress %d is %s, want %s", i, got, want[i])
		}
		var sum float64
		var terms []string
		for _, term := range p.Terms {
			sum += term.Value
			terms = append(terms, term.Name)
		}
		if !slices.Equal(terms, names) {
			t.Errorf("terms are %v, want %v", terms, names)
		}
		if math.Abs(sum-p.Loss) > 1e-9*p.Loss {
			t.Errorf("terms sum to %v, the loss is %v", sum, p.Loss)
		}
		if !(p.GradientNorm > 0) || p.Elapsed <= 0 || i > 0 && p.Elapsed < seen[i-1].Elapsed {
			t.Errorf("progress %d has a gradient of %v after %v", i, p.GradientNorm, p.Elapsed)
		}
	}
	if _, err := kept(); err == nil {
		t.Error("a picture asked for after its iteration gave no error")
	}
	if result.Last.Done != 5 {
		t.Errorf("last progress is that of iteration %d, want 5", result.Last.Done)
	}
	if last, err := result.Last.Picture(); err != nil || last != result.Image {
		t.Errorf("picture of the last progress is %v, %v, want the result", last, err)
	}
}

func TestCancellationReturnsTheBestSoFar(t *testing.T) {
	for _, optimizer := range []Optimizer{Adam, LBFGS} {
		t.Run(string(optimizer), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o := shallow(tinyOptions())
			o.Size, o.Optimizer = 45, optimizer
			var shown image.Image
			o.Progress = func(p Progress) {
				if p.Level == 2 && p.Iteration == 2 {
					shown, _ = p.Picture()
					cancel()
				}
			}
			result, err := stylize(t, ctx, oneStyle, o)
			if err != context.Canceled {
				t.Fatalf("error is %v, want %v", err, context.Canceled)
			}
			if result.Last.Done != o.FirstIterations+2 {
				t.Errorf("went on for %d iterations, want %d", result.Last.Done, o.FirstIterations+2)
			}
			if !slices.Equal(result.Image.(*picture.Picture).RGB, shown.(*picture.Picture).RGB) {
				t.Error("result differs from the picture at the time")
			}
		})
	}
}

func TestCancellationBetweenLevelsReturnsTheLastLevel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := tinyOptions()
	o.Size = 45
	o.Progress = func(p Progress) {
		if p.Iteration == p.Iterations {
			cancel()
		}
	}
	result, err := stylize(t, ctx, oneStyle, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v, want %v", err, context.Canceled)
	}
	if got, from := result.Image.Bounds().Size(), image.Pt(result.Last.Width, result.Last.Height); got != image.Pt(45, 30) || from != image.Pt(32, 21) {
		t.Errorf("result is %v from %v, want 45×30 from the first level's 32×21", got, from)
	}
}

func TestCancellationBeforeTheStartReturnsTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result, err := stylize(t, ctx, oneStyle, tinyOptions())
	if err != context.Canceled {
		t.Fatalf("error is %v, want %v", err, context.Canceled)
	}
	if result.Last.Done != 0 || result.Last.Picture != nil {
		t.Errorf("last progress is %+v, want none", result.Last)
	}
	if got := result.Image.Bounds().Size(); got != image.Pt(32, 21) {
		t.Errorf("result is %v, want the start's 32×21", got)
	}
}

func TestCancellationStopsALineSearch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := tinyOptions()
	o.Optimizer = "lbfgs"
	var shown image.Image
	o.Progress = func(p Progress) { shown, _ = p.Picture() }
	r := newTestRun(t, o)
	device := &faultyDevice{Device: r.extractor.Device, good: 5, cancel: cancel}
	r.extractor.Device = device
	if err := r.climb(ctx); err != context.Canceled {
		t.Fatalf("error is %v, want %v", err, context.Canceled)
	}
	if device.runs != 6 {
		t.Errorf("made %d evaluations, want 6: those until the end of the context", device.runs)
	}
	if !slices.Equal(r.result().Image.(*picture.Picture).RGB, shown.(*picture.Picture).RGB) {
		t.Error("result differs from the picture after the last whole iteration")
	}
}

func TestLevelEndsWhereNothingCanImprove(t *testing.T) {
	o := tinyOptions()
	o.Optimizer, o.ContentWeight, o.TotalVariationWeight, o.Noise = "lbfgs", 0, 0, 0
	picture := waves(32, 32, 0.5)
	var err error
	if o.Parameters, err = network(); err != nil {
		t.Fatal(err)
	}
	result, err := Stylize(t.Context(), picture, []Style{{picture, 1}}, o)
	if err != nil {
		t.Fatal(err)
	}
	if result.Last.Loss != 0 || result.Last.Iteration != 1 {
		t.Errorf("loss is %v after %d iterations, want 0 after 1: the picture is its own style", result.Last.Loss, result.Last.Iteration)
	}
}

// newTestRun is a run on the usual pictures whose device a test may replace.
func newTestRun(t *testing.T, o Options) *run {
	t.Helper()
	var err error
	if o.Parameters, err = network(); err != nil {
		t.Fatal(err)
	}
	r, err := newRun(t.Context(), waves(60, 40, 0.1), oneStyle, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	device := r.extractor.Device
	t.Cleanup(func() { device.Close() })
	return r
}

// faultyDevice makes machines that go wrong once the last of them has made so
// many good runs.
type faultyDevice struct {
	plan.Device
	good   int
	fault  error  // what runs then return
	cancel func() // or what they call
	runs   int    // of the machine made last
}

type faultyMachine struct {
	plan.Machine
	device *faultyDevice
}

// Compile implements plan.Device.
func (d *faultyDevice) Compile(s *plan.Schedule) (plan.Machine, error) {
	d.runs = 0
	m, err := d.Device.Compile(s)
	return &faultyMachine{Machine: m, device: d}, err
}

// Run implements plan.Machine.
func (m *faultyMachine) Run(ctx context.Context) error {
	d := m.device
	if d.runs++; d.runs > d.good {
		if d.fault != nil {
			return d.fault
		}
		if d.cancel != nil {
			d.cancel()
		}
	}
	return m.Machine.Run(ctx)
}

// ReadFloat64 implements plan.Machine. Without another fault, what is wrong is
// that every loss is NaN.
func (m *faultyMachine) ReadFloat64(node *gorgonia.Node, values []float64) error {
	err := m.Machine.ReadFloat64(node, values)
	if d := m.device; d.runs > d.good && d.fault == nil && d.cancel == nil {
		for i := range values {
			values[i] = math.NaN()
		}
	}
	return err
}

func TestFailureKeepsTheLastGoodPicture(t *testing.T) {
	lost := errors.New("device lost")
	tests := []struct {
		name  string
		fault error
		want  string
	}{
		{"NaN", nil, `scale 1 of 1 (32×21): iteration 4: the term "style relu1_1" is NaN`},
		{"device", lost, "scale 1 of 1 (32×21): iteration 4: device lost"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := tinyOptions()
			var shown image.Image
			o.Progress = func(p Progress) { shown, _ = p.Picture() }
			r := newTestRun(t, o)
			r.extractor.Device = &faultyDevice{Device: r.extractor.Device, good: 3, fault: test.fault}
			err := r.climb(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is %v, want one that says %q", err, test.want)
			}
			if test.fault != nil && !errors.Is(err, test.fault) {
				t.Errorf("error is %v, want it to wrap the device's", err)
			}
			result := r.result()
			if result.Last.Done != 3 {
				t.Errorf("last progress is that of iteration %d, want 3", result.Last.Done)
			}
			if !slices.Equal(result.Image.(*picture.Picture).RGB, shown.(*picture.Picture).RGB) {
				t.Error("result differs from the picture after the last good iteration")
			}
		})
	}
}

func TestNetworkThatOverflowsIsAnErrorThatNamesTheTerm(t *testing.T) {
	good, err := network()
	if err != nil {
		t.Fatal(err)
	}
	bad := new(vgg19.Parameters)
	*bad = *good
	bad.Biases[8] = slices.Repeat([]float32{math.MaxFloat32}, len(good.Biases[8])) // conv4_1: finite itself, its squares are not
	o := tinyOptions()
	o.Parameters = bad
	result, err := Stylize(t.Context(), waves(60, 40, 0.1), oneStyle, o)
	if err == nil || !strings.Contains(err.Error(), `iteration 1: the term "style relu4_1"`) {
		t.Errorf("error is %v, want one that names the first term from conv4_1 on", err)
	}
	if result == nil || result.Last.Done != 0 {
		t.Errorf("result is %+v, want the start", result)
	}
	o.Device, o.Precision = "cpu", "f16"
	_, err = Stylize(t.Context(), waves(60, 40, 0.1), oneStyle, o)
	if err == nil || !strings.Contains(err.Error(), "style picture 1: cpu: features that conv4_1.filters makes") {
		t.Errorf("error is %v, want one that names conv4_1, whose features float16 can't hold", err)
	}
}
