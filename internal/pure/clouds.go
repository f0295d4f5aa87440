package pure

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// CloudLoss is a loss between two clouds of features that looks at their points
// pair by pair.
type CloudLoss interface {
	// Compare returns the loss between x (C×N) and y (C×M) and writes its gradient
	// by x.
	Compare(gradient, x, y []float64) (float64, error)
	// String names the loss and all that its result depends on.
	String() string
}

// CloudComparison is a loss between clouds of which it looks at a sample.
type CloudComparison struct {
	Loss     CloudLoss
	Channels int
	Sample   Sample
}

func (c CloudComparison) String() string {
	return fmt.Sprintf("%s of %d channels, sample=%d", c.Loss, c.Channels, c.Sample.Most)
}

// Sample says how many positions of a map are looked at: Most of them, one from
// each of as many runs of equal length, in the order of rows; or all where Most
// is 0 or there are no more.
type Sample struct{ Most int }

// Of returns how many of n positions are looked at.
func (s Sample) Of(n int) int {
	if s.Most == 0 {
		return n
	}
	return min(n, s.Most)
}

// Positions returns which of n positions, nil for all, by the draw. Maps of one
// size have the same, so that a map is at no distance from itself.
func (s Sample) Positions(n int, draw float64) []int32 {
	most := s.Of(n)
	if most == n {
		return nil
	}
	random := rand.New(rand.NewPCG(math.Float64bits(draw), 1))
	positions := make([]int32, most)
	for i := range positions {
		first, end := i*n/most, (i+1)*n/most
		positions[i] = int32(first + random.IntN(end-first))
	}
	return positions
}

// CompareClouds returns the loss between the samples of x (C×N) and y (C×M) that
// a draw gives, and writes its gradient by x, which is zero where x wasn't looked
// at.
func CompareClouds[T Float](c CloudComparison, gradient, x, y []T, draw float64) (float64, error) {
	n, m := len(x)/c.Channels, len(y)/c.Channels
	positions := c.Sample.Positions(n, draw)
	points := gather(x, c.Channels, positions)
	slopes := make([]float64, len(points))
	value, err := c.Loss.Compare(slopes, points, gather(y, c.Channels, c.Sample.Positions(m, draw)))
	if err != nil {
		return 0, err
	}
	clear(gradient)
	count := len(slopes) / c.Channels
	for channel := range c.Channels {
		for i := range count {
			at := i
			if positions != nil {
				at = int(positions[i])
			}
			gradient[channel*n+at] = T(slopes[channel*count+i])
		}
	}
	return value, nil
}

func gather[T Float](x []T, channels int, positions []int32) []float64 {
	n := len(x) / channels
	var points []float64
	for channel := range channels {
		row := x[channel*n : (channel+1)*n]
		if positions == nil {
			for _, v := range row {
				points = append(points, float64(v))
			}
		}
		for _, at := range positions {
			points = append(points, float64(row[at]))
		}
	}
	return points
}

// pairCosts returns |x_i − y_j|² for the points of x (C×N) and y (C×M), N rows.
func pairCosts(x, y []float64, channels int) []float64 {
	n, m := len(x)/channels, len(y)/channels
	costs := make([]float64, n*m)
	for c := range channels {
		for i, v := range x[c*n : (c+1)*n] {
			for j, w := range y[c*m : (c+1)*m] {
				costs[i*m+j] += (v - w) * (v - w)
			}
		}
	}
	return costs
}

// transposed returns the columns of a matrix with n rows as rows.
func transposed(a []float64, n int) []float64 {
	m := len(a) / n
	t := make([]float64, len(a))
	for i := range n {
		for j := range m {
			t[j*n+i] = a[i*m+j]
		}
	}
	return t
}

// Spread describes a cloud: its mean, the mean |y|² and the mean |y − mean|².
type Spread struct {
	Mean           []float64
	Square, Within float64
}

// SpreadOf returns the spread of a cloud, the points of y (C×M) at positions, nil
// for all.
func SpreadOf[T Float](y []T, channels int, positions []int32) Spread {
	m := len(y) / channels
	s := Spread{Mean: make([]float64, channels)}
	for c := range channels {
		s.Add(c, ChannelSpread(y[c*m:(c+1)*m], positions))
	}
	return s
}

// Add takes in the spread of one channel by itself.
func (s *Spread) Add(channel int, of Spread) {
	s.Mean[channel] = of.Mean[0]
	s.Square += of.Square
	s.Within += of.Within
}

// ChannelSpread is the spread of a single channel.
func ChannelSpread[T Float](row []T, positions []int32) Spread {
	values := func(each func(v float64)) {
		if positions == nil {
			for _, v := range row {
				each(float64(v))
			}
		}
		for _, at := range positions {
			each(float64(row[at]))
		}
	}
	var sum, count, square, within float64
	values(func(v float64) {
		sum += v
		count++
	})
	mean := sum / count
	values(func(v float64) {
		square += v * v
		within += (v - mean) * (v - mean)
	})
	return Spread{Mean: []float64{mean}, Square: square / count, Within: within / count}
}

// Constant tells whether the cloud's points are equal, up to rounding of float32.
func (s Spread) Constant() bool { return s.Within <= 1e-12*s.Square }

// scale is what a loss of second degree is divided by where it is Scaled: the
// target's mean square activation, summed over channels.
func (s Spread) scale() float64 { return s.Square + epsilon }

func meanOf(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
