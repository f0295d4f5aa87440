package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
)

// chunk is a PNG's, with a right checksum.
func chunk(kind string, body ...byte) []byte {
	file := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	file = append(append(file, kind...), body...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[4:]))
}

// damagedChunk is one with a wrong checksum.
func damagedChunk(kind string, body ...byte) []byte {
	file := chunk(kind, body...)
	file[len(file)-1] ^= 1
	return file
}

func TestWhatCanBeMendedIsRead(t *testing.T) {
	files := encoded(t)
	p, j := files["PNG"], files["JPEG"]
	const ihdrEnd = pngSignature + 25
	before := func(inserted []byte) []byte { return bytes.Join([][]byte{p[:ihdrEnd], inserted, p[ihdrEnd:]}, nil) }
	tests := []struct {
		name         string
		sound, file  []byte
		remark, none string
	}{
		{name: "a wrong checksum of a text", sound: p, file: before(damagedChunk("tEXt", []byte("a\x00b")...)), remark: `"tEXt"`},
		{name: "a wrong checksum of an orientation", sound: p, file: before(damagedChunk("eXIf", exif(3, 6)...)), remark: `"eXIf"`},
		{name: "a wrong checksum of opacity", sound: p, file: before(damagedChunk("tRNS", 1, 2, 3)), remark: `"tRNS"`},
		{name: "a chunk at the wrong place", sound: p, file: before(chunk("tIME", 1)), remark: ""},
		{name: "a PNG without its end", sound: p, file: p[:len(p)-12], remark: "end is missing"},
		{name: "a PNG with half of its end", sound: p, file: p[:len(p)-3], remark: "end is missing"},
		{name: "a PNG with rubbish after its end", sound: p, file: append(bytes.Clone(p), "rubbish"...)},
		{name: "a JPEG without its end", sound: j, file: j[:len(j)-2], remark: "end marker is missing"},
		{name: "a JPEG with half of its end", sound: j, file: j[:len(j)-1], remark: "end marker is missing"},
		{name: "a JPEG with rubbish after its end", sound: j, file: append(bytes.Clone(j), "rubbish"...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want, err := Decode(t.Context(), bytes.NewReader(test.sound), "sound")
			if err != nil {
				t.Fatal(err)
			}
			got, err := Decode(t.Context(), bytes.NewReader(test.file), "mended")
			if err != nil {
				t.Fatal(err)
			}
			if !equal(got, want) {
				t.Error("the picture changed")
			}
			remarks := strings.Join(got.Remarks, "; ")
			if !strings.Contains(remarks, test.remark) || test.remark == "" && remarks != "" {
				t.Errorf("the remark is %q, want %q", remarks, test.remark)
			}
		})
	}
}

func TestWhatCannotBeMendedIsRefused(t *testing.T) {
	files := encoded(t)
	p, j := files["PNG"], files["JPEG"]
	header := bytes.Clone(p)
	header[pngSignature+24] ^= 1
	pixels := bytes.Clone(p)
	pixels[len(p)-13] ^= 1
	process := func(marker, bits, components byte) []byte {
		file := jpegHeader(8, 8)
		file[21], file[24] = marker, bits
		file[29] = components
		return append(file, make([]byte, 3*components)...)
	}
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"a PNG's header with a wrong checksum", header, "the PNG image is damaged"},
		{"a PNG's pixels with a wrong checksum", pixels, "the PNG image is damaged"},
		{"a cut PNG", p[:len(p)-14], "truncated"},
		{"a cut JPEG", j[:len(j)*9/10], "the JPEG image ends too early; the file is truncated"},
		{"a JPEG with a part missing", append(bytes.Clone(j[:len(j)/2]), 0xff, markerEOI), "a part of its pixels is missing"},
		{"Apple's PNG", append([]byte("\x89PNG\r\n\x1a\n"), append(chunk("CgBI", 0, 0, 0, 0), p[8:]...)...), "Apple"},
		{"a lossless JPEG", process(0xc3, 8, 3), "lossless"},
		{"a hierarchical JPEG", process(0xc5, 8, 3), "hierarchical"},
		{"an arithmetic JPEG", process(0xc9, 8, 3), "arithmetic"},
		{"a JPEG of 12 bits", process(0xc1, 12, 3), "12 bits"},
		{"a JPEG of two channels", process(0xc0, 8, 2), "2 channels"},
		{"JPEG-LS", process(0xf7, 8, 3), "JPEG-LS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Decode(t.Context(), bytes.NewReader(test.file), "bad")
			if err == nil {
				t.Fatal("it was read")
			}
			checkMessage(t, err, "picture: open bad: ", test.want)
			for _, jargon := range []string{"Huffman", "0xff00", "zlib", "unexpected EOF"} {
				if strings.Contains(err.Error(), jargon) {
					t.Errorf("error %q has %q", err, jargon)
				}
			}
		})
	}
}

// exif is a directory of an orientation, as a number of a TIFF type.
func exif(kind byte, orientation byte) []byte {
	return []byte{'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, kind, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0}
}

func TestOrientationIsReadFromAnyNumber(t *testing.T) {
	for _, kind := range []byte{1, 3, 4, 8, 9} {
		if got := exifOrientation(exif(kind, 6)); got != 6 {
			t.Errorf("type %d: orientation %d, want 6", kind, got)
		}
	}
	if got := exifOrientation(append([]byte("Exif\x00\x00"), exif(3, 5)...)); got != 5 {
		t.Errorf("after its own name: orientation %d, want 5", got)
	}
	damaged := [][]byte{nil, exif(3, 9), exif(3, 0), exif(2, 6), []byte("II*\x00\xff\xff\xff\xff\x00\x00")}
	for length := range exif(3, 6) {
		damaged = append(damaged, exif(3, 6)[:min(length, 21)])
	}
	for _, data := range damaged {
		if got := exifOrientation(data); got != 1 {
			t.Errorf("%q: orientation %d, want 1", data, got)
		}
	}
}

// dot is an image of one colour.
func dot(c color.Color, r image.Rectangle) *image.Paletted {
	return image.NewPaletted(r, color.Palette{c, color.Transparent})
}

// checkCanvas wants a red picture of 6×5 pixels with white but in the rectangle.
func checkCanvas(t *testing.T, name string, file []byte, red image.Rectangle) {
	t.Helper()
	p, err := Decode(t.Context(), bytes.NewReader(file), name)
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 6 || p.Height != 5 {
		t.Fatalf("%s: size %d×%d", name, p.Width, p.Height)
	}
	r, g, b := p.OnWhite().Planes()
	for i := range r {
		want := float32(1)
		if image.Pt(i%6, i/6).In(red) {
			want = 0
		}
		if r[i] != 1 || g[i] != want || b[i] != want {
			t.Errorf("%s: pixel %d, %d is %v %v %v", name, i%6, i/6, r[i], g[i], b[i])
		}
	}
}

func TestFramesArePlacedOnTheirCanvas(t *testing.T) {
	place := image.Rect(2, 2, 5, 4)
	var file bytes.Buffer
	if err := gif.EncodeAll(&file, &gif.GIF{
		Image:  []*image.Paletted{dot(color.RGBA{R: 255, A: 255}, place), dot(color.Black, image.Rect(0, 0, 6, 5))},
		Delay:  []int{1, 1},
		Config: image.Config{Width: 6, Height: 5},
	}); err != nil {
		t.Fatal(err)
	}
	checkCanvas(t, "frame.gif", file.Bytes(), place)
	// Cut in the second frame, the first is whole.
	checkCanvas(t, "cut.gif", file.Bytes()[:file.Len()-8], place)
	checkCanvas(t, "frame.webp", animatedWebP(place), place)
}

// animatedWebP has a canvas of 6×5 pixels and a frame of lossless red.
func animatedWebP(place image.Rectangle) []byte {
	riff := func(kind string, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		file := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
		return append(append(file, body...), make([]byte, len(body)&1)...)
	}
	// Size, version and opacity, then no transforms, no cache and no groups of codes;
	// five codes of one symbol each: green 0, red 255, blue 0, alpha 255, distance 0.
	var bits uint64
	count := 0
	put := func(value uint64, n int) { bits |= value << count; count += n }
	put(uint64(place.Dx()-1), 14)
	put(uint64(place.Dy()-1), 14)
	put(0, 4)
	bitmap := binary.LittleEndian.AppendUint32([]byte{0x2f}, uint32(bits))
	bits, count = 0, 0
	put(0, 3)
	for _, symbol := range []uint64{0, 255, 0, 255, 0} {
		if symbol < 2 {
			put(0b0001|symbol<<3, 4) // simple, one symbol, of one bit
		} else {
			put(0b101|symbol<<3, 11) // simple, one symbol, of eight bits
		}
	}
	bitmap = append(binary.LittleEndian.AppendUint64(bitmap, bits), 0, 0, 0)
	u24 := func(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }
	frame := riff("ANMF", u24(place.Min.X/2), u24(place.Min.Y/2), u24(place.Dx()-1), u24(place.Dy()-1), make([]byte, 4), riff("VP8L", bitmap))
	return riff("RIFF", []byte("WEBP"), riff("VP8X", []byte{0x12, 0, 0, 0}, u24(5), u24(4)), riff("ANIM", make([]byte, 6)), frame)
}

func TestKindsOfBMP(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	for i := range img.Pix {
		img.Pix[i] = uint8(37 * i)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var plain bytes.Buffer
	if err := bmp.Encode(&plain, img); err != nil {
		t.Fatal(err)
	}
	want, err := Decode(t.Context(), bytes.NewReader(plain.Bytes()), "plain.bmp")
	if err != nil {
		t.Fatal(err)
	}
	rgb := plain.Bytes()[54:] // 24 bits, rows of 12 bytes
	u16, u32 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32
	fileHeader := func(at uint32) []byte { return u32([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00"), at) }
	core := u16(u16(u16(u16(u32(fileHeader(26), 12), 3), 2), 1), 24)
	gap := append(bytes.Clone(plain.Bytes()[:54]), "unused"...)
	gap[10] += 6
	info := func(bits uint16, compression uint32, length uint32) []byte {
		h := u16(u16(u32(u32(u32(fileHeader(14+length), length), 3), 2), 1), bits)
		return append(u32(h, compression), make([]byte, 20)...)
	}
	// Rows of blue, green, red and opacity, and masks that say so.
	var bgra []byte
	for y := 1; y >= 0; y-- {
		for x := range 3 {
			c := img.NRGBAAt(x, y)
			bgra = append(bgra, c.B, c.G, c.R, 0)
		}
	}
	masks := u32(u32(u32(u32(nil, 0xff0000), 0xff00), 0xff), 0)
	for name, file := range map[string][]byte{
		"OS/2":           append(core, rgb...),
		"a gap":          append(gap, rgb...),
		"32 bits":        append(info(32, 0, 40), bgra...),
		"32-bit fields":  bytes.Join([][]byte{info(32, 3, 56), masks, bgra}, nil),
		"masks after it": bytes.Join([][]byte{fileHeader(14 + 40 + 16), info(32, 3, 40)[14:], masks, bgra}, nil),
	} {
		p, err := Decode(t.Context(), bytes.NewReader(file), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !equal(p, want) {
			t.Errorf("%s: the picture differs", name)
		}
	}
	for want, file := range map[string][]byte{
		"run-length":    append(info(8, 1, 40), bgra...),
		"16 bits":       append(info(16, 0, 40), bgra...),
		"JPEG or PNG":   append(info(0, 4, 40), bgra...),
		"unusual order": bytes.Join([][]byte{info(32, 3, 56), make([]byte, 16), bgra}, nil),
		"truncated":     append(info(32, 0, 40), bgra[1:]...),
	} {
		_, err := Decode(t.Context(), bytes.NewReader(file), "in.bmp")
		if err == nil {
			t.Errorf("%s: read", want)
			continue
		}
		checkMessage(t, err, "picture: open in.bmp: ", want)
	}
}

func TestKindsOfPNM(t *testing.T) {
	for file, want := range map[string]string{
		"P1 3 1 101":                     "0 1 0",
		"P1\n# a comment\n3 1\n1 0 1\n":  "0 1 0",
		"P2 3 1 4 0 2 4":                 "0 0.5 1",
		"P3 1 1 255 255 0 51":            "1 0 0.2",
		"P4 3 1\n\xa0":                   "0 1 0",
		"P5 2 1 255\n\x00\xff":           "0 1",
		"P5 2 1 65535\n\x00\x00\xff\xff": "0 1",
		"P6 1 1 255\n\xff\x00\x33":       "1 0 0.2",
		"P2 1 1 4 9":                     "1",
		"P5 1 1 0\n\x00":                 "highest value is 0",
		"P5 2 1 255\n\x00":               "truncated",
		"P2 2 1 255 1":                   "truncated",
		"P2 2 1 255 1 x":                 "'x' where a number should be",
		"P6 2":                           "truncated",
	} {
		p, err := Decode(t.Context(), strings.NewReader(file), "in.pnm")
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %v, want %q", file, err, want)
			}
			continue
		}
		values := p.RGB[:p.Width]
		if p.Width == 1 {
			values = p.RGB
		}
		var got []string
		for _, v := range values {
			got = append(got, fmt.Sprintf("%.2g", v))
		}
		if text := strings.Join(got, " "); text != want && !(p.Width == 1 && text == strings.TrimSpace(strings.Repeat(want+" ", 3))) {
			t.Errorf("%q is %s, want %s", file, text, want)
		}
	}
}

func TestStrangersAreNamed(t *testing.T) {
	for head, want := range map[string]string{
		"\xff\x0a0123":                                 "JPEG XL",
		"\x00\x00\x00\x0cJXL \r\n\x87\n":               "magick in.jxl out.png",
		"\x00\x00\x00\x0cjP  \r\n\x87\n":               "JPEG 2000",
		"II*\x00\x10\x00\x00\x00CR\x02\x00":            "darktable-cli in.cr2",
		"\x00\x00\x00\x18ftypcrx \x00\x00":             "CR3",
		"8BPS\x00\x01":                                 "Photoshop",
		"%PDF-1.7":                                     "pdftoppm",
		"\x76\x2f\x31\x01\x02":                         "OpenEXR",
		"#?RADIANCE\n":                                 "Radiance HDR",
		"\x00\x00\x01\x00\x01\x00":                     "icon",
		"\x00\x00\x00\x20ftypisom":                     "video",
		"\x1a\x45\xdf\xa3\x01":                         "ffmpeg",
		"<svg xmlns='x'>":                              "SVG",
		"<?xml version='1.0'?>\n<!-- a -->\n<svg>":     "rsvg-convert",
		"\xef\xbb\xbf\n<!DOCTYPE html><html>":          "an HTML page, not a picture",
		"<HTML>":                                       "an HTML page, not a picture",
		"<Error><Code>AccessDenied</Code>":             "an XML text, not a picture",
		"{\"error\": \"not found\"}":                   "a JSON text, not a picture",
		"version https://git-lfs.github.com/spec/v1\n": "git lfs pull",
		"404: Not Found":                               "a text, not a picture",
		"Élan vital, Ende":                             "a text, not a picture",
		"P1 is not a bitmap":                           "where a number should be",
		"\x7fELF\x02":                                  "a program",
		"\x00\x01\x02\x03\x04":                         "not a PNG, JPEG, WebP",
	} {
		_, err := Decode(t.Context(), strings.NewReader(head), "in")
		if err == nil {
			t.Errorf("%q: read", head)
			continue
		}
		checkMessage(t, err, "picture: open in: ", want)
	}
}
