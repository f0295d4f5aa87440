//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"gorgonia.org/cu"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

const (
	// partPositions is how many positions one part of a sum takes at most, so that
	// what is summed in float32 within it loses little, and large maps have parts for
	// all multiprocessors.
	partPositions = 1024
	// mostParts bounds the memory of the parts.
	mostParts = 512
)

func partsOf(positions int) int { return min((positions+partPositions-1)/partPositions, mostParts) }

// geometry is a map's channels and positions.
func geometry(x *plan.Buffer) (channels, positions int) {
	return x.Shape[0], x.Shape[1] * x.Shape[2]
}

// channelSums binds a kernel that sums count powers of each channel, and writes
// the means to result.
func (m *machine) channelSums(result cu.DevicePtr, x *plan.Buffer, kernel string, count int, more ...any) error {
	if m.device.formatOf(x) != channelsLast {
		return errFewChannels
	}
	channels, positions := geometry(x)
	parts := partsOf(positions)
	partials := m.scratch(8 * parts * count * channels)
	arguments := append([]any{partials, m.at(x)}, more...)
	return m.add(
		launch{
			kernel: kernel + m.device.maps(), grid: dim{x: (channels + 31) / 32, y: parts}, block: dim{x: 32, y: 8},
			arguments: append(arguments, channels, positions),
		},
		overRows(count*channels, "sum_rows", result, partials, 1/float64(positions), parts, count*channels))
}

func (m *machine) moments(op *ops.Moments, t task) error {
	x, result := t.inputs[0], m.at(t.result)
	if op.Diagonal {
		return m.channelSums(result, x, "channel_squares_", 2)
	}
	if err := m.channelSums(result, x, "channel_sums_", 1); err != nil {
		return err
	}
	channels, positions := geometry(x)
	parts, blocks := partsOf(positions), (channels+63)/64
	partials := m.scratch(8 * parts * channels * channels)
	sums := launch{
		kernel: "second_moments_" + m.device.maps(), grid: dim{x: blocks * (blocks + 1) / 2, y: parts}, block: dim{x: 256},
		arguments: []any{partials, m.at(x), channels, positions},
	}
	// Not of maps in float32: with elements rounded in the products and not in the
	// sums, a covariance would have eigenvalues below zero.
	if m.device.elementSize() == 2 && channels%64 == 0 && positions <= mostParts*partPositions {
		sums.kernel, sums.block.x, sums.shared = "second_moments_matrix_"+m.device.precision, 128, 27648
	}
	second := result + cu.DevicePtr(8*channels)
	return m.add(sums, overRows(channels*channels, "second_moments_finish", second, partials, parts, channels, positions))
}

func (m *machine) momentsGradient(op *ops.MomentsGradient, t task) error {
	x, cotangent := t.inputs[0], m.at(t.inputs[1])
	if m.device.formatOf(x) != channelsLast {
		return errFewChannels
	}
	channels, positions := geometry(x)
	if op.Diagonal {
		return m.add(over(x.Len(), "channel_gradient_"+m.device.maps(),
			m.at(t.result), m.at(x), cotangent, m.at(t.addend), m.at(t.mask), channels, positions))
	}
	greatest, matrix := m.scratch(8*256), m.scratch(4*channels*channels)
	factor, bias := m.scratch(4), m.scratch(4*channels)
	search, blocks := shared(channels*channels, "cotangent_greatest", greatest, cotangent+cu.DevicePtr(8*channels), channels)
	blocks = min(blocks, 256)
	search.grid.x = blocks
	p := product{
		result: m.at(t.result), x: m.at(x), matrix: matrix, factor: factor, bias: bias, addend: m.at(t.addend), mask: m.at(t.mask),
		in: channels, out: channels, rows: positions,
	}
	ready := over(channels*channels, "moments_cotangent_"+m.productType(p), matrix, factor, bias, cotangent, greatest, blocks, channels, positions)
	return m.add(append([]launch{search, ready}, m.product(p)...)...)
}

func (m *machine) powerMoments(t task) error {
	x := t.inputs[0]
	channels, _ := geometry(x)
	means, central := m.scratch(8*channels), m.scratch(8*4*channels)
	if err := m.channelSums(means, x, "channel_sums_", 1); err != nil {
		return err
	}
	if err := m.channelSums(central, x, "channel_powers_", 4, means); err != nil {
		return err
	}
	return m.add(over(channels, "raw_moments", m.at(t.result), means, central, channels))
}

func (m *machine) powerMomentsGradient(t task) error {
	x := t.inputs[0]
	if m.device.formatOf(x) != channelsLast {
		return errFewChannels
	}
	channels, positions := geometry(x)
	return m.add(over(x.Len(), "powers_gradient_"+m.device.maps(),
		m.at(t.result), m.at(x), m.at(t.inputs[1]), m.at(t.addend), m.at(t.mask), channels, positions))
}

// comparison binds a loss between two summaries.
func (m *machine) comparison(op *ops.Comparison, t task) error {
	result, summary, target := m.at(t.result), m.at(t.inputs[0]), m.at(t.inputs[1])
	one := dim{x: vectorThreads}
	switch loss := op.Loss.(type) {
	case pure.Gram:
		n, means := loss.Channels*loss.Channels, cu.DevicePtr(8*loss.Channels)
		partials, sums := m.scratch(8*3*sumBlocks), m.scratch(8*3)
		parts, blocks := shared(n, "difference_partials_f64", partials, summary+means, target+means, n)
		return m.add(parts, join(sums, partials, 3, blocks, 1),
			over(n, "gram_comparison", result, summary, target, sums, flag(loss.Scaled), loss.Channels))
	case pure.Gaussian:
		return m.gaussian(loss, t)
	case pure.ChannelStatistics:
		return m.add(launch{
			kernel: "statistics_comparison", block: one,
			arguments: []any{result, summary, target, flag(loss.Scaled), loss.Channels},
		})
	case pure.CentralMoments:
		return m.add(launch{
			kernel: "central_comparison", block: one,
			arguments: []any{result, summary, target, loss.Smoothing, flag(loss.Scaled), loss.Channels},
		})
	}
	return errNoKernel
}
