package tiff

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/disintegration/imaging"
	xtiff "golang.org/x/image/tiff"
)

// sceneRows is a picture of smooth ramps with edges.
func sceneRows(width, height int, colours Colours, alpha bool, bits int) Rows {
	samples := int(colours)
	if alpha {
		samples++
	}
	return Rows{Width: width, Height: height, Colours: colours, Alpha: alpha, Row: func(y int, values []uint16) {
		for i := range values {
			x, sample := i/samples, i%samples
			values[i] = uint16((x*(37+sample) + y*(91-sample) + x/50*y/20*999) % (1 << bits))
		}
	}}
}

func encoded(t testing.TB, r Rows, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWrittenFilesComeBackExactly(t *testing.T) {
	for _, colours := range []Colours{Grey, RGB} {
		for _, alpha := range []bool{false, true} {
			for _, bits := range []int{8, 16} {
				big := alpha == (bits == 8)
				t.Run(fmt.Sprintf("%d colours, alpha %v, %d bits, big %v", colours, alpha, bits, big), func(t *testing.T) {
					// So wide that there are several strips.
					r := sceneRows(4001, 101, colours, alpha, bits)
					data := encoded(t, r, Options{Bits: bits, Profile: []byte("a profile"), Resolution: 300, Big: big})
					if magic := data[2]; (magic == '+') != big {
						t.Errorf("the header has %q, big is %v", magic, big)
					}
					p, got := decoded(t, data)
					if p.Colours != colours || p.Alpha != alpha || p.Bits != bits || string(p.Profile) != "a profile" {
						t.Errorf("%d colours, alpha %v, %d bits, profile %q", p.Colours, p.Alpha, p.Bits, p.Profile)
					}
					if strips := p.layout.offsets.count; strips < 2 {
						t.Errorf("%d strips, want several", strips)
					}
					if d := p.layout.floats(tagXResolution, []float64{0}); d[0] != 300 {
						t.Errorf("resolution %v, want 300", d)
					}
					row := make([]uint16, len(got)/r.Height)
					for y := range r.Height {
						r.Row(y, row)
						for i, level := range row {
							if want := float32(level) / float32(int(1)<<bits-1); got[y*len(row)+i] != want {
								t.Fatalf("row %d, value %d is %v, want %v", y, i, got[y*len(row)+i], want)
							}
						}
					}
				})
			}
		}
	}
}

func TestOthersReadWhatIsWritten(t *testing.T) {
	r := sceneRows(70, 60, RGB, true, 16)
	data := encoded(t, r, Options{Bits: 16})
	img, err := xtiff.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	row := make([]uint16, 4*70)
	for y := range 60 {
		r.Row(y, row)
		for x := range 70 {
			want := color.NRGBA64{R: row[4*x], G: row[4*x+1], B: row[4*x+2], A: row[4*x+3]}
			if got := img.(*image.NRGBA64).NRGBA64At(x, y); got != want {
				t.Fatalf("golang.org/x/image/tiff reads %v at %d, %d, want %v", got, x, y, want)
			}
		}
	}
}

func TestLibtiffReadsWhatIsWritten(t *testing.T) {
	if _, err := exec.LookPath("tiff2rgba"); err != nil {
		t.Skip("tiff2rgba, of Debian's libtiff-tools, isn't installed")
	}
	in, out := filepath.Join(t.TempDir(), "in.tif"), filepath.Join(t.TempDir(), "out.tif")
	for _, big := range []bool{false, true} {
		data := encoded(t, sceneRows(300, 250, RGB, true, 8), Options{Big: big})
		write(t, in, data)
		if message, err := exec.Command("tiff2rgba", "-c", "none", in, out).CombinedOutput(); err != nil || len(message) > 0 {
			t.Fatalf("big %v: %v: %s", big, err, message)
		}
		p, values := decoded(t, data)
		got, want := rgbaOf(t, out), premultiplied(p, values)
		for i := range want {
			if d := int(got[i]) - int(want[i]); d < -1 || d > 1 {
				t.Fatalf("big %v: byte %d is %d, want %d", big, i, got[i], want[i])
			}
		}
	}
}

func TestFilesAreBigFrom4GiBOn(t *testing.T) {
	e, err := newEncoder(sceneRows(1<<14, 1<<14, RGB, true, 16), Options{Bits: 16})
	if err != nil {
		t.Fatal(err)
	}
	strips := 1 << 14 / e.stripRows
	sizes := make([]uint64, strips)
	for _, test := range []struct {
		size uint64
		big  bool
	}{{1<<32/uint64(strips) - 100, false}, {1 << 32 / uint64(strips), true}, {5 << 30 / uint64(strips), true}} {
		for i := range sizes {
			sizes[i] = test.size
		}
		head := e.head(sizes, test.size*uint64(strips))
		f, err := parse(head)
		if err != nil {
			t.Fatal(err)
		}
		if f.big != test.big {
			t.Errorf("strips of %d bytes: big is %v, want %v", test.size, f.big, test.big)
		}
		d, err := f.picture()
		if err != nil {
			t.Fatal(err)
		}
		l, err := layoutOf(head, d)
		if err != nil {
			t.Fatal(err)
		}
		last := uint64(strips - 1)
		if got, want := l.offsets.uint(l.order, int(last)), uint64(len(head))+last*test.size; got != want {
			t.Errorf("strips of %d bytes: the last begins at %d, want %d", test.size, got, want)
		}
	}
}

// TestFilesAreSmallerThanThoseOfImaging is about what was written before: four channels
// without a predictor.
func TestFilesAreSmallerThanThoseOfImaging(t *testing.T) {
	for _, bits := range []int{8, 16} {
		r := sceneRows(400, 300, RGB, false, bits)
		img := image.NewRGBA64(image.Rect(0, 0, 400, 300))
		row := make([]uint16, 3*400)
		for y := range 300 {
			r.Row(y, row)
			for x := range 400 {
				img.SetRGBA64(x, y, color.RGBA64{R: row[3*x], G: row[3*x+1], B: row[3*x+2], A: 65535})
			}
		}
		var theirs bytes.Buffer
		if bits == 8 {
			small := image.NewRGBA(img.Rect)
			for y := range 300 {
				r.Row(y, row)
				for x := range 400 {
					small.SetRGBA(x, y, color.RGBA{R: uint8(row[3*x]), G: uint8(row[3*x+1]), B: uint8(row[3*x+2]), A: 255})
				}
			}
			if err := imaging.Encode(&theirs, small, imaging.TIFF); err != nil {
				t.Fatal(err)
			}
		} else if err := imaging.Encode(&theirs, img, imaging.TIFF); err != nil {
			t.Fatal(err)
		}
		if ours := len(encoded(t, r, Options{Bits: bits})); ours > theirs.Len() {
			t.Errorf("%d bits: %d bytes, and imaging writes %d", bits, ours, theirs.Len())
		}
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	rows := sceneRows(2, 2, RGB, false, 8)
	with := func(change func(*Rows)) Rows {
		r := rows
		change(&r)
		return r
	}
	tests := []struct {
		r    Rows
		o    Options
		want string
	}{
		{with(func(r *Rows) { r.Width = 0 }), Options{}, "0×2 pixels"},
		{with(func(r *Rows) { r.Colours = CMYK }), Options{}, "4 colours"},
		{rows, Options{Bits: 12}, "12 bits"},
		{rows, Options{Resolution: -1}, "-1 pixels an inch"},
	}
	for _, test := range tests {
		wantError(t, Encode(io.Discard, test.r, test.o), test.want)
	}
	fault := errors.New("the disk is full")
	for _, after := range []int{0, 100, 3000} {
		if err := Encode(&fullDisk{left: after, fault: fault}, sceneRows(900, 200, RGB, false, 8), Options{}); !errors.Is(err, fault) {
			t.Errorf("a disk that is full after %d bytes: %v", after, err)
		}
	}
}

type fullDisk struct {
	left  int
	fault error
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, d.fault
	}
	return len(p), nil
}

// BenchmarkEncode tells what compressing twice costs beside once.
func BenchmarkEncode(b *testing.B) {
	r := sceneRows(1000, 1000, RGB, false, 8)
	rows := make([][]uint16, r.Height)
	for y := range rows {
		rows[y] = make([]uint16, 3*r.Width)
		r.Row(y, rows[y])
	}
	r.Row = func(y int, values []uint16) { copy(values, rows[y]) }
	b.SetBytes(3e6)
	for b.Loop() {
		if err := Encode(io.Discard, r, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
