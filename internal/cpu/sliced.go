package cpu

import (
	"math"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

const (
	// directionBlock is how many directions the target is projected on at a time,
	// so that of its projections no more are in memory.
	directionBlock = 16
	// columnBlock is how many positions the gradient is computed for at a time.
	columnBlock = 4096
)

var slicedKernel = kernel{
	when: onSingles,
	evaluate: func(m *machine, loss ops.Loss, in []*plan.Buffer) func(gradient value) (float64, error) {
		_, n := channelsAndPositions(in[0])
		_, targets := channelsAndPositions(in[1])
		s := newSliced(m.device.workers, m.device.lines, loss.(*ops.Sliced).Loss, n, targets)
		x, y, key := m.values[in[0]].single, m.values[in[1]].single, m.keyOf(in, 2)
		return func(gradient value) (float64, error) { return s.run(gradient.single, x, y, key[0]), nil }
	},
	keeps: func(d *Device, step plan.Step) (own, shared int64) {
		loss, in, _ := step.Loss()
		of := loss.(*ops.Sliced).Loss
		_, n := channelsAndPositions(in[0])
		_, targets := channelsAndPositions(in[1])
		matcher := 24*int64(n) + 12*int64(targets)
		return 16 * int64(of.Directions) * int64(of.Channels), // in two orders of float32, and exactly
			2*4*directionBlock*int64(targets) + int64(d.workers.Threads())*matcher
	},
}

// sliced computes pure.CompareSliced: projections by matrix products in float32,
// then a sort for each line. Beyond the result it needs the target's projections
// on a block of directions, and one line a thread, in memory that all such losses
// of a device share.
//
// With 64 channels and directions and as many target positions, on two cores
// (Zen 5): 64² positions in 4.4 ms, 128² in 16, 224² in 52, 256² in 77, 512² in
// 415. Sorting takes half of it, products a fifth.
type sliced struct {
	loss      pure.Sliced
	workers   *kernels.Workers
	workspace *lineWorkspace
	n, m      int
	values    []float64 // by line
	// Those below are nil along the axes.
	directions, transposed []float32 // K×C, C×K
	exact                  []float64 // the directions
	drawn                  float64   // the key that they are drawn by
}

// lineWorkspace is memory for one evaluation at a time.
type lineWorkspace struct {
	free          chan *lineMatcher // one a thread
	targets       []float32         // directionBlock×M
	targetSlopes  []float32         // likewise
	rows, columns []float32         // K× and C×columnBlock, a block of the gradient
}

func newLineWorkspace(threads int) *lineWorkspace {
	s := &lineWorkspace{free: make(chan *lineMatcher, threads)}
	for range threads {
		s.free <- new(lineMatcher)
	}
	return s
}

func newSliced(w *kernels.Workers, shared *lineWorkspace, loss pure.Sliced, n, m int) *sliced {
	s := &sliced{loss: loss, workers: w, workspace: shared, n: n, m: m, values: make([]float64, loss.Lines())}
	if k := loss.Directions; k > 0 {
		s.directions, s.transposed = make([]float32, k*loss.Channels), make([]float32, k*loss.Channels)
		s.drawn = math.NaN()
	}
	return s
}

// run writes the gradient by x and returns the loss.
func (s *sliced) run(gradient, x, y []float32, key float64) float64 {
	factor := s.loss.Factor(kernels.Dot(s.workers, y, y), len(y))
	if s.loss.Directions == 0 {
		s.match(gradient, x, y, 0, s.loss.Channels, factor)
	} else {
		s.aim(gradient, x, y, key)
		s.along(gradient, x, y, factor)
	}
	var value float64
	for _, v := range s.values {
		value += factor * v
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		s.drawn = math.NaN() // directions turned by such features are none to hold
	}
	return value
}

// match compares count lines, rows of points and targets, from number first on.
// Slopes may be the same memory as points.
func (s *sliced) match(slopes, points, targets []float32, first, count int, factor float64) {
	s.workers.Run(count, func(i int) {
		line := <-s.workspace.free
		s.values[first+i] = line.compare(slopes[i*s.n:(i+1)*s.n], points[i*s.n:(i+1)*s.n], targets[i*s.m:(i+1)*s.m], factor)
		s.workspace.free <- line
	})
}

// along compares along the directions. The projections of x, and then the
// slopes, are where the gradient will be.
func (s *sliced) along(gradient, x, y []float32, factor float64) {
	k, c := s.loss.Directions, s.loss.Channels
	points := gradient[:k*s.n]
	s.workspace.targets = resized(s.workspace.targets, min(directionBlock, k)*s.m)
	kernels.MatrixProduct32(s.workers, points, s.directions, x, k, s.n, c)
	for first := 0; first < k; first += directionBlock {
		count := min(directionBlock, k-first)
		kernels.MatrixProduct32(s.workers, s.workspace.targets, s.directions[first*c:], y, count, s.m, c)
		block := points[first*s.n : (first+count)*s.n]
		s.match(block, block, s.workspace.targets, first, count, factor)
	}
	s.backProject(gradient)
}

// backProject multiplies the slopes, in the first K rows of gradient, by the
// directions, some columns at a time.
func (s *sliced) backProject(gradient []float32) {
	k, c := s.loss.Directions, s.loss.Channels
	s.workspace.rows = resized(s.workspace.rows, k*min(columnBlock, s.n))
	s.workspace.columns = resized(s.workspace.columns, c*min(columnBlock, s.n))
	rows, columns := s.workspace.rows, s.workspace.columns
	for first := 0; first < s.n; first += columnBlock {
		width := min(columnBlock, s.n-first)
		s.workers.Run(k, func(i int) {
			copy(rows[i*width:(i+1)*width], gradient[i*s.n+first:])
		})
		kernels.MatrixProduct32(s.workers, columns, s.transposed, rows, c, width, k)
		s.workers.Run(c, func(i int) {
			copy(gradient[i*s.n+first:], columns[i*width:(i+1)*width])
		})
	}
}

// aim draws the directions and turns them, with scratch for the points on them,
// unless those that there are will do.
func (s *sliced) aim(scratch, x, y []float32, key float64) {
	if key == s.drawn && (s.loss.Ascent == 0 || s.loss.Held) {
		return
	}
	s.drawn = key
	s.point(pure.Directions(s.loss.Directions, s.loss.Channels, key))
	for range s.loss.Ascent {
		s.ascend(scratch, x, y)
	}
}

// point takes directions, K×C.
func (s *sliced) point(directions []float64) {
	s.exact = directions
	for i, v := range directions {
		s.directions[i] = float32(v)
		s.transposed[i%s.loss.Channels*s.loss.Directions+i/s.loss.Channels] = float32(v)
	}
}

// ascend turns the directions by a step, with scratch for the points on them.
func (s *sliced) ascend(scratch, x, y []float32) {
	k, c := s.loss.Directions, s.loss.Channels
	points := scratch[:k*s.n]
	kernels.MatrixProduct32(s.workers, points, s.directions, x, k, s.n, c)
	slopes := make([]float64, k*c)
	for first := 0; first < k; first += directionBlock {
		count := min(directionBlock, k-first)
		block := points[first*s.n : (first+count)*s.n]
		s.workspace.targets = resized(s.workspace.targets, count*s.m)
		s.workspace.targetSlopes = resized(s.workspace.targetSlopes, count*s.m)
		targets, targetSlopes := s.workspace.targets, s.workspace.targetSlopes
		kernels.MatrixProduct32(s.workers, targets, s.directions[first*c:], y, count, s.m, c)
		s.workers.Run(count, func(i int) {
			line := <-s.workspace.free
			p, q := block[i*s.n:(i+1)*s.n], targets[i*s.m:(i+1)*s.m]
			line.compare(targetSlopes[i*s.m:(i+1)*s.m], q, p, 1)
			line.compare(p, p, q, 1)
			s.workspace.free <- line
		})
		s.pull(slopes[first*c:], block, x, count, s.n)
		s.pull(slopes[first*c:], targetSlopes, y, count, s.m)
	}
	s.loss.Turn(s.exact, slopes)
	s.point(s.exact)
}

// pull adds the products of count rows with the channels of a map, each of n
// positions, to slopes, count×C.
func (s *sliced) pull(slopes []float64, rows, from []float32, count, n int) {
	c := s.loss.Channels
	s.workspace.rows, s.workspace.columns = resized(s.workspace.rows, count*n), resized(s.workspace.columns, c*count)
	transposed, products := s.workspace.rows, s.workspace.columns
	for i := range count {
		for k, v := range rows[i*n : (i+1)*n] {
			transposed[k*count+i] = v
		}
	}
	kernels.MatrixProduct32(s.workers, products, from, transposed, c, count, n)
	for i, v := range products {
		slopes[i%count*c+i/count] += float64(v)
	}
}
