package model

import (
	"testing"

	"impasto/device"
	"impasto/internal/plan"
)

// TestProgramOfTheDefaultObjective logs, under -v, what an iteration of the default
// options does at 64 pixels on the processor, step by step, and holds the listing's
// memory to the machine's.
func TestProgramOfTheDefaultObjective(t *testing.T) {
	o := DefaultOptions()
	o.Size, o.MinSize, o.Device = 64, 64, device.CPU
	r, err := newRun(t.Context(), waves(64, 64, 0.1), []Style{{waves(64, 64, 0.3), 1}}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	targets, err := r.extractor.targets(t.Context(), r.levels[0])
	if err != nil {
		t.Fatal(err)
	}
	objective, err := r.extractor.objective(r.levels[0], targets)
	if err != nil {
		t.Fatal(err)
	}
	defer objective.Close()
	program, err := objective.Schedule.For(r.extractor.Device.(plan.Descriptor))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%v", program)
	if int64(program.Bytes) != objective.Memory() {
		t.Errorf("the program takes %d bytes, the machine %d", program.Bytes, objective.Memory())
	}
}
