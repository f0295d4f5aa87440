//go:build gpu && cgo && linux

package ondevice_test

import (
	"os"
	"strings"
	"testing"

	"impasto/cuda/kernels/host"
	"impasto/cuda/kernels/ondevice"
	"impasto/cuda/standin"
)

func TestMain(m *testing.M) { os.Exit(standin.Main(m)) }

func TestKernelsRunThroughTheDriver(t *testing.T) {
	d, err := ondevice.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer host.AllocateBy(nil)
	x, block := host.From([]float32{1, -2, 3, 4, 5}), host.Dim{X: 256}
	y, partials, sum := host.Allocate(4*5), host.Allocate(8), host.Allocate(8)
	for _, l := range []struct {
		kernel    string
		arguments []any
	}{
		{"scale_squares", []any{y, partials, x, host.From([]float64{-0.5}), 5}},
		{"sum_partials", []any{sum, partials, 1, 2.0}},
	} {
		if err := d.Launch(l.kernel, host.Dim{}, block, 0, l.arguments...); err != nil {
			t.Fatal(err)
		}
	}
	if got := host.Of[float32](y)[:5]; got[0] != -0.5 || got[1] != 1 || got[4] != -2.5 {
		t.Errorf("half of the negative of 1, −2, 3, 4, 5 is %v", got)
	}
	if got := host.Of[float64](sum)[0]; got != 2*55./4 {
		t.Errorf("twice the sum of its squares is %g, want %g", got, 2*55./4)
	}
	if _, err := d.TensorMap(host.Allocate(64*64*2), false, []int{64, 64}, []int{64, 64}); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"a kernel that there isn't": d.Launch("no_such_kernel", host.Dim{}, block, 0),
		"an argument of no type":    d.Launch("sum_partials", host.Dim{}, block, 0, "text"),
	} {
		if err == nil || !strings.Contains(err.Error(), "kernel") && !strings.Contains(err.Error(), "sum_partials") {
			t.Errorf("%s: error %v", what, err)
		}
	}
}
