package model

import (
	"math"
	"runtime"
	"testing"

	"impasto/device"
	"impasto/internal/cpu"
	"impasto/internal/cpu/kernels"
)

func TestBFloat16StylisesAsWellAsFloat32(t *testing.T) {
	if testing.Short() {
		t.Skip("stylises twice")
	}
	if d, err := cpu.NewDevice(cpu.Options{Precision: device.BFloat16}); err == nil {
		d.Close()
	} else {
		t.Setenv(kernels.Environment, "go") // which can, slowly
	}
	loss := map[device.Precision]float64{}
	for _, precision := range []device.Precision{device.Float32, device.BFloat16} {
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

// Only the rounding of features counts, which is as good as chance: the pictures
// part, and their losses don't by more than 0.15 %, of six pictures that were tried.
func TestFloat16StylisesAsWellAsFloat32(t *testing.T) {
	if testing.Short() {
		t.Skip("stylises twice")
	}
	loss, memory := map[device.Precision]float64{}, map[device.Precision]int64{}
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		o := tinyOptions()
		o.MinSize, o.Size = 32, 64
		o.Device, o.Precision = "cpu", precision
		o.FirstIterations, o.Iterations = 12, 6
		o.Begin = func(s Level) { memory[precision] = max(memory[precision], s.Memory) }
		result, err := Stylize(t.Context(), waves(60, 40, 0.1), oneStyle, o)
		if err != nil {
			t.Fatal(err)
		}
		loss[precision] = result.Last.Loss
	}
	t.Logf("losses: %v, memory: %v", loss, memory)
	if off := math.Abs(loss["f16"]/loss["f32"] - 1); !(off < 0.003) {
		t.Errorf("the last loss is %g in f16 and %g in f32, %.2f %% off", loss["f16"], loss["f32"], 100*off)
	}
	if memory["f16"] >= memory["f32"] {
		t.Errorf("the largest level takes %d bytes in f16 and %d in f32", memory["f16"], memory["f32"])
	}
}

// An evaluation of features in float16 allocates no more than one in float32: what
// is widened has its place in the plan.
func TestEvaluationsAllocateNothingOfNote(t *testing.T) {
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		for _, loss := range []string{"gram", "sliced"} {
			o := shallow(tinyOptions())
			o.MinSize, o.Size = 64, 64
			o.SetLoss(named(loss))
			o.Device, o.Precision = "cpu", precision
			r := newTestRun(t, o)
			targets, err := r.extractor.targets(t.Context(), r.levels[0])
			if err != nil {
				t.Fatal(err)
			}
			objective, err := r.extractor.objective(r.levels[0], targets)
			if err != nil {
				t.Fatal(err)
			}
			defer objective.Close()
			// The first prepares targets and filters, and a thread's first part of a
			// kind grows its scratch memory, whenever that comes.
			used := uint64(math.MaxUint64)
			for range 6 {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if _, err := objective.evaluate(t.Context()); err != nil {
					t.Fatal(err)
				}
				runtime.ReadMemStats(&after)
				used = min(used, after.TotalAlloc-before.TotalAlloc)
			}
			t.Logf("%s, %s: %d bytes an evaluation", loss, precision, used)
			if used > 64<<10 { // a twelfth of the largest map
				t.Errorf("%s, %s: an evaluation allocates %d bytes, want at most 64 KiB", loss, precision, used)
			}
		}
	}
}
