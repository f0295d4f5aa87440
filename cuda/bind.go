//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"fmt"
	"math"
	"slices"
	"unsafe"

	"gorgonia.org/cu"

	"impasto/cuda/kernels"
	"impasto/internal/plan"
)

// none is a null pointer, to anything.
const none = 0

// fail keeps the first error.
func (b *binder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// add makes launches of the step being bound ready.
func (b *binder) add(launches ...launch) {
	for _, l := range launches {
		ready, err := b.device.ready(l)
		b.fail(err)
		b.part().launches = append(b.part().launches, ready)
	}
}

// repeat adds so often what f adds once to one part.
func (b *binder) repeat(times int, f func()) {
	first := len(b.part().launches)
	f()
	once := b.part().launches[first:]
	for range times - 1 {
		b.part().launches = append(b.part().launches, once...)
	}
}

// only begins a part of the step being bound that is made where wanted says so, or always
// where it is nil.
func (b *binder) only(wanted func() bool) {
	b.parts = append(b.parts, part{branch: b.branch(), wanted: wanted})
}

// part is what launches are added to.
func (b *binder) part() *part { return &b.parts[len(b.parts)-1] }

// branches are those of the program, and branch is that of the step being bound.
func (b *binder) branches() plan.Branches { return b.machine.program.Branches }
func (b *binder) branch() int             { return b.branches().Of[b.step] }

// keep adds a state to the work.
func (b *binder) keep(s state) { b.states = append(b.states, s) }

// slot returns a result that is the step's own.
func (b *binder) slot() slot {
	b.results.count++
	return slot{b.results, b.results.count - 1}
}

// slotOf is the result that a scalar is which a step makes.
func (b *binder) slotOf(scalar *plan.Buffer) slot {
	return slot{b.results, b.machine.layout.scalars[scalar]}
}

// key is the key in an input, nil for zero.
func (b *binder) key(input *plan.Buffer) key {
	if input != nil {
		b.isInput(input)
	}
	return newKey(input)
}

// inTable puts float64 into the table and returns where they lie.
func (b *binder) inTable(values ...float64) pointer[float64] {
	at := pointer[float64](b.tableAt).Plus(len(b.table))
	for _, v := range values {
		b.table = append(b.table, math.Float64bits(v))
	}
	return at
}

// pointersInTable puts pointers into the table and returns where they lie.
func (b *binder) pointersInTable(values ...pointer[float64]) pointer[pointer[float64]] {
	at := pointer[pointer[float64]](b.tableAt).Plus(len(b.table))
	for _, v := range values {
		b.table = append(b.table, uint64(v))
	}
	return at
}

// reserve returns memory for n values that is the step's own for good.
func reserve[T any](b *binder, n int) pointer[T] {
	var value T
	at := b.state.take(n * int(unsafe.Sizeof(value)))
	b.state.used = align(b.state.used)
	return pointer[T](at)
}

// workspace returns memory for n values that the step being bound may use while it runs.
func workspace[T any](b *binder, n int) pointer[T] {
	var value T
	branch := b.branch()
	r := &b.workspaces[branch]
	at := r.take(n * int(unsafe.Sizeof(value)))
	r.used = align(r.used)
	b.mostWorkspace[branch] = max(b.mostWorkspace[branch], r.used)
	return pointer[T](at)
}

// usedWorkspace is how much of the workspace the step being bound has so far, and
// reuseWorkspace lets what is beyond that be used again, by launches that come later or
// instead.
func (b *binder) usedWorkspace() int       { return b.workspaces[b.branch()].used }
func (b *binder) reuseWorkspace(after int) { b.workspaces[b.branch()].used = after }

// freeWorkspace lets what is bound next use the same workspace again.
func (b *binder) freeWorkspace() { b.workspaces[b.branch()].used = 0 }

// at is where a buffer lies, nowhere for nil. What gradients start from lies in the table.
func (b *binder) at(buffer *plan.Buffer, formats ...format) cu.DevicePtr {
	if buffer == nil {
		return none
	}
	if f := b.device.formatOf(buffer); !slices.Contains(formats, f) {
		b.fail(fmt.Errorf("%v lies as %v on the GPU, where its kernel wants %v; use the device cpu", buffer.Node, f, formats))
	}
	at, placed := b.places[buffer]
	if !placed && isGradientStart(buffer) {
		start := b.inTable(b.scale.factor * buffer.Constant.Data().(float64))
		b.scale.start = start
		at = cu.DevicePtr(start)
		b.places[buffer] = at
	}
	return at
}

// doubles is where a buffer of float64 lies.
func (b *binder) doubles(buffer *plan.Buffer) pointer[float64] {
	return pointer[float64](b.at(buffer, doubles, constant))
}

// floats is where a picture or its gradient lies.
func (b *binder) floats(buffer *plan.Buffer) pointer[float32] {
	return pointer[float32](b.at(buffer, planes))
}

// elements is where a map lies, its channels last or, of a picture, in planes.
func (b *binder) elements(buffer *plan.Buffer) elements {
	return elements(b.at(buffer, channelsLast, planes))
}

// elementOf is what a map is made of.
func (b *binder) elementOf(buffer *plan.Buffer) kernels.Element {
	if b.device.formatOf(buffer) == planes {
		return kernels.Float32
	}
	return b.device.maps()
}

// isInput makes sure that a buffer is an input of the graph. Where it isn't, the step can't be
// bound.
func (b *binder) isInput(buffer *plan.Buffer) {
	if !buffer.Input {
		b.fail(fmt.Errorf("%v is no input of the graph, which the GPU needs it to be; use the device cpu", buffer.Node))
	}
}
