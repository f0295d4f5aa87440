package kernels

import "math"

// momentKernel adds dot products of momentRows rows of a with columns rows of b, which
// are stride values apart, over n values, a positive multiple of the lanes:
//
//	for i := range momentRows {
//		for j := range columns {
//			for k := range n {
//				c[i*cRow+j] += float64(a[i*stride+k]) * float64(b[j*stride+k])
//			}
//		}
//	}
//
// One in float32 sums the products of one call in float32, lane by lane.
type momentKernel func(c []float64, cRow int, a, b []float32, stride, n int)

// momentsGo is momentKernel in Go, with 4 columns.
func momentsGo(c []float64, cRow int, a, b []float32, stride, n int) {
	for i := range momentRows {
		for j := range 4 {
			c[i*cRow+j] += dotGo(a[i*stride:i*stride+n], b[j*stride:j*stride+n])
		}
	}
}

// The blocking of Moments. A part computes momentTile × momentTile values over
// a chunk of pixels, momentDepth at a time. It copies the rows, 528 KB of the
// second-level cache, so that their distance is an odd count of cache lines. The rows
// of a picture are often a power of two apart and compete for the same few lines of
// every cache, which makes it all 2 to 5 times slower on Zen 5.
const (
	momentRows       = 4
	maxMomentColumns = 6
	momentTile       = 128
	momentDepth      = 512
	momentStride     = momentDepth + 16
	momentChunk      = 1024
	maxMomentChunks  = 16
	// partialMoments bounds the sums of all chunks, in values.
	partialMoments = maxMomentChunks * 128 * 128
)

// Moments computes the mean of the columns of x, channels×n, and their second
// raw moment, channels×channels:
//
//	mean = X·1/n    second = X·Xᵀ/n
//
// mean may be nil. Where precise is set, products are exact and summed in
// float64; otherwise up to 32 (64 on AVX2, 128 on NEON) of them are summed in float32 at a time.
// second is symmetric to the last bit.
func Moments(w *Workers, mean, second []float64, x Map, channels, n int, precise bool) {
	w.exclusive(func(shared *workspace) {
		moments(w, shared, mean, second, x, nil, 1/float64(n), channels, n, precise)
	})
}

// WeightedMoments is Moments where each column counts by its weight, from 0:
//
//	mean = X·w/total    second = X·diag(w)·Xᵀ/total
//
// Rows are multiplied by the roots of the weights, in float32, as they are copied.
func WeightedMoments(w *Workers, mean, second []float64, x Map, weights []float32, total float64, channels, n int, precise bool) {
	weights = weights[:n]
	w.exclusive(func(shared *workspace) {
		roots := shared.float32s(0, n)
		w.runLocked((n+vectorBlock-1)/vectorBlock, func(part int, _ *workspace) {
			for i := part * vectorBlock; i < min(n, (part+1)*vectorBlock); i++ {
				roots[i] = float32(math.Sqrt(float64(weights[i])))
			}
		})
		moments(w, shared, mean, second, x, roots, 1/total, channels, n, precise)
	})
}

// moments computes Moments times n·scale, of columns that are multiplied by roots unless
// that is nil.
func moments(w *Workers, shared *workspace, mean, second []float64, x Map, roots []float32, scale float64, channels, n int, precise bool) {
	second, x = second[:channels*channels], x.first(channels*n)
	across := (channels + momentTile - 1) / momentTile
	tiles := across * (across + 1) / 2
	// Many pixels are cut into chunks, whose sums are added up in order.
	chunks := max(1, min(n/momentChunk, maxMomentChunks, partialMoments/(channels*channels)))
	kernel := w.isa.moments32
	if precise {
		kernel = w.isa.moments64
	}
	seconds, means := shared.float64s(0, chunks*channels*channels), shared.float64s(1, chunks*channels)
	w.runLocked(tiles*chunks, func(part int, s *workspace) {
		chunk := part % chunks
		row, column := momentTileAt(part/chunks, across)
		t := momentTask{w.isa, kernel, seconds[chunk*channels*channels:][:channels*channels], means[chunk*channels:][:channels],
			x, roots, channels, n, s.float64s(0, momentRows*maxMomentColumns)}
		t.tile(s, row*momentTile, column*momentTile, n*chunk/chunks, n*(chunk+1)/chunks)
	})
	w.runLocked(tiles, func(part int, s *workspace) {
		row, column := momentTileAt(part, across)
		sumMomentTile(second, seconds, s.float64s(0, momentTile*momentTile), row*momentTile, column*momentTile, channels, scale)
	})
	for i := range mean {
		var sum float64
		for c := range chunks {
			sum += means[c*channels+i]
		}
		mean[i] = sum * scale
	}
}

// momentTileAt returns the row and column of a tile of the upper triangle. Tiles are
// counted row by row; across is the count of rows and columns.
func momentTileAt(tile, across int) (row, column int) {
	for ; tile >= across-row; row++ {
		tile -= across - row
	}
	return row, row + tile
}

// sumMomentTile adds up a tile of the chunks' sums, and writes it and its mirror
// image. mirror has room for one tile.
func sumMomentTile(second, seconds, mirror []float64, row, column, channels int, scale float64) {
	rows, columns := min(momentTile, channels-row), min(momentTile, channels-column)
	for i := range rows {
		first := column
		if row == column {
			first = row + i
		}
		to := second[(row+i)*channels:][first : column+columns]
		clear(to)
		for c := (row + i) * channels; c < len(seconds); c += channels * channels {
			for j, v := range seconds[c+first:][:len(to)] {
				to[j] += v
			}
		}
		for j := range to {
			to[j] *= scale
			mirror[(first-column+j)*rows+i] = to[j]
		}
	}
	for j := range columns {
		n := rows
		if row == column {
			n = j
		}
		copy(second[(column+j)*channels+row:][:n], mirror[j*rows:])
	}
}

// momentTask is a part of Moments.
type momentTask struct {
	isa         *isa
	kernel      momentKernel
	to, means   []float64 // the sums of a chunk
	x           Map
	roots       []float32 // what its columns are multiplied by, nil for nothing
	channels, n int
	edge        []float64 // a block, for those that stick out of to
}

// tile sums the products of the rows of x from i with those from j over the
// pixels from first to end. Of a tile on the diagonal, it leaves out what lies below
// the diagonal, and sums the rows besides.
func (t momentTask) tile(s *workspace, i, j, first, end int) {
	rows, columns := min(momentTile, t.channels-i), min(momentTile, t.channels-j)
	for r := i; r < i+rows; r++ {
		clear(t.to[r*t.channels+j:][:columns])
	}
	if i == j {
		clear(t.means[i : i+rows])
	}
	// Kernels read whole blocks, so there is room for one more.
	const size = (momentTile + maxMomentColumns) * momentStride
	right := s.float32s(0, size)
	left := right
	if i != j {
		left = s.float32s(1, size)
	}
	for k := first; k < end; k += momentDepth {
		depth := min(momentDepth, end-k)
		padded := t.rows(right, j, columns, k, depth)
		if i != j {
			t.rows(left, i, rows, k, depth)
		} else {
			for r := range rows {
				row := right[r*momentStride:][:depth]
				if t.roots == nil {
					t.means[i+r] += t.isa.vector.sum(row)
				} else {
					t.means[i+r] += t.isa.vector.dot(row, t.roots[k:k+depth])
				}
			}
		}
		for r := 0; r < rows; r += momentRows {
			for c := 0; c < columns; c += t.isa.momentColumns {
				if j+c+t.isa.momentColumns > i+r {
					t.block(t.to[(i+r)*t.channels+j+c:], left[r*momentStride:], right[c*momentStride:], padded, rows-r, columns-c)
				}
			}
		}
	}
}

// multiply computes y = y·x, value by value.
func multiply(y, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] *= x[i]
	}
}

// rows copies depth pixels of some rows, and zeros up to the next multiple of the
// lanes, which it returns.
func (t momentTask) rows(to []float32, first, rows, k, depth int) int {
	padded := (depth + t.isa.lanes - 1) / t.isa.lanes * t.isa.lanes
	for r := range rows {
		row := to[r*momentStride : r*momentStride+padded]
		t.x.read(&t.isa.half, row[:depth], (first+r)*t.n+k)
		if t.roots != nil {
			multiply(row[:depth], t.roots[k:])
		}
		clear(row[depth:])
	}
	return padded
}

// block adds the block of one call of the kernel, of which so many rows and columns
// exist.
func (t momentTask) block(to []float64, a, b []float32, depth, rows, columns int) {
	if rows >= momentRows && columns >= t.isa.momentColumns {
		t.kernel(to, t.channels, a, b, momentStride, depth)
		return
	}
	clear(t.edge)
	t.kernel(t.edge, maxMomentColumns, a, b, momentStride, depth)
	for r := range min(rows, momentRows) {
		for c := range min(columns, t.isa.momentColumns) {
			to[r*t.channels+c] += t.edge[r*maxMomentColumns+c]
		}
	}
}

// MomentsGradient computes dx, channels×n, from the cotangents of the results
// of Moments, or adds it to dx where add is set. dmean may be nil.
//
//	dX = (dmean·1ᵀ + (D + Dᵀ)·X)/n    with D = dsecond
//
// The matrix is rounded to float32 before it multiplies.
func MomentsGradient(w *Workers, dx []float32, x Map, dmean, dsecond []float64, channels, n int, add bool) {
	momentsGradient(w, dx, x, nil, dmean, dsecond, 1/float64(n), channels, n, add)
}

// WeightedMomentsGradient is MomentsGradient for WeightedMoments:
//
//	dX = (dmean·1ᵀ + (D + Dᵀ)·X)·diag(w)/total    with D = dsecond
func WeightedMomentsGradient(w *Workers, dx []float32, x Map, weights []float32, dmean, dsecond []float64, total float64, channels, n int, add bool) {
	momentsGradient(w, dx, x, weights[:n], dmean, dsecond, 1/total, channels, n, add)
}

// momentsGradient computes MomentsGradient times n·scale, with columns that are multiplied
// by weights unless these are nil.
func momentsGradient(w *Workers, dx []float32, x Map, weights []float32, dmean, dsecond []float64, scale float64, channels, n int, add bool) {
	dx, x, dsecond = dx[:channels*n], x.first(channels*n), dsecond[:channels*channels]
	lanes, depth := w.isa.lanes, channels
	if dmean != nil {
		depth++ // the means' cotangents multiply a row of ones below X
		dmean = dmean[:channels]
	}
	w.exclusive(func(shared *workspace) {
		left := shared.float32s(0, panels(channels)*panelRows*depth)
		w.runLocked(panels(channels), func(p int, _ *workspace) {
			packCotangents(left[p*panelRows*depth:][:panelRows*depth], dmean, dsecond, p*panelRows, channels, scale)
		})
		width := min(max(n/mapParts/mapTile*mapTile, leastMapWidth), mostMapWidth)
		w.runLocked((n+width-1)/width, func(part int, s *workspace) {
			j := part * width
			columns := min(width, n-j)
			right := s.float32s(0, (columns+tileVectors*lanes)*mapDepth)
			t := tiler[float32]{w.isa.product32, lanes, w.isa.rows, s.float32s(1, panelRows*tileVectors*maxLanes)}
			for k := 0; k < depth; k += mapDepth {
				step := min(mapDepth, depth-k)
				packFeatures(w.isa, right, x, min(k*n+j, channels*n), n, step, min(step, channels-k), columns)
				if weights != nil {
					weighPanels(right, weights[j:j+columns], step, lanes)
				}
				for i := 0; i < channels; i += panelRows {
					t.product(dx[i*n+j:], n, left[i*depth+k*panelRows:], right, min(panelRows, channels-i), columns, step, k > 0 || add)
				}
			}
		})
	})
}

// packFeatures is packRight for a map from value number at on.
func packFeatures(set *isa, to []float32, x Map, at, stride, depth, rows, columns int) {
	if x.Half == nil {
		packRight(set.product32.pack, to, x.Single[at:], stride, depth, rows, columns, set.lanes)
		return
	}
	for j := 0; j < columns; j += tileVectors * set.lanes {
		width, _, last := tileSplit(columns-j, set.lanes)
		panel := to[j*depth:]
		for k := range rows {
			set.half.widen(panel[k*width:][:width-set.lanes+last], x.Half[at+k*stride+j:])
		}
		fill(panel[rows*width:depth*width], 1)
	}
}

// weighPanels multiplies the columns of what packFeatures has laid out, of so many rows, by
// weights.
func weighPanels(panels, weights []float32, depth, lanes int) {
	for j := 0; j < len(weights); j += tileVectors * lanes {
		width, _, _ := tileSplit(len(weights)-j, lanes)
		columns := weights[j:min(j+width, len(weights))]
		for k := range depth {
			multiply(panels[j*depth+k*width:][:len(columns)], columns)
		}
	}
}

// packCotangents lays out panelRows rows of (D + Dᵀ)/n, followed by dmean/n
// unless that is nil, as packLeft does.
func packCotangents(panel []float32, dmean, dsecond []float64, first, channels int, scale float64) {
	rows := min(panelRows, channels-first)
	clear(panel)
	for k := range channels {
		to := panel[k*panelRows:][:rows]
		for r, v := range dsecond[k*channels+first:][:rows] {
			to[r] = float32((v + dsecond[(first+r)*channels+k]) * scale)
		}
	}
	if dmean != nil {
		for r, v := range dmean[first:][:rows] {
			panel[channels*panelRows+r] = float32(v * scale)
		}
	}
}

// The blocking of MomentsGradient. It has about mapParts parts or more, of
// leastMapWidth to mostMapWidth columns. Wide parts read and write in longer runs, but
// take more of the second-level cache. It takes mapDepth rows of X at a time: one more
// than a power of two, for the row of ones.
const (
	mapParts      = 64
	mapTile       = tileVectors * maxLanes
	leastMapWidth = 2 * mapTile
	mostMapWidth  = 8 * mapTile
	mapDepth      = productDepth + 1
)
