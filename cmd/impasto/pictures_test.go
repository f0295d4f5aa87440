package main

import (
	"bytes"
	"image"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"path/filepath"
	"strings"
	"testing"
)

// animation is a GIF of two frames.
func animation(t *testing.T) []byte {
	t.Helper()
	var frames []*image.Paletted
	for shift := range 2 {
		frame := image.NewPaletted(image.Rect(0, 0, 40, 30), palette.Plan9)
		for i := range frame.Pix {
			frame.Pix[i] = uint8(i >> (2 + shift))
		}
		frames = append(frames, frame)
	}
	var file bytes.Buffer
	if err := gif.EncodeAll(&file, &gif.GIF{Image: frames, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestWhatIsSpecialAboutAPictureIsTold(t *testing.T) {
	folder := workshop(t)
	writeFile(t, filepath.Join(folder, "moving.gif"), animation(t))
	const note = "moving.gif: an animation; its first frame is taken\n"
	args := append([]string{"stylize", "moving.gif", "style.png", "-o", "out.png", "--first-iterations=1"}, shallow...)
	if o := impasto(t, folder, args...).done(t); !strings.Contains(o.stderr, note) {
		t.Errorf("standard error is %q, want %q in it", o.stderr, note)
	}
	if o := impasto(t, folder, append(args, "--quiet")...).done(t); o.stderr != "" {
		t.Errorf("with --quiet, standard error is %q", o.stderr)
	}
	args = []string{"measure", "moving.gif", "style.png", "--loss=gram", "--layers=relu1_1"}
	if o := impasto(t, folder, args...).done(t); o.stderr != note || strings.Contains(o.stdout, "animation") {
		t.Errorf("standard error of measure is %q, want %q", o.stderr, note)
	}
	args = append([]string{"compare", "moving.gif", "style.png", "-o", "compared", "--losses=gram", "--first-iterations=1"}, shallow...)
	if o := impasto(t, folder, args...); !strings.Contains(o.stderr, note) {
		t.Errorf("standard error of compare is %q, want %q in it", o.stderr, note)
	}
}

func TestFilesThatAreNoPicturesAreNamed(t *testing.T) {
	folder := workshop(t)
	img := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * i)
	}
	var cut bytes.Buffer
	if err := jpeg.Encode(&cut, img, nil); err != nil {
		t.Fatal(err)
	}
	cut.Truncate(cut.Len() * 9 / 10)
	for name, test := range map[string]struct {
		data string
		want []string
	}{
		"page.jpg":  {"<!DOCTYPE html>\n<html><body>404</body></html>", []string{"an HTML page, not a picture"}},
		"photo.jxl": {"\xff\x0a\xfa\x1f", []string{"JPEG XL", "magick"}},
		"photo.cr2": {"II*\x00\x10\x00\x00\x00CR\x02\x00", []string{"raw", "darktable-cli"}},
		"cut.jpg":   {cut.String(), []string{"truncated"}},
		"cut.heic":  {"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic\x00\x00\x01", []string{"truncated"}},
	} {
		writeFile(t, filepath.Join(folder, name), []byte(test.data))
		refuses(t, folder, statusFailed, []string{name, "style.png", "-o", "out.png", "--size=32"}, append(test.want, name)...)
	}
}
