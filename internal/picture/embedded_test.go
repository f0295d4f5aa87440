package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"reflect"
	"strings"
	"testing"

	_ "golang.org/x/image/tiff"

	"impasto/internal/tiff"
)

// richEXIF are EXIF data, big-endian, as a camera writes them, with what is kept and what
// isn't.
func richEXIF() []byte {
	order := binary.BigEndian
	data := []byte("MM\x00*\x00\x00\x00\x08")
	type entry struct {
		tag, kind uint16
		value     []byte
	}
	text := func(tag uint16, s string) entry { return entry{tag, 2, append([]byte(s), 0)} }
	short := func(tag uint16, v uint16) entry { return entry{tag, 3, order.AppendUint16(nil, v)} }
	rational := func(tag uint16, values ...uint32) entry {
		var b []byte
		for _, v := range values {
			b = order.AppendUint32(b, v)
		}
		return entry{tag, 5, b}
	}
	directory := func(pointers map[uint16]int, entries ...entry) {
		at := len(data) + 2 + 12*(len(entries)+len(pointers)) + 4
		var beyond []byte
		data = order.AppendUint16(data, uint16(len(entries)+len(pointers)))
		for _, e := range entries {
			data = order.AppendUint16(order.AppendUint16(data, e.tag), e.kind)
			data = order.AppendUint32(data, uint32(len(e.value)/tiff.KindSize(int(e.kind))))
			if len(e.value) <= 4 {
				data = append(append(data, e.value...), make([]byte, 4-len(e.value))...)
				continue
			}
			data = order.AppendUint32(data, uint32(at+len(beyond)))
			beyond = append(beyond, e.value...)
			if len(beyond)%2 == 1 {
				beyond = append(beyond, 0)
			}
		}
		for tag, place := range pointers {
			data = order.AppendUint16(order.AppendUint16(data, tag), 4)
			data = order.AppendUint32(order.AppendUint32(data, 1), uint32(place))
		}
		data = append(order.AppendUint32(data, 0), beyond...)
	}
	const camera, place = 512, 1024
	directory(map[uint16]int{exifCamera: camera, exifPlace: place},
		text(0x10f, "Maker"), short(0x112, 6), rational(exifXResolution, 240, 1), short(exifResolutionUnit, 2),
		text(exifArtist, "Ann Ó"), text(exifCopyright, "© Ann, 2026"), text(0x9c9e, "not EXIF's"))
	data = append(data, make([]byte, camera-len(data))...)
	directory(nil, rational(0x829a, 1, 250), text(0xa431, "SERIAL"), entry{0x927c, 7, []byte("MAKER NOTE")}, short(exifColourSpace, 0xffff), short(exifWidth, 4000))
	data = append(data, make([]byte, place-len(data))...)
	directory(nil, text(1, "N"), rational(2, 48, 1, 12, 1, 0, 1))
	return data
}

// cameraSource is a picture whose EXIF data are of a camera.
func cameraSource(t testing.TB) *Source {
	t.Helper()
	var file bytes.Buffer
	if err := Encode(&file, &Picture{Width: 3, Height: 2, RGB: make([]float32, 18)}, SaveOptions{Format: "png"}); err != nil {
		t.Fatal(err)
	}
	data := file.Bytes()
	data = bytes.Join([][]byte{data[:pngHead], PNGChunk("eXIf", richEXIF()), data[pngHead:]}, nil)
	return readSource(t, data)
}

func readSource(t testing.TB, data []byte) *Source {
	t.Helper()
	s, err := ReadSource(context.Background(), bytes.NewReader(data), "test")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFilesSayWhatTheyAreToldTo(t *testing.T) {
	camera := cameraSource(t)
	if got := camera.Resolution(); got != 240 {
		t.Errorf("the camera's resolution is %g, want 240", got)
	}
	p := &Picture{Width: 40, Height: 30, RGB: make([]float32, 3*40*30)}
	made := Made{Software: "impasto v1", Document: `{"impasto":1}`, Packet: []byte("<packet/>")}
	for _, format := range Written {
		var file bytes.Buffer
		o := SaveOptions{Format: format, DPI: 300, Made: made, EXIF: camera.EXIF(true)}
		if err := Encode(&file, p, o); err != nil {
			t.Fatal(err)
		}
		// Other readers aren't put off.
		if config, name, err := image.DecodeConfig(bytes.NewReader(file.Bytes())); err != nil || name != format || config.Width != 40 {
			t.Errorf("%s: other readers see %q of %d pixels: %v", format, name, config.Width, err)
		}
		if _, _, err := image.Decode(bytes.NewReader(file.Bytes())); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		s := readSource(t, file.Bytes())
		e := s.Embedded()
		want := Embedded{
			Format: strings.ToUpper(format), Width: 40, Height: 30, Bits: 8, Bytes: int64(file.Len()), Profile: "sRGB", Resolution: 300,
			Artist: "Ann Ó", Copyright: "© Ann, 2026",
		}
		switch format {
		case "png":
			want.Document, want.Software = []byte(made.Document), made.Software
		case "jpeg":
			want.Packet = made.Packet
		case "webp":
			want.Format, want.Packet = "WebP", made.Packet
		case "tiff":
			want.Packet, want.Software = made.Packet, made.Software
		}
		if !reflect.DeepEqual(e, want) {
			t.Errorf("%s says %+v, want %+v", format, e, want)
		}
		if orientation := s.header.orientation; orientation > 1 {
			t.Errorf("%s: orientation %d, want none or upright", format, orientation)
		}
		for _, gone := range []string{"SERIAL", "MAKER NOTE", "not EXIF's"} {
			if bytes.Contains(file.Bytes(), []byte(gone)) {
				t.Errorf("%s has %q", format, gone)
			}
		}
		again := s.EXIF(true)
		if len(again.fields.Place) != 2 || len(again.fields.Camera) != 1 || len(again.fields.Image) < 3 {
			t.Errorf("%s keeps %+v, want the place, the exposure, maker, artist and copyright", format, again)
		}
		if !bytes.Equal(again.fields.Camera[0].Data, []byte{1, 0, 0, 0, 250, 0, 0, 0}) {
			t.Errorf("%s: the exposure is % x, want 1/250", format, again.fields.Camera[0].Data)
		}
		if size := exifNumber(s, exifWidth); size != 40 {
			t.Errorf("%s: EXIF's width is %d, want 40", format, size)
		}
		if space := exifNumber(s, exifColourSpace); space != 1 {
			t.Errorf("%s: EXIF's colour space is %d, want sRGB", format, space)
		}
	}
}

// exifNumber is a number of the EXIF directory.
func exifNumber(s *Source, wanted uint16) uint32 {
	e, first := readEXIF(s.header.exif)
	return e.pointer(e.pointer(first, exifCamera), wanted)
}

func TestThePlaceIsKeptOnlyWhereItIsAskedFor(t *testing.T) {
	if kept := cameraSource(t).EXIF(false); len(kept.fields.Place) != 0 || kept.fields.Empty() {
		t.Errorf("%+v", kept)
	}
}

func TestFilesSayNothingUnlessTheyAreTold(t *testing.T) {
	p := &Picture{Width: 4, Height: 3, RGB: make([]float32, 36)}
	for _, format := range Written {
		var file bytes.Buffer
		if err := Encode(&file, p, SaveOptions{Format: format}); err != nil {
			t.Fatal(err)
		}
		e := readSource(t, file.Bytes()).Embedded()
		if e.Document != nil || e.Packet != nil || e.Software != "" || e.Resolution != 0 && format != "tiff" {
			t.Errorf("%s says %+v", format, e)
		}
	}
}

func TestResolutionsAreThoseThatWereAskedFor(t *testing.T) {
	p := &Picture{Width: 4, Height: 3, RGB: make([]float32, 36)}
	for _, format := range Written {
		for _, dpi := range []float64{1, 72, 300, 600, 65535} {
			var file bytes.Buffer
			if err := Encode(&file, p, SaveOptions{Format: format, DPI: dpi}); err != nil {
				t.Fatal(err)
			}
			if got := readSource(t, file.Bytes()).Resolution(); got != dpi {
				t.Errorf("%s: %g dpi, want %g", format, got, dpi)
			}
		}
		for _, dpi := range []float64{-1, 65536} {
			if err := Encode(&bytes.Buffer{}, p, SaveOptions{Format: format, DPI: dpi}); err == nil {
				t.Errorf("%s: %g dpi are written", format, dpi)
			}
		}
	}
	if err := Encode(&bytes.Buffer{}, p, SaveOptions{Format: "jpeg", Made: Made{Packet: make([]byte, maxPacket+1)}}); err == nil {
		t.Error("a packet is written that no segment holds")
	}
}

// FuzzEmbedded holds what files say to be read without harm, and EXIF data that are kept to
// be read as they were written.
func FuzzEmbedded(f *testing.F) {
	camera := cameraSource(f)
	p := &Picture{Width: 4, Height: 3, RGB: make([]float32, 36)}
	for _, format := range Written {
		var file bytes.Buffer
		o := SaveOptions{Format: format, DPI: 300, Made: Made{Software: "s", Document: "{}", Packet: []byte("<p/>")}, EXIF: camera.EXIF(true)}
		if err := Encode(&file, p, o); err != nil {
			f.Fatal(err)
		}
		f.Add(file.Bytes())
	}
	f.Add(camera.file)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadSource(context.Background(), bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		if e := s.Embedded(); e.Resolution < 0 || e.Resolution >= 1e10 || len(e.Document) > maxPNGText {
			t.Fatalf("%+v", e)
		}
		kept := s.EXIF(true)
		var file bytes.Buffer
		if err := Encode(&file, p, SaveOptions{Format: "jpeg", EXIF: kept}); err != nil {
			t.Fatal(err)
		}
		again := readSource(t, file.Bytes()).EXIF(true)
		if len(again.fields.Place) != len(kept.fields.Place) || len(again.fields.Image) != len(kept.fields.Image) || len(again.fields.Camera) != len(kept.fields.Camera) {
			t.Fatalf("%+v is written, and %+v read", kept, again)
		}
	})
}
