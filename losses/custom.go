package losses

import (
	"errors"
	"fmt"

	"impasto/internal/pure"
)

// Function is a loss as plain Go: Custom makes a Loss of it.
type Function struct {
	// Description says what the loss is. Its name is required, and must not be that
	// of a loss of this package.
	Description
	// Evaluate returns the normalised loss between the features of a picture and a
	// target's, and writes its gradient by x.Values, all zeros before. It may be
	// called by several goroutines at a time, and must not change or keep the
	// features. An error or a panic ends the run; a value or gradient that isn't
	// finite ends it as such a one of any loss does.
	Evaluate func(gradient []float64, x, target Features) (float64, error)
	// Plain is likewise the loss in units of activations; nil takes Evaluate.
	Plain func(gradient []float64, x, target Features) (float64, error)
	// Sample is how many positions of either side an evaluation looks at, drawn anew
	// from iteration to iteration; 0 looks at all.
	Sample int
}

// custom is a loss made of functions.
type custom struct {
	function          Function
	plain, normalised *pure.Function
}

// Custom makes a loss of a function. It runs on the processor, in float64; GPUs
// refuse it. Two losses are different ones, even if they are made of the same
// function.
func Custom(f Function) (Loss, error) {
	switch {
	case f.Name == "":
		return nil, errors.New("losses: a custom loss has no name")
	case f.Evaluate == nil:
		return nil, fmt.Errorf("losses: custom loss %s has no function", f.Name)
	case f.Sample < 0:
		return nil, fmt.Errorf("losses: custom loss %s has a sample of %d positions, want 1 or more, or 0 for all", f.Name, f.Sample)
	}
	if _, err := Named(f.Name); err == nil {
		return nil, fmt.Errorf("losses: custom loss %s has the name of a built-in one", f.Name)
	}
	if f.Plain == nil {
		f.Plain = f.Evaluate
	}
	return &custom{f, functionOf(f.Name, f.Plain), functionOf(f.Name, f.Evaluate)}, nil
}

func functionOf(name string, evaluate func([]float64, Features, Features) (float64, error)) *pure.Function {
	return &pure.Function{Name: name, Call: func(gradient, x, y []float64, channels int) (float64, error) {
		return evaluate(gradient, Features{channels, x}, Features{channels, y})
	}}
}

// Description implements Loss.
func (c *custom) Description() Description { return c.function.Description }

// Plain implements Loss.
func (c *custom) Plain() Form { return c.form(c.plain) }

// Normalised implements Loss.
func (c *custom) Normalised() Form { return c.form(c.normalised) }

// WithSample implements Sampled; a loss that looks at all positions does so all the
// same.
func (c *custom) WithSample(positions int) Loss {
	sampled := *c
	if c.function.Sample > 0 {
		sampled.function.Sample = positions
	}
	return &sampled
}

func (c *custom) form(f *pure.Function) Form {
	return compareClouds(Summary{Sample: c.function.Sample}, func(channels int) pure.Custom {
		return pure.Custom{Function: f, Channels: channels}
	})
}
