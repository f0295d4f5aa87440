//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"math"

	"impasto/cuda/internal/driver"
	"impasto/internal/plan"
)

// state is what a step keeps from one run to the next: what follows from a target or a
// draw, and what a loss goes on from.
type state interface {
	// begin is called once, when there is memory, before the first run.
	begin() error
	// written is called when an input is written, with its values if they are float64.
	written(input *plan.Buffer, values []float64) error
	// ended is called after a run, whose results are on the host. It tells whether the
	// run has to be made again.
	ended() (again bool, err error)
}

// stateless has the methods of a state to which nothing happens, for others to embed.
type stateless struct{}

func (stateless) begin() error                          { return nil }
func (stateless) written(*plan.Buffer, []float64) error { return nil }
func (stateless) ended() (bool, error)                  { return false, nil }

// fallible is a step whose launches may not come to a result. It is then computed on the
// host, in a run that is made in parts.
type fallible interface {
	state
	// hopeless tells that the launches needn't be made.
	hopeless() bool
	// found tells whether the launches came to a result, as of the last run.
	found() bool
	// define computes the result on the host.
	define() error
}

// draw is the number from which a step draws at random: an input of the graph, or zero
// where there is none.
type draw struct {
	input *plan.Buffer // nil for zero
	last  float64      // that was written; NaN at first
}

func newDraw(input *plan.Buffer) draw { return draw{input, math.NaN()} }

// changes takes in that an input was written, and tells whether that changes the draw.
func (d *draw) changes(input *plan.Buffer, values []float64) bool {
	if input != d.input || values[0] == d.last {
		return false
	}
	d.last = values[0]
	return true
}

// drawn is a state that follows from a draw and is made anew when that changes.
type drawn struct {
	stateless
	draw   draw
	redraw func(draw float64) error
}

func (d *drawn) begin() error {
	if d.draw.input == nil {
		return d.redraw(0)
	}
	return nil
}

func (d *drawn) written(input *plan.Buffer, values []float64) error {
	if !d.draw.changes(input, values) {
		return nil
	}
	return d.redraw(values[0])
}

// results are numbers in the machine's memory that each run copies to the host: the
// outputs of one float64, then what steps have to know after a run.
type results struct {
	at    pointer[float64]
	count int
	host  driver.HostMemory // the copy
}

// slot is one of the results.
type slot struct {
	of     *results
	number int
}

func (s slot) at() pointer[float64] { return s.of.at.Plus(s.number) }

// value is what the slot held after the last run.
func (s slot) value() float64 { return s.of.host.Float64s(8*s.number, 1)[0] }

// finite tells whether a number is neither infinite nor NaN.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
