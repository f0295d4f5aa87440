//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"gorgonia.org/cu"

	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
)

// errNoKernel is why a step can't be bound. There is no falling back to the host,
// where each run would have to wait for copies in the middle of it.
var errNoKernel = errors.New("there is no kernel for it on the GPU; use the device cpu")

// none is a null pointer, to anything.
const none = 0

// bind adds the launches of a task to the work.
func (b *binder) bind(t task) {
	if (plan.Step{Op: t.op}).IsAddition() {
		b.addition(t)
		return
	}
	switch op := t.op.(type) {
	case *ops.Convolution:
		b.convolution(op, t)
	case *ops.ConvolutionGradient:
		b.convolutionGradient(op, t)
	case *ops.Rectification:
		b.rectification(t)
	case *ops.RectificationGradient:
		b.rectificationGradient(t)
	case *ops.Pool:
		b.pool(op, t)
	case *ops.PoolGradient:
		b.poolGradient(op, t)
	case *ops.Difference:
		b.difference(op, t)
	case *ops.DifferenceGradient:
		b.differenceGradient(op, t)
	case *ops.Variation:
		b.variation(t)
	case *ops.VariationGradient:
		b.variationGradient(t)
	case *ops.Moments:
		b.moments(op, t)
	case *ops.MomentsGradient:
		b.momentsGradient(op, t)
	case *ops.PowerMoments:
		b.powerMoments(t)
	case *ops.PowerMomentsGradient:
		b.powerMomentsGradient(t)
	case *ops.Comparison:
		b.comparison(op, t)
	case *ops.ComparisonValue:
		b.comparisonValue(t)
	case *ops.ComparisonCotangent:
		b.comparisonCotangent(t)
	case *ops.MapLossValue:
		b.mapLossValue(t)
	case *ops.MapLossGradient:
		b.mapLossGradient(t)
	case *ops.Sliced:
		b.sliced(op, t)
	case *ops.Clouds:
		b.clouds(op, t)
	case *ops.Sum:
		b.weightedSum(op, t)
	default:
		b.fail(errNoKernel)
	}
}

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
	b.work = append(b.work, part{branch: b.branches.of[b.step], wanted: wanted})
}

// part is what launches are added to.
func (b *binder) part() *part { return &b.work[len(b.work)-1] }

// keep adds a state to the program.
func (b *binder) keep(s state) { b.states = append(b.states, s) }

// slot returns a result that is the step's own.
func (b *binder) slot() slot {
	b.results.count++
	return slot{b.results, b.results.count - 1}
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
	branch := b.branches.of[b.step]
	r := &b.workspaces[branch]
	at := r.take(n * int(unsafe.Sizeof(value)))
	r.used = align(r.used)
	b.mostWorkspace[branch] = max(b.mostWorkspace[branch], r.used)
	return pointer[T](at)
}

// freeWorkspace lets what is bound next use the same workspace again.
func (b *binder) freeWorkspace() { b.workspaces[b.branches.of[b.step]].used = 0 }

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

// floats is where a picture, its gradient or that of an evaluation lies.
func (b *binder) floats(buffer *plan.Buffer) pointer[float32] {
	return pointer[float32](b.at(buffer, planes, evaluation))
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

// isInput tells whether a buffer is an input of the graph. Where it isn't, the step can't
// be bound.
func (b *binder) isInput(buffer *plan.Buffer) bool {
	if slices.Contains(b.schedule.Inputs, buffer) {
		return true
	}
	b.fail(fmt.Errorf("%v is no input of the graph, which the GPU needs it to be; use the device cpu", buffer.Node))
	return false
}

// isChannelsLast tells whether a buffer is a map of channels that lie last. Where it isn't,
// the step can't be bound.
func (b *binder) isChannelsLast(buffer *plan.Buffer) bool {
	if b.device.formatOf(buffer) == channelsLast {
		return true
	}
	b.fail(errors.New("maps of so few channels have no kernel for it on the GPU; use the device cpu"))
	return false
}
