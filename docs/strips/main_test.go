package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every strip is of settings that go together, is shown by the document, and small.
func TestStripsAreThoseOfTheDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "controls.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strips {
		for _, c := range s.cells {
			if _, err := c.chosen(); err != nil {
				t.Errorf("%s %s: %v", s.name, c.label, err)
			}
		}
		picture := "images/controls/" + s.name + ".jpg"
		if !strings.Contains(string(text), "("+picture+")") || !strings.Contains(string(text), "## `--"+s.name) {
			t.Errorf("the document doesn't show %s", s.name)
		}
		data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(picture)))
		if err != nil {
			t.Error(err)
			continue
		}
		size, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if want := len(s.cells)*(side+gap) - gap; err != nil || size.Width != want || len(data) > mostBytes {
			t.Errorf("%s is %d pixels wide and has %d bytes (%v), want %d and at most %d", picture, size.Width, len(data), err, want, mostBytes)
		}
	}
	if got := strings.Count(string(text), "](images/controls/"); got != len(strips) {
		t.Errorf("the document shows %d strips, want %d", got, len(strips))
	}
}

func TestStripsAreDrawnWithTheirLabels(t *testing.T) {
	s := strip{"one", []cell{{"0", nil}, {"a long label", nil}}}
	white := image.NewGray(image.Rect(0, 0, 90, 40))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	data, err := s.draw([]image.Image{white, white})
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds() != image.Rect(0, 0, 186, 62) {
		t.Fatalf("%v (%v)", img.Bounds(), err)
	}
	for i := range 2 {
		dark := 0
		for y := 40; y < 62; y++ {
			for x := range 90 {
				if r, _, _, _ := img.At(96*i+x, y).RGBA(); r < 0x8000 {
					dark++
				}
			}
		}
		if dark < 10 {
			t.Errorf("below picture %d there is no label", i)
		}
	}
}
