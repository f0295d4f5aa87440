package picture

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"path/filepath"
	"testing"

	"impasto/internal/colour"
)

// disc is a red disc with a soft edge, whose transparent surroundings hide green.
func disc(side int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			middle := float64(side-1) / 2
			inside := float64(side)/3 - math.Hypot(float64(x)-middle, float64(y)-middle)
			c := color.NRGBA{0, 255, 0, 0}
			if inside > 0 {
				c = color.NRGBA{200, 30, 10, uint8(math.Min(255, 60*inside))}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func fromImageOf(t *testing.T, img image.Image) *Picture {
	t.Helper()
	p, err := FromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTransparencyComesBack(t *testing.T) {
	p := fromImageOf(t, disc(40))
	for _, test := range []struct {
		name      string
		options   SaveOptions
		tolerance float64
	}{
		{"a.png", SaveOptions{}, 0.51 / 255},
		{"b.png", SaveOptions{Depth: 16}, 0.51 / 65535},
		{"a.tif", SaveOptions{}, 0.51 / 255},
		{"b.tiff", SaveOptions{Depth: 16}, 0.51 / 65535},
	} {
		path := filepath.Join(t.TempDir(), test.name)
		if err := Save(path, p, test.options); err != nil {
			t.Fatal(err)
		}
		back, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if back.Opaque() {
			t.Errorf("%s is opaque", test.name)
			continue
		}
		if d := max(distance(back.Alpha, p.Alpha), distance(back.RGB, p.RGB)); d > test.tolerance {
			t.Errorf("%s differs by %g, want at most %g", test.name, d, test.tolerance)
		}
		if format, err := FormatOf(path); err != nil || Flattens(format, p) {
			t.Errorf("%s is said to be flattened (%v)", test.name, err)
		}
	}
}

func TestAJPEGIsLaidOnWhite(t *testing.T) {
	p := fromImageOf(t, disc(40))
	path := filepath.Join(t.TempDir(), "a.jpg")
	if !Flattens("jpeg", p) || Flattens("jpeg", p.OnWhite()) {
		t.Error("it isn't told that a JPEG is laid on white")
	}
	if err := Save(path, p, SaveOptions{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	back, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if d := distance(back.RGB, p.OnWhite().RGB); !back.Opaque() || d > 4./255 {
		t.Errorf("differs by %g from the picture on white", d)
	}
}

func TestAlphaThatIsFullEverywhereIsNone(t *testing.T) {
	img := disc(12)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	if p := fromImageOf(t, img); !p.Opaque() {
		t.Error("NRGBA has alpha")
	}
	yuv := image.NewNYCbCrA(image.Rect(0, 0, 4, 4), image.YCbCrSubsampleRatio444)
	fill(yuv.A, 255)
	if p := fromImageOf(t, yuv); !p.Opaque() {
		t.Error("NYCbCrA has alpha")
	}
}

// TestEveryKindOfImageKeepsItsAlpha has one pixel of a fifth's opacity beside opaque ones.
func TestEveryKindOfImageKeepsItsAlpha(t *testing.T) {
	bounds := image.Rect(-1, -1, 2, 1)
	clear := color.NRGBA{200, 100, 50, 51}
	full := color.NRGBA{10, 20, 30, 255}
	yuv := image.NewNYCbCrA(image.Rect(0, 0, 3, 2), image.YCbCrSubsampleRatio444)
	fill(yuv.A, 255)
	yuv.A[4] = 51
	images := map[string]image.Image{"NYCbCrA": yuv}
	for name, img := range map[string]interface {
		image.Image
		Set(x, y int, c color.Color)
	}{
		"NRGBA": image.NewNRGBA(bounds), "NRGBA64": image.NewNRGBA64(bounds),
		"RGBA": image.NewRGBA(bounds), "RGBA64": image.NewRGBA64(bounds),
		"Paletted": image.NewPaletted(bounds, color.Palette{full, clear}),
	} {
		for i := range 6 {
			img.Set(i%3-1, i/3-1, full)
		}
		img.Set(0, 0, clear)
		images[name], images["only At of "+name] = img, onlyAt{img}
	}
	for name, img := range images {
		p := fromImageOf(t, img)
		for i, a := range p.Alpha {
			want := 1.
			if i == 4 {
				want = 0.2
			}
			if math.Abs(float64(a)-want) > 1e-5 {
				t.Errorf("%s: alpha %d is %v, want %v", name, i, a, want)
			}
		}
		if len(p.Alpha) != 6 {
			t.Errorf("%s: %d values of alpha, want 6", name, len(p.Alpha))
		}
		// Premultiplied levels of 8 bits at a fifth's opacity are five apart.
		if want := 200. / 255; yuv != img && math.Abs(float64(p.RGB[4])-want) > 3./255 {
			t.Errorf("%s: red is %v, want %v", name, p.RGB[4], want)
		}
	}
}

func TestWhatIsHiddenDoesNotShowAtEdges(t *testing.T) {
	p := fromImageOf(t, disc(90))
	for _, size := range []int{17, 45, 90, 131} {
		small, err := p.Resize(size, size, Lanczos)
		if err != nil {
			t.Fatal(err)
		}
		filled, err := small.Filled()
		if err != nil {
			t.Fatal(err)
		}
		_, g, _ := filled.Planes()
		for i, v := range g {
			if math.Abs(float64(v)-30./255) > 0.03 {
				t.Fatalf("size %d: green at pixel %d, of alpha %v, is %v, want %v", size, i, small.Alpha[i], v, 30./255)
			}
		}
		if distance(filled.Alpha, small.Alpha) != 0 {
			t.Error("filling changed alpha")
		}
	}
}

func TestFillingKeepsWhatIsThereAndIsSmooth(t *testing.T) {
	const width, height = 61, 40
	p := &Picture{Width: width, Height: height, RGB: make([]float32, 3*width*height), Alpha: make([]float32, width*height)}
	for i := range p.Alpha {
		switch x := i % width; { // red at the left, blue at the right, nothing between
		case x < 10:
			p.Alpha[i], p.RGB[i] = 1, 1
		case x >= width-10:
			p.Alpha[i], p.RGB[2*len(p.Alpha)+i] = 0.5, 1
		}
	}
	filled, err := p.Filled()
	if err != nil {
		t.Fatal(err)
	}
	r, _, b := filled.Planes()
	for i := range r {
		x := i % width
		if p.Alpha[i] > 0 && (r[i] != p.RGB[i] || b[i] != p.RGB[2*len(r)+i]) {
			t.Fatalf("pixel %d changed", i)
		}
		if x > 0 && math.Abs(float64(r[i]-r[i-1])) > 0.2 {
			t.Fatalf("red jumps from %v to %v at column %d", r[i-1], r[i], x)
		}
		if sum := r[i] + b[i]; math.Abs(float64(sum)-1) > 1e-4 {
			t.Fatalf("red and blue sum to %v at column %d", sum, x)
		}
	}
}

func TestNothingAtAllIsFilledWithWhite(t *testing.T) {
	filled, err := fromImageOf(t, image.NewNRGBA(image.Rect(0, 0, 7, 5))).Filled()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range filled.RGB {
		if v != 1 {
			t.Fatalf("a value is %v, want 1", v)
		}
	}
}

func TestAPictureIsAnImageOfItsOwn(t *testing.T) {
	p := fromImageOf(t, disc(9))
	if same := fromImageOf(t, p); same != p {
		t.Error("FromImage copies a Picture")
	}
	if got, want := p.ColorModel(), color.NRGBA64Model; got != want {
		t.Errorf("the color model is %v, want %v", got, want)
	}
	for y := range 9 {
		for x := range 9 {
			want := disc(9).NRGBAAt(x, y)
			straight := color.NRGBA64{257 * uint16(want.R), 257 * uint16(want.G), 257 * uint16(want.B), 257 * uint16(want.A)}
			if got := p.At(x, y); got != straight {
				t.Errorf("At(%d, %d) is %v, want %v", x, y, got, straight)
			}
			r, g, b, a := want.RGBA()
			premultiplied := color.RGBA64{uint16(r), uint16(g), uint16(b), uint16(a)}
			if got := p.RGBA64At(x, y); got != premultiplied {
				t.Errorf("RGBA64At(%d, %d) is %v, want %v", x, y, got, premultiplied)
			}
		}
	}
	if c := p.RGBA64At(-1, 0); c != (color.RGBA64{}) {
		t.Errorf("outside there is %v", c)
	}
	if flat := p.OnWhite(); flat.OnWhite() != flat || flat.ColorModel() != color.RGBA64Model {
		t.Error("an opaque picture is copied or has another color model")
	}
}

func TestTurningTakesAlphaAlong(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	for i := range 6 {
		img.SetNRGBA(i%3, i/3, color.NRGBA{uint8(40 * i), 0, 0, uint8(40*i + 1)})
	}
	for orientation := 1; orientation <= 8; orientation++ {
		p := fromImageOf(t, img)
		p.turn(orientation)
		for i, a := range p.Alpha {
			if math.Abs(float64(a-p.RGB[i])-1./255) > 1e-6 {
				t.Errorf("orientation %d: alpha %v is at red %v", orientation, a, p.RGB[i])
			}
		}
	}
	if cropped := fromImageOf(t, img).Crop(image.Rect(1, 0, 3, 1)); len(cropped.Alpha) != 2 || cropped.Alpha[0] != 41./255 {
		t.Errorf("alpha of a crop is %v", cropped.Alpha)
	}
}

// TestFilesSayThatTheyAreSRGB looks for the tags in what is written, which reading then
// leaves alone.
func TestFilesSayThatTheyAreSRGB(t *testing.T) {
	for name, wants := range map[string][]string{
		"a.png": {"sRGB\x00", "gAMA\x00\x00\xb1\x8f", "cHRM\x00\x00\x7a\x26"},
		"a.jpg": {"ICC_PROFILE\x00\x01\x01" + string(colour.SRGBProfile())},
		"a.tif": {string(colour.SRGBProfile())},
	} {
		var file bytes.Buffer
		encode, err := encoderOf(name, SaveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := encode(&file, gradient()); err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !bytes.Contains(file.Bytes(), []byte(want)) {
				t.Errorf("%s lacks %.20q", name, want)
			}
		}
		if p := decodeBytes(t, file.Bytes()); len(p.Remarks) > 0 {
			t.Errorf("%s is read with the remarks %q", name, p.Remarks)
		}
	}
}
