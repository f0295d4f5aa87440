//go:build gpu && cgo && linux

package host_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"impasto/cuda/kernels/host"
)

// build compiles the kernels of testdata, once.
var build = sync.OnceValues(func() (*host.Library, error) {
	dir, err := os.MkdirTemp("", "kernels")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // the library stays open
	return host.BuildOf(dir, filepath.Join("testdata", "mistakes.cu"))
})

func library(t *testing.T) *host.Library {
	t.Helper()
	l, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestMistakesOfKernelsAreFound(t *testing.T) {
	library := library(t)
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
	// Static shared memory begins as NaN in every block, not only the first.
	z := host.Allocate(256)
	if err := library.Launch("static_memory_before_it_is_written", host.Dim{X: 2}, block, 0, z); err != nil && !host.Checked() {
		t.Error(err)
	}
	if v := host.Of[float32](z)[3]; !math.IsNaN(float64(v)) {
		t.Errorf("static shared memory that is read before it is written is %g, want NaN", v)
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
	if host.Checked() {
		return // which finds the race itself
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

// TestRacesAreFound has pairs of kernels of which one is right. They need checks.
func TestRacesAreFound(t *testing.T) {
	t.Setenv("IMPASTO_CHECKED", "1")
	library, err := host.BuildOf(t.TempDir(), filepath.Join("testdata", "mistakes.cu"))
	if err != nil {
		t.Fatal(err)
	}
	one, two := host.Dim{}, host.Dim{X: 2}
	for _, test := range []struct {
		kernel string
		grid   host.Dim
		want   string // in the error, or empty
	}{
		{"barrier_between", one, ""},
		{"barrier_forgotten", one, "with no barrier between"},
		{"static_memory_read_early", one, "race: thread 1 writes shared memory"},
		{"written_while_others_read", one, "race: thread 0 reads shared memory"},
		{"barrier_of_a_warp_between", one, ""},
		{"barrier_of_a_warp_for_a_block", one, "with no barrier between"},
		{"shuffle_between", one, "with no barrier between"},
		{"shuffle_in_blocks", two, ""},
		{"blocks_write_the_same", one, ""},
		{"blocks_write_the_same", two, "of another block"},
		{"blocks_add_to_the_same", two, ""},
		{"copy_seen_by_others", one, ""},
		{"copy_of_another_not_waited_for", one, "race"},
		{"arrival_between", one, ""},
		{"written_after_the_arrival", one, "race"},
	} {
		y, x := host.Allocate(1024), host.From(make([]float32, 256))
		arguments := []any{y, x}
		if !strings.HasPrefix(test.kernel, "copy_") {
			arguments = arguments[:1]
		}
		err := library.Launch(test.kernel, test.grid, host.Dim{X: 64}, 4096, arguments...)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s in %d blocks: error %v, want %q", test.kernel, max(test.grid.X, 1), err, test.want)
		}
	}
	turns, least := library.Banks(func() {
		if err := library.Launch("copy_after_a_shuffle", one, host.Dim{X: 32}, 4096, host.Allocate(128), host.Allocate(512)); err != nil {
			t.Error(err)
		}
	})
	if turns != 8 || least != 8 {
		t.Errorf("lanes that copy 16 bytes each take the banks %d turns, %d at least, want 8 and 8", turns, least)
	}
	for stride, want := range map[int]int{1: 1, 2: 2, 3: 1, 8: 8, 32: 32, 0: 1} {
		y := host.Allocate(128)
		turns, least := library.Banks(func() {
			if err := library.Launch("read_with_stride", one, host.Dim{X: 32}, 4096, y, stride); err != nil {
				t.Error(err)
			}
		})
		if turns != want || least != 1 {
			t.Errorf("lanes %d words apart take the banks %d turns, %d at least, want %d and 1", stride, turns, least, want)
		}
	}
}

// TestDescriptionsOfMatrices compares fields with the PTX manual's table of matrix
// descriptors for wgmma: bits 0 to 13 have the address by 16 bytes, 16 to 29 the leading
// dimension, which rows along the depth don't use, 32 to 45 what is between eight rows and
// the next eight, 49 to 51 the pattern's offset, and 62 and 63 the swizzle, 1 for 128 bytes.
func TestDescriptionsOfMatrices(t *testing.T) {
	for _, at := range []int{0, 32, 96, 1024, 16384, 50 * 1024} {
		to := host.Allocate(16)
		if err := library(t).Launch("description_of", host.Dim{}, host.Dim{X: 32}, 64<<10, to, at); err != nil {
			t.Fatal(err)
		}
		got, address := host.Of[uint64](to)[0], host.Of[uint64](to)[1]
		want := address&0x3ffff>>4 | 1<<16 | 1024>>4<<32 | 0<<49 | 1<<62
		if got != want {
			t.Errorf("a matrix at %#x is described by %#016x, want %#016x", address, got, want)
		}
	}
}

// TestMatrixUnitsCutOff has sums in which rounding to nearest would come to something else.
func TestMatrixUnitsCutOff(t *testing.T) {
	const ulp = 1.0 / (1 << 23)
	ones := func(x ...float32) []float32 { return append(x, make([]float32, 16-len(x))...) }
	tiny := float32(math.Ldexp(1, -14))
	for _, test := range []struct {
		name         string
		start        float32
		x, y         []float32
		want         float32
		nearestDoesn bool // come to it
	}{
		{"exact products", 1, ones(0.5, 0.25), ones(0.5, 1), 1.5, false},
		{"three quarters of the last bit", 1, ones(tiny, tiny), ones(1.0/1024, 0.5/1024), 1, true},
		{"the same below zero", -1, ones(-tiny, -tiny), ones(1.0/1024, 0.5/1024), -1, true},
		{"the last bit in two halves, of which each is kept", 1, ones(tiny, tiny), ones(1.0/1024, 1.0/1024), 1 + ulp, false},
		{"the last bit in quarters, of which none is", 1, ones(tiny, tiny, tiny), ones(0.5/1024, 0.5/1024, 0.5/1024), 1, true},
		{"two turns of eight", 0, ones(1, 0, 0, 0, 0, 0, 0, 0, tiny, tiny), ones(1, 0, 0, 0, 0, 0, 0, 0, 1.0/1024, 0.5/1024), 1, true},
		{"what isn't finite", float32(math.Inf(1)), ones(1), ones(1), float32(math.Inf(1)), false},
	} {
		to := host.From([]float32{test.start})
		if err := library(t).Launch("matrix_unit_sum", host.Dim{}, host.Dim{X: 32}, 0, to, host.From(test.x), host.From(test.y)); err != nil {
			t.Fatal(err)
		}
		if got := host.Of[float32](to)[0]; got != test.want {
			t.Errorf("%s: %.9g, want %.9g", test.name, got, test.want)
		}
		exact := float64(test.start)
		for k := range test.x {
			exact += float64(test.x[k]) * float64(test.y[k])
		}
		if nearest := float32(exact); (nearest != test.want) != test.nearestDoesn {
			t.Errorf("%s: rounded to nearest it is %.9g", test.name, nearest)
		}
	}
}
