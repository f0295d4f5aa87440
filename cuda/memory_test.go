//go:build gpu && cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"testing"

	"impasto/cuda/standin"
	"impasto/device"
	"impasto/internal/plan"
	"impasto/losses"
)

// available is what a device says that machines can take.
func available(t *testing.T, d *Device) int64 {
	t.Helper()
	bytes, known := d.Available()
	if !known {
		t.Fatal("it isn't known how much memory there is")
	}
	return bytes
}

func needsOf(t *testing.T, d *Device, s *plan.Schedule) int64 {
	t.Helper()
	bytes, err := d.Needs(s)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// TestNeedsIsWhatAMachineTakes asks before a machine is made, while there is one, and after.
func TestNeedsIsWhatAMachineTakes(t *testing.T) {
	for _, name := range losses.Names() {
		for _, precision := range []device.Precision{device.Float32, device.Float16} {
			t.Run(fmt.Sprint(name, " ", precision), func(t *testing.T) {
				d := open(t, Options{Precision: precision})
				s, err := plan.Make(lossNetwork(t, name, 11, 14).outputs...)
				if err != nil {
					t.Fatal(err)
				}
				needs := needsOf(t, d, s)
				there := available(t, d)
				if again := needsOf(t, d, s); again != needs || !standin.Real() && available(t, d) != there {
					t.Errorf("asked again, %d bytes are needed, where it were %d, and %d available, where it were %d", again, needs, available(t, d), there)
				}
				m, err := d.Compile(s)
				if err != nil {
					t.Fatal(err)
				}
				if m.Memory() != needs {
					t.Errorf("the machine takes %d bytes, and %d were said to be needed", m.Memory(), needs)
				}
				if taken := there - available(t, d); taken != needs && !standin.Real() {
					t.Errorf("%d bytes are gone, and %d were said to be needed", taken, needs)
				}
				if with := needsOf(t, d, s); with != needs {
					t.Errorf("beside a machine, %d bytes are needed, where it were %d", with, needs)
				}
				if err := m.Close(); err != nil {
					t.Fatal(err)
				}
				if left := available(t, d); left != there && !standin.Real() {
					t.Errorf("%d bytes are available after all, where it were %d", left, there)
				}
			})
		}
	}
}

// TestNeedsTellsWhetherAMachineFits leaves a device as much memory as a machine needs, and
// four bytes less.
func TestNeedsTellsWhetherAMachineFits(t *testing.T) {
	if !standin.Again(t, "STANDIN_MEMORY=40000000") {
		return
	}
	for _, name := range []string{"gaussian", "sinkhorn"} {
		s, err := plan.Make(lossNetwork(t, name, 5, 7).outputs...)
		if err != nil {
			t.Fatal(err)
		}
		for _, missing := range []int64{0, 4} {
			d := open(t, Options{})
			needs := needsOf(t, d, s)
			free := available(t, d)
			v, err := d.NewVector(int(free-needs+missing) / 4)
			if err != nil {
				t.Fatal(err)
			}
			left := available(t, d)
			if left-left%4 != needs-needs%4-missing {
				t.Fatalf("%d bytes are left, want %d less %d", left, needs, missing)
			}
			m, err := d.Compile(s)
			var tooLarge *MemoryError
			switch {
			case missing == 0 && err != nil:
				t.Errorf("%s, with the %d bytes that it needs: %v", name, needs, err)
			case missing > 0 && (!errors.As(err, &tooLarge) || tooLarge.Need != needs || tooLarge.Free != left):
				t.Errorf("%s, with %d bytes too few: %v, want an error that says %d are needed and %d free", name, missing, err, needs, left)
			}
			if err == nil {
				m.Close()
			}
			d.Free(v)
		}
	}
}

// TestNeedsRefusesParametersThatDoNotFit leaves no room for the filters.
func TestNeedsRefusesParametersThatDoNotFit(t *testing.T) {
	if !standin.Again(t, "STANDIN_MEMORY=40000000") {
		return
	}
	d := open(t, Options{})
	v, err := d.NewVector(int(available(t, d)-4096) / 4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Free(v)
	s, _ := schedule(t)
	var tooLarge *MemoryError
	if _, err := d.Needs(s); !errors.As(err, &tooLarge) || tooLarge.Need <= tooLarge.Free {
		t.Errorf("error %v, want a MemoryError", err)
	}
}
