package losses_test

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/losses"
)

// The maps of these tests are of an odd size. A target has another.
const (
	mapChannels           = 6
	mapHeight, mapWidth   = 7, 9
	targetHeight          = 5
	targetWidth           = 8
	mapSample             = 20 // positions, of losses that look at a sample
	partTolerance         = 1e-10
	mapPositions          = mapHeight * mapWidth
	targetPositions       = targetHeight * targetWidth
	haloPositions         = 1 // how far parts see beyond what counts by way of them
	maskedOut             = 3 // every so manyeth position isn't in the mask
	seedOfMap, seedOfGoal = 1, 2
)

// rectified are features as after a rectification.
func rectified(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 3))
	values := make([]float64, n)
	for i := range values {
		values[i] = max(0, 0.3+r.NormFloat64())
	}
	return values
}

// forms are all forms of all losses, by name; those that sample have few positions.
func forms(t *testing.T) map[string]losses.Form {
	t.Helper()
	all := map[string]losses.Form{}
	for _, loss := range append(losses.All(), custom(t, "peaks", peaks)) {
		name := loss.Description().Name
		all[name+", plain"], all[name+", normalised"] = loss.Plain(), loss.Normalised()
		if sampled, ok := loss.(losses.Sampled); ok {
			all[name+", sampled"] = sampled.WithSample(mapSample).Normalised()
			fixed := loss.Plain()
			for i := range fixed.Summaries {
				if fixed.Summaries[i].Fixed {
					fixed.Summaries[i].Sample = mapSample
				}
			}
			all[name+", plain and sampled"] = fixed
		}
	}
	return all
}

// everyThird is a mask of the map.
func everyThird() []int32 {
	var mask []int32
	for i := range int32(mapPositions) {
		if i%maskedOut != 1 {
			mask = append(mask, i)
		}
	}
	return mask
}

// cut parts the map into rows times columns, each of which sees one position beyond
// what counts by way of it.
func cut(rows, columns int, mask []int32) []losses.Positions {
	var parts []losses.Positions
	whole := image.Rect(0, 0, mapWidth, mapHeight)
	for i := range rows {
		for j := range columns {
			inner := image.Rect(j*mapWidth/columns, i*mapHeight/rows, (j+1)*mapWidth/columns, (i+1)*mapHeight/rows)
			parts = append(parts, losses.Positions{
				Height: mapHeight, Width: mapWidth, Mask: mask, Inner: inner,
				Part: inner.Inset(-haloPositions).Intersect(whole),
			})
		}
	}
	return parts
}

// shown are the values that a part shows of a map.
func shown(x []float64, channels int, part image.Rectangle) []float64 {
	var values []float64
	for c := range channels {
		for y := part.Min.Y; y < part.Max.Y; y++ {
			row := x[(c*mapHeight+y)*mapWidth:]
			values = append(values, row[part.Min.X:part.Max.X]...)
		}
	}
	return values
}

// addShown adds a part's gradient to that of the map.
func addShown(gradient, of []float64, part image.Rectangle) {
	for c := range mapChannels {
		for y := part.Min.Y; y < part.Max.Y; y++ {
			row := gradient[(c*mapHeight+y)*mapWidth:]
			for x := part.Min.X; x < part.Max.X; x++ {
				row[x] += of[0]
				of = of[1:]
			}
		}
	}
}

// evaluation is a loss of the map, its gradient and the map's summaries.
type evaluation struct {
	value     float64
	gradient  []float64
	summaries [][]float64
}

// whole evaluates a form in one graph.
func whole(t *testing.T, form losses.Form, features []float64, p losses.Positions) evaluation {
	t.Helper()
	g := gorgonia.NewGraph()
	x := input(g, "x", features, mapChannels, mapHeight, mapWidth)
	summaries, err := form.Summarise(x, p)
	if err != nil {
		t.Fatal(err)
	}
	value := against(t, form, g, summaries)
	gradient, err := gorgonia.Grad(value, x)
	if err != nil {
		t.Fatal(err)
	}
	nodes := []*gorgonia.Node{value, gradient[0]}
	for _, s := range summaries {
		if s.Node != nil {
			nodes = append(nodes, s.Node)
		}
	}
	values := run(t, nodes...)
	return evaluation{values[0][0], values[1], values[2:]}
}

// against compares summaries with those of the target.
func against(t *testing.T, form losses.Form, g *gorgonia.ExprGraph, summaries []losses.Summarised) *gorgonia.Node {
	t.Helper()
	y := input(g, "y", rectified(mapChannels*targetPositions, seedOfGoal), mapChannels, targetHeight, targetWidth)
	target, err := form.Target(y, losses.Positions{})
	if err != nil {
		t.Fatal(err)
	}
	value, err := form.Value(summaries, target)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// inParts evaluates a form in three steps: every part is summarised, the sums are
// compared, and every part pulls their cotangents back.
func inParts(t *testing.T, form losses.Form, features []float64, parts []losses.Positions) evaluation {
	t.Helper()
	var sums []losses.Summarised
	e := evaluation{gradient: make([]float64, len(features)), summaries: make([][]float64, len(form.Summaries))}
	shapes := make([][]int, len(form.Summaries))
	for _, p := range parts {
		_, summaries := summarise(t, form, features, p)
		sums = summaries
		for i, s := range summaries {
			if s.Node == nil {
				continue
			}
			shapes[i] = s.Node.Shape()
			values := run(t, s.Node)[0]
			if e.summaries[i] == nil {
				e.summaries[i] = make([]float64, len(values))
			}
			for k, v := range values {
				e.summaries[i][k] += s.Weight * v
			}
		}
	}

	g := gorgonia.NewGraph()
	x := make([]losses.Summarised, len(sums))
	var inputs gorgonia.Nodes
	for i := range x {
		if e.summaries[i] != nil {
			x[i] = losses.Summarised{Node: input(g, fmt.Sprint("sum ", i), e.summaries[i], shapes[i]...), Drawn: sums[i].Drawn}
			inputs = append(inputs, x[i].Node)
		}
	}
	value := against(t, form, g, x)
	gradients, err := gorgonia.Grad(value, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	values := run(t, append(gorgonia.Nodes{value}, gradients...)...)
	e.value = values[0][0]
	cotangents, next := make([][]float64, len(x)), values[1:]
	for i := range x {
		if e.summaries[i] != nil {
			cotangents[i], next = next[0], next[1:]
		}
	}
	for _, p := range parts {
		pullBack(t, form, features, p, cotangents, e.gradient)
	}
	kept := e.summaries[:0]
	for _, s := range e.summaries {
		if s != nil {
			kept = append(kept, s)
		}
	}
	e.summaries = kept
	return e
}

// summarise makes the graph of a part.
func summarise(t *testing.T, form losses.Form, features []float64, p losses.Positions) (*gorgonia.Node, []losses.Summarised) {
	t.Helper()
	x := input(gorgonia.NewGraph(), "x", shown(features, mapChannels, p.Part), mapChannels, p.Part.Dy(), p.Part.Dx())
	summaries, err := form.Summarise(x, p)
	if err != nil {
		t.Fatal(err)
	}
	return x, summaries
}

// pullBack adds what a part has of the gradient.
func pullBack(t *testing.T, form losses.Form, features []float64, p losses.Positions, cotangents [][]float64, gradient []float64) {
	t.Helper()
	x, summaries := summarise(t, form, features, p)
	var outputs, weighted gorgonia.Nodes
	for i, s := range summaries {
		if s.Node == nil {
			continue
		}
		cotangent := append([]float64(nil), cotangents[i]...)
		for k := range cotangent {
			cotangent[k] *= s.Weight
		}
		outputs = append(outputs, s.Node)
		weighted = append(weighted, input(x.Graph(), fmt.Sprint("cotangent ", i), cotangent, s.Node.Shape()...))
	}
	if len(outputs) == 0 {
		return
	}
	dx, err := gorgonia.Backpropagate(outputs, weighted, gorgonia.Nodes{x})
	if err != nil {
		t.Fatal(err)
	}
	addShown(gradient, run(t, dx[0])[0], p.Part)
}

func TestEveryLossIsTheSameInParts(t *testing.T) {
	features := rectified(mapChannels*mapPositions, seedOfMap)
	for name, form := range forms(t) {
		t.Run(name, func(t *testing.T) {
			for _, mask := range [][]int32{nil, everyThird()} {
				want := whole(t, form, features, losses.Positions{Height: mapHeight, Width: mapWidth, Mask: mask})
				for _, grid := range [][2]int{{1, 1}, {2, 2}, {3, 1}} {
					got := inParts(t, form, features, cut(grid[0], grid[1], mask))
					what := fmt.Sprintf("%d×%d parts, mask of %d", grid[0], grid[1], len(mask))
					near(t, what+": value", []float64{got.value}, []float64{want.value})
					near(t, what+": gradient", got.gradient, want.gradient)
					for i := range want.summaries {
						near(t, what+": summary", got.summaries[i], want.summaries[i])
					}
				}
			}
		})
	}
}

// near compares values to partTolerance of the largest one.
func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	var largest, worst float64
	for i, v := range want {
		largest, worst = max(largest, math.Abs(v)), max(worst, math.Abs(got[i]-v))
	}
	if largest == 0 || !(worst <= partTolerance*largest) {
		t.Errorf("%s: off by %g of %g", what, worst, largest)
	}
}
