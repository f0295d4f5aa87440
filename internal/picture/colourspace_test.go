package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"image/png"
	"math"
	"strings"
	"testing"

	"impasto/internal/colour"
	"impasto/internal/colour/colourtest"
	"impasto/internal/tiff"
)

// inP3 is sRGB (0.8, 0.4, 0.3) in Display P3, by the matrices of CSS Color 4.
var (
	inP3    = [3]float64{0.748517, 0.421585, 0.325709}
	inSRGB  = [3]float64{0.8, 0.4, 0.3}
	p3, a98 = profileOf("P3 v4, parametric"), profileOf("Adobe RGB v2, gamma")
)

func profileOf(name string) []byte { return colourtest.Samples()[name] }

// plain is a picture of one colour with 16 bits a channel.
func plain(c [3]float64) *image.NRGBA64 {
	img := image.NewNRGBA64(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		level := func(v float64) uint16 { return uint16(math.Round(65535 * v)) }
		img.SetNRGBA64(i%16, i/16, color.NRGBA64{level(c[0]), level(c[1]), level(c[2]), 65535})
	}
	return img
}

func numbers(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func iccp(profile []byte) []byte {
	var packed bytes.Buffer
	packed.WriteString("a name\x00\x00")
	w := zlib.NewWriter(&packed)
	w.Write(profile)
	w.Close()
	return chunk("iCCP", packed.Bytes()...)
}

func pngWith(t *testing.T, img image.Image, chunks ...[]byte) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	head := file.Bytes()[:pngHead]
	return append(append(append([]byte{}, head...), bytes.Join(chunks, nil)...), file.Bytes()[pngHead:]...)
}

// jpegWith puts segments of APP2, or of APP1 where they hold EXIF data, into a JPEG.
func jpegWith(t *testing.T, img image.Image, segments ...[]byte) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := stdjpeg.Encode(&file, img, &stdjpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	out := append([]byte{}, file.Bytes()[:2]...)
	for _, s := range segments {
		marker := byte(0xe2)
		if bytes.HasPrefix(s, []byte("Exif")) {
			marker = 0xe1
		}
		out = append(out, 0xff, marker, byte((len(s)+2)>>8), byte(len(s)+2))
		out = append(out, s...)
	}
	return append(out, file.Bytes()[2:]...)
}

// inParts are the segments of a profile, in an order that isn't theirs.
func inParts(profile []byte, size int) (segments [][]byte) {
	count := (len(profile) + size - 1) / size
	for i := count; i >= 1; i-- {
		part := profile[(i-1)*size : min(i*size, len(profile))]
		segments = append(segments, append([]byte("ICC_PROFILE\x00"+string([]byte{byte(i), byte(count)})), part...))
	}
	return segments
}

func tiffWith(t *testing.T, c [3]float64, profile []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	err := tiff.Encode(&file, tiff.Rows{Width: 4, Height: 4, Colours: tiff.RGB, Row: func(_ int, values []uint16) {
		for i := range values {
			values[i] = uint16(math.Round(65535 * c[i%3]))
		}
	}}, tiff.Options{Bits: 16, Profile: profile})
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// webpWith makes an extended file of a simple one, with a profile.
func webpWith(t *testing.T, simple, profile []byte) []byte {
	t.Helper()
	p := decodeBytes(t, simple)
	flags := byte(0x20)
	head := []byte{flags, 0, 0, 0, byte(p.Width - 1), 0, 0, byte(p.Height - 1), 0, 0}
	body := []byte("WEBP")
	for _, c := range []webpChunk{{kind: "VP8X", body: head}, {kind: "ICCP", body: profile}} {
		body = append(body, c.kind...)
		body = binary.LittleEndian.AppendUint32(body, uint32(len(c.body)))
		body = append(append(body, c.body...), make([]byte, len(c.body)%2)...)
	}
	body = append(body, simple[12:]...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func decodeBytes(t *testing.T, file []byte) *Picture {
	t.Helper()
	p, err := Decode(t.Context(), bytes.NewReader(file), "file")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// checkColour wants the middle of a picture to have a colour.
func checkColour(t *testing.T, p *Picture, want [3]float64, tolerance float64) {
	t.Helper()
	n := p.Width * p.Height
	at := p.Height/2*p.Width + p.Width/2
	for c := range 3 {
		if got := float64(p.RGB[c*n+at]); math.Abs(got-want[c]) > tolerance {
			t.Errorf("channel %d is %.5f, want %.5f ± %g", c, got, want[c], tolerance)
		}
	}
}

func TestEmbeddedProfilesAreApplied(t *testing.T) {
	for name, test := range map[string]struct {
		file      []byte
		tolerance float64
	}{
		"PNG":                   {pngWith(t, plain(inP3), iccp(p3)), 3e-5},
		"TIFF":                  {tiffWith(t, inP3, p3), 3e-5},
		"JPEG":                  {jpegWith(t, plain(inP3), inParts(p3, 60000)...), 0.008},
		"JPEG, several parts":   {jpegWith(t, plain(inP3), inParts(p3, 100)...), 0.008},
		"PNG by cICP":           {pngWith(t, plain(inP3), chunk("cICP", 12, 13, 0, 1)), 3e-5},
		"PNG by gAMA and cHRM":  {pngWith(t, plain(inP3), p3CHRM(), chunk("gAMA", numbers(45455)...)), 3e-5},
		"PNG by cHRM":           {pngWith(t, plain(inP3), p3CHRM()), 3e-5},
		"PNG, grey with linear": {pngWith(t, plain([3]float64{0.2140, 0.2140, 0.2140}), chunk("gAMA", numbers(100000)...)), -1},
	} {
		t.Run(name, func(t *testing.T) {
			p := decodeBytes(t, test.file)
			if len(p.Remarks) > 0 {
				t.Errorf("remarks %q", p.Remarks)
			}
			if test.tolerance < 0 {
				checkColour(t, p, [3]float64{0.5, 0.5, 0.5}, 1e-3)
				return
			}
			checkColour(t, p, inSRGB, test.tolerance)
		})
	}
}

func p3CHRM() []byte {
	return chunk("cHRM", numbers(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)...)
}

// TestWebPProfilesAreApplied compares a file with a profile with the same without.
func TestWebPProfilesAreApplied(t *testing.T) {
	transform, err := colour.FromProfile(a98)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, fixture := range readDecodeFixtures(t) {
		if !bytes.HasPrefix(fixture.File, []byte("RIFF")) || bytes.Contains(fixture.File[:20], []byte("VP8X")) {
			continue
		}
		tried++
		stored := decodeBytes(t, fixture.File)
		r, g, b := stored.Planes()
		transform.Apply([3][]float32{r, g, b}, r, g, b)
		p := decodeBytes(t, webpWith(t, fixture.File, a98))
		if d := distance(p.RGB, stored.RGB); d > 1e-6 {
			t.Errorf("%s differs by %g", fixture.Name, d)
		}
	}
	if tried == 0 {
		t.Error("no simple WebP file to try")
	}
}

func TestPNGChunksHaveAnOrderOfPrecedence(t *testing.T) {
	code, profile, srgb := chunk("cICP", 12, 13, 0, 1), iccp(p3), chunk("sRGB", 0)
	gamma, wide := chunk("gAMA", numbers(100000)...), p3CHRM()
	linear := func(v float64) float64 { // of P3's values, taken for linear sRGB
		return 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	for name, test := range map[string]struct {
		chunks [][]byte
		want   [3]float64
	}{
		"none":                        {nil, inP3},
		"cICP before all":             {[][]byte{gamma, srgb, iccp(a98), code}, inSRGB},
		"unspecified code points":     {[][]byte{chunk("cICP", 2, 2, 0, 1), profile}, inSRGB},
		"iCCP before sRGB and others": {[][]byte{gamma, srgb, profile}, inSRGB},
		"sRGB before gAMA and cHRM":   {[][]byte{gamma, wide, srgb}, inP3},
		"gAMA alone":                  {[][]byte{gamma}, [3]float64{linear(inP3[0]), linear(inP3[1]), linear(inP3[2])}},
		"gAMA of sRGB":                {[][]byte{chunk("gAMA", numbers(45455)...)}, inP3},
		"a profile of sRGB":           {[][]byte{iccp(colour.SRGBProfile())}, inP3},
	} {
		t.Run(name, func(t *testing.T) {
			checkColour(t, decodeBytes(t, pngWith(t, plain(inP3), test.chunks...)), test.want, 5e-5)
		})
	}
}

func TestBrokenProfilesAreRemarkedUpon(t *testing.T) {
	parts := inParts(p3, 100)
	exact, jpegs := 1e-5, 0.008
	for name, test := range map[string]struct {
		file      []byte
		remark    string
		tolerance float64
	}{
		"PNG, rubbish":          {pngWith(t, plain(inP3), iccp([]byte("rubbish"))), "the colour profile is broken: it has 7 bytes, less than a header; sRGB is assumed", exact},
		"PNG, not compressed":   {pngWith(t, plain(inP3), chunk("iCCP", []byte("name\x00\x00rubbish")...)), "the colour profile is broken: it isn't compressed with Deflate; sRGB is assumed", exact},
		"PNG, no name":          {pngWith(t, plain(inP3), chunk("iCCP", 1)), "the colour profile is broken: its chunk has no name", exact},
		"PNG, gAMA of 0":        {pngWith(t, plain(inP3), chunk("gAMA", 0, 0, 0, 0)), "gAMA is broken; sRGB", exact},
		"PNG, short cHRM":       {pngWith(t, plain(inP3), chunk("cHRM", 1)), "cHRM is broken", exact},
		"PNG, cHRM of zeros":    {pngWith(t, plain(inP3), chunk("cHRM", make([]byte, 32)...)), "a chromaticity is no colour's", exact},
		"PNG, high dynamic":     {pngWith(t, plain(inP3), chunk("cICP", 9, 16, 0, 1)), "high dynamic range", exact},
		"JPEG, a part missing":  {jpegWith(t, plain(inP3), parts[1:]...), "is missing; sRGB is assumed", jpegs},
		"JPEG, cut":             {jpegWith(t, plain(inP3), inParts(p3[:300], 1000)...), "lies beyond its end", jpegs},
		"TIFF, tags beyond it":  {tiffWith(t, inP3, p3[:150]), "the colour profile is broken: it claims", exact},
		"PNG, profile of inks":  {pngWith(t, plain(inP3), iccp(colourtest.CMYK())), "for pictures in CMYK, which this one isn't", exact},
		"PNG, profile of greys": {pngWith(t, plain(inP3), iccp(profileOf("grey, gamma"))), "for pictures in grey, which this one isn't", exact},
	} {
		t.Run(name, func(t *testing.T) {
			p := decodeBytes(t, test.file)
			if len(p.Remarks) != 1 || !strings.Contains(p.Remarks[0], test.remark) {
				t.Errorf("remarks %q, want one with %q", p.Remarks, test.remark)
			}
			checkColour(t, p, inP3, test.tolerance)
		})
	}
}

func TestGreyPicturesHaveProfilesOfTheirOwn(t *testing.T) {
	img := image.NewGray16(image.Rect(0, 0, 8, 8))
	for i := range img.Pix {
		img.Pix[i] = 0x80
	}
	v := float64(0x8080) / 65535
	encode := func(v float64) float64 { return 1.055*math.Pow(v, 1/2.4) - 0.055 }
	want := encode(math.Pow(v, 1.80078125)) // the exponent in steps of 1/256
	checkColour(t, decodeBytes(t, pngWith(t, img, iccp(profileOf("grey, gamma")))), [3]float64{want, want, want}, 1e-4)
	// A profile of RGB means the same of greys, as many files have it.
	want = encode(math.Pow(v, 563./256))
	checkColour(t, decodeBytes(t, pngWith(t, img, iccp(a98))), [3]float64{want, want, want}, 1e-4)
}

// cmykTIFF is a picture of one pixel in four inks, with a profile where there is one.
func cmykTIFF(inks [4]byte, profile []byte) []byte {
	type field struct {
		tag, kind uint16
		count     int
		value     uint32
	}
	order := binary.LittleEndian
	fields := []field{
		{256, 4, 1, 1}, {257, 4, 1, 1}, {258, 3, 1, 8}, {259, 3, 1, 1}, {262, 3, 1, 5},
		{273, 4, 1, 8}, {277, 3, 1, 4}, {278, 4, 1, 1}, {279, 4, 1, 4},
	}
	if profile != nil {
		fields = append(fields, field{34675, 7, len(profile), 12})
	}
	file := append([]byte("II*\x00\x00\x00\x00\x00"), inks[:]...)
	file = append(file, profile...)
	file = append(file, make([]byte, len(file)%2)...)
	order.PutUint32(file[4:], uint32(len(file)))
	file = order.AppendUint16(file, uint16(len(fields)))
	for _, f := range fields {
		file = order.AppendUint16(order.AppendUint16(file, f.tag), f.kind)
		file = order.AppendUint32(order.AppendUint32(file, uint32(f.count)), f.value)
	}
	return append(file, 0, 0, 0, 0)
}

func TestInksGoByTheirProfileOrAPlainFormula(t *testing.T) {
	inks := [4]byte{40, 200, 128, 3}
	of := func(ink byte) float64 { return float64(255-int(ink)) * float64(255-int(inks[3])) / 255 / 255 }
	checkColour(t, decodeBytes(t, cmykTIFF(inks, nil)), [3]float64{of(40), of(200), of(128)}, 0.003)
	transform, err := colour.FromProfile(colourtest.CMYK())
	if err != nil {
		t.Fatal(err)
	}
	out := [3][]float32{{0}, {0}, {0}}
	transform.Apply(out, []float32{40. / 255}, []float32{200. / 255}, []float32{128. / 255}, []float32{3. / 255})
	want := [3]float64{float64(out[0][0]), float64(out[1][0]), float64(out[2][0])}
	checkColour(t, decodeBytes(t, cmykTIFF(inks, colourtest.CMYK())), want, 1e-6)
	p := decodeBytes(t, cmykTIFF(inks, p3))
	if len(p.Remarks) != 1 || !strings.Contains(p.Remarks[0], "for pictures in RGB") {
		t.Errorf("remarks %q", p.Remarks)
	}
	checkColour(t, p, [3]float64{of(40), of(200), of(128)}, 0.003)
}

// cameraEXIF is what a camera writes that is set to Adobe RGB.
func cameraEXIF(space uint16, index string) []byte {
	order := binary.BigEndian
	data := []byte("MM\x00*\x00\x00\x00\x08")
	directory := func(entries ...[12]byte) {
		data = order.AppendUint16(data, uint16(len(entries)))
		for _, e := range entries {
			data = append(data, e[:]...)
		}
		data = append(data, 0, 0, 0, 0)
	}
	entry := func(tag, kind uint16, count uint32, value []byte) (e [12]byte) {
		order.PutUint16(e[:], tag)
		order.PutUint16(e[2:], kind)
		order.PutUint32(e[4:], count)
		copy(e[8:], value)
		return e
	}
	directory(entry(0x8769, 4, 1, numbers(26)))
	directory(entry(0xa001, 3, 1, []byte{byte(space >> 8), byte(space)}), entry(0xa005, 4, 1, numbers(56)))
	directory(entry(1, 2, 4, []byte(index+"\x00")))
	return append([]byte("Exif\x00\x00"), data...)
}

func TestCamerasSayAdobeRGBInEXIF(t *testing.T) {
	// sRGB (0.8, 0.4, 0.3) in Adobe RGB (1998), by the matrices of CSS Color 4.
	inA98 := [3]float64{0.709184, 0.399405, 0.309243}
	for name, test := range map[string]struct {
		space uint16
		index string
		want  [3]float64
	}{
		"R03":             {0xffff, "R03", inSRGB},
		"a space of 2":    {2, "R98", inSRGB},
		"sRGB":            {1, "R98", inA98},
		"sRGB, and R03":   {1, "R03", inA98},
		"uncalibrated":    {0xffff, "R98", inA98},
		"rubbish for R03": {0xffff, "\xff\xff\xff", inA98},
	} {
		t.Run(name, func(t *testing.T) {
			p := decodeBytes(t, jpegWith(t, plain(inA98), cameraEXIF(test.space, test.index)))
			checkColour(t, p, test.want, 0.008)
		})
	}
	withProfile := jpegWith(t, plain(inP3), append([][]byte{cameraEXIF(2, "R03")}, inParts(p3, 60000)...)...)
	checkColour(t, decodeBytes(t, withProfile), inSRGB, 0.008)
}

// BenchmarkConvert converts a megapixel by a matrix and by a table.
func BenchmarkConvert(b *testing.B) {
	for _, name := range []string{"P3 v4, parametric", "RGB by 16-bit tables"} {
		b.Run(name, func(b *testing.B) {
			transform, err := colour.FromProfile(profileOf(name))
			if err != nil {
				b.Fatal(err)
			}
			p := &Picture{Width: 1 << 10, Height: 1 << 10, RGB: make([]float32, 3<<20)}
			for i := range p.RGB {
				p.RGB[i] = float32(i*7919%65536) / 65535
			}
			b.SetBytes(1 << 20)
			for b.Loop() {
				p.convert(transform)
			}
		})
	}
}
