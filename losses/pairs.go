package losses

import (
	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// Losses that compare points pair by pair take time with the square of their
// number, and look at a sample.
const (
	// pairSample is how many positions of either side their normalised forms look
	// at, drawn anew for each key.
	pairSample = 2048
	// measureSample is that of the plain forms, which is always the same one.
	measureSample = 4096
)

// fixedSample is what plain forms keep.
var fixedSample = Summary{Sample: measureSample, Fixed: true}

// sample is how many positions a normalised form looks at at most; 0 stands for
// pairSample.
type sample int

func (s sample) most() int {
	if s == 0 {
		return pairSample
	}
	return int(s)
}

// points is what such a form keeps.
func (s sample) points() Summary { return Summary{Sample: s.most()} }

// pairs counts the pairs of a sample of n positions with one of m.
func (s sample) pairs(n, m int) float64 {
	return float64(min(n, s.most())) * float64(min(m, s.most()))
}

// compareClouds is the form that compares points. of is the loss between points of
// C channels.
func compareClouds[L pure.CloudLoss](points Summary, of func(channels int) L) Form {
	return Form{
		Summaries: []Summary{points},
		Compare: func(x, target []Summarised) (*gorgonia.Node, error) {
			return ops.CompareClouds(of(x[0].channels()), cloudsOf(x[0], target[0]))
		},
	}
}

// cloudsOf are the operands of a loss between points.
func cloudsOf(x, target Summarised) ops.CloudOperands {
	o := ops.CloudOperands{X: x.Node, Target: target.Node}
	if x.Drawn || target.Drawn {
		o.Key = Key(x.Node.Graph())
	}
	return o
}
