package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/tiff"
)

func TestInfoSaysHowAPictureWasMade(t *testing.T) {
	folder := paintedFile(t, "out.tif", "--dpi=300", "--tv-weight=3")
	run := impasto(t, folder, "info", "out.tif", "content.png").done(t)
	for _, want := range []string{
		"out.tif: TIFF, 32×24 pixels of 8 bits a channel, ",
		"resolution 300 dpi\n",
		"made by    impasto " + documentOf(t, filepath.Join(folder, "out.tif")).Program.String() + ", go",
		"content    content.png, SHA-256 ", "style      style.png, SHA-256 ", ", weight 2\n", "weights    embedded, SHA-256 ",
		"painted    at 32×24 pixels, after 3 iterations\n",
		"again by   impasto redo out.tif, or\n",
		"impasto stylize content.png style.png:2 content.png:0.5 -o OUT.tif --size 32 --style-layers relu1_1=1 --content-layers relu2_1=1 --tv-weight 3 --first-iterations 3 --dpi 300\n",
		"content.png: PNG, 40×30 pixels of 8 bits a channel, ", "made       the file doesn't say how it was made\n",
	} {
		if !strings.Contains(run.stdout, want) {
			t.Errorf("%q is missing in\n%s", want, run.stdout)
		}
	}
	if strings.Contains(run.stdout, folder) {
		t.Errorf("%s names the folder", run.stdout)
	}
	verbose := impasto(t, folder, "info", "-v", "out.tif").done(t).stdout
	if !strings.Contains(verbose, "--pooling max\n") || strings.Contains(verbose, "--threads") {
		t.Errorf("--verbose prints %s", verbose)
	}
	impasto(t, folder, "info", "missing.png").refused(t, statusFailed, "missing.png")
}

// The command that info prints makes the same pixels.
func TestTheCommandMakesThePictureAgain(t *testing.T) {
	folder := paintedFile(t, "out.png", "--quality=draft", "--size=40", "--min-size=20", "--iterations=2", "--layer-loss=relu1_1=gram", "--plain-pooling", "--pooling=avg")
	var info pictureInfo
	if err := json.Unmarshal([]byte(impasto(t, folder, "info", "--json", "out.png").done(t).stdout), &info); err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(strings.TrimPrefix(info.Command, "impasto "))
	impasto(t, folder, words...).done(t)
	if !bytes.Equal(readFile(t, filepath.Join(folder, "out.png")), readFile(t, filepath.Join(folder, "OUT.png"))) {
		t.Errorf("%s makes another file", info.Command)
	}
}

func TestInfosJSONHasTheDocumentedKeys(t *testing.T) {
	folder := paintedFile(t, "out.png")
	var object struct {
		All  map[string]any
		Made metadata.Document `json:"made"`
	}
	out := []byte(impasto(t, folder, "info", "--json", "out.png").done(t).stdout)
	if err := json.Unmarshal(out, &object.All); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &object); err != nil {
		t.Fatal(err)
	}
	want := []string{"bits", "bytes", "command", "dpi", "file", "format", "height", "made", "profile", "software", "width"}
	if got := slices.Sorted(maps.Keys(object.All)); !slices.Equal(got, want) {
		t.Errorf("the keys are %v, want %v", got, want)
	}
	if object.Made.Settings["size"] != "32" || len(object.Made.Styles) != 2 {
		t.Errorf("made is %+v", object.Made)
	}
}

func TestNoMetadataSaysNothing(t *testing.T) {
	folder := paintedFile(t, "out.png", "--no-metadata")
	data := readFile(t, filepath.Join(folder, "out.png"))
	for _, text := range []string{"impasto", "content.png", "Software"} {
		if bytes.Contains(data, []byte(text)) {
			t.Errorf("the file has %q", text)
		}
	}
	if out := impasto(t, folder, "info", "out.png").done(t).stdout; !strings.Contains(out, "doesn't say how it was made") {
		t.Errorf("%s", out)
	}
}

func TestWhatFilesSayIsQuoted(t *testing.T) {
	folder := workshop(t)
	evil := "\x1b]0;pwn\a"
	path := filepath.Join(folder, "evil.png")
	if err := picture.Save(path, readPicture(t, filepath.Join(folder, "content.png")), picture.SaveOptions{Made: picture.Made{Software: evil}}); err != nil {
		t.Fatal(err)
	}
	if out := impasto(t, folder, "info", "evil.png").done(t).stdout; strings.Contains(out, "\x1b") || !strings.Contains(out, `"\x1b]0;pwn\a"`) {
		t.Errorf("%q", out)
	}
}

func TestNamesThatAreNotUTF8AreKept(t *testing.T) {
	folder := workshop(t)
	name := "caf\xe9.png"
	if err := os.Rename(filepath.Join(folder, "content.png"), filepath.Join(folder, name)); err != nil {
		t.Skip("names are UTF-8 here: ", err)
	}
	impasto(t, folder, slices.Concat([]string{"stylize", name, "style.png", "-o", "out.png", "--first-iterations=1"}, shallow)...).done(t)
	if got := documentOf(t, filepath.Join(folder, "out.png")).Content.FileName(); got != name {
		t.Errorf("the content is %q, want %q", got, name)
	}
	impasto(t, folder, "redo", "out.png").done(t)
}

// writePhotograph writes a TIFF with EXIF fields of who made it and where.
func writePhotograph(t *testing.T, path string) {
	t.Helper()
	const ascii = 2
	var data bytes.Buffer
	err := tiff.Encode(&data, tiff.Rows{Width: 40, Height: 30, Colours: tiff.RGB, Row: func(y int, values []uint16) {
		for i := range values {
			values[i] = uint16((7*y + 5*i) % 256)
		}
	}}, tiff.Options{Resolution: 240, Fields: tiff.Fields{
		Image: []tiff.Field{{Tag: 0x13b, Kind: ascii, Data: []byte("Ann\x1b\x00")}, {Tag: 0x8298, Kind: ascii, Data: []byte("by Ann\x00")}},
		Place: []tiff.Field{{Tag: 0x1d, Kind: ascii, Data: []byte("2026:01:02\x00")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, data.Bytes())
}

func TestEXIFIsKeptWhereThatIsAskedFor(t *testing.T) {
	folder := workshop(t)
	writePhotograph(t, filepath.Join(folder, "photo.tif"))
	for _, output := range []string{"out.png", "out.jpg", "out.tif", "out.webp"} {
		for _, test := range []struct {
			flags         []string
			artist, place bool
			resolution    string
		}{
			{nil, false, false, ""},
			{[]string{"--keep-exif"}, true, false, "resolution 240 dpi\n"},
			{[]string{"--keep-exif", "--keep-gps", "--dpi=100"}, true, true, "resolution 100 dpi\n"},
		} {
			impasto(t, folder, slices.Concat([]string{"stylize", "photo.tif", "style.png", "-o", output, "--first-iterations=1"}, shallow, test.flags)...).done(t)
			data := readFile(t, filepath.Join(folder, output))
			if got := bytes.Contains(data, []byte("by Ann")); got != test.artist {
				t.Errorf("%s, %q: the copyright is there: %t", output, test.flags, got)
			}
			if got := bytes.Contains(data, []byte("2026:01:02")); got != test.place {
				t.Errorf("%s, %q: the place is there: %t", output, test.flags, got)
			}
			info := impasto(t, folder, "info", output).done(t).stdout
			if !strings.Contains(info, test.resolution) || strings.Contains(info, `artist     "Ann\x1b"`) != test.artist || strings.Contains(info, "\x1b") {
				t.Errorf("%s, %q: %q", output, test.flags, info)
			}
		}
	}
	impasto(t, folder, "stylize", "photo.tif", "style.png", "-o", "x.png", "--keep-gps").refused(t, statusUsage, "--keep-gps adds to --keep-exif")
	impasto(t, folder, "stylize", "photo.tif", "style.png", "-o", "x.jpg", "--dither").refused(t, statusUsage, "--dither: a JPEG is made of values")
	impasto(t, folder, "stylize", "photo.tif", "style.png", "-o", "x.png", "--dither", "--depth=16").refused(t, statusUsage, "--dither is for 8 bits")
	impasto(t, folder, "stylize", "photo.tif", "style.png", "-o", "x.webp", "--depth=16").refused(t, statusUsage, "--depth 16: a WebP has 8 bits")
	impasto(t, folder, "stylize", "photo.tif", "style.png", "-o", "x.webp", "--size=12000").refused(t, statusFailed, "WebP is written of up to")
}
