//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"slices"

	"impasto/internal/optim"
	"impasto/internal/plan"
)

// foreseen is what is going to be asked for after a run, and is issued right behind it, so that
// the host waits once.
type foreseen struct {
	products []vectorPair
	step     *optim.AdamStep // or nil
}

// Foresee implements optim.Foreseer.
func (d *Device) Foresee(pairs ...[2]optim.Vector) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.foreseen.products = nil; len(pairs) <= mostDots {
		d.foreseen.products = slices.Clone(pairs)
	}
}

// ForeseeAdam implements optim.AdamForeseer.
func (d *Device) ForeseeAdam(s optim.AdamStep) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.foreseen.step = &s
}

// hasMade tells whether a step was made along with the last run, which is told once.
func (d *Device) hasMade(s optim.AdamStep) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	made := d.made != nil && *d.made == s
	d.made = nil
	return made
}

// goAlong issues what is foreseen behind a run and waits for all numbers, but not for the step
// of Adam, which goes on while the host looks at them.
func (m *machine) goAlong() error {
	d := m.device
	asked := slices.DeleteFunc(slices.Clone(d.foreseen.products), func(pair vectorPair) bool {
		_, there := m.squares[pair]
		return there
	})
	if err := d.issueDots(asked); err != nil {
		return err
	}
	if err := d.told.Record(d.stream); err != nil {
		return err
	}
	stepping, err := m.issueStep(asked)
	if err != nil {
		return err
	}
	if err := d.told.Synchronize(); err != nil {
		return err
	}
	d.known = map[vectorPair]float64{}
	for i, product := range d.issuedDots(asked) {
		d.known[asked[i]] = product
	}
	for pair, square := range m.squares {
		d.known[pair] = square.value()
	}
	if stepping && m.isFinite() && finite(d.known[squareOf(d.foreseen.step.Gradient)]) {
		d.made = d.foreseen.step
	}
	return nil
}

func squareOf(v optim.Vector) vectorPair { return vectorPair{v, v} }

// issueStep issues the foreseen step of Adam, where there is one that goes by a gradient of this
// run. It is made if all scalars that the run makes are finite and so is the gradient's norm,
// which is one of the products that were asked for or comes with the run: then nothing makes the
// run again, as it may be where a state or a result of a part has a say in that.
func (m *machine) issueStep(asked []vectorPair) (stepping bool, err error) {
	d, step := m.device, m.device.foreseen.step
	if step == nil || !m.final {
		return false, nil
	}
	pair := squareOf(step.Gradient)
	var norm pointer[float64]
	if square, there := m.squares[pair]; there {
		norm = square.at()
	} else if i := slices.Index(asked, pair); i >= 0 {
		norm = pointer[float64](d.workspace.at).Plus(i)
	} else {
		return false, nil
	}
	ofRun := slices.ContainsFunc(m.program.Outputs, func(b *plan.Buffer) bool {
		return d.formatOf(b) == planes && m.vectorOf(b) == step.Gradient
	})
	if !ofRun {
		return false, nil
	}
	return true, d.run(adamStep(*step, m.results.at, len(m.layout.scalars), norm))
}

// isFinite tells whether all scalars of the last run are.
func (m *machine) isFinite() bool {
	for _, number := range m.layout.scalars {
		if !finite((slot{&m.results, number}).value()) {
			return false
		}
	}
	return true
}
