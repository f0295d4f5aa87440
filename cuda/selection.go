//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// selection has the positions of a selection, which follow from a key, for all steps that
// select them. They are made on the host when the key is written.
type selection struct {
	keyed
	device    *Device
	of        pure.Selection
	positions int            // of the map
	index     pointer[int32] // of the map's positions, as gather reads it
	inverse   pointer[int32] // likewise of the selected ones; none where no gradient is made
}

// selectionKey tells selections apart.
type selectionKey struct {
	identity string
	key      *plan.Buffer // nil where positions don't depend on one
}

// selection returns the positions of a selection by a key, which is nil for zero.
func (b *binder) selection(of pure.Selection, by *plan.Buffer) *selection {
	id := selectionKey{of.Identity(), by}
	if s, there := b.selections[id]; there {
		return s
	}
	shown := of.Shown()
	s := &selection{device: b.device, of: of, positions: shown.Dx() * shown.Dy(), index: reserve[int32](b, of.Count())}
	s.keyed = keyed{key: b.key(by), remake: s.make}
	b.keep(s)
	b.selections[id] = s
	return s
}

// make makes the positions that follow from a key.
func (s *selection) make(key float64) error {
	index := s.of.Places(key)
	for i := range index {
		index[i]++ // gather counts from one
	}
	if err := upload(s.device, s.index, index); err != nil || s.inverse == none {
		return err
	}
	return s.device.run(
		kernels.Fill(over(s.positions), pointer[float32](s.inverse), 0, s.positions), // as whose bits 0 is 0
		kernels.InvertIndex(over(len(index)), s.inverse, s.index, len(index)))
}

// keyIn is the key among a step's inputs, the second if it has one.
func keyIn(inputs []*plan.Buffer) *plan.Buffer {
	if len(inputs) < 2 {
		return nil
	}
	return inputs[1]
}

var selectionKernel = kernel{
	bind: func(b *binder, step plan.Step) {
		y, x := step.Results[0], step.Inputs[0]
		s := b.selection(step.Op.(*ops.Selection).Of, keyIn(step.Inputs))
		b.gather(y, x, s.index, nil, nil)
	},
}

var selectionGradientKernel = kernel{
	able: plan.Ability{Adds: plan.AddsAny, Masks: plan.MasksByAny},
	bind: func(b *binder, step plan.Step) {
		dx, dy := step.Results[0], step.Inputs[0]
		s := b.selection(step.Op.(*ops.SelectionGradient).Of, keyIn(step.Inputs))
		if s.inverse == none {
			_, positions := geometry(dx)
			s.inverse = reserve[int32](b, positions)
		}
		b.gather(dx, dy, s.inverse, step.AddTo, step.Mask)
	},
}

// gather makes the positions of y that an index names of x, with an addend and zero where a
// mask isn't positive, which may be nil. The planes of a picture are maps of one channel each.
func (b *binder) gather(y, x *plan.Buffer, index pointer[int32], addend, mask *plan.Buffer) {
	channels, positions := geometry(y)
	element, maps := b.elementOf(y), 1
	if b.device.formatOf(y) == planes {
		channels, maps = 1, channels
	}
	_, from := geometry(x)
	for plane := range maps {
		part := func(of *plan.Buffer, positions int) elements {
			if of == nil {
				return none
			}
			return b.elements(of) + elements(element.Bytes()*plane*positions)
		}
		b.add(element.Gather(over(positions*channels), part(y, positions), part(x, from), index,
			part(addend, positions), part(mask, positions), channels, positions))
	}
}
