//go:build gpu && cgo && linux

package cuda

import (
	"testing"

	"impasto/cuda/kernels"
	"impasto/device"
	"impasto/internal/plan"
)

// Where a kernel's work isn't counted, it needs a row in cuda/kernels/work.go.
func TestWorkOfLaunchesIsCounted(t *testing.T) {
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		for _, loss := range []string{"gram", "gaussian", "moments"} {
			m := compiled(t, open(t, Options{Precision: precision}), lossNetwork(t, loss, 12, 10))
			for _, p := range m.parts {
				for _, l := range p.launches {
					if work, known := (kernels.Launch{Kernel: l.kernel, Shape: l.Shape, Arguments: l.words}).Work(); !known {
						t.Errorf("%s in %s: the work of %s isn't counted", loss, precision, l.kernel)
					} else if work.Bytes < 0 || work.Operations < 0 {
						t.Errorf("%s in %s: the work of %s is %+v", loss, precision, l.kernel, work)
					}
				}
			}
		}
	}
}

func compiled(t *testing.T, d *Device, n network) *machine {
	t.Helper()
	schedule, err := plan.Make(n.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.Compile(schedule)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m.(*machine)
}

// A run that is recorded makes the launches that it makes else, one by one, and comes to
// the same.
func TestRecordersSeeEveryLaunch(t *testing.T) {
	d, n := open(t, Options{}), lossNetwork(t, "moments", 6, 5)
	m := compiled(t, d, n)
	for name, values := range n.inputs {
		for _, input := range m.program.Inputs {
			if input.Node.Name() == name {
				if err := values.WriteTo(m, input.Node); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for range 2 { // the second is a graph
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := readOutputs(t, m, n)
	var recorder Recorder
	if launched, err := recorder.Take(); err != nil || len(launched) > 0 {
		t.Fatalf("before any run %d launches were recorded (%v)", len(launched), err)
	}
	if err := m.Run(recorder.With(t.Context())); err != nil {
		t.Fatal(err)
	}
	launched, err := recorder.Take()
	if err != nil {
		t.Fatal(err)
	}
	var issued []string
	for _, p := range m.parts {
		for _, l := range p.launches {
			if p.wanted == nil || p.wanted() {
				issued = append(issued, l.kernel)
			}
		}
	}
	if len(launched) != len(issued) {
		t.Fatalf("%d launches were recorded, want %d", len(launched), len(issued))
	}
	for i, l := range launched {
		if l.Kernel != issued[i] || l.Seconds < 0 {
			t.Errorf("launch %d is of %s and took %g s, want %s", i, l.Kernel, l.Seconds, issued[i])
		}
	}
	outputsNear(t, "recorded", "f32", n, readOutputs(t, m, n), want)

	v, err := d.NewVector(100)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Free(v)
	d.Scale(2, v)
	if launched, err = recorder.Take(); err != nil || len(launched) != 2 || launched[1].Kernel != "scale" {
		t.Errorf("of a new vector that is scaled, %d launches were recorded (%v), want two", len(launched), err)
	}
	if empty, err := recorder.Empty(); err != nil || empty <= 0 {
		t.Errorf("a launch with nothing to do takes %g s (%v)", empty, err)
	}
	if peak, err := recorder.Peak(); err != nil || peak.Bytes <= 0 {
		t.Errorf("the device does %+v (%v)", peak, err)
	}
	if launched, err = recorder.Take(); err != nil || len(launched) > 0 {
		t.Errorf("%d launches are left (%v)", len(launched), err)
	}
}
