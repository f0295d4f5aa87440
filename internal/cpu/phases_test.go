package cpu

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/plan"
	"impasto/vgg19"
)

// Of two pictures whose first phases run one after the other, the second phases give what
// each alone gives.
func TestPhasesOfSeveralRunsGiveWhatEachRunDoes(t *testing.T) {
	p := defaultNetwork(t)
	const size = 48
	for _, test := range []struct {
		style     string
		precision device.Precision
		options   vgg19.Options
		layers    []string
	}{
		{"gram", device.Float32, vgg19.Options{}, fiveLayers},
		{"gaussian", device.Float32, vgg19.Options{Padding: "replicate", Pooling: "avg"}, []string{"relu1_2", "relu3_1"}},
		{"sliced", device.Float16, vgg19.Options{}, []string{"relu2_1", "relu3_2"}},
		{"", device.Float32, vgg19.Options{Pooling: "none"}, []string{"relu1_2"}},
	} {
		l := networkLossOf(t, p, test.options, size, test.style, test.layers...)
		d := opened(t, Options{Precision: test.precision})
		m := compiled(t, d, l.Schedule).(*machine)
		for i, target := range l.targets {
			values := plan.NoValues(target)
			if n := target.Shape().TotalSize(); values.Double != nil {
				values.Double = make([]float64, n)
			} else {
				values.Single = noise(n, uint64(i))
			}
			if err := values.WriteTo(m, target); err != nil {
				t.Fatal(err)
			}
		}
		var pictures, want [2][]float32
		for i := range pictures {
			pictures[i], want[i] = noise(3*size*size, uint64(10+i)), make([]float32, 3*size*size)
			write(t, m, l.picture, pictures[i])
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
			if err := m.Read(l.gradient, want[i]); err != nil {
				t.Fatal(err)
			}
		}
		for _, carry := range plan.Carries {
			phases, err := m.Phases([]*gorgonia.Node{l.cost}, carry)
			if err != nil {
				t.Fatal(err)
			}
			carrying, err := d.Carrying(l.Schedule, []*gorgonia.Node{l.cost}, carry)
			if bytes := phases.Bytes(); err != nil || carrying.Bytes != bytes || bytes == 0 || bytes >= m.program.Bytes {
				t.Errorf("%s: %d bytes are carried over, and %d are foretold (%v), of an arena of %d", test.style, bytes, carrying.Bytes, err, m.program.Bytes)
			}
			if again := len(carrying.Again) > 0; again != (carry == plan.CarryMarks) {
				t.Errorf("%s, carry %d: %d steps are made again", test.style, carry, len(carrying.Again))
			}
			var saved [2][]byte
			for i := range pictures {
				write(t, m, l.picture, pictures[i])
				if err := phases.First(t.Context()); err != nil {
					t.Fatal(err)
				}
				saved[i] = make([]byte, phases.Bytes())
				phases.Save(saved[i])
			}
			for i := range pictures {
				if phases.Reads(l.picture) {
					write(t, m, l.picture, pictures[i])
				}
				if err := phases.Rest(t.Context(), saved[i]); err != nil {
					t.Fatal(err)
				}
				got := make([]float32, len(want[i]))
				if err := m.Read(l.gradient, got); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want[i]) {
					t.Errorf("%s at %v, carry %d: in phases the gradient of picture %d differs", test.style, test.layers, carry, i+1)
				}
			}
		}
	}
}
