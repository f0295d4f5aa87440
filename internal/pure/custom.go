package pure

import "fmt"

// Custom is a loss between two clouds that is given as a function.
type Custom struct {
	*Function
	Channels int
}

// Function computes a loss between x (C×N) and y (C×M), channel by channel, and
// writes its gradient by x, which is zero before. It may be called by several
// goroutines at a time.
type Function struct {
	Name string
	Call func(gradient, x, y []float64, channels int) (float64, error)
}

// Identity tells custom losses apart: no two functions are one, as Go has no way to
// compare what they do.
func (c Custom) Identity() string {
	return fmt.Sprintf("pure.Custom{%q %p, %d channels}", c.Name, c.Function, c.Channels)
}

// Dimensions implements CloudLoss.
func (c Custom) Dimensions() int { return c.Channels }

// Compare implements CloudLoss. A panic of the function is an error.
func (c Custom) Compare(gradient, x, y []float64) (value float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("loss %s: panic: %v", c.Name, r)
		}
	}()
	clear(gradient)
	if value, err = c.Call(gradient, x, y, c.Channels); err != nil {
		err = fmt.Errorf("loss %s: %w", c.Name, err)
	}
	return value, err
}
