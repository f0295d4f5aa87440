package picture

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"impasto/internal/colour"
)

// wholeResize is the definition of resizing: planes, each as a whole.
func wholeResize(t *testing.T, p *Picture, o ResizeOptions, size image.Point) *Picture {
	t.Helper()
	if o.OnWhite {
		p = p.OnWhite()
	}
	n, m := p.Width*p.Height, size.X*size.Y
	resample := func(to, from []float32) {
		if err := ResizePlanes(to, from, 1, p.Height, p.Width, size.Y, size.X, o.Filter); err != nil {
			t.Fatal(err)
		}
	}
	resized := &Picture{Width: size.X, Height: size.Y, RGB: make([]float32, 3*m)}
	if p.Alpha != nil {
		resized.Alpha = make([]float32, m)
		resample(resized.Alpha, p.Alpha)
	}
	for plane := range 3 {
		values, to := slices.Clone(p.RGB[plane*n:][:n]), resized.RGB[plane*m:][:m]
		for i, a := range p.Alpha {
			values[i] *= a
		}
		resample(to, values)
		for i := range to {
			if p.Alpha != nil && resized.Alpha[i] > 0 {
				to[i] /= resized.Alpha[i]
			}
			to[i] = clamp(to[i])
		}
	}
	for i, a := range resized.Alpha {
		resized.Alpha[i] = clamp(a)
	}
	return resized
}

func openBytes(t testing.TB, file []byte) *Source {
	t.Helper()
	s, err := ReadSource(t.Context(), bytes.NewReader(file), "a file")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestResizingFromRowsIsResizingTheWhole(t *testing.T) {
	space, err := colour.FromProfile(p3)
	if err != nil {
		t.Fatal(err)
	}
	sizes := []image.Point{{X: 40, Y: 30}, {X: 720, Y: 11}}
	for name, file := range largeFiles(t) {
		s := openBytes(t, file)
		for _, test := range []struct {
			orientation int
			space       *colour.Transform
			onWhite     bool
		}{{0, nil, false}, {1, space, true}, {2, nil, false}, {3, nil, true}, {4, space, false}, {5, nil, false}, {6, nil, true}, {7, nil, false}, {8, space, true}} {
			if test.orientation > 1 && test.orientation != 6 && !slices.Contains([]string{"png rgba", "jpeg 4:2:0", "tiff"}, name) {
				continue // what turns is the same for all
			}
			s.header.orientation, s.header.space = test.orientation, test.space
			whole, err := s.Picture(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.Bounds() != whole.Bounds() {
				t.Fatalf("%s: bounds %v, want %v", name, s.Bounds(), whole.Bounds())
			}
			o := ResizeOptions{Filter: Lanczos, OnWhite: test.onWhite}
			got, err := s.Resize(t.Context(), o, sizes...)
			if err != nil {
				t.Fatal(err)
			}
			for i, size := range sizes {
				want := wholeResize(t, whole, o, size)
				tolerance := 0.
				if test.orientation > 1 {
					tolerance = 2e-6 // sums of up to some thousand values are made in another order
				}
				if !near(got[i], want, tolerance) {
					t.Errorf("%s, orientation %d, on white %v, to %v: differs from the whole", name, test.orientation, test.onWhite, size)
				}
			}
		}
	}
}

// near tells whether two pictures are the same to a tolerance; hidden colours may differ.
func near(a, b *Picture, tolerance float64) bool {
	if a.Bounds() != b.Bounds() || a.Opaque() != b.Opaque() || distance(a.Alpha, b.Alpha) > tolerance {
		return false
	}
	n := a.Width * a.Height
	for i, v := range a.RGB {
		weight := 1.
		if b.Alpha != nil {
			weight = float64(b.Alpha[i%n])
		}
		if difference := weight * float64(v-b.RGB[i]); max(difference, -difference) > tolerance {
			return false
		}
	}
	return true
}

// codedPNG is a PNG file of random pixels and filters.
func codedPNG(random *rand.Rand, width, height, depth int, kind byte, chunks ...[]byte) []byte {
	rowBytes := (width*pngSamples[kind]*depth + 7) / 8
	var rows []byte
	for range height {
		rows = append(rows, byte(random.IntN(5)))
		for range rowBytes {
			rows = append(rows, byte(max(0, random.IntN(320)-64))) // many zeros, for pixels that are transparent
		}
	}
	var compressed bytes.Buffer
	w := zlib.NewWriter(&compressed)
	w.Write(rows)
	w.Close()
	packed := compressed.Bytes()
	file := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(numbers(uint32(width), uint32(height)), byte(depth), kind, 0, 0, 0)...)...)
	file = append(file, bytes.Join(chunks, nil)...)
	half := len(packed) / 2
	file = append(append(file, chunk("IDAT", packed[:half]...)...), chunk("IDAT", packed[half:]...)...)
	return append(file, chunk("IEND")...)
}

func TestPNGRowsAreThoseOfPackagePNG(t *testing.T) {
	palette := chunk("PLTE", 1, 2, 3, 250, 200, 9)
	for _, test := range []struct {
		kind   byte
		depths []int
		chunks [][]byte
	}{
		{pngGrey, []int{1, 2, 4, 8, 16}, nil},
		{pngGrey, []int{1, 2, 4, 8, 16}, [][]byte{chunk("tRNS", 0, 0)}},
		{pngRGB, []int{8, 16}, nil},
		{pngRGB, []int{8, 16}, [][]byte{chunk("tRNS", 0, 0, 0, 0, 0, 0)}},
		{pngPalette, []int{1, 2, 4, 8}, [][]byte{palette}},
		{pngPalette, []int{1, 2, 4, 8}, [][]byte{palette, chunk("tRNS", 100)}},
		{pngGreyAlpha, []int{8, 16}, nil},
		{pngRGBA, []int{8, 16}, [][]byte{palette}},
	} {
		for _, depth := range test.depths {
			for _, size := range []image.Point{{X: 1, Y: 9}, {X: 13, Y: 9}, {X: 301, Y: 302}} {
				name := fmt.Sprintf("type %d of %d bits, %v, with %d chunks", test.kind, depth, size, len(test.chunks))
				file := codedPNG(rand.New(rand.NewPCG(1, uint64(depth))), size.X, size.Y, depth, test.kind, test.chunks...)
				img, err := png.Decode(bytes.NewReader(file))
				if err != nil {
					t.Fatal(err)
				}
				want, err := FromImage(img)
				if err != nil {
					t.Fatal(err)
				}
				s := openBytes(t, file)
				if s.header.stream == nil {
					t.Errorf("%s: isn't read by rows", name)
				}
				if got, err := s.Picture(t.Context()); err != nil || !equal(got, want) {
					t.Errorf("%s: differs, or error %v", name, err)
				}
			}
		}
	}
}

func TestChromaIsInterpolatedAcrossBands(t *testing.T) {
	const width, height = 400, 330 // three bands
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	random := rand.New(rand.NewPCG(2, 0))
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = uint8(random.Uint32()), uint8(random.Uint32())
	}
	for i := range img.Y {
		img.Y[i] = 128
	}
	coarse, fine := make([]float32, len(img.Cb)), make([]float32, width*height)
	for i, v := range img.Cb {
		coarse[i] = float32(v)
	}
	if err := ResizePlanes(fine, coarse, 1, height/2, width/2, height, width, Bilinear); err != nil {
		t.Fatal(err)
	}
	_, _, blue := fromImageOf(t, img).Planes()
	for i, v := range fine {
		want := clamp(float32(128)/255 + float32(1.772)*((v-128)/255))
		if difference := blue[i] - want; max(difference, -difference) > 1e-6 {
			t.Fatalf("pixel %d has %g of blue, want %g", i, blue[i], want)
		}
	}
}

func TestResizingTakesWhatIsAskedFor(t *testing.T) {
	files := largeFiles(t)
	var bits bytes.Buffer
	if err := png.Encode(&bits, image.NewPaletted(image.Rect(0, 0, 6000, 6000), color.Palette{color.Black, color.White})); err != nil {
		t.Fatal(err)
	}
	files["6000×6000 bits"] = bits.Bytes()
	for name, file := range files {
		f, err := identify(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.open(t.Context(), file, exactly(0))
		if err != nil {
			t.Fatal(err)
		}
		o, size := ResizeOptions{Filter: Lanczos}, []image.Point{{X: 40, Y: 30}}
		most := int64(len(file)) + s.header.memory + s.header.bandMemory() + planesBytes*40*30
		s.available = exactly(most)
		took := allocated(func() {
			if _, err := s.resize(t.Context(), o, size); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		if took > most+1<<18 {
			t.Errorf("%s: took %d bytes, and %d were weighed", name, took, most)
		}
		if name == "6000×6000 bits" && took > 5<<20 {
			t.Errorf("%s: took %d bytes, as if the whole picture were kept", name, took)
		}
		s.available = exactly(most - 1)
		if _, err := s.resize(t.Context(), o, size); err == nil || !strings.Contains(err.Error(), "MiB") {
			t.Errorf("%s: error %v with less memory than it takes", name, err)
		}
	}
}

func TestASourceIsAnImage(t *testing.T) {
	var file bytes.Buffer
	if err := png.Encode(&file, disc(40)); err != nil {
		t.Fatal(err)
	}
	s := openBytes(t, file.Bytes())
	want, err := s.Picture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := fromImageOf(t, s); !equal(got, want) {
		t.Error("FromImage makes another picture of it")
	}
	for _, at := range []image.Point{{}, {X: 20, Y: 20}, {X: -1}, {X: 40}} {
		if got, want := s.At(at.X, at.Y), want.At(at.X, at.Y); got != want {
			t.Errorf("%v is %v, want %v", at, got, want)
		}
	}
	resized, err := Resized(t.Context(), want, ResizeOptions{Filter: Bilinear}, image.Pt(9, 9))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Resized(t.Context(), s, ResizeOptions{Filter: Bilinear}, image.Pt(9, 9)); err != nil || !equal(got[0], resized[0]) {
		t.Errorf("it is resized to another picture, or error %v", err)
	}
}

func TestWhatIsWrongWithPixelsIsToldWhenTheyAreDecoded(t *testing.T) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, disc(90), nil); err != nil {
		t.Fatal(err)
	}
	s := openBytes(t, file.Bytes()[:file.Len()-200])
	var read *ReadError
	if _, err := s.Resize(t.Context(), ResizeOptions{Filter: Lanczos}, image.Pt(5, 5)); !errors.As(err, &read) || read.Name != "a file" {
		t.Errorf("error %v, want a ReadError", err)
	} else {
		checkMessage(t, err, "picture: open a file: ", "truncated")
	}
	if remarks := s.Remarks(); len(remarks) > 0 {
		t.Errorf("remarks %q on what can't be read", remarks)
	}
	if c := s.At(45, 45); c != (color.NRGBA64{}) {
		t.Errorf("a pixel that can't be read is %v", c)
	}
	if _, err := OpenSource(t.Context(), filepath.Join(t.TempDir(), "none.png")); !errors.As(err, &read) {
		t.Errorf("error %v, want a ReadError", err)
	}
	whole := openBytes(t, largeFiles(t)["png rgba"])
	for _, size := range []image.Point{{X: 0, Y: 5}, {X: 1 << 20, Y: 1 << 20}} {
		if _, err := whole.Resize(t.Context(), ResizeOptions{Filter: Lanczos}, size); err == nil {
			t.Errorf("%v: no error", size)
		}
	}
	if _, err := whole.Resize(t.Context(), ResizeOptions{}, image.Pt(5, 5)); err == nil {
		t.Error("no filter: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := whole.Resize(ctx, ResizeOptions{Filter: Lanczos}, image.Pt(5, 5)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestRemarksAreToldOnce(t *testing.T) {
	file := pngWith(t, plain([3]float64{0.9, 0.1, 0.2}), iccp(profileOf("grey, gamma")))
	s := openBytes(t, file)
	var told []string
	s.Tell(func(remark string) { told = append(told, remark) })
	for range 2 {
		if _, err := s.Resize(t.Context(), ResizeOptions{Filter: Lanczos}, image.Pt(2, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], "for pictures in grey") {
		t.Errorf("told %q, want that the profile is for grey pictures, once", told)
	}
}

func TestConversionEndsWithItsContextAtTheNextBand(t *testing.T) {
	transform, err := colour.FromProfile(p3)
	if err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]image.Image{
		"grey": image.NewGray(image.Rect(0, 0, 1000, 1000)),
		"inks": image.NewCMYK(image.Rect(0, 0, 1000, 1000)),
	} {
		ctx, cancel := context.WithCancel(t.Context())
		bands := 0
		err := imageBands(ctx, img, fullRange, nil, func(_ int, band *Picture) error {
			band.convert(transform)
			bands++
			cancel()
			return nil
		})
		if err != context.Canceled || bands != 1 {
			t.Errorf("%s: error %v after %d bands, want %v after 1", name, err, bands, context.Canceled)
		}
	}
}

// heapWatcher measures the heap while something is written.
type heapWatcher struct{ writes, most int64 }

func (w *heapWatcher) Write(data []byte) (int, error) {
	if w.writes++; w.writes%8 == 1 {
		w.most = max(w.most, heap())
	}
	return len(data), nil
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestWritingKeepsRowsOnly(t *testing.T) {
	p, err := newPicture(1500, 1500)
	if err != nil {
		t.Fatal(err)
	}
	p.Alpha = slices.Clone(p.RGB[:1500*1500])
	for i := range p.RGB {
		p.RGB[i] = float32(i*7919%65536) / 65535
	}
	for _, o := range []SaveOptions{{Format: "png"}, {Format: "png", Depth: 16}, {Format: "tiff"}, {Format: "tiff", Depth: 16}, {Format: "jpeg"}} {
		before, w := heap(), &heapWatcher{}
		if err := Encode(w, p, o); err != nil {
			t.Fatal(err)
		}
		// A copy in 8 bits would take 9 MB; compressors take some 1 MB.
		if took := w.most - before; took > 4<<20 || w.writes < 10 {
			t.Errorf("%+v: %d bytes were in use while %d pieces were written", o, took, w.writes)
		}
	}
}
