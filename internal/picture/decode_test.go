package picture

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/image/tiff"
)

// Made by testdata/make_fixtures.py with Pillow.
//
//go:embed testdata/decode.json
var decodeFixtures []byte

// Made by testdata/make_formats.py with Pillow and pillow-heif.
//
//go:embed testdata/formats.json
var formatFixtures []byte

type decodeFixture struct {
	Name          string
	Remark        string  // that reading it gives
	Tolerance     float64 // in levels of 255
	Width, Height int
	RGB           []float64
	File          []byte
}

func readDecodeFixtures(t testing.TB) []decodeFixture {
	t.Helper()
	var fixtures, rarer []decodeFixture
	if err := errors.Join(json.Unmarshal(decodeFixtures, &fixtures), json.Unmarshal(formatFixtures, &rarer)); err != nil {
		t.Fatal(err)
	}
	return append(fixtures, rarer...)
}

func TestDecodeAgreesWithPillow(t *testing.T) {
	fixtures := readDecodeFixtures(t)
	if len(fixtures) < 83 {
		t.Fatalf("%d fixtures; the file is incomplete", len(fixtures))
	}
	for _, fixture := range fixtures {
		t.Run(fixture.Name, func(t *testing.T) {
			p, err := Decode(t.Context(), bytes.NewReader(fixture.File), fixture.Name)
			if err != nil {
				t.Fatal(err)
			}
			p = p.OnWhite()
			if p.Width != fixture.Width || p.Height != fixture.Height {
				t.Fatalf("size %d×%d, want %d×%d", p.Width, p.Height, fixture.Width, fixture.Height)
			}
			if got := strings.Join(p.Remarks, "; "); got != fixture.Remark {
				t.Errorf("the remark is %q, want %q", got, fixture.Remark)
			}
			// 0.006 levels cover the rounding of 16-bit values, of premultiplied
			// ones, and of the fixture's three decimals.
			tolerance := fixture.Tolerance + 0.006
			pixels := p.Width * p.Height
			var worst float64
			for i := range pixels {
				for c := range 3 {
					worst = max(worst, math.Abs(255*float64(p.RGB[c*pixels+i])-fixture.RGB[3*i+c]))
				}
			}
			if worst > tolerance {
				t.Errorf("differs by %.3f levels of 255, want at most %.3f", worst, tolerance)
			}
		})
	}
}

func TestSixteenBitsSurviveDecoding(t *testing.T) {
	img := image.NewNRGBA64(image.Rect(0, 0, 3, 2))
	for i := range 6 {
		c := color.NRGBA64{R: uint16(i * 10007), G: uint16(65535 - i*3), B: uint16(i*257 + 1), A: 65535}
		img.SetNRGBA64(i%3, i/3, c)
	}
	for name, encode := range map[string]func(io.Writer, image.Image) error{
		"PNG":  png.Encode,
		"TIFF": func(w io.Writer, m image.Image) error { return tiff.Encode(w, m, nil) },
	} {
		var file bytes.Buffer
		if err := encode(&file, img); err != nil {
			t.Fatal(err)
		}
		p, err := Decode(t.Context(), &file, name)
		if err != nil {
			t.Fatal(err)
		}
		got := p
		for i := range 6 {
			want := img.NRGBA64At(i%3, i/3)
			if c := got.RGBA64At(i%3, i/3); c.R != want.R || c.G != want.G || c.B != want.B {
				t.Errorf("%s: pixel %d is %v, want %v", name, i, c, want)
			}
		}
	}
}

// encoded returns a small file of each kind that Go can write.
func encoded(t testing.TB) map[string][]byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = uint8(i*i>>4) | 1
	}
	var p, j, f bytes.Buffer
	if err := errors.Join(png.Encode(&p, img), jpeg.Encode(&j, img, nil), tiff.Encode(&f, img, nil)); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"PNG": p.Bytes(), "JPEG": j.Bytes(), "TIFF": f.Bytes()}
}

// pngHeader is a valid start of a PNG that claims the size.
func pngHeader(width, height uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, width)
	chunk = binary.BigEndian.AppendUint32(chunk, height)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	file := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	file = append(file, chunk...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(chunk))
}

// jpegHeader is a start-of-frame that claims the size.
func jpegHeader(width, height uint16) []byte {
	file := append([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 16}, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"...)
	file = append(file, 0xff, 0xc0, 0, 17, 8)
	file = binary.BigEndian.AppendUint16(file, height)
	file = binary.BigEndian.AppendUint16(file, width)
	return append(file, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
}

// losslessWebPHeader claims the size, each side at most 16384.
func losslessWebPHeader(width, height uint32) []byte {
	payload := binary.LittleEndian.AppendUint32([]byte{0x2f}, width-1|(height-1)<<14)
	payload = append(payload, make([]byte, 11)...)
	file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(12+len(payload)))
	file = binary.LittleEndian.AppendUint32(append(file, "WEBPVP8L"...), uint32(len(payload)))
	return append(file, payload...)
}

// tiffHeader is a directory of nothing but the size and 8 bits of grey.
func tiffHeader(width, height uint32) []byte {
	file := []byte("II*\x00\x08\x00\x00\x00\x04\x00")
	for _, entry := range [][2]uint32{{256, width}, {257, height}, {258, 8}, {262, 1}} {
		file = binary.LittleEndian.AppendUint16(file, uint16(entry[0]))
		file = append(file, 4, 0, 1, 0, 0, 0)
		file = binary.LittleEndian.AppendUint32(file, entry[1])
	}
	return append(file, 0, 0, 0, 0)
}

func TestBadFilesAreRefusedInOneLine(t *testing.T) {
	folder := t.TempDir()
	files := encoded(t)
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty.png", nil, "the file is empty"},
		{"text.png", []byte("not an image at all"), "a text, not a picture"},
		{"one byte.jpg", []byte{0xff}, "not a PNG, JPEG, WebP"},
		{"truncated.png", files["PNG"][:len(files["PNG"])/2], "truncated"},
		{"truncated.jpg", files["JPEG"][:len(files["JPEG"])/2], "truncated"},
		{"truncated.tif", files["TIFF"][:len(files["TIFF"])/2], "truncated"},
		{"magic only.png", []byte("\x89PNG\r\n\x1a\n"), "truncated"},
		{"zero.png", pngHeader(0, 5), "PNG"},
		{"zero.jpg", jpegHeader(5, 0), "JPEG"},
		{"zero.tif", tiffHeader(0, 5), "TIFF"},
		{"huge.png", pngHeader(30000, 30000), "claims 30000×30000 pixels; at most 268435456"},
		{"huge.jpg", jpegHeader(30000, 30000), "claims 30000×30000 pixels; at most 268435456"},
		{"huge.tif", tiffHeader(30000, 30000), "claims 30000×30000 pixels; at most 268435456"},
		{"dense.png", pngHeader(16000, 16000), "16000×16000 pixels in a file of 33 bytes"},
		{"dense.jpg", jpegHeader(16000, 16000), "16000×16000 pixels in a file of 39 bytes"},
		{"dense.tif", tiffHeader(16000, 16000), "16000×16000 pixels in a file of 62 bytes"},
		{"dense.webp", losslessWebPHeader(16000, 16000), "16000×16000 pixels in a file of 36 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(folder, test.name)
			if err := os.WriteFile(path, test.data, 0o600); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p, err := Open(t.Context(), path)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatalf("read as %d×%d", p.Width, p.Height)
			}
			checkMessage(t, err, "picture: open "+path+": ", test.want)
			if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
				t.Errorf("%d bytes were allocated", got)
			}
		})
	}
}

// checkMessage wants one line with the prefix, once, and the part.
func checkMessage(t *testing.T, err error, prefix, part string) {
	t.Helper()
	message := err.Error()
	if !strings.HasPrefix(message, prefix) || strings.Count(message, "picture:") != 1 ||
		strings.Contains(message, "\n") || !strings.Contains(message, part) {
		t.Errorf("error %q, want one line that begins with %q and has %q", message, prefix, part)
	}
}

func TestOpenNamesWhatIsWrongWithThePath(t *testing.T) {
	folder := t.TempDir()
	missing := filepath.Join(folder, "missing.png")
	_, err := Open(t.Context(), missing)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v, want an error that is os.ErrNotExist", err)
	}
	checkMessage(t, err, "picture: open "+missing+": ", "")
	_, err = Open(t.Context(), folder)
	if err == nil {
		t.Fatal("a folder was opened")
	}
	checkMessage(t, err, "picture: open "+folder+": ", "a folder")
}

func TestDecodeReportsAReaderThatFails(t *testing.T) {
	fault := errors.New("the cable was pulled")
	_, err := Decode(t.Context(), iotest.ErrReader(fault), "in.png")
	if !errors.Is(err, fault) {
		t.Fatalf("error %v, want %v", err, fault)
	}
	checkMessage(t, err, "picture: open in.png: ", "cable")
}

func TestNoPanicLeavesDecode(t *testing.T) {
	_, err := Decode(t.Context(), panickingReader{}, "in.png")
	if err == nil {
		t.Fatal("no error")
	}
	checkMessage(t, err, "picture: open in.png: ", "index out of range")
}

type panickingReader struct{}

func (panickingReader) Read(p []byte) (int, error) {
	return int(p[len(p)]), nil
}

func TestDamagedMetadataLeavesThePictureUpright(t *testing.T) {
	j := encoded(t)["JPEG"]
	exif := "\xff\xe1\x00\x20Exif\x00\x00MM\x00\x2a\xff\xff\xff\xf0"
	exif += strings.Repeat("\xee", 0x20+2-len(exif))
	damaged := append([]byte("\xff\xd8"+exif), j[2:]...)
	got, err := Decode(t.Context(), bytes.NewReader(damaged), "damaged.jpg")
	if err != nil {
		t.Fatal(err)
	}
	want, err := Decode(t.Context(), bytes.NewReader(j), "sound.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if !equal(got, want) {
		t.Error("the picture changed")
	}
}

func equal(a, b *Picture) bool {
	if a.Width != b.Width || a.Height != b.Height {
		return false
	}
	for i := range a.RGB {
		if a.RGB[i] != b.RGB[i] {
			return false
		}
	}
	return true
}

// inSandbox tells of formats whose decoders run in a sandbox. To start it takes too
// long for fuzzing, and it holds whatever they do.
func inSandbox(f *format) bool { return f.name == "HEIC" || f.name == "AVIF" }

func FuzzDecode(f *testing.F) {
	for _, data := range encoded(f) {
		f.Add(data)
	}
	for _, fixture := range readDecodeFixtures(f) {
		f.Add(fixture.File)
	}
	f.Add(pngHeader(100, 100))
	f.Add(jpegHeader(100, 100))
	f.Add(tiffHeader(100, 100))
	f.Add(losslessWebPHeader(100, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		if f, err := identify(data); err == nil {
			// Larger ones are legal; they only slow the search down.
			h, err := f.read(data)
			if err != nil || h.width > 1000 || h.height > 1000 || inSandbox(f) {
				return
			}
		}
		p, err := Decode(t.Context(), bytes.NewReader(data), "fuzzed")
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		if p.Width < 1 || p.Height < 1 || len(p.RGB) != 3*p.Width*p.Height {
			t.Fatalf("%d×%d with %d values", p.Width, p.Height, len(p.RGB))
		}
		for i, v := range p.RGB {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("value %d is %v, want 0–1", i, v)
			}
		}
	})
}
