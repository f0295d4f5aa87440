package recolour

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"impasto/internal/picture"
)

func TestOklabGoesBackAndForth(t *testing.T) {
	for _, test := range []struct {
		rgb  [3]float64
		want Lab
	}{
		{[3]float64{1, 1, 1}, Lab{1, 0, 0}},
		{[3]float64{0, 0, 0}, Lab{0, 0, 0}},
		// As Ottosson's own conversion has them.
		{[3]float64{1, 0, 0}, Lab{0.6280, 0.2249, 0.1258}},
		{[3]float64{0, 1, 0}, Lab{0.8664, -0.2339, 0.1795}},
		{[3]float64{0, 0, 1}, Lab{0.4520, -0.0325, -0.3115}},
		{[3]float64{0.2, 0.5, 0.7}, FromRGB(0.2, 0.5, 0.7)},
	} {
		got := FromRGB(test.rgb[0], test.rgb[1], test.rgb[2])
		if d := math.Max(math.Abs(got.L-test.want.L), math.Hypot(got.A-test.want.A, got.B-test.want.B)); d > 1e-4 {
			t.Errorf("%v is %v, want %v", test.rgb, got, test.want)
		}
		r, g, b := got.RGB()
		if d := math.Abs(r-test.rgb[0]) + math.Abs(g-test.rgb[1]) + math.Abs(b-test.rgb[2]); d > 2e-3 {
			t.Errorf("%v becomes %v, %v, %v and back", test.rgb, r, g, b)
		}
	}
}

func TestColoursThatThereAreNotKeepLightnessAndHue(t *testing.T) {
	for _, c := range []Lab{{0.5, 0.4, 0.1}, {0.9, -0.3, 0.3}, {0.1, 0, -0.4}, {0.99, 0.2, 0.2}, {1.2, 0, 0}, {-0.1, 0.1, 0}} {
		r, g, b := c.RGB()
		if min(r, g, b) < 0 || max(r, g, b) > 1 {
			t.Fatalf("%v is %v, %v, %v", c, r, g, b)
		}
		got := FromRGB(r, g, b)
		if d := math.Abs(got.L - min(max(c.L, 0), 1)); d > 2e-3 {
			t.Errorf("%v has a lightness of %v", c, got.L)
		}
		if cross := got.A*c.B - got.B*c.A; math.Abs(cross) > 2e-3*math.Hypot(c.A, c.B) {
			t.Errorf("%v becomes %v, of another hue", c, got)
		}
	}
}

// From the table of Sharma, Wu and Dalal 2005.
func TestDeltaE2000(t *testing.T) {
	for _, test := range []struct {
		x, y cielab
		want float64
	}{
		{cielab{50, 2.6772, -79.7751}, cielab{50, 0, -82.7485}, 2.0425},
		{cielab{50, 0, 0}, cielab{50, -1, 2}, 2.3669},
		{cielab{50, 2.49, -0.001}, cielab{50, -2.49, 0.0009}, 7.1792},
		{cielab{50, 2.5, 0}, cielab{73, 25, -18}, 27.1492},
		{cielab{50, 2.5, 0}, cielab{61, -5, 29}, 22.8977},
		{cielab{60.2574, -34.0099, 36.2677}, cielab{60.4626, -34.1751, 39.4387}, 1.2644},
		{cielab{6.7747, -0.2908, -2.4247}, cielab{5.8714, -0.0985, -2.2286}, 0.6377},
		{cielab{2.0776, 0.0795, -1.1350}, cielab{0.9033, -0.0636, -0.5514}, 0.9082},
		{cielab{30, 4, 5}, cielab{30, 4, 5}, 0},
	} {
		for _, got := range []float64{deltaE2000(test.x, test.y), deltaE2000(test.y, test.x)} {
			if math.Abs(got-test.want) > 5e-5 {
				t.Errorf("difference of %v and %v is %.4f, want %.4f", test.x, test.y, got, test.want)
			}
		}
	}
}

// random is a picture of colours around a middle, correlated by a mixing of channels.
func random(seed uint64, width, height int, middle, spread float64) *picture.Picture {
	r := rand.New(rand.NewPCG(seed, 1))
	n := width * height
	p := &picture.Picture{Width: width, Height: height, RGB: make([]float32, 3*n)}
	for i := range n {
		shared := r.NormFloat64()
		for c := range 3 {
			v := middle + 0.05*float64(c) + spread*(0.6*shared+0.5*float64(c+1)*r.NormFloat64()/2)
			p.RGB[c*n+i] = float32(min(max(v, 0), 1))
		}
	}
	return p
}

func TestMatchedColoursHaveTheOthersMoments(t *testing.T) {
	for _, test := range []struct {
		name     string
		from, to *picture.Picture
	}{
		{"two distributions", random(1, 40, 30, 0.35, 0.05), random(2, 17, 50, 0.55, 0.04)},
		{"of one colour", random(3, 9, 8, 0.4, 0), random(2, 17, 50, 0.55, 0.04)},
		{"to one colour", random(1, 40, 30, 0.35, 0.05), random(3, 9, 8, 0.4, 0)},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, to := Of(test.from), Of(test.to)
			matched, err := Match(t.Context(), test.from, from, to, 1)
			if err != nil {
				t.Fatal(err)
			}
			got := Of(matched)
			for j := range 3 {
				if math.Abs(got.mean[j]-to.mean[j]) > 1e-4 {
					t.Errorf("mean %v, want %v", got.mean, to.mean)
				}
				for k := range 3 {
					want := to.covariance[j][k]
					if test.name == "of one colour" {
						want = 0
					}
					if math.Abs(got.covariance[j][k]-want) > 2e-5 {
						t.Errorf("covariance %v, want %v", got.covariance, to.covariance)
					}
				}
			}
			half, err := Match(t.Context(), test.from, from, to, 0.5)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range half.RGB {
				if want := (test.from.RGB[i] + matched.RGB[i]) / 2; math.Abs(float64(v-want)) > 1e-6 {
					t.Fatalf("half of the way, value %d is %v, want %v", i, v, want)
				}
			}
		})
	}
}

func TestPaintTakesLightnessFromOneAndColourFromTheOther(t *testing.T) {
	p, colours := random(1, 30, 20, 0.5, 0.05), random(2, 30, 20, 0.6, 0.02)
	p.Alpha = make([]float32, 30*20)
	p.Alpha[7] = 1
	for _, strength := range []float64{0, 0.3, 1} {
		painted, err := Paint(t.Context(), p, colours, 1-strength, strength)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(painted.Alpha, p.Alpha) {
			t.Error("alpha is another")
		}
		for i := range 30 * 20 {
			var c [3]Lab
			for k, of := range []*picture.Picture{p, colours, painted} {
				v := pixel(of, i)
				c[k] = FromRGB(v[0], v[1], v[2])
			}
			a, b := c[0].A+strength*(c[1].A-c[0].A), c[0].B+strength*(c[1].B-c[0].B)
			if d := math.Abs(c[2].L-c[0].L) + math.Hypot(c[2].A-a, c[2].B-b); d > 3e-3 {
				t.Fatalf("strength %v: pixel %d is %v, of %v in the colour of %v", strength, i, c[2], c[0], c[1])
			}
		}
	}
	if _, err := Paint(t.Context(), p, random(2, 20, 30, 0.6, 0.02), 0, 1); err == nil {
		t.Error("colours of another size gave no error")
	}
}

func TestRelitPicturesHaveTheOthersLightness(t *testing.T) {
	p, to := random(1, 30, 20, 0.3, 0.03), Of(random(2, 30, 20, 0.6, 0.02))
	relit, err := Relight(t.Context(), p, Of(p), to, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := Of(relit).lightness
	if math.Abs(got.mean-to.lightness.mean) > 2e-3 || math.Abs(got.deviation-to.lightness.deviation) > 2e-3 {
		t.Errorf("lightness %v, want %v", got, to.lightness)
	}
	for i := range 30 * 20 {
		if v := pixel(relit, i); math.Abs(v[0]-v[1])+math.Abs(v[1]-v[2]) > 1e-4 {
			t.Fatalf("pixel %d is %v, want grey", i, v)
		}
	}
}

func TestDifferenceIsOfLocalColours(t *testing.T) {
	p := random(1, 100, 60, 0.5, 0.05)
	same, err := Difference(p, p)
	if err != nil || same != 0 {
		t.Errorf("a picture differs from itself by %v (%v)", same, err)
	}
	grain, err := Difference(p, random(9, 100, 60, 0.5, 0.05))
	if err != nil {
		t.Fatal(err)
	}
	other, err := Difference(p, random(9, 100, 60, 0.3, 0.05))
	if err != nil {
		t.Fatal(err)
	}
	if grain > 5 || other < 3*grain {
		t.Errorf("other grain of the same colours differs by %v, other colours by %v", grain, other)
	}
}

func TestRecolouringEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := random(1, 10, 10, 0.5, 0.05)
	if _, err := Paint(ctx, p, p, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want the context's", err)
	}
}
