package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// largeFiles are files of 700×500 pixels of each kind that Go can write.
func largeFiles(t testing.TB) map[string][]byte {
	t.Helper()
	bounds := image.Rect(0, 0, 700, 500)
	rgba, grey, paletted := image.NewNRGBA(bounds), image.NewGray(bounds), image.NewPaletted(bounds, palette.Plan9)
	deep := image.NewRGBA64(bounds)
	for i := range grey.Pix {
		v := uint8(i * i >> 8)
		grey.Pix[i], paletted.Pix[i] = v, v
		rgba.Pix[4*i], rgba.Pix[4*i+3] = v, 255-v>>1
		deep.Pix[8*i+1], deep.Pix[8*i+6], deep.Pix[8*i+7] = v, 255, 255
	}
	bits := image.NewPaletted(bounds, color.Palette{color.Black, color.White})
	files := map[string][]byte{}
	for name, write := range map[string]func(io.Writer) error{
		"png grey":    func(w io.Writer) error { return png.Encode(w, grey) },
		"png rgba":    func(w io.Writer) error { return png.Encode(w, rgba) },
		"png 16":      func(w io.Writer) error { return png.Encode(w, deep) },
		"png palette": func(w io.Writer) error { return png.Encode(w, paletted) },
		"png 1 bit":   func(w io.Writer) error { return png.Encode(w, bits) },
		"jpeg grey":   func(w io.Writer) error { return jpeg.Encode(w, grey, nil) },
		"jpeg 4:2:0":  func(w io.Writer) error { return jpeg.Encode(w, rgba, nil) },
		"gif":         func(w io.Writer) error { return gif.Encode(w, paletted, nil) },
		"bmp":         func(w io.Writer) error { return bmp.Encode(w, rgba) },
		"tiff":        func(w io.Writer) error { return tiff.Encode(w, rgba, nil) },
		"bmp palette": func(w io.Writer) error { return bmp.Encode(w, paletted) },
	} {
		var file bytes.Buffer
		if err := write(&file); err != nil {
			t.Fatal(err)
		}
		files[name] = file.Bytes()
	}
	files["pnm"] = append([]byte("P6 700 500 255\n"), make([]byte, 3*700*500)...)
	return files
}

// allocated returns how many bytes a function allocates.
func allocated(do func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// bound is what decoding may allocate, by the header.
func bound(t testing.TB, f *format, file []byte) int64 {
	t.Helper()
	h, err := f.read(file)
	if err != nil {
		t.Fatal(err)
	}
	if h.unsized {
		return h.memory + h.bandMemory() // when it is opened
	}
	return h.memory + h.bandMemory() + planesBytes*int64(h.width)*int64(h.height)
}

// decode reads a file of the format, if it takes less than the memory that is
// available.
func (f *format) decode(ctx context.Context, file []byte, available func() (int64, bool)) (*Picture, error) {
	s, err := f.open(ctx, file, available)
	if err != nil {
		return nil, err
	}
	return s.decode(ctx)
}

func exactly(bytes int64) func() (int64, bool) {
	return func() (int64, bool) { return bytes, true }
}

func TestDecodingTakesNoMoreThanIsWeighed(t *testing.T) {
	for name, file := range largeFiles(t) {
		f, err := identify(file)
		if err != nil {
			t.Fatal(err)
		}
		most := bound(t, f, file)
		took := allocated(func() {
			if _, err := f.decode(t.Context(), file, exactly(most+int64(len(file)))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		// Small things, such as the decoders' tables, are not counted.
		if took > most+1<<18 || took < most/2 {
			t.Errorf("%s: took %d bytes, and %d were weighed", name, took, most)
		}
	}
}

func TestPicturesThatDoNotFitAreRefusedInOneLine(t *testing.T) {
	files := largeFiles(t)
	for _, fixture := range readDecodeFixtures(t) {
		files[fixture.Name] = fixture.File
	}
	for name, file := range files {
		f, err := identify(file)
		if err != nil {
			t.Fatal(err)
		}
		most := bound(t, f, file)
		took := allocated(func() { _, err = f.decode(t.Context(), file, exactly(most)) })
		if err == nil {
			t.Fatalf("%s: read", name)
		}
		for _, part := range []string{"megapixels", "MiB", f.name} {
			if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %q, want one line with %q", name, err, part)
			}
		}
		if took > 1<<18 {
			t.Errorf("%s: %d bytes were allocated to refuse it", name, took)
		}
	}
}

// endless reads a beginning and then zeros.
type endless struct{ head io.Reader }

func (e *endless) Read(p []byte) (int, error) {
	if n, _ := e.head.Read(p); n > 0 {
		return n, nil
	}
	clear(p)
	return len(p), nil
}

func TestEndlessInputIsRefused(t *testing.T) {
	start := time.Now()
	if took := allocated(func() {
		if _, err := Decode(t.Context(), &endless{bytes.NewReader(nil)}, "zero"); err == nil {
			t.Error("zeros were read as a picture")
		}
	}); took > 1<<18 {
		t.Errorf("%d bytes were allocated for zeros", took)
	}
	_, _, err := readFile(t.Context(), &endless{bytes.NewReader(pngHeader(5, 5))}, exactly(30<<20))
	if err == nil || !strings.Contains(err.Error(), "more than 10 MiB") {
		t.Errorf("a PNG without end: error %v", err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

// silent never gives anything.
type silent struct{ asked chan struct{} }

func (s silent) Read([]byte) (int, error) {
	close(s.asked)
	select {}
}

func TestDecodeEndsWithItsContextWhileTheReaderIsSilent(t *testing.T) {
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	r := silent{make(chan struct{})}
	go func() {
		<-r.asked
		cancel(stopped)
	}()
	_, err := Decode(ctx, r, "silent.png")
	if !errors.Is(err, stopped) {
		t.Fatalf("error %v, want the context's cause", err)
	}
	checkMessage(t, err, "picture: open silent.png: ", "stopped")
}

func TestAContextThatEndedStopsEveryDecoder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, file := range largeFiles(t) {
		f, err := identify(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.decode(ctx, file, exactly(1<<40)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want %v", name, err, context.Canceled)
		}
	}
}

func TestEndlessPassesAreRefused(t *testing.T) {
	file := jpegHeader(8000, 8000)
	file[21] = markerSOF0 + 2
	pass := []byte{0xff, markerSOS, 0, 8, 1, 1, 0, 1, 63, 0}
	file = append(file, bytes.Repeat(pass, 1000)...)
	_, err := Decode(t.Context(), bytes.NewReader(append(file, 0xff, markerEOI)), "passes.jpg")
	if err == nil {
		t.Fatal("it was read")
	}
	checkMessage(t, err, "picture: open passes.jpg: ", "1000 passes over 8000×8000 pixels")
}

// kind is a file of some mode.
type kind struct {
	fs.FileInfo
	mode fs.FileMode
	size int64
}

func (k kind) Mode() fs.FileMode { return k.mode }
func (k kind) Size() int64       { return k.size }

func TestOnlyFilesAndPipesAreOpened(t *testing.T) {
	for _, test := range []struct {
		kind kind
		want string
	}{
		{kind{mode: 0o644, size: 5}, ""},
		{kind{mode: fs.ModeNamedPipe}, ""},
		{kind{mode: 0o644, size: maxBytes + 1}, "more than 4096 MiB"},
		{kind{mode: fs.ModeDir}, "a folder"},
		{kind{mode: fs.ModeDevice | fs.ModeCharDevice}, "a device"},
		{kind{mode: fs.ModeDevice}, "a device"},
		{kind{mode: fs.ModeSocket}, "a socket"},
		{kind{mode: fs.ModeIrregular}, "not a regular file"},
	} {
		err := checkKind(test.kind)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v of %d bytes: error %v, want %q", test.kind.mode, test.kind.size, err, test.want)
		}
	}
}

func FuzzBounds(f *testing.F) {
	for _, fixture := range readDecodeFixtures(f) {
		f.Add(fixture.File)
	}
	for _, file := range encoded(f) {
		f.Add(file)
	}
	for _, size := range []uint32{100, 9000, 16000} {
		f.Add(pngHeader(size, size))
		f.Add(jpegHeader(uint16(size), uint16(size)))
		f.Add(tiffHeader(size, size))
		f.Add(losslessWebPHeader(size, size))
		f.Add(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16([]byte("GIF89a"), uint16(size)), uint16(size)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		// A picture of more is refused by its header, and one of less takes no more than
		// that.
		const most = 8 << 20
		kind, err := identify(file)
		if err != nil || inSandbox(kind) {
			return
		}
		took := allocated(func() {
			_, err = within(t.Context(), func() (*Picture, error) { return kind.decode(t.Context(), file, exactly(most)) })
		})
		if took > most+1<<20 {
			t.Errorf("%d bytes were allocated where %d are available (error %v)", took, most, err)
		}
	})
}
