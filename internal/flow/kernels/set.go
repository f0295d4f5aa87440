package kernels

import "impasto/internal/cpu/kernels"

const (
	// Block is how many pixels of a row a loop goes through at a time.
	Block = 16
	// PatchSide is how many values a row of a patch has.
	PatchSide = 8
	// Coefficients and Equations are how many values of a pixel Weigh reads and writes in
	// blocks.
	Coefficients, Equations = 8, 5
	// Compared and Moments are how many sums Compare and Moments make, of PatchSide parts
	// each.
	Compared, Moments = 4, 5
)

// Set are the loops for an instruction set. loops.go says what each computes.
type Set struct {
	Name       string
	Central    func(to, before2, before, after, after2 []float32, step, blocks int)
	Anchor     func(coefficients, difference, u, v, counts []float32, blocks int)
	Smoothness func(to, u, v, belowU, belowV []float32, blocks int)
	Edges      func(right, down, smooth, below []float32, blocks int)
	Weigh      func(equations, coefficients, u, v, right, down, up []float32, blocks int)
	Relax      func(equations, right, down, up, u, v, otherU, aboveU, belowU, otherV, aboveV, belowV []float32, blocks int)
	Merge      func(a, b, even, odd []float32, blocks int)
	Moments    func(sums, x, y []float32, stride, rows int)
	Compare    func(sums, own, x, y, upper, lower []float32, w00, w10, w01, w11 float32, stride, otherStride, rows int)
	Spread     func(weights, us, vs, own, upper, lower []float32, w00, w10, w01, w11, u, v float32, stride, otherStride, rows int)
	Normalize  func(u, v, weights []float32, blocks int)
}

var setGo = Set{"go", centralGo, anchorGo, smoothnessGo, edgesGo, weighGo, relaxGo, mergeGo, momentsGo, compareGo, spreadGo, normalizeGo}

// Best is the set for the instruction set that package internal/cpu/kernels chooses. It
// fails where the environment asks for one that this processor doesn't have.
func Best() (*Set, error) {
	name, err := kernels.ChosenISA()
	if err != nil {
		return nil, err
	}
	return Named(name), nil
}

// Named is the set for what package internal/cpu/kernels calls so.
func Named(name string) *Set {
	if set, ok := sets[name]; ok {
		return set
	}
	return &setGo
}
