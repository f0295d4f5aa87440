package pairwise

// path is one set of inner loops. A tile of a cloud is tileVectors·lanes points
// wide, channel by channel; a panel is a register tile's rows of it.
type path struct {
	lanes, rows  int
	sum          func(sums, rows, columns, bias, rowBias []float32, scale float32, depth, first, panels int) int
	sumMixture   func(sums, rows, columns, bias, rowBias []float32, scale float32, depth, panels int)
	exponentials func(to, rows, columns, bias, rowBias []float32, scale float32, depth, panels int)
	slopes       func(to, rows, columns, bias, rowBias []float32, scale float32, depth, panels int)
	greatest     func(best []float32, index []int32, rows, columns, bias []float32, depth, number, panels int)
	accumulate   func(to, features, weights []float32, channels, points int)
}

// tileVectors is the count of vectors in a row of a tile.
const tileVectors = 3

// width is the count of points in a tile.
func (p *path) width() int { return tileVectors * p.lanes }

// panels is the count of panels in a tile.
func (p *path) panels() int { return p.width() / p.rows }

var goPath = path{
	lanes:        goLanes,
	rows:         goRows,
	sum:          sumGo,
	sumMixture:   sumMixtureGo,
	exponentials: exponentialsGo,
	slopes:       slopesGo,
	greatest:     greatestGo,
	accumulate:   accumulateGo,
}

// pathNamed returns the inner loops that go with those of package kernels.
func pathNamed(name string) *path {
	if p, ok := paths[name]; ok {
		return p
	}
	return &goPath
}
