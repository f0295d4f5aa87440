package flow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"impasto/internal/flow"
	"impasto/internal/flow/scene"
)

// grey is a scene's picture at a time, as a file of 8 bits has it.
func grey(t testing.TB, s scene.Scene, time float64) flow.Plane {
	t.Helper()
	n, img := s.Width*s.Height, s.Bytes(time)
	rgb := make([]float32, 3*n)
	for i := range n {
		for c := range 3 {
			rgb[c*n+i] = float32(img.Pix[4*i+c]) / 255
		}
	}
	p, err := flow.Grey(s.Width, s.Height, rgb)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func estimate(t testing.TB, first, second flow.Plane, o flow.Options) flow.Field {
	t.Helper()
	field, err := flow.Estimate(context.Background(), first, second, o)
	if err != nil {
		t.Fatal(err)
	}
	return field
}

// others is testdata/opencv.json, which opencv.py there makes.
type others struct {
	Scenes map[string]struct {
		Size   [2]int
		Medium struct{ Seen, All float64 }
	}
}

// TestFlowIsAsNearAsThatOfOthers compares the errors in scenes whose flow is known with those
// of OpenCV's estimator of the same kind, in its most careful form.
func TestFlowIsAsNearAsThatOfOthers(t *testing.T) {
	data, err := os.ReadFile("testdata/opencv.json")
	if err != nil {
		t.Fatal(err)
	}
	var stored others
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	for _, s := range scene.All(320, 180) {
		t.Run(s.Name, func(t *testing.T) {
			theirs, known := stored.Scenes[strings.ReplaceAll(s.Name, " ", "-")]
			if !known || theirs.Size != [2]int{s.Width, s.Height} {
				t.Fatalf("nothing is stored of the scene at %d×%d", s.Width, s.Height)
			}
			first, second := grey(t, s, 0), grey(t, s, 1)
			there, back := estimate(t, first, second, flow.DefaultOptions()), estimate(t, second, first, flow.DefaultOptions())
			truth, hidden := s.Truth(0, 1)
			seen := make([]bool, len(hidden))
			for i := range hidden {
				seen[i] = !hidden[i]
			}
			ofSeen, ofAll := there.EndPointError(truth, seen), there.EndPointError(truth, nil)
			t.Logf("off by %.4f pixels where seen, %.4f everywhere; others by %.4f and %.4f", ofSeen, ofAll, theirs.Medium.Seen, theirs.Medium.All)
			if !(ofSeen <= theirs.Medium.Seen) || !(ofAll <= theirs.Medium.All) {
				t.Errorf("off by %.4f pixels where seen, %.4f everywhere, want %.4f and %.4f at most", ofSeen, ofAll, theirs.Medium.Seen, theirs.Medium.All)
			}
			found, missed, wrong := 0, 0, 0
			for i, is := range flow.FindOcclusions(there, back).Hidden {
				switch {
				case is && hidden[i]:
					found++
				case is:
					wrong++
				case hidden[i]:
					missed++
				}
			}
			t.Logf("of hidden pixels %d are found and %d missed, of %d others it is said that they are", found, missed, wrong)
			if 2*missed > found+missed || wrong > len(hidden)/20 {
				t.Errorf("of hidden pixels %d are found and %d missed, want half; of %d others it is said that they are, want a twentieth of all at most", found, missed, wrong)
			}
		})
	}
}

func TestFlowDoesNotDependOnThreads(t *testing.T) {
	s := scene.All(150, 141)[3] // several stripes of patches
	first, second := grey(t, s, 0), grey(t, s, 1)
	for _, stride := range []int{3, 4, 8} {
		o := flow.DefaultOptions()
		o.Stride, o.Threads = stride, 1
		want := estimate(t, first, second, o)
		for _, threads := range []int{2, 5, 0} {
			o.Threads = threads
			if got := estimate(t, first, second, o); !slices.Equal(got.U, want.U) || !slices.Equal(got.V, want.V) {
				t.Errorf("with a stride of %d, the flow by %d threads is another than by one", stride, threads)
			}
		}
	}
}

// TestNothingMovesWhereNothingDoes takes sizes down to the least, and pictures without
// anything to see.
func TestNothingMovesWhereNothingDoes(t *testing.T) {
	for _, size := range [][2]int{{8, 8}, {9, 13}, {64, 8}, {8, 70}, {33, 47}, {100, 64}} {
		for _, flat := range []bool{false, true} {
			t.Run(fmt.Sprint(size, flat), func(t *testing.T) {
				p := grey(t, scene.All(size[0], size[1])[0], 0)
				if flat {
					for i := range p.Values {
						p.Values[i] = 77
					}
				}
				field := estimate(t, p, p, flow.DefaultOptions())
				if off := field.EndPointError(flow.NewField(size[0], size[1]), nil); !(off < 1e-3) {
					t.Errorf("a picture moves against itself by %g pixels, want by none", off)
				}
			})
		}
	}
}

// TestPlainAreasMoveWithWhatIsAboutThem has a camera that pans below a sky with nothing to see,
// a good third of the picture.
func TestPlainAreasMoveWithWhatIsAboutThem(t *testing.T) {
	const width, height, speed = 160, 120, 1.5
	s := scene.Scene{Width: width, Height: height, Layers: []scene.Layer{{
		Colour: func(x, y float64) [3]float64 {
			if y < -10 {
				return [3]float64{0.6, 0.7, 0.9}
			}
			return [3]float64{0.5 + 0.3*math.Sin(x*0.5)*math.Sin(y*0.4), 0.4 + 0.2*math.Sin(x*0.2+y*0.3), 0.3}
		},
		Place: func(time float64) scene.Affine { return scene.Placed(width/2+speed*time, height/2, 0, 1) },
	}}}
	field := estimate(t, grey(t, s, 0), grey(t, s, 1), flow.DefaultOptions())
	slow := 0
	for i := range width * 50 {
		if math.Hypot(float64(field.U[i]), float64(field.V[i])) < speed/3 {
			slow++
		}
	}
	t.Logf("%d of %d pixels of the sky move by less than a third of what they should", slow, width*50)
	if slow > width*50/20 {
		t.Errorf("%d of %d pixels of the sky move by less than a third of what they should, want a twentieth at most", slow, width*50)
	}
}

func TestFlowRefusesWhatWontDo(t *testing.T) {
	good := flow.NewPlane(16, 16)
	set := func(change func(o *flow.Options)) flow.Options {
		o := flow.DefaultOptions()
		change(&o)
		return o
	}
	for _, c := range []struct {
		name          string
		first, second flow.Plane
		o             flow.Options
		want          string
	}{
		{"sizes", good, flow.NewPlane(16, 17), flow.DefaultOptions(), "16×16 and 16×17"},
		{"small", flow.NewPlane(7, 30), flow.NewPlane(7, 30), flow.DefaultOptions(), "7×30, want 8 pixels"},
		{"stride", good, good, set(func(o *flow.Options) { o.Stride = 9 }), "out of range"},
		{"iterations", good, good, set(func(o *flow.Options) { o.Iterations = 0 }), "out of range"},
	} {
		if _, err := flow.Estimate(context.Background(), c.first, c.second, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	for _, value := range []float32{float32(math.NaN()), float32(math.Inf(1)), -3, 300} {
		bad := flow.NewPlane(16, 16)
		bad.Values[77] = value
		for _, pair := range [][2]flow.Plane{{good, bad}, {bad, good}} {
			_, err := flow.Estimate(context.Background(), pair[0], pair[1], flow.DefaultOptions())
			if want := fmt.Sprintf("value 77 of a picture is %v", value); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		}
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := flow.Estimate(ended, good, good, flow.DefaultOptions()); err != context.Canceled {
		t.Errorf("error %v where the context has ended, want its own", err)
	}
	if _, err := flow.Grey(4, 4, make([]float32, 47)); err == nil {
		t.Error("47 values are taken for a picture of 4×4")
	}
}

// TestFramesServeAgain takes flows there and back from two frames, one after the other in
// the same memory, and compares them with those by themselves.
func TestFramesServeAgain(t *testing.T) {
	s := scene.All(150, 141)[3]
	o := flow.DefaultOptions()
	e, err := flow.NewEstimator(s.Width, s.Height, o)
	if err != nil {
		t.Fatal(err)
	}
	var pictures [3]flow.Plane
	var frames [3]*flow.Frame
	for i := range frames {
		pictures[i] = grey(t, s, float64(i))
		if frames[i], err = e.Frame(pictures[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range [][2]int{{0, 1}, {1, 0}, {2, 0}, {0, 1}} {
		got, err := e.Flow(context.Background(), frames[pair[0]], frames[pair[1]])
		if err != nil {
			t.Fatal(err)
		}
		want := estimate(t, pictures[pair[0]], pictures[pair[1]], o)
		if !slices.Equal(got.U, want.U) || !slices.Equal(got.V, want.V) {
			t.Errorf("the flow from picture %d to %d is another than by itself", pair[0], pair[1])
		}
	}
	o.Stride = 5
	other, err := flow.NewEstimator(s.Width, s.Height, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Flow(context.Background(), frames[0], frames[1]); err == nil {
		t.Error("frames of an estimator with other options are taken")
	}
	if _, err := other.Flow(context.Background(), nil, nil); err == nil {
		t.Error("no frames are taken")
	}
	if _, err := e.Frame(flow.NewPlane(s.Width+1, s.Height)); err == nil {
		t.Error("a picture of another size is taken")
	}
}

// TestLesserOptionsWork takes those that leave something out, which must still be nearly as
// exact.
func TestLesserOptionsWork(t *testing.T) {
	s := scene.All(320, 180)[1]
	first, second := grey(t, s, 0), grey(t, s, 1)
	truth, hidden := s.Truth(0, 1)
	seen := make([]bool, len(hidden))
	for i := range hidden {
		seen[i] = !hidden[i]
	}
	for name, c := range map[string]struct {
		change func(o *flow.Options)
		most   float64 // twice what was measured
	}{
		"no rounds":      {func(o *flow.Options) { o.Rounds = 0 }, 0.2},
		"no relaxations": {func(o *flow.Options) { o.Relaxations = 0 }, 0.2},
		"finest 1":       {func(o *flow.Options) { o.Finest = 1 }, 0.08},
		"finest 9":       {func(o *flow.Options) { o.Finest = 9 }, 0.3},
		"wide strides":   {func(o *flow.Options) { o.Stride = 8 }, 0.1},
		"one iteration":  {func(o *flow.Options) { o.Iterations = 1 }, 0.06},
		"much":           {func(o *flow.Options) { o.Stride, o.Rounds, o.Relaxations = 2, 4, 40 }, 0.06},
	} {
		o := flow.DefaultOptions()
		c.change(&o)
		if off := estimate(t, first, second, o).EndPointError(truth, seen); !(off < c.most) {
			t.Errorf("%s: off by %.4f pixels, want %.4f at most", name, off, c.most)
		} else {
			t.Logf("%s: off by %.4f pixels", name, off)
		}
	}
}
