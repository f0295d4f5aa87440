package webp

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"testing"

	"golang.org/x/image/webp"
)

// scene are the pixels of a picture, transparent in part if it is to be.
func scene(width, height int, transparent bool) []byte {
	var pixels []byte
	for y := range height {
		for x := range width {
			alpha := byte(255)
			if transparent {
				alpha = byte(3 * x)
			}
			pixels = append(pixels, byte(5*x), byte(7*y), byte(x*y), alpha)
		}
	}
	return pixels
}

func TestFilesAreReadByOthers(t *testing.T) {
	for name, o := range map[string]Options{
		"without loss":              {},
		"without loss, and told":    {Profile: []byte("odd"), EXIF: []byte("even"), Packet: []byte("x")},
		"with loss":                 {Quality: 90},
		"with loss, and a property": {Quality: 90, Packet: []byte("<x/>")},
	} {
		for _, transparent := range []bool{false, true} {
			const width, height = 37, 23
			pixels := scene(width, height, transparent)
			var out bytes.Buffer
			if err := Encode(context.Background(), &out, width, height, pixels, o); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			img, err := webp.Decode(bytes.NewReader(out.Bytes()))
			if err != nil {
				t.Fatalf("%s, transparent %t: %v", name, transparent, err)
			}
			if img.Bounds() != image.Rect(0, 0, width, height) {
				t.Fatalf("%s: %v", name, img.Bounds())
			}
			for i := 0; o.Quality == 0 && i < len(pixels); i += 4 {
				want := color.NRGBA{pixels[i], pixels[i+1], pixels[i+2], pixels[i+3]}
				if got := img.(*image.NRGBA).NRGBAAt(i/4%width, i/4/width); got != want {
					t.Fatalf("%s: pixel %d is %v, want %v", name, i/4, got, want)
				}
			}
			for _, data := range [][]byte{o.Profile, o.EXIF, o.Packet} {
				if !bytes.Contains(out.Bytes(), data) {
					t.Errorf("%s: the file lacks %q", name, data)
				}
			}
		}
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	for want, try := range map[string]struct {
		width, height, bytes, quality int
	}{
		"webp: 0×1 pixels; want 1 to 16383 a side":             {0, 1, 0, 0},
		"webp: 16384×1 pixels; want 1 to 16383 a side":         {16384, 1, 4 * 16384, 0},
		"webp: 8192×8192 pixels; want 33554432 in all at most": {8192, 8192, 0, 0},
		"webp: 3 bytes of pixels; want 4":                      {1, 1, 3, 0},
		"webp: quality 101; want 0–100":                        {1, 1, 4, 101},
	} {
		err := Encode(context.Background(), &bytes.Buffer{}, try.width, try.height, make([]byte, try.bytes), Options{Quality: try.quality})
		if err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", try, err, want)
		}
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if err := Encode(ended, &bytes.Buffer{}, 1, 1, make([]byte, 4), Options{}); err == nil {
		t.Error("it goes on after its context has ended")
	}
}
