package video

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"impasto/internal/flow"
	"impasto/internal/flow/scene"
	"impasto/internal/picture"
)

// noise is what cameras add.
type noise struct{ *rand.Rand }

func newNoise(seed uint64) noise { return noise{rand.New(rand.NewPCG(seed, 1))} }

// add is a picture with noise of a standard deviation in levels of 8 bits.
func (n noise) add(p *picture.Picture, deviation float64) *picture.Picture {
	to := &picture.Picture{Width: p.Width, Height: p.Height, RGB: make([]float32, len(p.RGB))}
	for i, v := range p.RGB {
		to.RGB[i] = min(max(v+float32(deviation/255*n.NormFloat64()), 0), 1)
	}
	return to
}

func TestWarpingByWholePixelsMovesThem(t *testing.T) {
	p := shoot(before(true), 0, 1)[0]
	field := flow.NewField(testWidth, testHeight)
	for i := range field.U {
		field.U[i], field.V[i] = 3, -2
	}
	got, err := warp(p, field)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got.RGB {
		y, x := i%plane/testWidth, i%testWidth
		fromX, fromY := min(x+3, testWidth-1), max(y-2, 0)
		if want := p.RGB[i/plane*plane+fromY*testWidth+fromX]; math.Abs(float64(v-want)) > 1e-6 {
			t.Fatalf("(%d, %d) is %v, want %v", x, y, v, want)
		}
	}
}

// Along the true flow, the second picture of a scene becomes the first, where it shows what that
// does.
func TestWarpingAlongTrueFlowTakesThePictureBack(t *testing.T) {
	s := scene.All(160, 90)[3]
	frames := shoot(s, 0, 2)
	field, hidden := s.Truth(0, 1)
	got, err := warp(frames[1], field)
	if err != nil {
		t.Fatal(err)
	}
	var apart float64
	n := 0
	for i, v := range got.RGB {
		if !hidden[i%len(hidden)] {
			apart, n = apart+math.Abs(float64(v-frames[0].RGB[i])), n+1
		}
	}
	if apart /= float64(n); !(apart < 0.02) {
		t.Errorf("the pictures are %.3g apart, want 0.02 at most", apart)
	}
}

// Where a picture is smooth, warping by parts of pixels is nearly exact.
func TestWarpingIsSmooth(t *testing.T) {
	at := func(x, y float64) float32 { return float32(0.5 + 0.4*math.Sin(x*0.3)*math.Cos(y*0.25)) }
	p, field := &picture.Picture{Width: testWidth, Height: testHeight, RGB: make([]float32, 3*plane)}, flow.NewField(testWidth, testHeight)
	for i := range p.RGB {
		p.RGB[i] = at(float64(i%testWidth), float64(i%plane/testWidth))
	}
	for i := range field.U {
		field.U[i], field.V[i] = float32(i%7)*0.13-0.4, float32(i%5)*0.21-0.5
	}
	got, err := warp(p, field)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got.RGB {
		x, y := i%testWidth, i%plane/testWidth
		if x < 2 || y < 2 || x > testWidth-4 || y > testHeight-4 {
			continue
		}
		want := at(float64(x)+float64(field.U[i%plane]), float64(y)+float64(field.V[i%plane]))
		if math.Abs(float64(v-want)) > 2e-3 {
			t.Fatalf("(%d, %d) is %v, want %v", x, y, v, want)
		}
	}
}

func everywhere(pixels int) []bool { return slices.Repeat([]bool{true}, pixels) }

func estimatorOf(t *testing.T, s scene.Scene) *flow.Estimator {
	t.Helper()
	e, err := flow.NewEstimator(s.Width, s.Height, flow.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func viewOf(t *testing.T, e *flow.Estimator, p *picture.Picture) view {
	t.Helper()
	v, err := newView(e, p)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// matched matches two frames of a scene.
func matched(t *testing.T, s scene.Scene, deviation float64) (now, other view, m match) {
	t.Helper()
	random, e := newNoise(9), estimatorOf(t, s)
	var views [2]view
	for i, p := range shoot(s, 3, 2) {
		views[i] = viewOf(t, e, random.add(p, deviation))
	}
	m, err := matchOf(t.Context(), views[1], views[0])
	if err != nil {
		t.Fatal(err)
	}
	return views[1], views[0], m
}

// underSky is a background below a plain sky, as a camera sees it that turns by so many pixels a
// frame.
func underSky(width, height int, speed float64) scene.Layer {
	return scene.Layer{
		Colour: func(x, y float64) [3]float64 {
			if y < -10 {
				return [3]float64{0.6, 0.7, 0.9} // sky
			}
			return [3]float64{0.5 + 0.3*math.Sin(x*0.5)*math.Sin(y*0.4), 0.4 + 0.2*math.Sin(x*0.2+y*0.3), 0.3}
		},
		Place: func(time float64) scene.Affine {
			return scene.Placed(float64(width)/2+speed*time, float64(height)/2, 0, 1)
		},
	}
}

// What stands still is told from what moves, and a camera that moves leaves nothing that does,
// plain sky included.
func TestWhatStandsStill(t *testing.T) {
	const width, height = 160, 120
	ball := scene.Layer{
		Inside: func(x, y float64) bool { return x*x+y*y < 15*15 },
		Colour: func(x, y float64) [3]float64 { return [3]float64{0.5 + 0.4*math.Sin(x), 0.5 + 0.4*math.Sin(y), 0.2} },
		Place:  func(time float64) scene.Affine { return scene.Placed(50+4*time, 60, 0, 1) },
	}
	for name, test := range map[string]struct {
		scene       scene.Scene
		noise       float64
		least, most float64 // share of what stands still and shows the same
	}{
		"camera stands":       {scene.Scene{Width: width, Height: height, Layers: []scene.Layer{underSky(width, height, 0), ball}}, 0, 0.8, 0.97},
		"noisy camera stands": {scene.Scene{Width: width, Height: height, Layers: []scene.Layer{underSky(width, height, 0), ball}}, 2, 0.8, 0.97},
		"camera moves":        {scene.Scene{Width: width, Height: height, Layers: []scene.Layer{underSky(width, height, 1.5), ball}}, 0, 0, 0.02},
		"noisy camera moves":  {scene.Scene{Width: width, Height: height, Layers: []scene.Layer{underSky(width, height, 1.5), ball}}, 2, 0, 0.02},
	} {
		t.Run(name, func(t *testing.T) {
			now, other, m := matched(t, test.scene, test.noise)
			same := unchanged(now.content, other.content, nil, nil)
			for i, at := range standing(now.grey, m.field) {
				same[i] = same[i] && at
			}
			if got := share(same); got < test.least || got > test.most {
				t.Errorf("%.3f of the frame stands still, want %v to %v", got, test.least, test.most)
			}
			for y := 50; y < 70; y++ { // the ball
				for x := 60; x < 70; x++ {
					if same[y*width+x] {
						t.Fatalf("(%d, %d) stands still, which is in the middle of the ball", x, y)
					}
				}
			}
		})
	}
}

// What comes into view at the side that a camera turns to is new, plain sky included.
func TestWhatComesIntoViewIsNew(t *testing.T) {
	const width, height, speed, strip = 160, 120, 4, 2 // of a sky without anything, flow is that of its surroundings only about
	s := scene.Scene{Width: width, Height: height, Layers: []scene.Layer{underSky(width, height, speed)}}
	for _, noise := range []float64{0, 2} {
		_, _, m := matched(t, s, noise)
		fresh, rest := 0, 0
		for i, trusted := range m.trusted {
			switch {
			case trusted && i%width < strip:
				fresh++
			case trusted:
				rest++
			}
		}
		if most := strip * height / 20; fresh > most {
			t.Errorf("with noise of %v levels, %d pixels of the strip that comes into view are trusted, want %d at most", noise, fresh, most)
		}
		if least := width * height * 9 / 10; rest < least {
			t.Errorf("with noise of %v levels, %d pixels that stay in view are trusted, want %d at least", noise, rest, least)
		}
	}
}

// Frames farther back show what the last one hides.
func TestFramesFartherBackStandIn(t *testing.T) {
	s := before(false)
	look := func(reach []int) float64 {
		tr := tracker{reach: reach}
		frames, e := shoot(s, 0, 5), estimatorOf(t, s)
		for i, p := range frames {
			v := viewOf(t, e, p)
			if i == 4 {
				found, err := tr.prior(t.Context(), v)
				if err != nil {
					t.Fatal(err)
				}
				return share(found.trusted)
			}
			if i == 3 { // something stands before it all
				v.content = &picture.Picture{Width: p.Width, Height: p.Height, RGB: append([]float32(nil), p.RGB...)}
				for k := range v.content.RGB {
					if x, y := k%testWidth, k%plane/testWidth; x > 20 && x < 40 && y > 5 && y < 40 {
						v.content.RGB[k] = float32((x*7+y*13)%11) / 11
					}
				}
				v = viewOf(t, e, v.content)
			}
			tr.add(painted{v, v.content, allSettled(plane)}, make([]bool, plane))
		}
		return 0
	}
	near, far := look([]int{1}), look([]int{1, 2})
	if !(far > near+0.1) {
		t.Errorf("of the frame %.2f are known by the last one, and %.2f by the last two", near, far)
	}
}

// What can't be trusted gets the colours that results have about it: here these are the frame's
// values, turned over and halved.
func TestWhatIsNewIsFilledInTheResultsColours(t *testing.T) {
	content := shoot(before(true), 0, 1)[0]
	p := &prior{picture: &picture.Picture{Width: testWidth, Height: testHeight, RGB: make([]float32, 3*plane)}, trusted: make([]bool, plane)}
	turned := func(v float32) float32 { return 0.9 - v/2 }
	for i := range p.picture.RGB {
		x, y := i%testWidth, i%plane/testWidth
		p.trusted[i%plane] = x < 20 || x > 44 || y < 12
		if p.trusted[i%plane] {
			p.picture.RGB[i] = turned(content.RGB[i])
		}
	}
	var off float64
	n := 0
	for i, v := range p.filled(content).RGB {
		if p.trusted[i%plane] {
			if v != p.picture.RGB[i] {
				t.Fatalf("value %d is trusted and becomes %v", i, v)
			}
			continue
		}
		off, n = off+math.Abs(float64(v-turned(content.RGB[i]))), n+1
	}
	if off /= float64(n); off > 0.02 {
		t.Errorf("what is new is off by %.3f in the mean", off)
	}
}

func TestNoiseIsTold(t *testing.T) {
	random := newNoise(4)
	squares := make([]float32, 20000)
	for i := range squares {
		d := 0.01 * random.NormFloat64()
		if i%5 == 0 {
			d = 0.3 // something moves
		}
		squares[i] = float32(d * d)
	}
	if got := deviation(squares, nil); got < 0.009 || got > 0.015 {
		t.Errorf("the deviation is %v, want 0.01 to 0.015", got)
	}
}

func TestMeansOfBoxes(t *testing.T) {
	const width, height = 7, 5
	values := make([]float32, width*height)
	for i := range values {
		values[i] = float32(i * i % 13)
	}
	for _, radius := range []int{0, 1, 3, 20} {
		got := boxMean(values, width, height, radius)
		for y := range height {
			for x := range width {
				var sum float64
				n := 0
				for j := max(y-radius, 0); j <= min(y+radius, height-1); j++ {
					for i := max(x-radius, 0); i <= min(x+radius, width-1); i++ {
						sum += float64(values[j*width+i])
						n++
					}
				}
				if want := sum / float64(n); math.Abs(float64(got[y*width+x])-want) > 1e-6 {
					t.Fatalf("radius %d at (%d, %d): %v, want %v", radius, x, y, got[y*width+x], want)
				}
			}
		}
	}
}

// What is new isn't held to what a first frame made of it, until it has been painted for some
// frames.
func TestWhatIsNewSettles(t *testing.T) {
	s := before(false)
	tr, e := tracker{reach: []int{1}}, estimatorOf(t, s)
	p := shoot(s, 0, 1)[0]
	v := viewOf(t, e, p)
	ages := allSettled(plane)
	ages[plane/2] = 0
	tr.add(painted{v, p, ages}, everywhere(plane))
	for frame := 1; frame <= settled; frame++ {
		found, err := tr.prior(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		trusted := found.model(1).Trusted.(*image.Gray)
		held := func(at int) bool { return trusted.Pix[at] == 255 }
		if held(plane/2) != (frame >= pulled) || found.still[plane/2] != (frame == settled) || !found.trusted[plane/2] || !held(plane/3) {
			t.Errorf("after %d frames a new pixel is held: %v, and still: %v", frame, held(plane/2), found.still[plane/2])
		}
		tr.add(painted{v, p, found.ages}, found.still)
	}
}

// Noise, even that of a dark night, doesn't have what stands still painted anew, not even now and
// then.
func TestNoiseLeavesWhatStandsStill(t *testing.T) {
	s := before(false)
	background := shoot(s, 0, 1)[0]
	for _, deviation := range []float64{0, 0.5, 2, 6, 12} {
		random, e, tr := newNoise(11), estimatorOf(t, s), tracker{reach: []int{1, 2, 4}}
		stayed := everywhere(plane)
		for frame := range 30 {
			v := viewOf(t, e, random.add(background, deviation))
			var found *prior
			if frame > 0 {
				var err error
				if found, err = tr.prior(t.Context(), v); err != nil {
					t.Fatal(err)
				}
				for i, still := range found.still {
					stayed[i] = stayed[i] && still
				}
			}
			tr.take(found, v, v.content)
		}
		if got := share(stayed); got < 0.97 {
			t.Errorf("with noise of %v levels, %.3f of the pixels stay as they are for 30 frames, want 0.97 at least", deviation, got)
		}
	}
}

// A plain area whose flow is that of a thing which moves far away stands still if nearer edges do,
// and moves if the thing's are the nearest.
func TestPlainAreasGoWithTheNearestEdges(t *testing.T) {
	const width, height = 200, 40
	grey := flow.Plane{Width: width, Height: height, Values: make([]float32, width*height)}
	field := flow.NewField(width, height)
	for i := range grey.Values {
		x, y := i%width, i/width
		switch {
		case x < 40 && (x/4+y/4)%2 == 0: // a wall that stands
			grey.Values[i] = 200
		case x >= 160 && (x/4+y/4)%2 == 0: // a thing that moves
			grey.Values[i] = 200
		}
		if x >= 45 {
			field.U[i] = 3
		}
	}
	still := standing(grey, field)
	for _, at := range []struct {
		x    int
		want bool
	}{{20, true}, {60, true}, {145, false}, {180, false}} {
		if got := still[height/2*width+at.x]; got != at.want {
			t.Errorf("at column %d something stands still: %v, want %v", at.x, got, at.want)
		}
	}
}

// Light that changes everywhere is no noise: once it has changed by more than a little, all is
// painted anew, however steady the film.
func TestLightThatChangesIsNoNoise(t *testing.T) {
	random := newNoise(5)
	one := shoot(before(false), 0, 1)[0]
	for _, test := range []struct {
		levels      float32
		least, most float64
	}{{2, 0.97, 1}, {12, 0, 0.1}} {
		other := random.add(one, 1)
		for i := range other.RGB {
			other.RGB[i] -= test.levels / 255
		}
		if got := share(unchanged(other, one, everywhere(plane), everywhere(plane))); got < test.least || got > test.most {
			t.Errorf("with %v levels less light, %.3f of the picture is unchanged, want %v to %v", test.levels, got, test.least, test.most)
		}
	}
}

// What differs a little more than noise does lets go of what was painted anew, but not of what has
// stayed; what differs much lets go of both.
func TestWhatHasStayedStaysLonger(t *testing.T) {
	one := &picture.Picture{Width: testWidth, Height: testHeight, RGB: make([]float32, 3*plane)}
	stayed := make([]bool, plane)
	for i := range stayed {
		stayed[i] = i%testWidth < testWidth/2
	}
	for _, test := range []struct {
		levels    float32
		new, been bool // are unchanged
	}{{2, true, true}, {5, false, true}, {15, false, false}} {
		other := &picture.Picture{Width: testWidth, Height: testHeight, RGB: make([]float32, 3*plane)}
		for y := 10; y < 30; y++ {
			for _, x := range []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53} {
				other.RGB[y*testWidth+x] = test.levels / 255
			}
		}
		same := unchanged(other, one, everywhere(plane), stayed)
		if been, new := same[20*testWidth+15], same[20*testWidth+49]; been != test.been || new != test.new {
			t.Errorf("%v levels: what has stayed is unchanged: %v, what hasn't: %v, want %v and %v", test.levels, been, new, test.been, test.new)
		}
	}
}

// The reference is the mean of the first frames that a pixel stays for, and begins anew where it
// is painted anew.
func TestTheReferenceIsAMean(t *testing.T) {
	grey := func(v float32) *picture.Picture {
		return &picture.Picture{Width: 2, Height: 1, RGB: []float32{v, v, v, v, v, v}}
	}
	tr := tracker{reach: []int{1}}
	add := func(v float32, stayed ...bool) {
		tr.add(painted{view{content: grey(v)}, grey(v), allSettled(2)}, stayed)
	}
	add(0.2, true, true)
	add(0.4, true, true)
	add(0.6, true, false)
	if got := tr.reference.RGB[:2]; math.Abs(float64(got[0]-0.4)) > 1e-6 || math.Abs(float64(got[1]-0.6)) > 1e-6 {
		t.Errorf("the reference is %v, want [0.4 0.6]", got)
	}
	for range 2 * averaged {
		add(1, true, true)
	}
	kept := tr.reference.RGB[0]
	if add(0, true, true); tr.reference.RGB[0] != kept || kept == 1 {
		t.Errorf("the reference goes on from %v to %v", kept, tr.reference.RGB[0])
	}
}
