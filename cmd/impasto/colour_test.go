package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"impasto/internal/colour/colourtest"
	"impasto/internal/jpeg"
	"impasto/internal/picture"
)

// inDisplayP3 has the same colours as an image in sRGB, which all are in both.
func inDisplayP3(img image.Image) image.Image {
	// From linear sRGB to linear Display P3, of CSS Color 4.
	matrix := [3][3]float64{{0.82246, 0.17754, 0}, {0.03319, 0.96681, 0}, {0.01708, 0.07240, 0.91052}}
	converted := image.NewNRGBA(img.Bounds())
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			var linear [3]float64
			for i, v := range [3]uint8{c.R, c.G, c.B} {
				if linear[i] = float64(v) / 255 / 12.92; v > 10 {
					linear[i] = math.Pow((float64(v)/255+0.055)/1.055, 2.4)
				}
			}
			var p3 [3]uint8
			for i, row := range matrix {
				v := row[0]*linear[0] + row[1]*linear[1] + row[2]*linear[2]
				if v > 0.0031308 {
					v = 1.055*math.Pow(v, 1/2.4) - 0.055
				} else {
					v *= 12.92
				}
				p3[i] = uint8(math.Round(255 * v))
			}
			converted.SetNRGBA(x, y, color.NRGBA{p3[0], p3[1], p3[2], c.A})
		}
	}
	return converted
}

// jpegOf is a JPEG with a profile, or without one where that is nil.
func jpegOf(t *testing.T, img image.Image, profile []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	size := img.Bounds().Size()
	err := jpeg.Encode(&file, size.X, size.Y, func(y int, r, g, b []float32) {
		for x := range r {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			r[x], g[x], b[x] = float32(c.R)/255, float32(c.G)/255, float32(c.B)/255
		}
	}, jpeg.Options{Quality: 100, Profile: profile})
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// differenceOnWhite is the mean difference of two pictures on white, in levels of 255.
func differenceOnWhite(t *testing.T, pathA, pathB string) float64 {
	t.Helper()
	var pictures [2]*picture.Picture
	for i, path := range []string{pathA, pathB} {
		p, err := picture.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		pictures[i] = p.OnWhite()
	}
	if pictures[0].Bounds() != pictures[1].Bounds() {
		t.Fatalf("sizes %v and %v", pictures[0].Bounds(), pictures[1].Bounds())
	}
	var sum float64
	for i, v := range pictures[0].RGB {
		sum += math.Abs(float64(v - pictures[1].RGB[i]))
	}
	return 255 * sum / float64(len(pictures[0].RGB))
}

func TestProfilesOfTheContentCount(t *testing.T) {
	folder := workshop(t)
	in := func(name string) string { return filepath.Join(folder, name) }
	p3 := inDisplayP3(readPicture(t, in("content.png")))
	profile := colourtest.Samples()["P3 v4, parametric"]
	writeFile(t, in("p3.jpg"), jpegOf(t, p3, profile))
	writeFile(t, in("untagged.jpg"), jpegOf(t, p3, nil))
	writeFile(t, in("broken.jpg"), jpegOf(t, p3, profile[:300]))
	paint := func(content string) string {
		args := append([]string{"stylize", content, "style.png", "-o", content + ".png", "--first-iterations=1"}, shallow...)
		return impasto(t, folder, args...).done(t).stderr
	}
	for _, content := range []string{"content.png", "p3.jpg", "untagged.jpg"} {
		if stderr := paint(content); strings.Contains(stderr, "profile") {
			t.Errorf("%s: standard error is %q", content, stderr)
		}
	}
	if d := differenceOnWhite(t, in("content.png.png"), in("p3.jpg.png")); d > 2 {
		t.Errorf("from Display P3 the picture differs by %.2f levels on average, want at most 2", d)
	}
	if d := differenceOnWhite(t, in("content.png.png"), in("untagged.jpg.png")); d < 4 {
		t.Errorf("without the profile it differs by %.2f levels on average; this test can't fail", d)
	}
	if stderr := paint("broken.jpg"); !strings.Contains(stderr, "broken.jpg: the colour profile is broken: ") {
		t.Errorf("standard error is %q, want a line on the profile", stderr)
	}
}

// TestTransparencyOfTheContentStays paints a picture with a hole, which hides red.
func TestTransparencyOfTheContentStays(t *testing.T) {
	folder := workshop(t)
	in := func(name string) string { return filepath.Join(folder, name) }
	img := readPicture(t, in("content.png")).(interface {
		image.Image
		Set(x, y int, c color.Color)
	})
	hole := image.NewNRGBA(img.Bounds())
	for y := range 30 {
		for x := range 40 {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			if x >= 10 && x < 30 && y >= 8 && y < 22 {
				c = color.NRGBA{R: 255}
			}
			hole.SetNRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, hole); err != nil {
		t.Fatal(err)
	}
	writeFile(t, in("content.png"), file.Bytes())
	const note = "laid on white"
	for _, test := range []struct {
		name, depth string
		transparent bool
	}{{"out.png", "8", true}, {"deep.png", "16", true}, {"out.tif", "8", true}, {"deep.tif", "16", true}, {"out.jpg", "8", false}} {
		run := stylize(t, folder, "style.png", "-o", test.name, "--first-iterations=3", "--depth="+test.depth).done(t)
		if told := strings.Contains(run.stderr, note); told == test.transparent {
			t.Errorf("%s: standard error is %q", test.name, run.stderr)
		}
		p, err := picture.Open(t.Context(), in(test.name))
		if err != nil {
			t.Fatal(err)
		}
		if p.Opaque() == test.transparent {
			t.Errorf("%s: opaque is %v", test.name, p.Opaque())
		}
		middle, corner := 12*32+16, 0
		if test.transparent && (p.Alpha[middle] > 0.01 || p.Alpha[corner] < 0.99) {
			t.Errorf("%s: alpha is %v in the hole and %v beside it", test.name, p.Alpha[middle], p.Alpha[corner])
		}
		if !test.transparent && p.RGB[middle] < 0.98 {
			t.Errorf("%s: the hole is %v, want white", test.name, p.RGB[middle])
		}
		if test.transparent && p.RGB[middle] > 0.95 && p.RGB[32*24+middle] < 0.3 {
			t.Errorf("%s: what the hole hides was painted", test.name)
		}
	}
	if d := differenceOnWhite(t, in("out.png"), in("out.tif")); d != 0 {
		t.Errorf("PNG and TIFF differ by %v levels", d)
	}
	// Where there is a hole in a style, it is on white.
	run := impasto(t, folder, append([]string{"stylize", "style.png", "content.png", "-o", "style out.png", "--first-iterations=1"}, shallow...)...).done(t)
	if p, err := picture.Open(t.Context(), in("style out.png")); err != nil || !p.Opaque() {
		t.Errorf("a style with a hole makes holes (%v, %s)", err, run.stderr)
	}
}
