package tiff

import (
	"bytes"
	"compress/zlib"
	_ "embed"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/libtiff.json anew with libtiff's tools")

// What libtiff's tiffcp wrote, and what its tiff2rgba reads in it.
//
//go:embed testdata/libtiff.json
var libtiffFixtures []byte

const libtiffPath = "testdata/libtiff.json"

// libtiffFixture is a file, and what is in it, both compressed by zlib.
type libtiffFixture struct {
	Name string
	File []byte
	// Pixels are as libtiff sees them: red, green, blue and alpha, premultiplied. Of a file
	// that tiff2rgba doesn't read, they are the uncompressed one that it was made from.
	Pixels []byte `json:",omitempty"`
	// Like is an earlier fixture with the same pixels.
	Like string `json:",omitempty"`
}

// makeLibtiffFixtures runs libtiff's tools.
func makeLibtiffFixtures(t *testing.T) []libtiffFixture {
	folder := t.TempDir()
	pictures, seen := libtiffPictures(), map[string]string{}
	path := func(name string) string { return filepath.Join(folder, name) }
	var fixtures []libtiffFixture
	for _, c := range libtiffCases() {
		write(t, path("in.tif"), pictures[c.picture])
		tiffcp(t, append(strings.Fields(c.arguments), path("in.tif"), path("out.tif"))...)
		// Of tiles of 16 bits and of files with the lowest bit first, tiff2rgba 4.5 makes
		// something else than libtiff itself, so it gets strips with the highest bit first.
		plain := path("out.tif")
		if strings.Contains(c.arguments, "lsb2msb") || strings.Contains(c.arguments, "-t") && c.picture == "grey16" {
			plain = path("plain.tif")
			tiffcp(t, "-c", "none", "-s", "-p", "contig", "-f", "msb2lsb", "-L", path("out.tif"), plain)
		}
		f := libtiffFixture{Name: c.name, File: deflated(read(t, path("out.tif")))}
		if exec.Command("tiff2rgba", "-c", "none", plain, path("rgba.tif")).Run() == nil {
			f.Pixels = deflated(rgbaOf(t, path("rgba.tif")))
		} else {
			f.Pixels = deflated(pictures[c.picture])
		}
		if first, ok := seen[string(f.Pixels)]; ok {
			f.Pixels, f.Like = nil, first
		} else {
			seen[string(f.Pixels)] = f.Name
		}
		fixtures = append(fixtures, f)
	}
	return fixtures
}

func tiffcp(t *testing.T, arguments ...string) {
	t.Helper()
	if message, err := exec.Command("tiffcp", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("tiffcp %s: %v: %s", arguments, err, message)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestCompression)
	_, _ = w.Write(data) // to memory
	_ = w.Close()
	return b.Bytes()
}

func inflated(t testing.TB, data []byte) []byte {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// rgbaOf reads what tiff2rgba wrote: uncompressed strips, one after the other.
func rgbaOf(t *testing.T, path string) []byte {
	data := read(t, path)
	f, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	d := f.pages[0]
	var pixels []byte
	for i := range d.fields[tagStripOffsets].count {
		at, size := d.fields[tagStripOffsets].uint(d.order, i), d.fields[tagStripByteCounts].uint(d.order, i)
		pixels = append(pixels, data[at:at+size]...)
	}
	if want := int(d.pixels()) * 4; len(pixels) != want {
		t.Fatalf("tiff2rgba wrote %d bytes of pixels, want %d", len(pixels), want)
	}
	return pixels
}

func TestFilesAreReadAsLibtiffReadsThem(t *testing.T) {
	var stored []libtiffFixture
	if err := json.Unmarshal(libtiffFixtures, &stored); err != nil {
		t.Fatal(err)
	}
	_, noTiffcp := exec.LookPath("tiffcp")
	_, noTiff2rgba := exec.LookPath("tiff2rgba")
	installed := noTiffcp == nil && noTiff2rgba == nil
	if *update {
		if !installed {
			t.Fatal("-update needs tiffcp and tiff2rgba, Debian's libtiff-tools")
		}
		stored = makeLibtiffFixtures(t)
		data, err := json.Marshal(stored)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(libtiffPath, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := len(libtiffCases()); len(stored) != want {
		t.Fatalf("%s has %d files, want %d; write it anew with -update", libtiffPath, len(stored), want)
	}
	for i, c := range libtiffCases() {
		if stored[i].Name != c.name {
			t.Fatalf("%s has %q for %q; write it anew with -update", libtiffPath, stored[i].Name, c.name)
		}
	}
	t.Run("stored", func(t *testing.T) { compareWithLibtiff(t, stored) })
	t.Run("installed", func(t *testing.T) {
		if !installed {
			t.Skip("tiffcp and tiff2rgba, Debian's libtiff-tools, aren't installed")
		}
		compareWithLibtiff(t, makeLibtiffFixtures(t))
	})
}

func compareWithLibtiff(t *testing.T, fixtures []libtiffFixture) {
	pixels := map[string][]byte{}
	for i, f := range fixtures {
		if f.Like != "" {
			f.Pixels = pixels[f.Like]
		}
		pixels[f.Name] = f.Pixels
		t.Run(f.Name, func(t *testing.T) {
			want := inflated(t, f.Pixels)
			p, values := decoded(t, inflated(t, f.File))
			if string(want[:2]) == "II" {
				if _, original := decoded(t, want); !slices.Equal(values, original) {
					t.Errorf("the values aren't those of the file that it was made from")
				}
				return
			}
			got := premultiplied(p, values)
			if len(got) != len(want) {
				t.Fatalf("%d×%d pixels, want %d bytes", p.Width, p.Height, len(want))
			}
			worst, at := 0, 0
			for i := range got {
				if d := int(got[i]) - int(want[i]); max(d, -d) > worst {
					worst, at = max(d, -d), i
				}
			}
			if worst > libtiffCases()[i].tolerance {
				t.Errorf("pixel %d, %d is %v, and libtiff's is %v", at/4%p.Width, at/4/p.Width, got[at/4*4:][:4], want[at/4*4:][:4])
			}
		})
	}
}

// premultiplied are a picture's pixels as tiff2rgba writes them.
func premultiplied(p *Picture, values []float32) []byte {
	channels := len(values) / (p.Width * p.Height)
	var pixels []byte
	for i := range p.Width * p.Height {
		v := values[i*channels:][:channels]
		alpha := float32(1)
		if p.Alpha {
			alpha = v[channels-1]
		}
		var rgb [3]float32
		for k := range rgb {
			switch p.Colours {
			case Grey:
				rgb[k] = v[0]
			case CMYK:
				rgb[k] = (1 - v[k]) * (1 - v[3])
			default:
				rgb[k] = v[k]
			}
			pixels = append(pixels, byte(rgb[k]*alpha*255+0.5))
		}
		pixels = append(pixels, byte(alpha*255+0.5))
	}
	return pixels
}
