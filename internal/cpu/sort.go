package cpu

import (
	"math"

	"impasto/internal/pure"
)

// The sort is by digits of the bits of float32 values, the lowest first, which
// leaves equal values in the order in which they were. Four digits of 8 bits are
// no faster than three of 11.
const (
	digitBits = 11
	digits    = 3 // 32 bits
	buckets   = 1 << digitBits
)

// lineMatcher compares points on a line, in memory of its own that grows to what
// the longest line needs.
type lineMatcher struct {
	points, pointsTo   []uint64 // keys of x above their places
	targets, targetsTo []uint32 // keys of y
	x, matched, y      []float32
	counts             [digits][buckets]uint32
}

// fit makes room for so many points and targets.
func (l *lineMatcher) fit(points, targets int) {
	l.points, l.pointsTo = resized(l.points, points), resized(l.pointsTo, points)
	l.targets, l.targetsTo = resized(l.targets, targets), resized(l.targetsTo, targets)
	l.x, l.matched, l.y = resized(l.x, points), resized(l.matched, points), resized(l.y, targets)
}

// resized returns n values, those of s where it has as many.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// compare computes pure.CompareLines, the gradient multiplied by factor.
// Gradient and x may be the same memory.
func (l *lineMatcher) compare(gradient, x, y []float32, factor float64) float64 {
	l.fit(len(x), len(y))
	l.sortPoints(x)
	l.sortTargets(y)
	value := pure.MatchSorted(l.matched, l.x, l.y)
	slope := float32(2 * factor / float64(len(x)))
	for i, p := range l.points {
		gradient[uint32(p)] = slope * (l.x[i] - l.matched[i])
	}
	return value
}

// sortPoints sorts x into l.x and leaves in l.points where each came from.
func (l *lineMatcher) sortPoints(x []float32) {
	l.counts = [digits][buckets]uint32{}
	for i, v := range x {
		k := key(v)
		l.points[i] = uint64(k)<<32 | uint64(i)
		l.count(k)
	}
	for d := range digits {
		if places := l.places(d, len(x)); places != nil {
			shift := 32 + d*digitBits
			for _, p := range l.points {
				digit := p >> shift % buckets
				l.pointsTo[places[digit]] = p
				places[digit]++
			}
			l.points, l.pointsTo = l.pointsTo, l.points
		}
	}
	for i, p := range l.points {
		l.x[i] = value32(uint32(p >> 32))
	}
}

// sortTargets sorts y into l.y.
func (l *lineMatcher) sortTargets(y []float32) {
	l.counts = [digits][buckets]uint32{}
	for i, v := range y {
		k := key(v)
		l.targets[i] = k
		l.count(k)
	}
	for d := range digits {
		if places := l.places(d, len(y)); places != nil {
			shift := d * digitBits
			for _, k := range l.targets {
				digit := k >> shift % buckets
				l.targetsTo[places[digit]] = k
				places[digit]++
			}
			l.targets, l.targetsTo = l.targetsTo, l.targets
		}
	}
	for i, k := range l.targets {
		l.y[i] = value32(k)
	}
}

func (l *lineMatcher) count(k uint32) {
	l.counts[0][k%buckets]++
	l.counts[1][k>>digitBits%buckets]++
	l.counts[2][k>>(2*digitBits)]++
}

// places turns the counts of a digit into where the first of each bucket goes,
// or is nil where all n are in one bucket.
func (l *lineMatcher) places(digit, n int) *[buckets]uint32 {
	counts := &l.counts[digit]
	var sum uint32
	for i, c := range counts {
		if int(c) == n {
			return nil
		}
		counts[i] = sum
		sum += c
	}
	return counts
}

// key is an integer that is ordered as values are, those that aren't numbers
// beyond the infinities. It is the same for both zeros.
func key(v float32) uint32 {
	bits := math.Float32bits(v + 0) // −0 + 0 is 0
	return bits ^ (uint32(int32(bits)>>31) | 1<<31)
}

// value32 is the value of a key.
func value32(k uint32) float32 {
	return math.Float32frombits(k ^ (^uint32(int32(k)>>31) | 1<<31))
}
