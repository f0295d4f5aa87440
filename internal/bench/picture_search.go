package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"impasto/model"
)

// mostRuns is how many content weights are tried at most.
const mostRuns = 5

// nearEnough is what the geometric mean of the gaps on either side of the wanted content
// distance comes to in the end. The straight line between two runs is then off by less than
// 0.001: with it the distance from the style errs by half the product of the gaps times the
// second derivative, which is some 0.7 at 128 pixels.
const nearEnough = 0.04

// Steps are in the logarithm of the content weight.
var (
	leastStep = math.Log(1.2)
	mostStep  = math.Log(8)
)

const (
	// usualSlope is by how much the content distance changes with the logarithm of the
	// content weight, about, near the defaults' looks.
	usualSlope = -0.3
	// flatSlope is the flattest that is believed.
	flatSlope = -0.03
	// overshoot has steps end beyond where the slope says, so that they bracket.
	overshoot = 1.25
)

// search runs with several content weights, beginning with one, until content distances
// bracket the wanted one closely, or it has run mostRuns times.
func search(weight, wanted float64, run func(number int, weight float64) (PictureValues, error)) ([]PictureValues, error) {
	runs := []PictureValues{}
	for more := true; more && len(runs) < mostRuns; weight, more = nextWeight(runs, wanted) {
		values, err := run(len(runs)+1, weight)
		if err != nil {
			return runs, err
		}
		runs = append(runs, values)
	}
	return runs, nil
}

// nearest are the runs that come nearest to the wanted content distance from above and from
// below, nil where there is none on that side. One that hits it is both.
func nearest(runs []PictureValues, wanted float64) (above, below *PictureValues) {
	for i := range runs {
		r := &runs[i]
		if d := r.ContentDistance; d >= wanted && (above == nil || d < above.ContentDistance) {
			above = r
		}
		if d := r.ContentDistance; d <= wanted && (below == nil || d > below.ContentDistance) {
			below = r
		}
	}
	return above, below
}

// nextWeight is the content weight to try next, if any. Content distances fall as it grows.
func nextWeight(runs []PictureValues, wanted float64) (weight float64, more bool) {
	above, below := nearest(runs, wanted)
	if above == nil || below == nil {
		return weightBeyond(runs, wanted)
	}
	up, down := above.ContentDistance-wanted, wanted-below.ContentDistance
	if up*down <= nearEnough*nearEnough {
		return 0, false
	}
	part := up / (up + down)
	return math.Exp((1-part)*math.Log(above.ContentWeight) + part*math.Log(below.ContentWeight)), true
}

// weightBeyond is the next content weight where all content distances are on one side: by
// the secant through the two runs that went farthest, and a bit beyond.
func weightBeyond(runs []PictureValues, wanted float64) (weight float64, more bool) {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b PictureValues) int {
		return cmp.Compare(a.ContentWeight, b.ContentWeight)
	})
	if sorted[0].ContentDistance < wanted { // towards smaller weights
		slices.Reverse(sorted)
	}
	last, slope := sorted[len(sorted)-1], usualSlope
	if len(sorted) > 1 {
		before := sorted[len(sorted)-2]
		slope = min(flatSlope, (last.ContentDistance-before.ContentDistance)/math.Log(last.ContentWeight/before.ContentWeight))
	}
	step := overshoot * (wanted - last.ContentDistance) / slope
	step = math.Copysign(min(max(math.Abs(step), leastStep), mostStep), step)
	weight = min(max(last.ContentWeight*math.Exp(step), 1/model.MaxWeight), model.MaxWeight)
	return weight, weight != last.ContentWeight
}

// between are the values at the wanted content distance, on the straight line between the
// nearest runs on either side of it, if there are such.
func between(runs []PictureValues, wanted float64) (PictureValues, bool) {
	above, below := nearest(runs, wanted)
	if above == nil || below == nil {
		return PictureValues{}, false
	}
	if above.ContentDistance == below.ContentDistance {
		return *above, true
	}
	part := (above.ContentDistance - wanted) / (above.ContentDistance - below.ContentDistance)
	values := blend([]PictureValues{*above, *below}, []float64{1 - part, part})
	values.ContentDistance = wanted
	return values, true
}

// blend adds up values with shares that sum to 1. Content weights are blended by their
// logarithms.
func blend(values []PictureValues, shares []float64) PictureValues {
	var sum PictureValues
	logarithm := 0.
	for i, v := range values {
		s := shares[i]
		logarithm += s * math.Log(v.ContentWeight)
		sum.ContentDistance += s * v.ContentDistance
		sum.Gram += s * v.Gram
		sum.Gaussian += s * v.Gaussian
		sum.Sliced += s * v.Sliced
		sum.Distance += s * v.Distance
		sum.Seconds += s * v.Seconds
		sum.ProcessorSeconds += s * v.ProcessorSeconds
	}
	sum.ContentWeight = math.Exp(logarithm)
	return sum
}

// reachOf says in words how far runs came that don't bracket what was wanted.
func reachOf(runs []PictureValues) string {
	least, most := runs[0], runs[0]
	for _, r := range runs {
		if r.ContentWeight < least.ContentWeight {
			least = r
		}
		if r.ContentWeight > most.ContentWeight {
			most = r
		}
	}
	return fmt.Sprintf("content weights from %.3g to %.3g come to content distances from %.3f to %.3f",
		least.ContentWeight, most.ContentWeight, least.ContentDistance, most.ContentDistance)
}
