package tiff

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// wantError wants one line with the words.
func wantError(t *testing.T, err error, words string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", words)
		return
	}
	if message := err.Error(); !strings.Contains(message, words) || strings.Contains(message, "\n") {
		t.Errorf("error %q, want one line with %q", message, words)
	}
}

func TestWhatIsNotReadIsNamed(t *testing.T) {
	compressed := func(scheme int) *testDirectory { return rgb8(1, 1, 0, 0, 0).set(short(tagCompression, scheme)) }
	tests := []struct {
		d    *testDirectory
		want string
	}{
		{compressed(6), "a TIFF compressed with JPEG of the old kind (compression 6), which isn't read; convert it"},
		{compressed(34712), "JPEG 2000"},
		{compressed(50000), "Zstandard"},
		{compressed(50001), "WebP"},
		{compressed(34887), "LERC"},
		{compressed(34925), "LZMA"},
		{compressed(34661), "JBIG"},
		{compressed(12345), "unknown compression 12345"},
		{rgb8(1, 1, 0, 0, 0).set(short(tagPhotometric, 32845)), "LogLuv"},
		{rgb8(1, 1, 0, 0, 0).set(short(tagPhotometric, 777)), "photometric interpretation 777"},
		{rgb8(1, 1, 0, 0, 0).set(short(tagBitsPerSample, 5, 6, 5)), "different kinds"},
		{grey8(1, 1, make([]byte, 8)...).set(short(tagBitsPerSample, 64)), "integers of 64 bits"},
		{grey8(1, 1, 0, 0, 0).set(short(tagBitsPerSample, 24), short(tagSampleFormat, 3)), "floating-point samples of 24 bits"},
		{grey8(1, 1, 0, 0).set(short(tagBitsPerSample, 16), short(tagSampleFormat, 5)), "complex"},
		{grey8(1, 1, 0).set(short(tagBitsPerSample, 4), short(tagCompression, 5), short(tagPredictor, 2)), "predictor 2 for samples of 4 bits"},
		{grey8(1, 1, 0, 1, 2).set(short(tagCompression, lzwCoded)), "LZW as libtiff did before"},
		{yuv(2, 2, 2, 2, 0, 0, 0, 0, 0, 0).set(short(tagPlanar, 2)), "subsampled YCbCr"},
	}
	for _, test := range tests {
		_, _, err := tryDecode(t, little(test.d))
		wantError(t, err, test.want)
		if refused := (*Unsupported)(nil); !errors.As(err, &refused) {
			t.Errorf("%v isn't *Unsupported", err)
		}
	}
}

func TestDamageIsRefused(t *testing.T) {
	circle := little(grey8(1, 1, 0))
	copy(circle[len(circle)-4:], circle[4:8])
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"not one", []byte("PNG, rather"), "not a TIFF file"},
		{"another number", []byte("II\x2c\x00\x08\x00\x00\x00"), "not a TIFF file"},
		{"no directory", []byte("II*\x00\x00\x00\x00\x00"), "no picture"},
		{"a circle", circle, "circle"},
		{"no size", little(grey8(0, 5)), "0×5"},
		{"colours missing", little(rgb8(1, 1, 0, 0, 0).set(short(tagSamplesPerPixel, 2))), "2 samples a pixel for 3 colours"},
		{"no samples", little(rgb8(1, 1, 0, 0, 0).set(short(tagSamplesPerPixel, 0))), "0 samples"},
		{"strips missing", little(grey8(2, 2, 0, 0).set(short(tagRowsPerStrip, 1))), "1 strips or tiles; want 2"},
		{"no strips", little(&testDirectory{fields: grey8(2, 2).fields}), "0 strips or tiles"},
		{"tiles far too large", little(grey8(1, 1, 0).set(short(tagTileWidth, 60000), short(tagTileLength, 60000))), "tiles of 60000×60000"},
		{"tiles of nothing", little(grey8(1, 1, 0).set(short(tagTileWidth, 0), short(tagTileLength, 16))), "0×16"},
		{"Deflate that isn't", little(grey8(1, 1, 1, 2, 3).set(short(tagCompression, adobeDeflate))), "damaged"},
		{"LZW that isn't", little(grey8(9, 9, 255, 255, 255).set(short(tagCompression, lzwCoded))), "damaged"},
		{"JPEG that isn't", little(grey8(1, 1, 1, 2, 3).set(short(tagCompression, jpegCoded))), "isn't the JPEG"},
		{"fax of 8 bits", little(grey8(1, 1, 1, 2, 3).set(short(tagCompression, faxGroup4))), "want 1 of 1"},
		{"a fax code that isn't", little(grey8(100, 9, 0, 0xff, 0).set(short(tagCompression, faxGroup4), short(tagBitsPerSample, 1))), "code that doesn't exist"},
		{"chroma that doesn't fit", little(yuv(6, 6, 3, 2, 0)), "subsampled by 3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := tryDecode(t, test.data)
			wantError(t, err, test.want)
		})
	}
}

func TestCutFilesAreTruncated(t *testing.T) {
	// Wherever the file of a picture is cut, it is truncated. The last link may be missing.
	pixels := make([]byte, 300)
	for i := range pixels {
		pixels[i] = byte(i * i >> 3)
	}
	for name, d := range map[string]*testDirectory{
		"uncompressed": rgb8(10, 10, pixels...),
		"Deflate":      rgb8(10, 10, deflate(pixels)...).set(short(tagCompression, adobeDeflate)),
		"PackBits":     rgb8(10, 10, literals(pixels)...).set(short(tagCompression, packBits)),
	} {
		whole := little(d)
		for n := 2; n < len(whole)-4; n++ {
			_, _, err := tryDecode(t, whole[:n])
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s cut at %d of %d: %v", name, n, len(whole), err)
			}
			wantError(t, err, "truncated")
		}
		if _, _, err := tryDecode(t, whole[:len(whole)-4]); err != nil {
			t.Errorf("%s without the last link: %v", name, err)
		}
	}
	short := rgb8(10, 10, deflate(pixels[:200])...).set(short(tagCompression, adobeDeflate))
	_, _, err := tryDecode(t, little(short))
	wantError(t, err, "truncated")
}

// literals is PackBits without runs.
func literals(data []byte) []byte {
	var out []byte
	for len(data) > 0 {
		n := min(len(data), 128)
		out = append(append(out, byte(n-1)), data[:n]...)
		data = data[n:]
	}
	return out
}

func TestPackBitsRuns(t *testing.T) {
	// Apple's own example, with a 128 that means nothing.
	data := []byte{0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 128, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa}
	want := []byte{0xaa, 0xaa, 0xaa, 0x80, 0, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa, 0x80, 0, 0x2a, 0x22,
		0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa}
	_, got := decoded(t, little(grey8(len(want), 1, data...).set(short(tagCompression, packBits))))
	for i := range want {
		if got[i] != float32(want[i])/255 {
			t.Fatalf("value %d is %v, want %v", i, got[i], float32(want[i])/255)
		}
	}
}
