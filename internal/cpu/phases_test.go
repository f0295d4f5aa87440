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
		phases, err := m.Phases([]*gorgonia.Node{l.cost})
		if err != nil {
			t.Fatal(err)
		}
		bytes, err := d.Carries(l.Schedule, []*gorgonia.Node{l.cost})
		if err != nil || bytes != int64(phases.Bytes()) || bytes == 0 || bytes >= int64(m.program.Bytes) {
			t.Errorf("%s: %d bytes are carried over, and %d are foretold (%v), of an arena of %d", test.style, phases.Bytes(), bytes, err, m.program.Bytes)
		}
		var pictures, want [2][]float32
		var saved [2][]byte
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
			phases.Load(saved[i])
			if err := phases.Rest(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, len(want[i]))
			if err := m.Read(l.gradient, got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want[i]) {
				t.Errorf("%s at %v: in phases the gradient of picture %d differs", test.style, test.layers, i+1)
			}
		}
	}
}
