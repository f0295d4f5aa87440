package opstest

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// Device is a device under test.
type Device struct {
	plan.Device
	// Tolerance says how far off a case's results may be on this device.
	Tolerance func(*Case) Tolerance
	// Skips says why the device can't run a case, or nothing where it can. nil stands
	// for a device that runs all.
	Skips func(*Case) string
	// Runs is how often a program is run before its results are looked at, for devices
	// that go on from one run to the next; 0 stands for once.
	Runs int
}

// Tolerance is how far off results may be: the root mean square of the difference to
// those of the definition, in units of that of these, or of the case's Magnitude. It
// is multiplied by the case's Sensitivity.
type Tolerance struct{ Value, Gradient float64 }

// Compare runs the cases that are Compared on a device, value and gradient each by
// itself and both at once, in a test for each. What is right is the definition in
// float64, run by Gorgonia's tape machine on what float32 holds of the inputs.
func Compare(t *testing.T, d Device, cases []*Case) {
	for _, c := range For(Compared, cases) {
		t.Run(c.Name(), func(t *testing.T) {
			if d.Skips != nil {
				if why := d.Skips(c); why != "" {
					t.Skip(why)
				}
			}
			want, err := c.Define()
			if err != nil {
				t.Fatal(err)
			}
			compare(t, d, c, want)
		})
	}
}

func compare(t *testing.T, d Device, c *Case, want Result) {
	t.Helper()
	g, err := c.Graph(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	tolerance, sensitivity := d.Tolerance(c), max(1, c.Sensitivity)
	for _, outputs := range g.Outputs() {
		got, err := g.evaluate(d, outputs.Nodes...)
		if err != nil {
			t.Fatalf("%s: %v", outputs.Name, err)
		}
		if got.Value != nil {
			near(t, "value (with outputs: "+outputs.Name+")", got.Value, want.Value, c.Magnitude, sensitivity*tolerance.Value)
		}
		if got.Gradient != nil {
			near(t, "gradient (with outputs: "+outputs.Name+")", got.Gradient, want.Gradient, 0, sensitivity*tolerance.Gradient)
		}
	}
}

// near compares results with what they should be. magnitude is what their error is
// measured by where it is more than they are.
func near(t *testing.T, what string, got, want []float64, magnitude, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
		return
	}
	var difference, size float64
	for i, w := range want {
		difference += (got[i] - w) * (got[i] - w)
		size += w * w
	}
	n := float64(len(want))
	off := math.Sqrt(difference/n) / (max(math.Sqrt(size/n), magnitude) + math.SmallestNonzeroFloat64)
	if !(off <= tolerance) {
		t.Errorf("%s: off by %.2g, want %.2g at most (%.6g …, want %.6g …)", what, off, tolerance, got[:min(len(got), 3)], want[:min(len(want), 3)])
	}
}

// evaluate runs the graph on a device and returns those of its results that are
// among the outputs.
func (g *Graph) evaluate(d Device, outputs ...*gorgonia.Node) (results Result, err error) {
	schedule, err := plan.Make(outputs...)
	if err != nil {
		return Result{}, err
	}
	m, err := g.compile(d, schedule)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	for range max(1, d.Runs) {
		if err := m.RunAll(); err != nil {
			return Result{}, err
		}
	}
	for _, output := range outputs {
		v, err := plan.ReadValues(m, output)
		if err != nil {
			return Result{}, err
		}
		values := append([]float64(nil), v.Double...)
		for _, x := range v.Single {
			values = append(values, float64(x))
		}
		if output == g.Value {
			results.Value = values
		} else {
			results.Gradient = values
		}
	}
	return results, nil
}

// compile makes a machine for a schedule of the graph and writes its inputs.
func (g *Graph) compile(d plan.Device, schedule *plan.Schedule) (plan.Machine, error) {
	m, err := d.Compile(schedule)
	if err != nil {
		return nil, err
	}
	for _, b := range schedule.Inputs {
		if err := g.input(b.Node).write(m); err != nil {
			m.Close()
			return nil, err
		}
	}
	return m, nil
}

// input is the input that a node is.
func (g *Graph) input(node *gorgonia.Node) bound {
	for _, in := range g.inputs {
		if in.node == node {
			return in
		}
	}
	return bound{node: node}
}

func (b bound) write(m plan.Machine) error {
	if b.Values == nil {
		return fmt.Errorf("no values for the input %v", b.node)
	}
	values := b.values(tensor.Float32)
	if single, ok := values.([]float32); ok {
		return m.Write(b.node, single)
	}
	return m.WriteFloat64(b.node, values.([]float64))
}

// Define returns the results by the definition. They are worked out once.
func (c *Case) Define() (Result, error) {
	c.defined.Do(func() {
		defer ops.Catch(&c.err, c.Name())
		c.result, c.err = c.define()
	})
	return c.result, c.err
}

func (c *Case) define() (Result, error) {
	g, err := c.Graph(tensor.Float64)
	if err != nil {
		return Result{}, err
	}
	var value, gradient gorgonia.Value
	gorgonia.Read(g.Value, &value)
	if g.Gradient != nil {
		gorgonia.Read(g.Gradient, &gradient)
	}
	if err := g.run(); err != nil {
		return Result{}, err
	}
	result := Result{Value: numbers(value)}
	if gradient != nil {
		result.Gradient = numbers(gradient)
	}
	return result, nil
}

// run evaluates a graph in float64 on Gorgonia's tape machine.
func (g *Graph) run() error {
	for _, in := range g.inputs {
		if in.Kind == Parameter {
			continue
		}
		if err := in.let(in.Values()); err != nil {
			return err
		}
	}
	vm := gorgonia.NewTapeMachine(g.Value.Graph())
	defer vm.Close()
	return vm.RunAll()
}

// let gives an input's node other values.
func (b bound) let(values []float64) error {
	if b.Kind == Scalar {
		return gorgonia.Let(b.node, values[0])
	}
	return gorgonia.Let(b.node, tensor.New(tensor.WithShape(b.Shape...), tensor.WithBacking(values)))
}

// numbers are those of a value in float64.
func numbers(v gorgonia.Value) []float64 {
	switch data := v.Data().(type) {
	case float64:
		return []float64{data}
	case []float64:
		return append([]float64(nil), data...)
	}
	return nil
}

// Programs returns the programs that a device makes of the cases, by their names: all
// those that Compare and Time run.
func Programs(d plan.Descriptor, cases []*Case) (map[string]*plan.Program, error) {
	programs := map[string]*plan.Program{}
	for _, c := range cases {
		g, err := c.Graph(tensor.Float32)
		if err != nil {
			return nil, err
		}
		for _, outputs := range g.Outputs() {
			s, err := plan.Make(outputs.Nodes...)
			if err != nil {
				return nil, err
			}
			name := c.Name() + "/" + outputs.Name
			if programs[name], err = s.For(d); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return programs, nil
}
