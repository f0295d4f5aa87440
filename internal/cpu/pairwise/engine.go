package pairwise

import (
	"math"

	"impasto/internal/cpu/kernels"
)

// Engine computes with all pairs of two clouds, on workers. It keeps its workspaces.
// Only one call may run at a time.
type Engine struct {
	workers *kernels.Workers
	isa     *isa
	free    chan *workspace
	bias    []float32
	rowBias []float32
}

// NewEngine returns an engine on workers.
func NewEngine(w *kernels.Workers) *Engine {
	return &Engine{workers: w, isa: isaNamed(w.ISA()), free: make(chan *workspace, w.Threads())}
}

// workspace is the memory that one thread needs for the tiles of a part.
type workspace struct {
	sums, best, shift, tile []float32
	index                   []int32
	total                   []float64
}

// take returns a workspace that no other thread uses, until it is given back.
func (e *Engine) take() *workspace {
	select {
	case s := <-e.free:
		return s
	default:
		return &workspace{}
	}
}

// give gives a workspace back.
func (e *Engine) give(s *workspace) {
	select {
	case e.free <- s:
	default:
	}
}

// sized makes s n values long. What they hold is undefined.
func sized[T any](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	*s = (*s)[:n]
	return *s
}

const (
	// blockBytes is the memory that a part's tiles of rows may take. They stay in the
	// second-level cache beside a tile of columns.
	blockBytes = 192 << 10
	// leastParts is how many parts there are at least, if the cloud has as many tiles.
	leastParts = 64
	// Sums in float32 are added to those in float64 after every foldTiles tiles of
	// columns.
	foldTiles = 64
	// beyond is the bias of the columns and rows that fill up the last tile.
	beyond = -1e30
)

// parts calls body for ranges of a cloud's tiles. The ranges depend on the cloud only.
func (e *Engine) parts(c *Cloud, body func(first, end int, s *workspace)) {
	tiles := c.tiles()
	size := max(1, min(blockBytes/(4*c.tileSize()), tiles/leastParts))
	e.workers.Run((tiles+size-1)/size, func(part int) {
		s := e.take()
		body(part*size, min(tiles, (part+1)*size), s)
		e.give(s)
	})
}

// padded writes a value for every point of a cloud to room, filled up to whole tiles.
// nil stands for zeros.
func padded(room *[]float32, values []float64, c *Cloud) []float32 {
	to := sized(room, c.tiles()*c.isa.width())
	for i := range to {
		switch {
		case i >= c.points:
			to[i] = beyond
		case values == nil:
			to[i] = 0
		default:
			to[i] = float32(values[i])
		}
	}
	return to
}

// LogSums writes log₂ Σ_j 2^(scale·(x_i·y_j + bias_j)) for every row x_i to out;
// y_j are the columns. scale is positive.
func (e *Engine) LogSums(out []float64, rows, columns *Cloud, scale float64, bias []float64) {
	b := padded(&e.bias, bias, columns)
	width, lanes := e.isa.width(), e.isa.lanes
	e.parts(rows, func(first, end int, s *workspace) {
		n := (end - first) * width
		l := logSums{Engine: e, workspace: s, rows: rows, columns: columns, scale: float32(scale), bias: b}
		clear(sized(&s.total, n))
		clear(sized(&s.sums, n*lanes))
		shift := sized(&s.shift, n)
		for i := range shift {
			shift[i] = math.MaxFloat32
		}
		for tile := first; tile < end; tile++ {
			l.raise(tile, tile-first, 0)
		}
		for column := range columns.tiles() {
			for tile := first; tile < end; tile++ {
				l.add(tile, tile-first, column)
			}
			if (column+1)%foldTiles == 0 || column+1 == columns.tiles() {
				l.fold()
			}
		}
		for i, total := range s.total {
			if at := first*width + i; at < rows.points {
				out[at] = math.Log2(total) - float64(shift[i])
			}
		}
	})
}

// logSums are the sums of a part's rows. The exponents of row x_i are relative to
// −shift_i, so that they don't overflow. total is its sum so far, and sums is what is
// still to be added to that.
type logSums struct {
	*Engine
	*workspace
	rows, columns *Cloud
	scale         float32
	bias          []float32
}

// add adds a tile of columns to a tile of rows, number slot of the part.
func (l logSums) add(row, slot, column int) {
	width, lanes, panels := l.isa.width(), l.isa.lanes, l.isa.panels()
	sums := l.sums[slot*width*lanes : (slot+1)*width*lanes]
	shift := l.shift[slot*width : (slot+1)*width]
	for panel, raised := 0, -1; panel < panels; {
		panel = l.isa.sum(sums, l.rows.tile(row), l.columns.tile(column), l.bias[column*width:], shift, l.scale, l.rows.depth, panel, panels)
		if panel < panels && panel == raised {
			// No shift makes these sums finite.
			for i := panel * l.isa.rows * lanes; i < (panel+1)*l.isa.rows*lanes; i++ {
				sums[i] = float32(math.NaN())
			}
			panel++
		} else if panel < panels {
			l.raise(row, slot, column)
			raised = panel
		}
	}
}

// raise makes the exponents of a tile of rows relative to the greatest of those in a
// tile of columns, where that is greater than what they were relative to.
func (l logSums) raise(row, slot, column int) {
	width, lanes := l.isa.width(), l.isa.lanes
	best, index := sized(&l.best, width*lanes), sized(&l.index, width*lanes)
	for i := range best {
		best[i] = -math.MaxFloat32
	}
	l.isa.greatest(best, index, l.rows.tile(row), l.columns.tile(column), l.bias[column*width:], l.rows.depth, 0, l.isa.panels())
	for i := range width {
		most := best[i*lanes]
		for _, v := range best[i*lanes : (i+1)*lanes] {
			most = max(most, v)
		}
		at := slot*width + i
		if to := -l.scale * most; to < l.shift[at] {
			factor := math.Exp2(float64(to) - float64(l.shift[at]))
			l.shift[at] = to
			l.total[at] *= factor
			for k := at * lanes; k < (at+1)*lanes; k++ {
				l.sums[k] *= float32(factor)
			}
		}
	}
}

// fold adds sums to total.
func (l logSums) fold() {
	for i := range l.total {
		l.total[i] += takeSum(l.sums[i*l.isa.lanes : (i+1)*l.isa.lanes])
	}
}

// takeSum returns the sum of values and clears them.
func takeSum(values []float32) float64 {
	var sum float64
	for _, v := range values {
		sum += float64(v)
	}
	clear(values)
	return sum
}

// Greatest finds, for every row x_i, the greatest x_i·y_j + bias_j and its column, the
// first of several. Where no value is a number, it returns NaN and the first column.
func (e *Engine) Greatest(value []float32, index []int32, rows, columns *Cloud, bias []float64) {
	b := padded(&e.bias, bias, columns)
	width, lanes := e.isa.width(), e.isa.lanes
	e.parts(rows, func(first, end int, s *workspace) {
		n := (end - first) * width * lanes
		best, number := sized(&s.best, n), sized(&s.index, n)
		clear(number)
		for i := range best {
			best[i] = -math.MaxFloat32
		}
		for column := range columns.tiles() {
			for tile := first; tile < end; tile++ {
				at := (tile - first) * width * lanes
				e.isa.greatest(best[at:at+width*lanes], number[at:at+width*lanes], rows.tile(tile), columns.tile(column),
					b[column*width:], rows.depth, column*tileVectors, e.isa.panels())
			}
		}
		for i := first * width; i < min(end*width, rows.points); i++ {
			at := (i - first*width) * lanes
			value[i], index[i] = greatestLane(best[at:at+lanes], number[at:at+lanes])
			if int(index[i]) >= columns.points { // no product is a number
				value[i], index[i] = float32(math.NaN()), 0
			}
		}
	})
}

// greatestLane returns the greatest value and the column it was found in.
func greatestLane(best []float32, number []int32) (value float32, index int32) {
	value, index = best[0], number[0]*int32(len(best))
	for lane, v := range best {
		at := number[lane]*int32(len(best)) + int32(lane)
		if v > value || v == value && at < index {
			value, index = v, at
		}
	}
	return value, index
}
