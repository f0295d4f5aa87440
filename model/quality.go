package model

import "math"

// Quality says how long a descent goes on, and by which optimiser.
type Quality struct {
	Name      string
	Help      string
	Optimizer Optimizer
	// FirstIterations and the others are those of Options under the loss gaussian; see
	// SetQuality.
	FirstIterations, MiddleIterations, Iterations, LeastIterations int
}

// Qualities are all, from the quickest on; good is the default.
//
// L-BFGS comes to the same loss as Adam in a fifth of the time or less. How many of its
// iterations go to which level was chosen by the mean distance to the style at one distance
// from the content (docs/performance.md, "Time to a picture").
var Qualities = []Quality{
	{"draft", "a look in a fraction of the time", LBFGS, 25, 8, 12, 8},
	{"good", "as many iterations as change what is seen", LBFGS, 60, 15, 30, 20},
	{"best", "the lowest loss", LBFGS, 200, 60, 150, 60},
	{"reference", "Adam with 1000 and 500 iterations, the recipe of style-transfer-pytorch", Adam, 1000, 500, 500, 500},
}

// paces are how many times the iterations of a quality L-BFGS makes under a loss, so that
// the loss is as near to its end as under gaussian, for which they are. How far it is above
// that after 250 iterations, in per cent, of a photograph in The Starry Night at 128 pixels:
//
//	iterations    20     40     60     80    120    160
//	gaussian      14      8    4.5    2.9    1.4    0.7
//	histogram     10      4    2.4    1.5    0.6    0.2
//	moments       10      4    2.6    1.6    0.8    0.4
//	gram          28     15     10    7.5    4.4    2.4
//	cmd           42     19     12    8.8    4.7    2.3
//	sliced        11      9     11    7.1    6.1    2.6
//	max-sliced    17     15     12    8.1    8.7    5.3
//
// The last two draw directions anew each iteration, by which their values vary by 3.
var paces = map[string]float64{"cmd": 2, "gram": 2, "histogram": 0.75, "max-sliced": 1.5, "moments": 0.75, "sliced": 1.5}

// pace is that of the slowest of the style's losses.
func (o Options) pace() float64 {
	slowest := 0.
	for _, t := range o.StyleTerms {
		pace, known := paces[t.Loss.Description().Name]
		if !known {
			pace = 1
		}
		slowest = max(slowest, pace)
	}
	return slowest
}

// SetQuality sets the optimiser and the iterations as a quality has them for the losses of
// the style terms, which are set before.
func (o *Options) SetQuality(name string) error {
	for _, q := range Qualities {
		if q.Name == name {
			pace := 1.
			if !q.Optimizer.Averages() && len(o.StyleTerms) > 0 {
				pace = o.pace()
			}
			of := func(iterations int) int { return int(math.Ceil(pace * float64(iterations))) }
			o.Optimizer = q.Optimizer
			o.FirstIterations, o.MiddleIterations, o.Iterations, o.LeastIterations = of(q.FirstIterations), of(q.MiddleIterations), of(q.Iterations), of(q.LeastIterations)
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
