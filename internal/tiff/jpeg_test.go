package tiff

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"
)

// asJPEG encodes a picture of smooth colours, or of grey.
func asJPEG(t *testing.T, width, height int, grey bool) []byte {
	t.Helper()
	var img image.Image
	rgba, grays := image.NewRGBA(image.Rect(0, 0, width, height)), image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			rgba.Set(x, y, color.RGBA{R: uint8(40 + 5*x), G: uint8(200 - 4*y), B: uint8(90 + 2*x + 2*y), A: 255})
			grays.Set(x, y, color.Gray{Y: uint8(40 + 5*x + y)})
		}
	}
	img = rgba
	if grey {
		img = grays
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// smoothError is how far values are from the colours of asJPEG, at most.
func smoothError(p *Picture, values []float32) float64 {
	worst := 0.0
	for i := range p.Width * p.Height {
		x, y := float64(i%p.Width), float64(i/p.Width)
		want := []float64{40 + 5*x, 200 - 4*y, 90 + 2*x + 2*y}
		if p.Colours == Grey {
			want = []float64{40 + 5*x + y}
		}
		for k, w := range want {
			worst = max(worst, math.Abs(255*float64(values[i*len(want)+k])-w))
		}
	}
	return worst
}

func jpegPicture(width, height int, data []byte, grey bool) *testDirectory {
	if grey {
		return grey8(width, height, data...).set(short(tagCompression, jpegCoded))
	}
	return rgb8(width, height, data...).set(short(tagCompression, jpegCoded), short(tagPhotometric, photoYCbCr), short(tagYCbCrSubSampling, 2, 2))
}

func TestJPEGsAreReadWithTheirOwnTablesOrTheFiles(t *testing.T) {
	for _, grey := range []bool{false, true} {
		whole := asJPEG(t, 33, 30, grey)
		p, got := decoded(t, little(jpegPicture(33, 30, whole, grey)))
		if worst := smoothError(p, got); worst > 6 { // the loss of quality 95 and halved chroma
			t.Errorf("grey %v: off by %.1f levels", grey, worst)
		}
		tables, rest := splitTables(whole)
		d := jpegPicture(33, 30, rest, grey).set(byteField(tagJPEGTables, string(tables)))
		if _, apart := decoded(t, little(d)); !bytes.Equal(bytesIn(apart), bytesIn(got)) {
			t.Errorf("grey %v: with tables apart, the picture is another one", grey)
		}
		// What programs say of the colours in their own segments doesn't count.
		adobe := append([]byte{0xff, startOfImage}, "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"...)
		d = jpegPicture(33, 30, append(adobe, whole[2:]...), grey)
		if _, said := decoded(t, little(d)); !bytes.Equal(bytesIn(said), bytesIn(got)) {
			t.Errorf("grey %v: with Adobe's segment, the picture is another one", grey)
		}
		if _, unended := decoded(t, little(jpegPicture(33, 30, whole[:len(whole)-2], grey))); !bytes.Equal(bytesIn(unended), bytesIn(got)) {
			t.Errorf("grey %v: without an end marker, the picture is another one", grey)
		}
	}
}

func bytesIn(values []float32) []byte {
	b := make([]byte, len(values))
	for i, v := range values {
		b[i] = byte(v*255 + 0.5)
	}
	return b
}

// splitTables takes the tables out of a JPEG.
func splitTables(data []byte) (tables, rest []byte) {
	tables, rest = []byte{0xff, startOfImage}, []byte{0xff, startOfImage}
	for data = data[2:]; data[1] != startOfScan; {
		n := 2 + int(data[2])<<8 + int(data[3])
		if data[1] == 0xdb || data[1] == 0xc4 {
			tables = append(tables, data[:n]...)
		} else {
			rest = append(rest, data[:n]...)
		}
		data = data[n:]
	}
	return append(tables, 0xff, endOfImage), append(rest, data...)
}

// progressive is a JPEG that Pillow wrote, from the fixtures of package picture.
func progressive(t *testing.T) []byte {
	t.Helper()
	var fixtures []struct {
		Name string
		File []byte
	}
	if err := json.Unmarshal(read(t, "../picture/testdata/decode.json"), &fixtures); err != nil {
		t.Fatal(err)
	}
	for _, f := range fixtures {
		if f.Name == "jpeg progressive" {
			return f.File
		}
	}
	t.Fatal("package picture has no fixture of a progressive JPEG any more")
	return nil
}

func TestProgressiveJPEGsAreReadInTheMemoryThatIsAnnounced(t *testing.T) {
	data := progressive(t)
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	size := img.Bounds().Size()
	p, got := decoded(t, little(jpegPicture(size.X, size.Y, data, false)))
	for i := range size.X * size.Y {
		r, g, b, _ := img.At(i%size.X, i/size.X).RGBA()
		for k, want := range []uint32{r, g, b} {
			// Chroma is interpolated here, and isn't there.
			if d := float64(got[3*i+k]) - float64(want)/65535; math.Abs(d) > 0.15 {
				t.Fatalf("value %d of pixel %d is %v, want about %v", k, i, got[3*i+k], float64(want)/65535)
			}
		}
	}
	// Of large strips, it is looked at the first whether they are progressive.
	l := *p.layout
	l.chunkWidth, l.chunkHeight = 3000, 3000
	whole := l.memory()
	l.data = little(jpegPicture(size.X, size.Y, asJPEG(t, size.X, size.Y, false), false))
	plain := l.memory()
	if area := l.chunkArea(); whole-plain != 12*area {
		t.Errorf("a progressive JPEG takes %d bytes more, want four a sample, %d", whole-plain, 12*area)
	}
	rows := &jpegRows{layout: &l, in: &source{budget: &budget{ctx: t.Context(), left: 1 << 30}}}
	l.width, l.height = size.X, size.Y
	wantError(t, rows.start(data, size.Y), "progressive where the first isn't")
}

func TestJPEGsOfManyScansAreRefused(t *testing.T) {
	whole := asJPEG(t, 33, 30, true)
	scan := bytes.Index(whole, []byte{0xff, startOfScan})
	body := whole[scan : len(whole)-2]
	many := append(whole[:scan:scan], bytes.Repeat(body, maxScans+10)...)
	_, _, err := tryDecode(t, little(jpegPicture(33, 30, append(many, 0xff, endOfImage), true)))
	wantError(t, err, "too many scans")
}

func TestDamagedJPEGsAreRefused(t *testing.T) {
	whole := asJPEG(t, 33, 30, false)
	lossless := bytes.Replace(whole, []byte{0xff, 0xc0, 0, 17, 8}, []byte{0xff, 0xc3, 0, 17, 8}, 1)
	deep := bytes.Replace(whole, []byte{0xff, 0xc0, 0, 17, 8}, []byte{0xff, 0xc1, 0, 17, 12}, 1)
	tests := []struct {
		name string
		d    *testDirectory
		want string
	}{
		{"cut", jpegPicture(33, 30, whole[:len(whole)*3/4], false), "truncated"},
		{"cut in its head", jpegPicture(33, 30, whole[:100], false), "truncated"},
		{"damaged", jpegPicture(33, 30, append(append(whole[:len(whole)-60:len(whole)-60], make([]byte, 58)...), 0xff, endOfImage), false), "damaged"},
		{"narrower", jpegPicture(40, 30, whole, false), "a JPEG of 33×30 pixels; want 40×30"},
		{"lower", jpegPicture(33, 31, whole, false), "a JPEG of 33×30 pixels; want 33×31"},
		{"far larger", jpegPicture(8, 8, whole, false), "want at most 8×8"},
		{"colours in grey", jpegPicture(33, 30, whole, true), "3 components for 1 samples"},
		{"lossless", jpegPicture(33, 30, lossless, false), "lossless JPEG"},
		{"12 bits", jpegPicture(33, 30, deep, false), "JPEG of 12 bits"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := tryDecode(t, little(test.d))
			wantError(t, err, test.want)
		})
	}
}
