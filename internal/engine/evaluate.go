package engine

import (
	"context"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"impasto/internal/plan"
)

// Input is an input of a graph and the values to write there.
type Input struct {
	Node   *gorgonia.Node
	Values plan.Values
}

// Executable is a graph compiled for a device.
type Executable struct {
	plan.Machine
	Schedule *plan.Schedule
}

// Compile schedules all that the outputs depend on, compiles it for a device and writes
// the inputs given; others can be written later. A node may stand among the outputs
// more than once. The executable has to be closed.
func Compile(d plan.Device, inputs []Input, outputs ...*gorgonia.Node) (*Executable, error) {
	schedule, err := Schedule(outputs...)
	if err != nil {
		return nil, err
	}
	machine, err := d.Compile(schedule)
	if err != nil {
		return nil, err
	}
	for _, input := range inputs {
		if err := input.Values.WriteTo(machine, input.Node); err != nil {
			machine.Close()
			return nil, fmt.Errorf("%s: %w", input.Node.Name(), err)
		}
	}
	return &Executable{Machine: machine, Schedule: schedule}, nil
}

// Needs is how many bytes of a device Compile would take for the outputs. It takes none.
func Needs(d plan.Device, outputs ...*gorgonia.Node) (int64, error) {
	schedule, err := Schedule(outputs...)
	if err != nil {
		return 0, err
	}
	return d.Needs(schedule)
}

// Schedule schedules outputs, each once.
func Schedule(outputs ...*gorgonia.Node) (*plan.Schedule, error) {
	var unique []*gorgonia.Node
	for _, output := range outputs {
		if !slices.Contains(unique, output) {
			unique = append(unique, output)
		}
	}
	return plan.Make(unique...)
}

// Evaluate computes the outputs once, with the inputs given, and returns the value of
// each. Where ctx ends before, the error is ctx's.
func Evaluate(ctx context.Context, d plan.Device, inputs []Input, outputs ...*gorgonia.Node) ([]plan.Values, error) {
	e, err := Compile(d, inputs, outputs...)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.Values(ctx, outputs...)
}

// Values runs the graph and returns the value of each output.
func (e *Executable) Values(ctx context.Context, outputs ...*gorgonia.Node) ([]plan.Values, error) {
	if err := e.Run(ctx); err != nil {
		return nil, err
	}
	return e.ReadValues(outputs...)
}

// ReadValues returns the value of each output, as of the last run.
func (e *Executable) ReadValues(outputs ...*gorgonia.Node) ([]plan.Values, error) {
	values := make([]plan.Values, len(outputs))
	for i, output := range outputs {
		var err error
		if values[i], err = plan.ReadValues(e, output); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// Input is the input of that name, nil where the graph has none.
func (e *Executable) Input(name string) *gorgonia.Node {
	for _, input := range e.Schedule.Inputs {
		if input.Node.Name() == name {
			return input.Node
		}
	}
	return nil
}

// NoValues are the values of nodes without elements, which have the shapes and types.
func NoValues(nodes ...*gorgonia.Node) []plan.Values {
	values := make([]plan.Values, len(nodes))
	for i, node := range nodes {
		values[i] = plan.NoValues(node)
	}
	return values
}

// Scalar reads an output of one float64, as of the last run.
func (e *Executable) Scalar(output *gorgonia.Node) (float64, error) {
	var value [1]float64
	err := e.ReadFloat64(output, value[:])
	return value[0], err
}
