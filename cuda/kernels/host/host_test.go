//go:build gpu && cgo && linux

package host_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/cuda/kernels/host"
)

func TestMistakesOfKernelsAreFound(t *testing.T) {
	library, err := host.Build(t.TempDir(), filepath.Join("testdata", "mistakes.cu"))
	if err != nil {
		t.Fatal(err)
	}
	x, y := host.From(make([]float32, 256)), host.Allocate(256)
	block := host.Dim{X: 64}
	for name, want := range map[string]string{
		"barrier_for_some":          "that others don't reach",
		"shuffle_for_some":          "that others don't reach",
		"two_shuffles":              "lanes of one warp are at",
		"copy_never_waited_for":     "asynchronous copies under way",
		"copy_that_is_not_aligned":  "aren't aligned",
		"barrier_nobody_arrives_at": "waits for something that doesn't come",
		"no_such_kernel":            "no such kernel",
	} {
		if err := library.Launch(name, host.Dim{}, block, 4096, x); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, want)
		}
	}
	if err := library.Launch("barrier_for_some", host.Dim{}, host.Dim{X: 96}, 0, x); err == nil {
		t.Error("a block larger than the launch bounds is run")
	}
	if err := library.Launch("copy_read_early", host.Dim{}, block, 4096, y, x); err != nil {
		t.Fatal(err)
	}
	if v := host.Of[float32](y)[3]; !math.IsNaN(float64(v)) {
		t.Errorf("a copy that is read too early is %g, want NaN", v)
	}
	var results [2][]float32
	for order := range results {
		library.SetOrder(host.Order(order))
		if err := library.Launch("barrier_forgotten", host.Dim{}, block, 4096, y); err != nil {
			t.Fatal(err)
		}
		results[order] = slices.Clone(host.Of[float32](y))
	}
	if slices.EqualFunc(results[0], results[1], func(a, b float32) bool { return a == b || a != a && b != b }) {
		t.Error("a forgotten barrier doesn't show in the order of threads")
	}
}
