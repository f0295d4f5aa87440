package pure

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Sliced is the mean over directions θ of the squared Wasserstein-2 distance
// between two clouds of features on the line along θ,
//
//	1/K · Σ_θ W₂²(θᵀX, θᵀY)
//
// (Rabin et al. 2011; for style transfer, Heitz et al. 2021).
type Sliced struct {
	Channels int
	// Directions is K, at most Channels: orthonormal vectors drawn by a key. 0
	// takes the coordinate axes, all of them.
	Directions int
	// Scaled divides by the target's mean square activation.
	Scaled bool
	// Ascent is how many steps the directions are turned by towards where the
	// clouds are farther apart (Deshpande et al. 2019 for one direction; Dai and
	// Seljak 2021 for several). The gradient takes them to be constant, which is
	// right where the steps have led to a maximum.
	Ascent int
	// Held keeps directions that were turned by an ascent for the evaluations with the
	// same key that follow, on machines, which remember them: a line search then
	// sees one function. CompareSliced, which remembers nothing, is what the first
	// evaluation with a key comes to.
	Held bool
}

// Lines is how many directions are gone through.
func (s Sliced) Lines() int {
	if s.Directions > 0 {
		return s.Directions
	}
	return s.Channels
}

// Factor is what each direction's distance counts for, given the target's sum
// of squares over its length values.
func (s Sliced) Factor(targetSquares float64, length int) float64 {
	factor := 1 / float64(s.Lines())
	if s.Scaled {
		factor /= targetSquares/float64(length) + epsilon
	}
	return factor
}

// CompareSliced returns the loss between features x (C×N) and target y (C×M)
// and writes its gradient by x. Directions depend on key alone.
func CompareSliced[T Float](s Sliced, gradient, x, y []T, key float64) float64 {
	n, m := len(x)/s.Channels, len(y)/s.Channels
	var squares float64
	for _, v := range y {
		squares += float64(v) * float64(v)
	}
	factor := s.Factor(squares, len(y))
	p, q, slope := make([]float64, n), make([]float64, m), make([]float64, n)
	sum := make([]float64, len(x))
	directions := s.directions(key)
	for range s.Ascent {
		slopes := make([]float64, 0, len(directions))
		for direction := range slices.Chunk(directions, s.Channels) {
			slopes = append(slopes, turn(direction, x, y)...)
		}
		s.Turn(directions, slopes)
	}
	var value float64
	for direction := range slices.Chunk(directions, s.Channels) {
		project(p, direction, x)
		project(q, direction, y)
		value += factor * CompareLines(slope, p, q)
		for c, weight := range direction {
			for i, v := range slope {
				sum[c*n+i] += factor * weight * v
			}
		}
	}
	for i, v := range sum {
		gradient[i] = T(v)
	}
	return value
}

func (s Sliced) directions(key float64) []float64 {
	if s.Directions > 0 {
		return Directions(s.Directions, s.Channels, key)
	}
	axes := make([]float64, s.Channels*s.Channels)
	for i := range s.Channels {
		axes[i*s.Channels+i] = 1
	}
	return axes
}

// turn is the gradient of the distance along a direction by the direction.
func turn[T Float](direction []float64, x, y []T) []float64 {
	n, m := len(x)/len(direction), len(y)/len(direction)
	p, q, slopeX, slopeY := make([]float64, n), make([]float64, m), make([]float64, n), make([]float64, m)
	project(p, direction, x)
	project(q, direction, y)
	CompareLines(slopeX, p, q)
	CompareLines(slopeY, q, p)
	slopes := make([]float64, len(direction))
	for c := range slopes {
		for i, v := range slopeX {
			slopes[c] += v * float64(x[c*n+i])
		}
		for i, v := range slopeY {
			slopes[c] += v * float64(y[c*m+i])
		}
	}
	return slopes
}

// persistence is how much of a direction stays in a step of Turn, in units of
// the mean slope. It keeps the step defined where there is no slope.
const persistence = 1e-3

// Turn makes a step of the ascent, an orthogonal iteration: for a given matching
// of the points the distance along θ is θᵀAθ, its slope 2Aθ, and steps to the
// slopes, made orthonormal, lead to the eigenvectors of largest eigenvalue.
func (s Sliced) Turn(directions, slopes []float64) {
	keep := persistence*math.Sqrt(dot(slopes, slopes)/float64(s.Directions)) + math.SmallestNonzeroFloat32
	for i, v := range slopes {
		directions[i] = keep*directions[i] + v
	}
	orthonormalise(directions, s.Channels)
}

// Directions are count orthonormal vectors, count×channels, uniformly
// distributed over all such sets; they depend on nothing but the arguments.
// Orthogonal directions see more of the space than independent ones do: as many
// as there are channels see all of a difference of means.
func Directions(count, channels int, key float64) []float64 {
	random := rand.New(rand.NewPCG(math.Float64bits(key), uint64(channels)))
	all := make([]float64, count*channels)
	for i := range all {
		all[i] = random.NormFloat64()
	}
	orthonormalise(all, channels)
	return all
}

// orthonormalise makes rows orthonormal, each by what the ones before it leave
// of it (Gram and Schmidt).
func orthonormalise(rows []float64, channels int) {
	for first := 0; first < len(rows); first += channels {
		row := rows[first : first+channels]
		scale(row, 1/math.Sqrt(dot(row, row)))
		for range 2 { // the second time removes what rounding left
			for other := range slices.Chunk(rows[:first], channels) {
				along := dot(row, other)
				for i, v := range other {
					row[i] -= along * v
				}
			}
			scale(row, 1/math.Sqrt(dot(row, row)))
		}
	}
}

func scale(row []float64, factor float64) {
	for i := range row {
		row[i] *= factor
	}
}

func dot(a, b []float64) float64 {
	var sum float64
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// project computes p = directionᵀ·x for x of channels×n.
func project[T Float](p, direction []float64, x []T) {
	clear(p)
	n := len(p)
	for c, weight := range direction {
		for i, v := range x[c*n : (c+1)*n] {
			p[i] += weight * float64(v)
		}
	}
}

// CompareLines returns the squared Wasserstein-2 distance between points x and
// y on a line and writes its gradient by x, 2/N·(x − matched).
func CompareLines[T Float](gradient, x, y []T) float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	sorted, matched := make([]T, len(x)), make([]T, len(x))
	for i, from := range order {
		sorted[i] = x[from]
	}
	value := MatchSorted(matched, sorted, slices.Sorted(slices.Values(y)))
	for i, to := range order {
		gradient[to] = 2 * (sorted[i] - matched[i]) / T(len(x))
	}
	return value
}

// MatchSorted returns the squared Wasserstein-2 distance between sorted points
// x (N) and y (M) on a line, exact whatever N and M:
//
//	∫₀¹ (x(u) − y(u))² du
//
// with quantile functions x(u) and y(u), which are steps of 1/N and 1/M.
// To matched it writes what each x is moved to: the mean of y over its step.
// Equal points x are all moved to the mean of what they are moved to together,
// so that their order does not count.
func MatchSorted[T Float](matched, x, y []T) float64 {
	// Steps are cut where either changes, in units of 1/(N·M).
	n, m := int64(len(x)), int64(len(y))
	var value float64
	var at, end int64
	j, next := 0, n // y[j]'s step ends at next
	for i, v := range x {
		end += m
		var sum float64
		for at < end {
			cut := min(end, next)
			width, to := float64(cut-at), float64(y[j])
			d := float64(v) - to
			value += width * d * d
			sum += width * to
			if at = cut; at == next {
				j++
				next += n
			}
		}
		matched[i] = T(sum / float64(m))
	}
	averageTies(matched, x)
	return value / float64(n) / float64(m)
}

// averageTies gives equal points of sorted x the mean of their values.
func averageTies[T Float](values, x []T) {
	for first := 0; first < len(x); {
		end := first + 1
		for end < len(x) && x[end] == x[first] {
			end++
		}
		if tied := values[first:end]; len(tied) > 1 {
			var sum float64
			for _, v := range tied {
				sum += float64(v)
			}
			mean := T(sum / float64(len(tied)))
			for i := range tied {
				tied[i] = mean
			}
		}
		first = end
	}
}
