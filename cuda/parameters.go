//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"errors"
	"fmt"
	"slices"

	"impasto/cuda/kernels"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// constantKey tells the forms of a constant apart.
type constantKey struct {
	values *float32
	form   string
}

// cached returns memory that is made once for the values, which then stay where
// they are.
func (d *Device) cached(values []float32, form string, make func() (memory, error)) (memory, error) {
	key := constantKey{&values[0], form}
	if m, ok := d.prepared[key]; ok {
		return m, nil
	}
	m, err := make()
	if err != nil {
		return memory{}, errors.Join(err, m.free())
	}
	d.prepared[key] = m
	if !slices.ContainsFunc(d.keep, func(kept []float32) bool { return &kept[0] == &values[0] }) {
		d.keep = append(d.keep, values)
	}
	return m, nil
}

// plain returns values on the device as they are.
func (d *Device) plain(values []float32) (memory, error) {
	return d.cached(values, "", func() (memory, error) {
		m, err := d.allocate("the network's parameters", 4*len(values))
		if err != nil {
			return m, err
		}
		// A border's colour may lie inside of a struct that has pointers, which cgo
		// doesn't let pass.
		return m, upload(d, pointer[float32](m.at), slices.Clone(values))
	})
}

// arranged returns filters on the device as a kernel arranges them, in elements of so
// many bytes.
func (d *Device) arranged(values []float32, form string, bytes int, arrange func(to memory, from pointer[float32]) launch) (memory, error) {
	return d.cached(values, form, func() (memory, error) {
		m, err := d.allocate("the network's parameters", bytes*len(values))
		if err != nil {
			return m, err
		}
		return m, d.staged(4*len(values), func(stage memory) error {
			from := pointer[float32](stage.at)
			if err := upload(d, from, values); err != nil {
				return err
			}
			return d.run(arrange(m, from))
		})
	})
}

// constantValues are those of a constant of the graph. Without them the step can't be
// bound.
func (b *binder) constantValues(of *plan.Buffer) []float32 {
	if of.Constant == nil {
		b.fail(fmt.Errorf("%v is no constant, which the GPU needs filters and biases to be", of.Node))
		return nil
	}
	values, ok := of.Constant.Data().([]float32)
	if !ok {
		b.fail(fmt.Errorf("%v is a %T, want float32", of.Node, of.Constant.Data()))
	}
	return values
}

// constant is where a constant of the graph lies.
func (b *binder) constant(of *plan.Buffer) pointer[float32] {
	return b.plain(b.constantValues(of))
}

// colour is where a border's colour lies, nowhere for zeros.
func (b *binder) colour(border pure.Border) pointer[float32] {
	if border.Replicate {
		return none
	}
	return b.plain(border.Colour)
}

// plain is where values lie as they are, nowhere for none.
func (b *binder) plain(values []float32) pointer[float32] {
	if values == nil {
		return none
	}
	m, err := b.device.plain(values)
	b.fail(err)
	return pointer[float32](m.at)
}

// filters is where filters lie for the kernels that don't use the matrix units,
// transposed for the gradient.
func (b *binder) filters(of *plan.Buffer, transposed bool) pointer[float32] {
	values := b.constantValues(of)
	if values == nil {
		return none
	}
	m, err := b.device.arranged(values, fmt.Sprint("plain ", transposed), 4, func(to memory, from pointer[float32]) launch {
		return kernels.ArrangePlainFilters(over(len(values)), pointer[float32](to.at), from, of.Shape[0], of.Shape[1], flag(transposed))
	})
	b.fail(err)
	return pointer[float32](m.at)
}

// matrixFilters is where filters lie for the matrix units.
func (b *binder) matrixFilters(of *plan.Buffer, transposed bool) elements {
	return b.arrangedFilters("matrix units", of, transposed, b.device.precision.ArrangeMatrixFilters)
}

// hopperFilters is where filters lie for those of compute capability 9.0.
func (b *binder) hopperFilters(of *plan.Buffer, transposed bool) elements {
	return b.arrangedFilters("Hopper's matrix units", of, transposed, b.device.precision.ArrangeHopperFilters)
}

func (b *binder) arrangedFilters(form string, of *plan.Buffer, transposed bool,
	arrange func(shape kernels.Shape, to elements, filters pointer[float32], out, in, transposed int) launch) elements {
	values, d := b.constantValues(of), b.device
	if values == nil {
		return none
	}
	m, err := d.arranged(values, fmt.Sprint(form, " ", transposed), d.maps().Bytes(), func(to memory, from pointer[float32]) launch {
		return arrange(over(len(values)), elements(to.at), from, of.Shape[0], of.Shape[1], flag(transposed))
	})
	b.fail(err)
	return elements(m.at)
}
