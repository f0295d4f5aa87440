package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	stdlib "image/jpeg"
	"math"
	"testing"
)

// strokes has thin strokes of strong colours, which share no chroma with their
// neighbours.
func strokes(x, y int) [3]float32 {
	colours := [4][3]float32{{0.9, 0.15, 0.1}, {0.1, 0.25, 0.85}, {0.95, 0.85, 0.15}, {0.1, 0.5, 0.2}}
	return colours[(x+y/3+x*y/50)%4]
}

func smooth(x, y int) [3]float32 {
	return [3]float32{0.5 + 0.4*float32(math.Sin(float64(x)/20)), 0.5 + 0.3*float32(math.Cos(float64(y)/25)), float32(x+y) / 200}
}

func encodeWith(t testing.TB, width, height int, at func(x, y int) [3]float32, o Options) []byte {
	t.Helper()
	var file bytes.Buffer
	err := Encode(&file, width, height, func(y int, r, g, b []float32) {
		for x := range r {
			c := at(x, y)
			r[x], g[x], b[x] = c[0], c[1], c[2]
		}
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// meanError is the mean difference in levels between a file and what it was made from.
func meanError(t testing.TB, file []byte, at func(x, y int) [3]float32) float64 {
	t.Helper()
	img, err := stdlib.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	size := img.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			for i, v := range [3]uint8{c.R, c.G, c.B} {
				sum += math.Abs(float64(v) - 255*float64(at(x, y)[i]))
			}
		}
	}
	return sum / float64(3*size.X*size.Y)
}

func TestPicturesOfAnySizeComeBack(t *testing.T) {
	for _, quality := range []int{89, 95} {
		for _, size := range []image.Point{{1, 1}, {7, 3}, {8, 8}, {9, 17}, {16, 16}, {33, 15}, {100, 70}} {
			file := encodeWith(t, size.X, size.Y, smooth, Options{Quality: quality})
			config, err := stdlib.DecodeConfig(bytes.NewReader(file))
			if err != nil || config.Width != size.X || config.Height != size.Y {
				t.Fatalf("%v: %v, %v", size, config, err)
			}
			if e := meanError(t, file, smooth); e > 1.5 {
				t.Errorf("%v at quality %d differs by %.2f levels on average, want at most 1.5", size, quality, e)
			}
		}
	}
}

// TestSmallStrokesKeepTheirColours compares with what image/jpeg makes of the same, by
// the same tables but with chroma for four pixels at once.
func TestSmallStrokesKeepTheirColours(t *testing.T) {
	const side = 128
	source := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			c := strokes(x, y)
			source.Set(x, y, color.NRGBA{uint8(255*c[0] + 0.5), uint8(255*c[1] + 0.5), uint8(255*c[2] + 0.5), 255})
		}
	}
	for _, quality := range []int{90, 95, 100} {
		var before bytes.Buffer
		if err := stdlib.Encode(&before, source, &stdlib.Options{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		after := encodeWith(t, side, side, strokes, Options{Quality: quality})
		a, b := meanError(t, before.Bytes(), strokes), meanError(t, after, strokes)
		t.Logf("quality %d: %.2f levels in %d bytes by image/jpeg, %.2f in %d bytes here", quality, a, before.Len(), b, len(after))
		if want := map[int]float64{90: 7, 95: 4, 100: 0.7}[quality]; b > want || b > a/8 {
			t.Errorf("quality %d differs by %.2f levels on average, want at most %g", quality, b, want)
		}
	}
}

func TestChromaIsSharedBelowQuality90(t *testing.T) {
	for quality, want := range map[int]image.YCbCrSubsampleRatio{
		1: image.YCbCrSubsampleRatio420, 89: image.YCbCrSubsampleRatio420,
		90: image.YCbCrSubsampleRatio444, 100: image.YCbCrSubsampleRatio444,
	} {
		img, err := stdlib.Decode(bytes.NewReader(encodeWith(t, 20, 20, smooth, Options{Quality: quality})))
		if err != nil {
			t.Fatal(err)
		}
		if got := img.(*image.YCbCr).SubsampleRatio; got != want {
			t.Errorf("quality %d has %v, want %v", quality, got, want)
		}
	}
}

// TestExtremesFitTheCodes has blocks of the strongest contrast that there is.
func TestExtremesFitTheCodes(t *testing.T) {
	for name, at := range map[string]func(x, y int) [3]float32{
		"chequered": func(x, y int) [3]float32 { v := float32((x + y) % 2); return [3]float32{v, v, v} },
		"columns":   func(x, y int) [3]float32 { v := float32(x / 4 % 2); return [3]float32{v, 1 - v, v} },
		"blocks":    func(x, y int) [3]float32 { v := float32(x / 8 % 2); return [3]float32{v, v, 1 - v} },
	} {
		if e := meanError(t, encodeWith(t, 64, 64, at, Options{Quality: 100}), at); e > 1 {
			t.Errorf("%s: differs by %.2f levels on average", name, e)
		}
	}
}

func TestProfilesSpanSegments(t *testing.T) {
	profile := make([]byte, 150_000)
	for i := range profile {
		profile[i] = byte(i * i >> 8)
	}
	file := encodeWith(t, 8, 8, smooth, Options{Quality: 90, Profile: profile})
	var got []byte
	for part := 1; ; part++ {
		head := []byte(fmt.Sprintf("ICC_PROFILE\x00%c%c", part, 3))
		at := bytes.Index(file, head)
		if at < 0 {
			break
		}
		length := int(file[at-2])<<8 | int(file[at-1])
		got = append(got, file[at+len(head):at-2+length]...)
	}
	if !bytes.Equal(got, profile) {
		t.Errorf("%d bytes of a profile came back, want %d", len(got), len(profile))
	}
	if e := meanError(t, file, smooth); e > 1.5 {
		t.Errorf("differs by %.2f levels on average", e)
	}
}

func TestEncodeRefuses(t *testing.T) {
	none := func(int, []float32, []float32, []float32) {}
	for _, err := range []error{
		Encode(&bytes.Buffer{}, 0, 1, none, Options{Quality: 90}),
		Encode(&bytes.Buffer{}, 1, 65536, none, Options{Quality: 90}),
		Encode(&bytes.Buffer{}, 1, 1, none, Options{Quality: 0}),
		Encode(&bytes.Buffer{}, 1, 1, none, Options{Quality: 101}),
		Encode(&bytes.Buffer{}, 1, 1, none, Options{Quality: 90, Profile: make([]byte, 1<<24)}),
	} {
		if err == nil {
			t.Error("no error")
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("full")

func TestAFaultOfTheWriterIsReturned(t *testing.T) {
	err := Encode(full{}, 200, 200, func(y int, r, g, b []float32) {}, Options{Quality: 90})
	if !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, quality := range []int{80, 95} {
		b.Run(fmt.Sprintf("quality=%d", quality), func(b *testing.B) {
			b.SetBytes(1 << 20 * 3)
			for b.Loop() {
				encodeWith(b, 1024, 1024, smooth, Options{Quality: quality})
			}
		})
	}
}
