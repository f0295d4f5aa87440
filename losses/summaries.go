package losses

import (
	"math"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// compareVectors is the form that compares one vector. of is the comparison of vectors
// of some length.
func compareVectors[L pure.Comparison](vector Summary, of func(length int) L) Form {
	return Form{
		Summaries: []Summary{vector},
		Compare: func(x, target []Summarised) (*gorgonia.Node, error) {
			return ops.Compare(of(x[0].Node.Shape().TotalSize()), x[0].Node, target[0].Node)
		},
	}
}

// channelMoments summarises points by the mean of each channel, then the mean
// square of each.
var channelMoments = summaryByMoments(ops.MomentsForm{Diagonal: true})

// secondMoments summarises points by C means, then C×C second raw moments.
var secondMoments = summaryByMoments(ops.MomentsForm{})

func summaryByMoments(form ops.MomentsForm) Summary {
	return Summary{
		Reduce: func(points *gorgonia.Node) (*gorgonia.Node, error) {
			return ops.SummariseMoments(points, form.Diagonal)
		},
		ReduceWeighted: func(points, weights *gorgonia.Node, total float64) (*gorgonia.Node, error) {
			return ops.SummariseWeighted(points, weights, ops.WeightedMomentsForm{MomentsForm: form, Total: total})
		},
	}
}

// secondMomentChannels is C of a summary of C means and C×C second moments.
func secondMomentChannels(length int) int {
	return int(math.Round((math.Sqrt(float64(4*length+1)) - 1) / 2))
}

// momentOperations counts the C×C×N product of the second moments and that of
// their gradient.
func momentOperations(channels, positions, _ int) float64 {
	return 4 * float64(channels) * float64(channels) * float64(positions)
}

// compareSliced is the form that compares all points along lines. of gives the loss
// between points of C channels, which depends on the graph's key where keyed is set,
// and what its value is multiplied by.
func compareSliced(keyed bool, of func(channels int) (loss pure.Sliced, strength float64)) Form {
	return Form{
		Summaries: []Summary{{}},
		Compare: func(x, target []Summarised) (*gorgonia.Node, error) {
			loss, strength := of(x[0].channels())
			var key *gorgonia.Node
			if keyed {
				key = Key(x[0].Node.Graph())
			}
			value, err := ops.CompareSliced(loss, x[0].Node, target[0].Node, key)
			if err != nil || strength == 1 {
				return value, err
			}
			return Sum([]float64{strength}, value)
		},
	}
}

// channels is C of points (C×H×W).
func (s Summarised) channels() int { return s.Node.Shape()[0] }
