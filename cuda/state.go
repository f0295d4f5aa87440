//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"fmt"
	"math"

	"impasto/cuda/internal/driver"
	"impasto/internal/plan"
)

// state is what a step keeps from one run to the next: what follows from a target or a
// key, and what a loss goes on from.
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

// State implements plan.Machine. The potentials of a Sinkhorn loss aren't told.
func (m *machine) State() (records []plan.Record, complete bool) {
	for _, s := range m.states {
		if _, ok := s.(*potentials); ok {
			return nil, false
		}
	}
	return nil, true
}

// Restore implements plan.Machine.
func (m *machine) Restore(records []plan.Record) error {
	if len(records) > 0 {
		return fmt.Errorf("cuda: a state has the records of %d steps of another device", len(records))
	}
	return nil
}

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

// key is the number that a step draws by at random: an input of the graph, or zero where
// there is none.
type key struct {
	input *plan.Buffer // nil for zero
	last  float64      // that was written; NaN at first
}

func newKey(input *plan.Buffer) key { return key{input, math.NaN()} }

// changes takes in that an input was written, and tells whether that changes the key.
func (k *key) changes(input *plan.Buffer, values []float64) bool {
	if input != k.input || values[0] == k.last {
		return false
	}
	k.last = values[0]
	return true
}

// keyed is a state that follows from a key and is made anew when that changes. It begins as
// that of zero, which an input is that nobody writes.
type keyed struct {
	stateless
	key    key
	remake func(key float64) error
}

func (k *keyed) begin() error {
	k.key.last = 0
	return k.remake(0)
}

func (k *keyed) written(input *plan.Buffer, values []float64) error {
	if !k.key.changes(input, values) {
		return nil
	}
	return k.remake(values[0])
}

// results are numbers in the machine's memory that each run copies to the host: scalars that
// steps make, then what steps have to know after a run.
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
