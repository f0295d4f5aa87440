package opstest

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/plan"
)

// Time measures the cases that are Timed on a device, in a benchmark for each: of a
// loss value and gradient at once, as a descent asks for them, and of other operations
// each by itself. Where a case counts operations, their rate is reported, and where
// it streams, that of bytes. Keys change from run to run, as they do from one iteration
// of a descent to the next.
func Time(b *testing.B, d plan.Device, cases []*Case) {
	for _, c := range For(Timed, cases) {
		b.Run(c.Name(), func(b *testing.B) {
			g, err := c.Graph(tensor.Float32)
			if err != nil {
				b.Fatal(err)
			}
			for _, outputs := range g.Outputs() {
				// A loss's value and gradient are asked for at once, all else by itself.
				if (outputs.Name == "both") == (g.Value.IsScalar() && g.Gradient != nil) {
					b.Run("of="+outputs.Name, func(b *testing.B) { c.time(b, d, g, outputs.Nodes) })
				}
			}
		})
	}
}

func (c *Case) time(b *testing.B, d plan.Device, g *Graph, outputs []*gorgonia.Node) {
	schedule, err := plan.Make(outputs...)
	if err != nil {
		b.Fatal(err)
	}
	m, err := g.compile(d, schedule)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	if err := m.RunAll(); err != nil { // which prepares what later runs need not
		b.Fatal(err)
	}
	if c.Streams {
		b.SetBytes(bytesOf(schedule))
	}
	key := g.key()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if key != nil {
			if err := m.WriteFloat64(key, []float64{float64(i)}); err != nil {
				b.Fatal(err)
			}
		}
		if err := m.RunAll(); err != nil {
			b.Fatal(err)
		}
	}
	if c.Operations > 0 {
		b.ReportMetric(c.Operations*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	}
}

// key is the input that a sample or directions are drawn by, nil where there is none.
func (g *Graph) key() *gorgonia.Node {
	for _, in := range g.inputs {
		if in.Name == keyName {
			return in.node
		}
	}
	return nil
}

// bytesOf are the bytes of a schedule's inputs and outputs.
func bytesOf(s *plan.Schedule) (bytes int64) {
	for _, b := range slices.Concat(s.Inputs, s.Outputs) {
		bytes += int64(b.Bytes())
	}
	return bytes
}
