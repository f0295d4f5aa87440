package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"impasto/internal/engine"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
)

// smoothNoise is a picture with features of several sizes.
func smoothNoise(t *testing.T, width, height int, seed uint64) *picture.Picture {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 5))
	p := &picture.Picture{Width: width, Height: height, RGB: make([]float32, 3*width*height)}
	for _, cells := range []int{3, 11, 40} {
		coarse := &picture.Picture{Width: cells, Height: cells, RGB: make([]float32, 3*cells*cells)}
		for i := range coarse.RGB {
			coarse.RGB[i] = r.Float32()
		}
		fine, err := coarse.Resize(width, height, picture.Bilinear)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range fine.RGB {
			p.RGB[i] += v / 3
		}
	}
	return p
}

// TestAPictureInPartsHasTheLossAndGradientOfTheWhole: of every loss, in parts that
// touch every border, of a picture with odd sides, against two styles. What is kept on the way
// there is the same for all losses, so one of sums and one of points go through all of it.
func TestAPictureInPartsHasTheLossAndGradientOfTheWhole(t *testing.T) {
	const width, height = 59, 45
	layers := []string{"relu1_1", "relu2_1", "relu3_1"}
	content := smoothNoise(t, width, height, 1)
	from := smoothNoise(t, width, height, 2)
	l := level{width: width, height: height, content: content, styles: []*picture.Picture{smoothNoise(t, 36, 51, 3), smoothNoise(t, 44, 30, 4)}}
	forms := losses.ContentForms()
	for i, loss := range losses.All() {
		if sampled, ok := loss.(losses.Sampled); ok {
			loss = sampled.WithSample(120)
		}
		name := loss.Description().Name
		t.Run(name, func(t *testing.T) {
			r := recipe{variation: 3, styles: []float64{0.25, 0.75}, content: []contentPart{{layer: "relu2_2", weight: 0.5}, {layer: "relu1_2", weight: 0.2}}}
			r.contentForm = forms[i%len(forms)]
			for i, layer := range layers {
				if i == 0 && loss.Description().Growth == losses.AllPairs {
					continue // time goes with the square of the positions
				}
				r.style = append(r.style, stylePart{layer: layer, loss: loss, weight: 1 + float64(i)})
			}
			e := extractorOf(t, r, vgg19.Options{Padding: "replicate"})
			whole := evaluateWhole(t, e, l, from, 0.375)
			for _, test := range []struct {
				columns, rows int
				kept          remembering
			}{
				{1, 1, remembering{}}, {2, 2, remembering{}}, {3, 1, remembering{3 << 20, bothCarries}},
				{2, 2, remembering{1 << 40, bothCarries[:1]}}, {2, 3, remembering{1 << 40, bothCarries}},
			} {
				if all := name == "gram" || name == "sliced"; !all && (test.columns != 3 || test.rows != 1) {
					continue
				}
				t.Run(fmt.Sprintf("%dx%d tiles, %v", test.columns, test.rows, test.kept), func(t *testing.T) {
					compareEvaluations(t, inTiles(t, e, l, from, test.columns, test.rows, test.kept, wholeMaps32), whole)
				})
			}
		})
	}
}

// TestTilesOnSeveralDevicesComeToTheSame bit for bit as on one: whatever is added up is added
// in the order of the tiles.
func TestTilesOnSeveralDevicesComeToTheSame(t *testing.T) {
	const width, height = 59, 45
	l := level{width: width, height: height, content: smoothNoise(t, width, height, 1), styles: []*picture.Picture{smoothNoise(t, 36, 51, 3)}}
	from := smoothNoise(t, width, height, 2)
	for name, kept := range map[string]remembering{"gaussian": {}, "sliced": {1 << 40, bothCarries[:1]}} {
		loss, err := losses.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		r := recipe{variation: 3, styles: []float64{1}, content: []contentPart{{layer: "relu2_2", weight: 0.5}}, contentForm: losses.ContentForms()[0]}
		for _, layer := range []string{"relu1_1", "relu2_1", "relu3_1"} {
			r.style = append(r.style, stylePart{layer: layer, loss: loss, weight: 1})
		}
		one := extractorOf(t, r, vgg19.Options{Padding: "replicate"})
		want := inTiles(t, one, l, from, 3, 2, kept, wholeMaps32)
		for _, beside := range []int{1, 3} {
			several := one
			for range beside {
				several.Beside = append(several.Beside, extractorOf(t, r, one.Options).Device)
			}
			got := inTiles(t, several, l, from, 3, 2, kept, wholeMaps32)
			if got.loss != want.loss || !slices.Equal(got.terms, want.terms) || !slices.Equal(got.gradient, want.gradient) {
				t.Errorf("%s, %v, on %d devices: loss %v, gradient off by %g; want %v and the same", name, kept, beside+1, got.loss, gradientDistance(got, want), want.loss)
			}
		}
	}
}

// extractorOf runs the network exactly, so that hardly any unit that is nearly zero is
// taken for the other.
func extractorOf(t *testing.T, r recipe, o vgg19.Options) extractor {
	t.Helper()
	parameters, err := engine.Parameters(nil, r.layers()...)
	if err != nil {
		t.Fatal(err)
	}
	d, err := engine.Open(engine.Options{Device: "cpu", Threads: 1, Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return extractor{Network: engine.Network{Device: d, Parameters: parameters, Options: o}, recipe: r}
}

// evaluation is what an objective comes to.
type evaluation struct {
	loss     float64
	terms    []float64
	gradient []float32 // 3×height×width
}

// evaluate evaluates an objective, which it closes.
func evaluate(t *testing.T, e extractor, o *objective, from *picture.Picture, key float64) evaluation {
	t.Helper()
	defer o.Close()
	if err := o.setKey(key); err != nil {
		t.Fatal(err)
	}
	if err := e.Device.Upload(o.point, from.RGB); err != nil {
		t.Fatal(err)
	}
	whole := evaluation{gradient: make([]float32, len(from.RGB))}
	var err error
	for range 2 { // the second time with nothing left over from the first
		if whole.loss, err = o.evaluate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Device.Download(whole.gradient, o.slope); err != nil {
		t.Fatal(err)
	}
	terms, err := o.values()
	if err != nil {
		t.Fatal(err)
	}
	for _, term := range terms {
		whole.terms = append(whole.terms, term.Value)
	}
	return whole
}

// evaluateWhole evaluates the objective in one graph.
func evaluateWhole(t *testing.T, e extractor, l level, from *picture.Picture, key float64) evaluation {
	t.Helper()
	targets, err := e.targets(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	o, err := e.objective(l, targets)
	if err != nil {
		t.Fatal(err)
	}
	return evaluate(t, e, o, from, key)
}

// remembering is what is kept of the way there: of these in turn, in so many bytes.
type remembering struct {
	room    int64
	carries []plan.Carry
}

var bothCarries = []plan.Carry{plan.CarryMarks, plan.CarryAll}

func (r remembering) String() string {
	return fmt.Sprintf("%d bytes, %d carries", r.room, len(r.carries))
}

// inTiles evaluates the objective with every section cut into so many tiles.
func inTiles(t *testing.T, e extractor, l level, from *picture.Picture, columns, rows int, kept remembering, f frugality) evaluation {
	t.Helper()
	cut := func(s *section) error {
		s.cut(columns, rows)
		return nil
	}
	var targets targets
	var err error
	if targets.style, err = e.tiledStyleTargets(t.Context(), l, cut, f); err != nil {
		t.Fatal(err)
	}
	b, err := e.tiledContent(t.Context(), l, cut, f)
	if err != nil {
		t.Fatal(err)
	}
	var order []keepable
	for _, carry := range kept.carries {
		for i := range b.sections {
			order = append(order, keepable{section: i, carry: carry})
		}
	}
	if err := b.remember(kept.room, order); err != nil {
		t.Fatal(err)
	}
	o, err := e.tiledObjective(l, targets, b)
	if err != nil {
		t.Fatal(err)
	}
	return evaluate(t, e, o, from, 0.375)
}

// compareEvaluations holds an evaluation in tiles against that of the whole.
func compareEvaluations(t *testing.T, got, whole evaluation) {
	t.Helper()
	const tolerance = 1e-4
	if d := math.Abs(got.loss - whole.loss); !(d <= tolerance*whole.loss) {
		t.Errorf("loss %g, of the whole %g", got.loss, whole.loss)
	}
	for i, want := range whole.terms {
		if d := math.Abs(got.terms[i] - want); !(d <= tolerance*want) {
			t.Errorf("term %d is %g, of the whole %g", i+1, got.terms[i], want)
		}
	}
	if off := gradientDistance(got, whole); !(off <= tolerance) {
		t.Errorf("the gradient is off by %g of its norm", off)
	}
}

// gradientDistance is that between two gradients, by the second one's norm.
func gradientDistance(got, want evaluation) float64 {
	var off, norm float64
	for i, g := range want.gradient {
		d := float64(got.gradient[i] - g)
		off += d * d
		norm += float64(g) * float64(g)
	}
	return math.Sqrt(off / norm)
}

// In 16 bits maps are rounded, and some units that are nearly zero, or nearly the largest of
// their window, are taken for others.
func TestTilesIn16BitsAreNearTheWhole(t *testing.T) {
	l := level{width: 83, height: 69, content: smoothNoise(t, 83, 69, 1), styles: []*picture.Picture{smoothNoise(t, 60, 75, 3)}}
	from := smoothNoise(t, 83, 69, 2)
	gram := losses.Must(losses.Named("gram"))
	r := recipe{styles: []float64{1}, content: []contentPart{{layer: "relu3_2", weight: 0.1}},
		style: []stylePart{{layer: "relu2_1", loss: gram, weight: 1}, {layer: "relu4_1", loss: gram, weight: 1}}}
	r.contentForm = losses.ContentForms()[0]
	e := extractorOf(t, r, vgg19.Options{})
	whole := evaluateWhole(t, e, l, from, 0)
	for _, f := range []frugality{shortMaps, fewMaps} {
		got := inTiles(t, e, l, from, 2, 2, remembering{}, f)
		if d := math.Abs(got.loss-whole.loss) / whole.loss; d > 1e-3 || d == 0 {
			t.Errorf("frugality %d: the loss is off by %g of itself", f, d)
		}
		if off := gradientDistance(got, whole); off > 0.05 || off == 0 {
			t.Errorf("frugality %d: the gradient is off by %g of its norm", f, off)
		}
	}
}

// What the first section carries over for its way back is neither the picture's first map,
// of 256 bytes a pixel, nor the part of it that a loss looks at.
func TestTilesDoNotCarryTheLargestMap(t *testing.T) {
	gaussian := losses.Must(losses.Named("gaussian"))
	r := recipe{styles: []float64{1}, style: []stylePart{
		{layer: "relu1_1", loss: gaussian, weight: 1}, {layer: "relu2_1", loss: gaussian, weight: 1}, {layer: "relu3_1", loss: gaussian, weight: 1}}}
	e := extractorOf(t, r, vgg19.Options{})
	d, err := engine.Open(engine.Options{Device: "cpu"}) // which isn't exact
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	e.Device = d
	sections, err := e.sections(256, 256, r, wholeMaps32)
	if err != nil {
		t.Fatal(err)
	}
	first := sections[0]
	first.cut(2, 2)
	tile := first.tiles[0]
	g, err := e.sketchTile(first, tile, forBoth)
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := engine.Schedule(g.outputs(forBoth)...)
	if err != nil {
		t.Fatal(err)
	}
	for carry, want := range map[plan.Carry][2]float64{
		// relu2_1, of which a loss looks at a part, takes 128, and what is kept of the poolings 24.
		plan.CarryAll: {100, 160},
		// The choices of the second pooling alone: all else is made again with relu2_1.
		plan.CarryMarks: {7, 10},
	} {
		carrying, err := d.(carrier).Carrying(schedule, g.there(), carry)
		if err != nil {
			t.Fatal(err)
		}
		if each := float64(carrying.Bytes) / float64(area(tile.shown)); each < want[0] || each > want[1] {
			t.Errorf("carry %d: %.0f bytes a pixel are carried over, want %v", carry, each, want)
		}
	}
}

// Through all sections of the network, and with every pooling.
func TestTilesGoThroughTheWholeNetwork(t *testing.T) {
	gram, content := losses.Must(losses.Named("gram")), losses.ContentForms()[0]
	nothing, marks, all := remembering{}, remembering{1 << 40, bothCarries[:1]}, remembering{1 << 40, bothCarries}
	for _, test := range []struct {
		options       vgg19.Options
		width, height int
		layers        []string
		kept          []remembering
	}{
		{vgg19.Options{Padding: "replicate"}, 119, 102, []string{"relu1_1", "relu2_2", "pool3", "relu5_2"}, []remembering{nothing, all}},
		{vgg19.Options{Pooling: "avg"}, 58, 69, []string{"conv1_2", "pool2", "relu4_1"}, []remembering{nothing, marks}},
		{vgg19.Options{Pooling: "l2", PlainPooling: true}, 53, 40, []string{"pool1", "conv3_2"}, []remembering{nothing, marks, all}},
		{vgg19.Options{Pooling: "none"}, 31, 29, []string{"relu2_1", "relu3_1"}, []remembering{nothing, marks, all}},
	} {
		r := recipe{styles: []float64{1}, content: []contentPart{{layer: test.layers[1], weight: 0.1}}, contentForm: content}
		for _, layer := range test.layers {
			r.style = append(r.style, stylePart{layer: layer, loss: gram, weight: 1})
		}
		e := extractorOf(t, r, test.options)
		from := smoothNoise(t, test.width, test.height, 2)
		l := level{width: test.width, height: test.height, content: smoothNoise(t, test.width, test.height, 1), styles: []*picture.Picture{smoothNoise(t, 88, 64, 3)}}
		whole := evaluateWhole(t, e, l, from, 0)
		for _, kept := range test.kept {
			t.Run(fmt.Sprintf("pooling %s, %v", test.options.Pooling, kept), func(t *testing.T) {
				compareEvaluations(t, inTiles(t, e, l, from, 3, 2, kept, wholeMaps32), whole)
			})
		}
	}
}
