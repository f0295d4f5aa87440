package model

import (
	"math"
	"testing"

	"impasto/internal/cpu"
	"impasto/internal/cpu/kernels"
)

func TestBFloat16StylisesAsWellAsFloat32(t *testing.T) {
	if testing.Short() {
		t.Skip("stylises twice")
	}
	if d, err := cpu.NewDevice(cpu.Options{BFloat16: true}); err == nil {
		d.Close()
	} else {
		t.Setenv(kernels.Environment, "go") // which can, slowly
	}
	loss := map[string]float64{}
	for _, precision := range []string{"f32", "bf16"} {
		o := tinyOptions()
		o.Device, o.Precision = "cpu", precision
		o.FirstIterations, o.Iterations = 12, 12
		result, err := Stylize(t.Context(), waves(60, 40, 0.1), oneStyle, o)
		if err != nil {
			t.Fatal(err)
		}
		loss[precision] = result.Last.Loss
	}
	t.Logf("losses: %v", loss)
	if off := math.Abs(loss["bf16"]/loss["f32"] - 1); !(off < 0.03) {
		t.Errorf("the last loss is %g in bf16 and %g in f32, %.1f %% off", loss["bf16"], loss["f32"], 100*off)
	}
}
