//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"

	"gorgonia.org/cu"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

var errFewChannels = errors.New("maps of so few channels have no kernel for it on the GPU; use the device cpu")

var poolKernels = map[pure.PoolMode]string{pure.MaxPool: "pool_max_", pure.MeanPool: "pool_mean_", pure.L2Pool: "pool_l2_"}

func (m *machine) pool(op *ops.Pool, t task) error {
	if m.device.formatOf(t.result) != channelsLast {
		return errFewChannels
	}
	g := op.Geometry(t.inputs[0].Shape)
	return m.add(over(t.result.Len(), poolKernels[g.Mode]+m.device.maps(),
		m.at(t.result), m.at(t.inputs[0]), g.Scale, g.Channels, g.Height, g.Width))
}

func (m *machine) poolGradient(op *ops.PoolGradient, t task) error {
	if m.device.formatOf(t.result) != channelsLast {
		return errFewChannels
	}
	g := op.Pool.Geometry(t.inputs[1].Shape)
	return m.add(over(t.result.Len(), poolKernels[g.Mode]+"gradient_"+m.device.maps(),
		m.at(t.result), m.at(t.inputs[0]), m.at(t.inputs[1]), m.at(t.addend), flag(t.mask != nil), g.Scale, g.Channels, g.Height, g.Width))
}

// sumBlocks is into how many parts a sum over a map is split at most. It is fixed,
// so that sums don't depend on the device.
const sumBlocks = 512

// shared is a launch of a kernel whose blocks each leave a part of a sum over n
// elements, and how many blocks there are.
func shared(n int, kernel string, arguments ...any) (launch, int) {
	blocks := min((n+vectorThreads-1)/vectorThreads, sumBlocks)
	return launch{kernel: kernel, grid: dim{x: blocks}, block: dim{x: vectorThreads}, arguments: arguments}, blocks
}

// join is the launch that adds up parts of so many sums.
func join(sums, partials cu.DevicePtr, count, blocks int, factor float64) launch {
	return launch{
		kernel: "sum_partials", grid: dim{x: count}, block: dim{x: vectorThreads},
		arguments: []any{sums, partials, blocks, factor},
	}
}

// slopesKey tells differences apart.
type slopesKey struct {
	x, target *plan.Buffer
	form      pure.Difference
}

// differenceSlopes returns where the value of a difference and what its derivative
// is made of lie. A loss and its gradient compute them once.
func (m *machine) differenceSlopes(x, target *plan.Buffer, form pure.Difference) (cu.DevicePtr, error) {
	key := slopesKey{x, target, form}
	if at, done := m.slopes[key]; done {
		return at, nil
	}
	slopes := m.array(0, 0, 0)
	m.slopes[key] = slopes
	n := x.Len()
	partials, sums := m.scratch(8*3*sumBlocks), m.scratch(8*3)
	parts, blocks := shared(n, "difference_partials_"+m.typed(x), partials, m.at(x), m.at(target), n)
	return slopes, m.add(parts, join(sums, partials, 3, blocks, 1),
		launch{kernel: "difference_slopes", arguments: []any{slopes, sums, flag(form.Scaled), n}})
}

func (m *machine) difference(op *ops.Difference, t task) error {
	slopes, err := m.differenceSlopes(t.inputs[0], t.inputs[1], op.Form)
	if err != nil {
		return err
	}
	return m.add(launch{kernel: "copy_scalar", arguments: []any{m.at(t.result), slopes}})
}

func (m *machine) differenceGradient(op *ops.DifferenceGradient, t task) error {
	x, target := t.inputs[0], t.inputs[1]
	slopes, err := m.differenceSlopes(x, target, op.Form)
	if err != nil {
		return err
	}
	return m.elementwise("difference_gradient_", t.result, m.at(t.result), m.at(x), m.at(target), slopes, m.at(t.inputs[2]), m.at(t.addend))
}

func (m *machine) variation(t task) error {
	x := t.inputs[0]
	if m.device.formatOf(x) != planes {
		return errors.New("total variation of so many channels has no kernel on the GPU; use the device cpu")
	}
	straight, diagonal := pure.VariationWeights(x.Shape[0], x.Shape[1], x.Shape[2])
	partials := m.scratch(8 * sumBlocks)
	parts, blocks := shared(x.Len(), "variation_partials", partials, m.at(x), straight, diagonal, x.Shape[0], x.Shape[1], x.Shape[2])
	return m.add(parts, join(m.at(t.result), partials, 1, blocks, 1))
}

func (m *machine) variationGradient(t task) error {
	x := t.inputs[0]
	straight, diagonal := pure.VariationWeights(x.Shape[0], x.Shape[1], x.Shape[2])
	return m.add(over(x.Len(), "variation_gradient", m.at(t.result), m.at(x), m.at(t.inputs[1]), m.at(t.addend),
		straight, diagonal, x.Shape[0], x.Shape[1], x.Shape[2]))
}
