package regions

import (
	"image"
	"image/color"
	"math"
	"slices"
	"testing"
)

// of is a mask of rows.
func of(rows ...[]float32) Mask { return Mask{len(rows[0]), len(rows), slices.Concat(rows...)} }

func TestMasksOfPictures(t *testing.T) {
	draw := func(colours ...color.NRGBA) image.Image {
		img := image.NewNRGBA(image.Rect(0, 0, len(colours), 1))
		for x, c := range colours {
			img.SetNRGBA(x, 0, c)
		}
		return img
	}
	grey := func(v uint8) color.NRGBA { return color.NRGBA{v, v, v, 255} }
	for name, test := range map[string]struct {
		img  image.Image
		want []float32
	}{
		"grey":                  {draw(grey(0), grey(51), grey(255)), []float32{0, 0.2, 1}},
		"nearly black or white": {draw(grey(4), grey(251), grey(5)), []float32{0, 1, 5. / 255}},
		"colours":               {draw(color.NRGBA{255, 0, 0, 255}, color.NRGBA{255, 255, 0, 255}), []float32{1. / 3, 2. / 3}},
		"transparent":           {draw(color.NRGBA{0, 0, 0, 255}, color.NRGBA{255, 255, 255, 0}, color.NRGBA{9, 99, 200, 102}), []float32{1, 0, 0.4}},
	} {
		t.Run(name, func(t *testing.T) {
			masks, err := Resized(t.Context(), test.img, test.img.Bounds().Size())
			if err != nil {
				t.Fatal(err)
			}
			near(t, masks[0].Values, test.want)
		})
	}
}

func near(t *testing.T, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i, v := range got {
		if math.Abs(float64(v-want[i])) > 1e-6 {
			t.Errorf("value %d is %v, want %v", i, v, want[i])
		}
	}
}

func TestSharesOfOverlappingMasks(t *testing.T) {
	shares, rest := Share([]Mask{of([]float32{1, 1, 0.5, 0, 0.995}), of([]float32{0, 1, 0.25, 0, 0})}, []float64{3, 1})
	near(t, shares[0].Values, []float32{1, 0.75, 0.75 * 6 / 7, 0, 1})
	near(t, shares[1].Values, []float32{0, 0.25, 0.75 / 7, 0, 0})
	near(t, rest.Values, []float32{0, 0, 0.25, 1, 0})
}

func TestCellsAreMeans(t *testing.T) {
	m := of([]float32{1, 0, 1, 1, 0.5}, []float32{1, 0, 0, 0, 1}, []float32{0.5, 0.5, 1, 1, 1})
	near(t, m.Cells(5, 3, 2, 2, 1).Values, []float32{0.5, 0.5}) // what is left over doesn't count
	near(t, m.Cells(5, 3, 1, 5, 3).Values, m.Values)
	// Of a picture of twice the size, whose cells are half a pixel of the mask.
	near(t, m.Cells(10, 6, 1, 10, 6).Values[:10], []float32{1, 1, 0, 0, 1, 1, 1, 1, 0.5, 0.5})
	// And of one of 1⅔ of the size: the first cell has all of a pixel and a fifth of the next.
	near(t, of([]float32{1, 0, 0, 0, 0}).Cells(3, 1, 1, 3, 1).Values, []float32{0.6, 0, 0})
	for _, size := range [][2]int{{7, 5}, {64, 48}, {100, 31}, {1024, 700}} {
		cells := Full(31, 17).Cells(size[0], size[1], 4, size[0]/4, size[1]/4)
		if !cells.All(1) {
			t.Errorf("cells of a full mask, of %d×%d pixels, aren't all exactly 1", size[0], size[1])
		}
		if !NewMask(31, 17).Cells(size[0], size[1], 4, size[0]/4, size[1]/4).All(0) {
			t.Errorf("cells of an empty mask, of %d×%d pixels, aren't all exactly 0", size[0], size[1])
		}
	}
}

func TestErosion(t *testing.T) {
	full := []float32{1, 1, 1, 1, 1, 1}
	m := of(full, full, []float32{1, 1, 0.5, 1, 1, 1}, full, []float32{0, 1, 1, 1, 1, 1})
	near(t, m.Eroded(0).Values, m.Values)
	near(t, m.Eroded(1).Values, of(full, []float32{1, 0.5, 0.5, 0.5, 1, 1}, []float32{1, 0.5, 0.5, 0.5, 1, 1},
		[]float32{0, 0, 0.5, 0.5, 1, 1}, []float32{0, 0, 1, 1, 1, 1}).Values)
	if !Full(5, 4).Eroded(3).All(1) {
		t.Error("a full mask is eroded at the picture's edges")
	}
}

func TestErosionLeavesSomething(t *testing.T) {
	line := func(width int) Mask { // of so many cells in the middle of 11
		row := make([]float32, 11)
		for i := range width {
			row[5-width/2+i] = 1
		}
		return of(row, row, row)
	}
	for _, test := range []struct{ width, want int }{{1, 1}, {2, 2}, {3, 1}, {5, 3}, {7, 3}} {
		if got := line(test.width).Inside(2).Sum() / 3; got != float64(test.want) {
			t.Errorf("of %d cells %v are left, want %d", test.width, got, test.want)
		}
	}
	if got := of([]float32{0, 0.3, 0}).Inside(2).Sum(); got == 0 {
		t.Error("nothing is left of less than a cell")
	}
}

func TestEachPositionIsOfTheForemostRegion(t *testing.T) {
	masks := []Mask{of([]float32{0.6, 0.5, 0.2, 0}), of([]float32{0.4, 0.5, 0.3, 0}), of([]float32{0, 0, 0.5, 1})}
	near(t, Foremost(0, masks).Values, []float32{1, 1, 0, 0})
	near(t, Foremost(1, masks).Values, []float32{0, 1, 0, 0})
	near(t, Foremost(2, masks).Values, []float32{0, 0, 1, 1})
}

// stripes has bands of colours, with some noise, and a bright dot in a dark one.
func stripes() image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, 300, 150))
	for y := range 150 {
		for x := range 300 {
			c := [3]color.NRGBA{{200, 220, 255, 255}, {30, 60, 20, 255}, {120, 90, 60, 255}}[y/50]
			noise := uint8((x*7 + y*13) % 11)
			img.SetNRGBA(x, y, color.NRGBA{c.R - noise, c.G - noise, c.B - noise, 255})
		}
	}
	img.SetNRGBA(150, 75, color.NRGBA{255, 255, 255, 255})
	return img
}

func TestClustersAreTheColours(t *testing.T) {
	masks, err := Clusters(t.Context(), stripes(), 3)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Clusters(t.Context(), stripes(), 3)
	if err != nil {
		t.Fatal(err)
	}
	for k, band := range []int{1, 2, 0} { // from dark to light
		m := masks[k]
		if !slices.Equal(m.Values, again[k].Values) {
			t.Errorf("region %d isn't the same the second time", k+1)
		}
		for y := range m.Height {
			row := (float64(y) + 0.5) / float64(m.Height) * 3
			if math.Abs(row-math.Round(row)) < 0.25 {
				continue // next to an edge
			}
			want := 0.
			if int(row) == band {
				want = 1
			}
			for x, v := range m.Values[y*m.Width:][:m.Width] {
				if math.Abs(float64(v)-want) > 0.1 {
					t.Fatalf("region %d is %v at column %d, row %d, want about %v", k+1, v, x, y, want)
				}
			}
		}
	}
	for i := range masks[0].Values {
		if sum := masks[0].Values[i] + masks[1].Values[i] + masks[2].Values[i]; math.Abs(float64(sum)-1) > 1e-5 {
			t.Fatalf("masks come to %v at pixel %d, want 1", sum, i)
		}
	}
}

func TestClustersThatCannotBe(t *testing.T) {
	for _, count := range []int{-1, 1, MostClusters + 1} {
		if _, err := Clusters(t.Context(), stripes(), count); err == nil {
			t.Errorf("%d regions: no error", count)
		}
	}
	if _, err := Clusters(t.Context(), image.NewGray(image.Rect(0, 0, 20, 20)), 2); err == nil {
		t.Error("two regions in a picture of one colour: no error")
	}
}
