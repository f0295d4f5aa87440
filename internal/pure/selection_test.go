package pure

import (
	"image"
	"slices"
	"testing"
)

func TestSamplesTakeOnePositionFromEachRun(t *testing.T) {
	for _, n := range []int{8, 13, 14, 1000} {
		s := Selection{Height: 1, Width: n, Most: 7}
		positions := s.Positions(0.3)
		for i, at := range positions {
			if int(at) < i*n/7 || int(at) >= (i+1)*n/7 {
				t.Errorf("of %d positions, number %d is %d", n, i, at)
			}
		}
		if !slices.Equal(positions, s.Positions(0.3)) {
			t.Error("one key gives two samples")
		}
		if n == 1000 && slices.Equal(positions, s.Positions(0.4)) {
			t.Error("two keys give one sample")
		}
	}
	for _, s := range []Selection{{Height: 1, Width: 7, Most: 7}, {Height: 10, Width: 10}, {Height: 9, Width: 9, Mask: []int32{3, 5}, Most: 2}} {
		if s.Draws() {
			t.Errorf("%+v: a sample of all is drawn", s)
		}
	}
}

// TestPartsSelectWhatTheWholeDoes: every selected position comes from exactly one part.
func TestPartsSelectWhatTheWholeDoes(t *testing.T) {
	whole := Selection{Height: 7, Width: 9, Mask: []int32{0, 1, 8, 20, 21, 33, 40, 41, 50, 62}, Most: 6}
	x := make([]float64, 2*7*9)
	for i := range x {
		x[i] = float64(i + 1)
	}
	want := make([]float64, 2*whole.Count())
	Select(want, x, whole.Places(0.5), 2)
	sum := make([]float64, len(want))
	for _, inner := range []image.Rectangle{image.Rect(0, 0, 4, 7), image.Rect(4, 0, 9, 3), image.Rect(4, 3, 9, 7)} {
		s := whole
		s.Inner, s.Part = inner, inner.Inset(-1).Intersect(image.Rect(0, 0, 9, 7))
		part := make([]float64, 0, 2*s.Part.Dx()*s.Part.Dy())
		for c := range 2 {
			for row := s.Part.Min.Y; row < s.Part.Max.Y; row++ {
				part = append(part, x[(c*7+row)*9+s.Part.Min.X:][:s.Part.Dx()]...)
			}
		}
		selected := make([]float64, len(want))
		Select(selected, part, s.Places(0.5), 2)
		for i, v := range selected {
			sum[i] += v
		}
	}
	if !slices.Equal(sum, want) {
		t.Errorf("parts select %v, the whole %v", sum, want)
	}
}

func TestIdentitiesTellSelectionsApart(t *testing.T) {
	selections := []Selection{
		{Height: 4, Width: 5},
		{Height: 5, Width: 4},
		{Height: 4, Width: 5, Most: 3},
		{Height: 4, Width: 5, Mask: []int32{1, 2}},
		{Height: 4, Width: 5, Mask: []int32{1, 3}},
		{Height: 4, Width: 5, Part: image.Rect(0, 0, 2, 2), Inner: image.Rect(0, 0, 1, 1)},
		{Height: 4, Width: 5, Part: image.Rect(0, 0, 2, 2), Inner: image.Rect(0, 0, 2, 1)},
	}
	seen := map[string]bool{}
	for _, s := range selections {
		if seen[s.Identity()] {
			t.Errorf("%+v has the identity of another: %s", s, s.Identity())
		}
		seen[s.Identity()] = true
	}
}
