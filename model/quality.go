package model

// Quality says how long a descent goes on, and by which optimiser.
type Quality struct {
	Name      string
	Help      string
	Optimizer Optimizer
	// FirstIterations and the others are those of Options.
	FirstIterations, MiddleIterations, Iterations, LeastIterations int
}

// Qualities are all, from the quickest on; good is the default.
//
// L-BFGS comes to the same loss as Adam in a fifth of the time or less, and the
// pictures can hardly be told apart. The loss at the end, and processor seconds,
// of a photograph of 979×734 in Van Gogh's Starry Night at 256 pixels on two
// cores (Zen 5):
//
//	                        gram              gaussian
//	reference (Adam)        0.1827   202 s    0.1626   290 s
//	Adam, 400 and 200       0.1943    78 s    0.1650   119 s
//	Adam, 200 and 100       0.2124    38 s    0.1694    59 s
//	good (L-BFGS)           0.1837    40 s    0.1647    59 s
//	L-BFGS, 100 and 50      0.1883    21 s    0.1667    31 s
//	draft (L-BFGS)          0.1939    13 s    0.1693    18 s
var Qualities = []Quality{
	{"draft", "a look in a fraction of the time", LBFGS, 30, 10, 15, 10},
	{"good", "as many iterations as change what is seen", LBFGS, 60, 20, 40, 20},
	{"best", "the lowest loss", LBFGS, 200, 60, 150, 60},
	{"reference", "Adam with 1000 and 500 iterations, the recipe of style-transfer-pytorch", Adam, 1000, 500, 500, 500},
}

// SetQuality sets the optimiser and the iterations as a quality has them.
func (o *Options) SetQuality(name string) error {
	for _, q := range Qualities {
		if q.Name == name {
			o.Optimizer = q.Optimizer
			o.FirstIterations, o.MiddleIterations, o.Iterations, o.LeastIterations = q.FirstIterations, q.MiddleIterations, q.Iterations, q.LeastIterations
			return nil
		}
	}
	return checkName("Quality", "quality", name, QualityNames())
}

// fullSide is the longer side, in pixels, of the largest level that makes all of its
// iterations.
const fullSide = 512

// iterationsAt is how many iterations a level of a longer side makes, unless it is the
// first. The level below leaves ever less to do: docs/performance.md has what that was
// measured by.
func (o Options) iterationsAt(side int) int {
	count := o.MiddleIterations
	if side == o.Size {
		count = o.Iterations
	}
	if side <= fullSide || o.Optimizer.Averages() || o.LeastIterations >= o.Iterations {
		return count
	}
	fewer := (count*fullSide + side - 1) / side
	least := (count*o.LeastIterations + o.Iterations - 1) / o.Iterations
	return max(fewer, least)
}

// QualityNames are their names.
func QualityNames() []string {
	var names []string
	for _, q := range Qualities {
		names = append(names, q.Name)
	}
	return names
}
