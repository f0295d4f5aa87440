package picture

import (
	_ "embed"
	"encoding/json"
	"math"
	"testing"
)

// Made by testdata/make_fixtures.py with Pillow.
//
//go:embed testdata/resize.json
var resizeFixtures []byte

var filters = []Filter{Lanczos, Bicubic, Bilinear}

func filterOf(t *testing.T, name string) Filter {
	t.Helper()
	for _, f := range filters {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no filter %q", name)
	return Filter{}
}

func TestResizeAgreesWithPillow(t *testing.T) {
	var fixture struct {
		Width, Height int
		Plane         []float32
		Cases         []struct {
			Filter        string
			Width, Height int
			Values        []float32
		}
	}
	if err := json.Unmarshal(resizeFixtures, &fixture); err != nil {
		t.Fatal(err)
	}
	if len(fixture.Cases) != 21 {
		t.Fatalf("%d cases; the file is incomplete", len(fixture.Cases))
	}
	for _, c := range fixture.Cases {
		got := make([]float32, c.Width*c.Height)
		err := ResizePlanes(got, fixture.Plane, 1, fixture.Height, fixture.Width, c.Height, c.Width, filterOf(t, c.Filter))
		if err != nil {
			t.Fatal(err)
		}
		// Values are of size 1–3; float32 sums of some dozens and the fixture's six
		// decimals leave a few 1e-7.
		if worst := distance(got, c.Values); worst > 2e-6 {
			t.Errorf("%s to %d×%d differs by %g", c.Filter, c.Width, c.Height, worst)
		}
	}
}

func distance(a, b []float32) float64 {
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}

func TestResizeKeepsAFlatPlaneFlat(t *testing.T) {
	src := make([]float32, 2*11*7)
	for i := range src {
		src[i] = 0.3
	}
	for _, filter := range filters {
		for _, size := range [][2]int{{1, 1}, {3, 50}, {50, 3}, {7, 11}, {23, 29}} {
			dst := make([]float32, 2*size[0]*size[1])
			if err := ResizePlanes(dst, src, 2, 11, 7, size[1], size[0], filter); err != nil {
				t.Fatal(err)
			}
			for _, v := range dst {
				if math.Abs(float64(v)-0.3) > 1e-6 {
					t.Fatalf("%s to %v: %v, want 0.3", filter.Name, size, v)
				}
			}
		}
	}
}

func TestResizeToTheSameSizeIsExact(t *testing.T) {
	src := []float32{-3, 0.1, 7, 1e-9, 2, 5}
	for _, filter := range filters {
		dst := make([]float32, len(src))
		if err := ResizePlanes(dst, src, 1, 2, 3, 2, 3, filter); err != nil {
			t.Fatal(err)
		}
		if distance(dst, src) != 0 {
			t.Errorf("%s: %v, want %v", filter.Name, dst, src)
		}
	}
}

func TestResizeTreatsPlanesApart(t *testing.T) {
	src := make([]float32, 3*4*4)
	for i := range src[16:32] {
		src[16+i] = 1
	}
	dst := make([]float32, 3*6*5)
	if err := ResizePlanes(dst, src, 3, 4, 4, 6, 5, Lanczos); err != nil {
		t.Fatal(err)
	}
	for i, v := range dst {
		want := 0.0
		if i/30 == 1 {
			want = 1
		}
		if math.Abs(float64(v)-want) > 1e-6 {
			t.Fatalf("value %d is %v, want %v", i, v, want)
		}
	}
}

func TestPictureResizeClamps(t *testing.T) {
	// A hard edge, which Lanczos overshoots on both sides.
	p := &Picture{Width: 8, Height: 1, RGB: make([]float32, 24)}
	for i := range p.RGB {
		if i%8 >= 4 {
			p.RGB[i] = 1
		}
	}
	unclamped := make([]float32, 3*31)
	if err := ResizePlanes(unclamped, p.RGB, 3, 1, 8, 1, 31, Lanczos); err != nil {
		t.Fatal(err)
	}
	resized, err := p.Resize(31, 1, Lanczos)
	if err != nil {
		t.Fatal(err)
	}
	overshot := false
	for i, v := range resized.RGB {
		if v < 0 || v > 1 {
			t.Fatalf("value %v", v)
		}
		overshot = overshot || unclamped[i] != v
	}
	if !overshot {
		t.Error("nothing overshot, so nothing was tested")
	}
}

func TestResizeRefusesWhatCannotBe(t *testing.T) {
	plane := make([]float32, 6)
	for name, err := range map[string]error{
		"no height":     ResizePlanes(plane, plane, 1, 2, 3, 0, 3, Lanczos),
		"no planes":     ResizePlanes(plane, plane, 0, 2, 3, 2, 3, Lanczos),
		"short source":  ResizePlanes(plane, plane[:5], 1, 2, 3, 2, 3, Lanczos),
		"long target":   ResizePlanes(make([]float32, 7), plane, 1, 2, 3, 2, 3, Lanczos),
		"no filter":     ResizePlanes(make([]float32, 6), plane, 1, 2, 3, 2, 3, Filter{}),
		"no size":       resizeError(0, 5),
		"too many":      resizeError(1<<20, 1<<20),
		"negative size": resizeError(5, -1),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		checkMessage(t, err, "picture: resize", "")
	}
}

func resizeError(width, height int) error {
	p := &Picture{Width: 1, Height: 1, RGB: make([]float32, 3)}
	_, err := p.Resize(width, height, Lanczos)
	return err
}
