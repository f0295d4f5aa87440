package picture

import (
	"bytes"
	"errors"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"impasto/internal/atomicfile/faulty"
)

// gradient is a smooth picture with 16-bit values that 8 bits can't hold.
func gradient() *Picture {
	p := &Picture{Width: 37, Height: 23, RGB: make([]float32, 3*37*23)}
	r, g, b := p.Planes()
	for i := range r {
		x, y := float32(i%37)/36, float32(i/37)/22
		r[i], g[i], b[i] = 0.3+0.3*x, 0.2+0.2*(x+y), 0.9-0.3*x*y
	}
	return p
}

func TestSavedPicturesComeBack(t *testing.T) {
	p := gradient()
	tests := []struct {
		name      string
		options   SaveOptions
		tolerance float64
	}{
		{"a.png", SaveOptions{}, 0.51 / 255},
		{"a.PNG", SaveOptions{Depth: 8}, 0.51 / 255},
		{"b.png", SaveOptions{Depth: 16}, 0.51 / 65535},
		{"a.tif", SaveOptions{}, 0.51 / 255},
		{"b.tiff", SaveOptions{Depth: 16}, 0.51 / 65535},
		{"a.jpg", SaveOptions{}, 5.0 / 255},
		{"a.jpeg", SaveOptions{Quality: 100}, 4.0 / 255},
	}
	folder := t.TempDir()
	for _, test := range tests {
		path := filepath.Join(folder, test.name)
		if err := Save(path, p, test.options); err != nil {
			t.Fatal(err)
		}
		back, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if back.Width != p.Width || back.Height != p.Height {
			t.Fatalf("%s: size %d×%d", test.name, back.Width, back.Height)
		}
		if worst := distance(back.RGB, p.RGB); worst > test.tolerance {
			t.Errorf("%s differs by %g, want at most %g", test.name, worst, test.tolerance)
		}
	}
}

func TestQualityShrinksAJPEG(t *testing.T) {
	folder := t.TempDir()
	var sizes []int64
	for i, quality := range []int{5, 0, 100} {
		path := filepath.Join(folder, string(rune('a'+i))+".jpg")
		if err := Save(path, gradient(), SaveOptions{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, info.Size())
	}
	if sizes[0] >= sizes[1] || sizes[1] >= sizes[2] {
		t.Errorf("sizes at quality 5, 95 by default and 100 are %v", sizes)
	}
}

func TestSaveRefusesBeforeItWrites(t *testing.T) {
	folder := t.TempDir()
	tests := []struct {
		name    string
		options SaveOptions
		img     image.Image
		want    string
	}{
		{"a.gif", SaveOptions{}, gradient(), "can't write .gif; want .png, .jpg, .jpeg, .tif, .tiff or .webp"},
		{"a.gif", SaveOptions{}, gradient(), "can't write .gif; want .png, .jpg, .jpeg, .tif, .tiff or .webp"},
		{"a", SaveOptions{}, gradient(), "no extension; want .png"},
		{"a.png", SaveOptions{Depth: 12}, gradient(), "12 bits a channel; want 8 or 16"},
		{"a.jpg", SaveOptions{Depth: 16}, gradient(), "use PNG or TIFF"},
		{"a.jpg", SaveOptions{Quality: 101}, gradient(), "quality 101; want 1–100"},
		{"a.png", SaveOptions{}, nil, "no image"},
		{"a.png", SaveOptions{}, image.NewRGBA(image.Rectangle{}), "0×0 pixels"},
	}
	for _, test := range tests {
		path := filepath.Join(folder, test.name)
		err := Save(path, test.img, test.options)
		if err == nil {
			t.Errorf("%s %+v was saved", test.name, test.options)
			continue
		}
		checkMessage(t, err, "picture: save "+path+": ", test.want)
	}
	checkFolder(t, folder)
}

// checkFolder wants these names in the folder and no others.
func checkFolder(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

func TestAFaultWhileWritingLeavesEverythingAsItWas(t *testing.T) {
	failing := faulty.Operations
	if _, err := os.Stat(faulty.Full); err == nil {
		failing = append(failing[:len(failing):len(failing)], "full")
	}
	for _, operation := range failing {
		for _, name := range []string{"out.png", "out.jpg", "out.tif"} {
			folder := t.TempDir()
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte("the old picture"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := saveOn(faulty.Disk{Failing: operation}, path, gradient(), SaveOptions{})
			if err == nil {
				t.Errorf("%s of %s: no error", operation, name)
				continue
			}
			if operation != "full" && !errors.Is(err, faulty.Err) {
				t.Errorf("%s of %s: %v, want %v", operation, name, err, faulty.Err)
			}
			if strings.Contains(err.Error(), ".impasto-") {
				t.Errorf("%s of %s: %v names the temporary file", operation, name, err)
			}
			checkMessage(t, err, "picture: save "+path+": ", "")
			checkFolder(t, folder, name)
			if data, err := os.ReadFile(path); err != nil || string(data) != "the old picture" {
				t.Errorf("%s of %s: the old file has %q (%v)", operation, name, data, err)
			}
		}
	}
}

func TestSaveWritesThroughALink(t *testing.T) {
	folder := t.TempDir()
	real, link := filepath.Join(folder, "real.png"), filepath.Join(folder, "link.png")
	if err := os.WriteFile(real, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := Save(link, gradient(), SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone (%v)", err)
	}
	if _, err := Open(t.Context(), real); err != nil {
		t.Error(err)
	}
}

func TestCheckFileTellsEarly(t *testing.T) {
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "folder.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"no/out.png":    "does not exist; make it first",
		"plain/out.png": "plain",
		"folder.png":    "in the way",
	} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := CheckFile(path); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			checkMessage(t, err, "picture: save "+path+": ", want)
		}
	}
	if err := CheckFile(filepath.Join(folder, "out.png")); err != nil {
		t.Error(err)
	}
	checkFolder(t, folder, "folder.png", "plain")
}

func TestEncodeWritesEveryFormatAsSaveDoes(t *testing.T) {
	for i, extension := range []string{".png", ".jpg", ".tiff"} {
		path := filepath.Join(t.TempDir(), "out"+extension)
		if err := Save(path, gradient(), SaveOptions{Quality: 90}); err != nil {
			t.Fatal(err)
		}
		saved, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if format, err := FormatOf(path); err != nil || format != Written[i] {
			t.Errorf("%s is %q (%v), want %s", extension, format, err, Written[i])
		}
		var encoded bytes.Buffer
		if err := Encode(&encoded, gradient(), SaveOptions{Quality: 90, Format: Written[i]}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encoded.Bytes(), saved) {
			t.Errorf("%s: Encode and Save write different files", Written[i])
		}
		nameless := filepath.Join(t.TempDir(), "nameless")
		if err := Save(nameless, gradient(), SaveOptions{Quality: 90, Format: Written[i]}); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(nameless); err != nil || !bytes.Equal(data, saved) {
			t.Errorf("%s: Save writes another file where the name has no extension (%v)", Written[i], err)
		}
	}
	if err := Encode(io.Discard, gradient(), SaveOptions{Format: "gif"}); err == nil {
		t.Error("a GIF was written")
	}
	for _, name := range []string{"a.gif", "a", "a.avif"} {
		if format, err := FormatOf(name); err == nil {
			t.Errorf("%s is %s, want an error", name, format)
		}
	}
}
