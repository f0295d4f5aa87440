//go:build gpu && cgo && linux

package cuda

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/optim"
	"impasto/internal/plan"
)

// descending is a machine that an optimiser can descend by.
type descending struct {
	*machine
	loss            *gorgonia.Node
	point, gradient optim.Vector
}

// descend compiles the network of a loss.
func descend(t *testing.T, d *Device, loss string) descending {
	t.Helper()
	n := lossNetwork(t, loss, 11, 14)
	n.outputs = n.outputs[2:]
	s, err := plan.Make(n.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := d.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { compiled.Close() })
	made := descending{machine: compiled.(*machine), loss: n.outputs[0]}
	for _, in := range s.Inputs {
		if err := n.inputs[in.Node.Name()].WriteTo(compiled, in.Node); err != nil {
			t.Fatal(err)
		}
		if in.Node.Name() == "x" {
			made.point, err = compiled.Vector(in.Node)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if made.gradient, err = compiled.Vector(n.outputs[len(n.outputs)-1]); err != nil {
		t.Fatal(err)
	}
	return made
}

func (m descending) evaluate() (float64, error) {
	if err := m.RunAll(); err != nil {
		return 0, err
	}
	var loss [1]float64
	err := m.ReadFloat64(m.loss, loss[:])
	return loss[0], err
}

func (m descending) picture(t *testing.T) []float32 {
	t.Helper()
	values := make([]float32, m.point.Len())
	if err := m.device.Download(values, m.point); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestStepsOfAdamComeWithTheRun takes the same steps along with runs and after them, and looks
// which were made along. A run that may be made again has none along with it.
func TestStepsOfAdamComeWithTheRun(t *testing.T) {
	for _, c := range []struct {
		loss      string
		precision device.Precision
		want      bool
	}{{"gram", device.Float32, true}, {"gram", device.Float16, true}, {"gaussian", device.Float32, false}, {"sinkhorn", device.Float32, false}} {
		t.Run(fmt.Sprint(c.loss, c.precision), func(t *testing.T) {
			d := open(t, Options{Precision: c.precision})
			var ends [2][]float32
			for along := range ends {
				m := descend(t, d, c.loss)
				a, err := optim.NewAdam(d, m.point, m.gradient, optim.AdamOptions{
					Bounds: optim.Bounds{Low: -1, High: 1}, Along: func() bool { return along == 1 },
				})
				if err != nil {
					t.Fatal(err)
				}
				for i := range 4 { // launch by launch, then as a graph
					if _, err := a.Step(func() (float64, error) {
						loss, err := m.evaluate()
						if made := d.made != nil; made != (c.want && along == 1) {
							t.Errorf("run %d, along %d: a step was made along: %t", i, along, made)
						}
						return loss, err
					}); err != nil {
						t.Fatal(err)
					}
				}
				ends[along] = m.picture(t)
				a.Close()
			}
			if !slices.Equal(ends[0], ends[1]) {
				t.Error("steps along with runs end at another picture than steps after them")
			}
		})
	}
}

// TestNoStepOfAdamFollowsWhatIsNotFinite also foresees a step of another gradient than the run's.
func TestNoStepOfAdamFollowsWhatIsNotFinite(t *testing.T) {
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		d := open(t, Options{Precision: precision})
		m := descend(t, d, "gram")
		a, err := optim.NewAdam(d, m.point, m.gradient, optim.AdamOptions{Along: func() bool { return true }})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if _, err := a.Step(m.evaluate); err != nil {
			t.Fatal(err)
		}
		values := m.picture(t)
		values[7] = float32(math.NaN())
		if err := d.Upload(m.point, values); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Step(m.evaluate); err == nil {
			t.Error("a loss that isn't a number is no error")
		}
		after := m.picture(t)
		after[7], values[7] = 0, 0
		if !slices.Equal(after, values) {
			t.Errorf("%s: the point moves by a loss that isn't a number", precision)
		}

		other, err := d.NewVector(m.gradient.Len())
		if err != nil {
			t.Fatal(err)
		}
		defer d.Free(other)
		values[7] = 0.5
		if err := d.Upload(m.point, values); err != nil {
			t.Fatal(err)
		}
		d.Foresee([2]optim.Vector{other, other})
		d.ForeseeAdam(optim.AdamStep{Point: m.point, Gradient: other, Mean: other, Square: other, StepSize: 1, Iteration: 1})
		if _, err := m.evaluate(); err != nil {
			t.Fatal(err)
		}
		if d.made != nil || !slices.Equal(m.picture(t), values) {
			t.Errorf("%s: a step by a gradient that no run makes goes along with one", precision)
		}
	}
}
