package report

import (
	"image"
	"image/color"
	"slices"
	"testing"
)

func TestSheetShowsEveryPictureInItsPlace(t *testing.T) {
	c := sample()
	sheet, err := c.Sheet()
	if err != nil {
		t.Fatal(err)
	}
	size := sheet.Bounds().Size()
	if ratio := float64(size.X) / float64(size.Y); ratio < 0.8 || ratio > 2.5 {
		t.Errorf("the sheet is %v", size)
	}
	// Hues of the pictures are known, so each can be found.
	for _, p := range slices.Concat(c.References, c.Pictures) {
		if p.Image == nil {
			continue
		}
		if !slices.ContainsFunc(everyPixel(sheet), func(at image.Point) bool { return shows(sheet, p.Image, at) }) {
			t.Errorf("%s is not on the sheet", p.Name)
		}
	}
	// The error is written in the colour of warnings.
	if !slices.ContainsFunc(everyPixel(sheet), func(at image.Point) bool {
		return color.NRGBAModel.Convert(sheet.At(at.X, at.Y)) == warning
	}) {
		t.Error("the failure's message isn't on the sheet")
	}
}

func everyPixel(img image.Image) []image.Point {
	var points []image.Point
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			points = append(points, image.Pt(x, y))
		}
	}
	return points
}

// shows tells whether a picture stands on the sheet at a place, by a row of it.
func shows(sheet, picture image.Image, at image.Point) bool {
	for x := range picture.Bounds().Dx() {
		a := color.NRGBAModel.Convert(sheet.At(at.X+x, at.Y)).(color.NRGBA)
		b := color.NRGBAModel.Convert(picture.At(x, 0)).(color.NRGBA)
		if a != b {
			return false
		}
	}
	return true
}

func TestSheetMakesLargePicturesSmaller(t *testing.T) {
	sheet, err := Comparison{Title: "t", Pictures: []Picture{{Name: "large", Image: stripes(3000, 1000, 1)}}}.Sheet()
	if err != nil {
		t.Fatal(err)
	}
	if width := sheet.Bounds().Dx(); width != mostBox+2*sheetMargin {
		t.Errorf("the sheet is %d wide, want %d", width, mostBox+2*sheetMargin)
	}
}

func TestCaptionsStayWithinTheirBox(t *testing.T) {
	f, err := newFaces()
	if err != nil {
		t.Fatal(err)
	}
	lines := wrap(f.note, "iteration 12: the term style relu4_1 is NaN; try a smaller step size or smaller weights, and check the network", 200, 2)
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2: %q", len(lines), lines)
	}
	for _, line := range lines {
		if measure(f.note, line) > 200 {
			t.Errorf("%q is too wide", line)
		}
	}
	if last := []rune(lines[1]); last[len(last)-1] != '…' {
		t.Errorf("the last line %q doesn't say that there is more", lines[1])
	}
}
