package plan

import (
	"context"

	"gorgonia.org/gorgonia"

	"impasto/internal/optim"
)

// Device is a processor with memory of its own that schedules are compiled
// for. Vectors made by a device outlive the machines compiled on it, so an
// optimiser's state can pass from one level of the pyramid to the next.
type Device interface {
	optim.Vectors
	// Name says what the device is, for people.
	Name() string
	// Arithmetic says what results depend on to the last bit, such as the processor's
	// set of instructions.
	Arithmetic() string
	// Compile reserves the schedule's memory and prepares its steps.
	Compile(*Schedule) (Machine, error)
	// Needs is how many bytes of the device a machine of the schedule would take, with
	// what its steps keep beside the arena. It takes none.
	Needs(*Schedule) (bytes int64, err error)
	// OnHost tells whether the device's memory is that of the process.
	OnHost() bool
	// MatrixRate measures the rate of float32 matrix products in operations a
	// second, a multiplication and an addition counting two: what kernels are
	// judged against.
	MatrixRate() (float64, error)
	// Available is how many bytes machines can still take, those that the device
	// keeps for reuse included; not every device can tell before it is tried.
	Available() (bytes int64, known bool)
	Close() error
}

// Record is what one step keeps from run to run.
type Record struct {
	Singles []float32
	Doubles []float64
}

// Machine runs one schedule on one device.
type Machine interface {
	gorgonia.VM // RunAll is Run until the end
	// Run evaluates the whole graph once from its inputs as they stand. Where ctx ends
	// before, it stops within a step, or where the device can't, between two, and the
	// error is ctx's. What the outputs and State are then is undefined, and the machine
	// isn't to be run again.
	Run(ctx context.Context) error
	// Memory is how many bytes of the device the machine takes, constants aside.
	Memory() int64
	// Remark says, for people, what made the last run slow where the machine had to
	// go another way than it is meant to. It is empty where all went well.
	Remark() string
	// State is what later runs depend on besides the inputs, as where a loss goes on from
	// the run before: a copy. It isn't complete where the machine can't tell all of it.
	State() (records []Record, complete bool)
	// Restore has a machine of the same schedule go on from a state.
	Restore([]Record) error
	// Write copies values into the buffer of an input of the graph.
	Write(input *gorgonia.Node, values []float32) error
	// WriteFloat64 does the same for a float64 input, such as a loss's target.
	WriteFloat64(input *gorgonia.Node, values []float64) error
	// Read copies an output of the graph out, as of the last Run.
	Read(output *gorgonia.Node, values []float32) error
	// ReadFloat64 does the same for a float64 output.
	ReadFloat64(output *gorgonia.Node, values []float64) error
	// Vector is the buffer of a float32 input or output, in place, for the
	// optimiser to work on. It is valid until Close.
	Vector(node *gorgonia.Node) (optim.Vector, error)
}
