package optim

import (
	"math"
	"slices"
	"testing"
)

func TestHostVectorsComputeWhatTheyDocument(t *testing.T) {
	var h Host
	tests := []struct {
		name string
		run  func(x, y HostVector)
		x, y HostVector // wanted, from x = 1 −2 3 and y = 4 5 −6
	}{
		{"copy", func(x, y HostVector) { h.Copy(x, y) }, HostVector{4, 5, -6}, HostVector{4, 5, -6}},
		{"scale", func(x, _ HostVector) { h.Scale(-2, x) }, HostVector{-2, 4, -6}, HostVector{4, 5, -6}},
		{"add scaled", func(x, y HostVector) { h.AddScaled(y, 2, x) }, HostVector{1, -2, 3}, HostVector{6, 1, 0}},
		{"clamp", func(x, _ HostVector) { h.Clamp(x, -1, 2) }, HostVector{1, -1, 2}, HostVector{4, 5, -6}},
		{"average", func(x, y HostVector) { h.Average(y, 0.75, x) }, HostVector{1, -2, 3}, HostVector{3.25, 3.25, -3.75}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x, y := HostVector{1, -2, 3}, HostVector{4, 5, -6}
			test.run(x, y)
			if !slices.Equal(x, test.x) || !slices.Equal(y, test.y) {
				t.Errorf("got x = %v, y = %v, want %v, %v", x, y, test.x, test.y)
			}
		})
	}
	got, err := h.Dot(HostVector{1, -2, 3}, HostVector{4, 5, -6})
	if err != nil || got != -24 {
		t.Errorf("dot product is %v, %v, want -24", got, err)
	}
}

func TestHostDotAccumulatesInFloat64(t *testing.T) {
	x := HostVector{1e7, 1, -1e7}
	got, err := Host{}.Dot(x, HostVector{1e7, 1, 1e7})
	if err != nil || got != 1 {
		t.Errorf("1e14 + 1 − 1e14 in float64 is %v, %v, want 1", got, err)
	}
}

func TestHostRefusesLengthsThatDisagree(t *testing.T) {
	var h Host
	two, three := HostVector{1, 2}, HostVector{1, 2, 3}
	if _, err := h.Dot(two, three); err == nil {
		t.Error("dot product of 2 and 3 elements gave no error")
	}
	if err := h.Upload(two, three); err == nil {
		t.Error("upload of 3 values to 2 elements gave no error")
	}
	if err := h.Download(two, three); err == nil {
		t.Error("download of 3 elements to 2 values gave no error")
	}
	if _, err := h.NewVector(-1); err == nil {
		t.Error("a vector of −1 elements gave no error")
	}
}

func TestHostClampLeavesNaN(t *testing.T) {
	x := HostVector{float32(math.NaN())}
	Host{}.Clamp(x, 0, 1)
	if x[0] == x[0] {
		t.Errorf("clamped NaN is %v, want NaN, so that it is noticed", x[0])
	}
}
