package pairwise

// isa is an instruction set with its inner loops. A tile of a cloud is
// tileVectors·lanes points wide, channel by channel. A panel is as many points of a
// tile as a register tile has rows. loops.go defines what the loops compute.
type isa struct {
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
func (set *isa) width() int { return tileVectors * set.lanes }

// panels is the count of panels in a tile.
func (set *isa) panels() int { return set.width() / set.rows }

var isaGo = isa{goLanes, goRows, sumGo, sumMixtureGo, exponentialsGo, slopesGo, greatestGo, accumulateGo}

// isaNamed returns the instruction set that package kernels calls so.
func isaNamed(name string) *isa {
	if set, ok := isas[name]; ok {
		return set
	}
	return &isaGo
}
