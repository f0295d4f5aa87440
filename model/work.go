package model

import (
	"math"
	"slices"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/losses"
)

// work is what a computation takes, in seconds of a machine of the rates below. The part
// that grows with the pictures and the part that is as much for any size are apart, since
// their ratio differs between machines and between losses.
type work struct{ growing, fixed float64 }

func (w work) sum() float64 { return w.growing + w.fixed }

func (w *work) add(other work) {
	w.growing += other.growing
	w.fixed += other.fixed
}

// Rates of a virtual machine with two cores of Zen 4, as measured with `impasto bench`. Only
// what they are relative to each other counts: a run measures its own machine.
const (
	convolutionRate = 220e9   // operations a second, counted as computed directly
	lossRate        = 60e9    // operations a second of what losses count
	memoryRate      = 8e9     // bytes a second that steps read and write
	stepSeconds     = 5e-6    // of any step
	filterSeconds   = 10e-9   // of a convolution, for each pair of channels, for transforming and reading its filter
	sortSeconds     = 0.35e-9 // for a value and a doubling of their number
	sortDirections  = 64      // that losses which sort go through
	sampledPairs    = 2048    // positions a side of losses that sample
	pairPasses      = 6       // over pairs of positions, where their number isn't counted
	// vectorPasses are the vectors of the picture's size that an iteration of L-BFGS goes
	// through: two loops over five pairs, and the search.
	vectorPasses = 35
)

// ofSchedule is the work of running a schedule once, without what its losses count
// themselves.
func ofSchedule(s *plan.Schedule) work { return ofSteps(s.Steps) }

// ofSteps is the work of steps.
func ofSteps(steps []plan.Step) work {
	var w work
	for _, step := range steps {
		operations := 0.0
		w.fixed += stepSeconds
		switch in, out := step.Inputs[0], step.Results[0]; step.Op.(type) {
		case *ops.Convolution:
			operations = convolutionOperations(in, out)
			w.fixed += filterSeconds * float64(in.Shape[0]*out.Shape[0])
		case *ops.PooledConvolution:
			operations = 4 * convolutionOperations(in, out)
			w.fixed += filterSeconds * float64(in.Shape[0]*out.Shape[0])
		case *ops.ConvolutionGradient:
			operations = convolutionOperations(out, in)
			w.fixed += filterSeconds * float64(in.Shape[0]*out.Shape[0])
		}
		w.growing += operations/convolutionRate + float64(bytesOf(step))/memoryRate
	}
	return w
}

// convolutionOperations counts a multiplication and an addition for each product of a
// filter of 3×3 with an input.
func convolutionOperations(in, out *plan.Buffer) float64 {
	return 18 * float64(in.Shape[0]) * float64(out.Len())
}

// bytesOf is what a step reads and writes.
func bytesOf(step plan.Step) int {
	bytes := 0
	for _, b := range step.Reads() {
		bytes += b.Bytes()
	}
	for _, b := range step.Results {
		bytes += b.Bytes()
	}
	return bytes
}

// ofLoss is the work of a loss between features of so many channels and positions, its
// gradient included.
func ofLoss(d losses.Description, channels, positions, targetPositions int) work {
	var w work
	if d.Fixed != nil {
		w.fixed = d.Fixed(channels) / lossRate
	}
	n, c := float64(positions), float64(channels)
	switch {
	case d.Growth == losses.Sorting:
		w.growing = sortDirections * n * (math.Log2(n+1)*sortSeconds + 4*c/lossRate)
	case d.Growth == losses.AllPairs:
		w.growing = 2 * c * n * float64(targetPositions) * pairPasses / lossRate
	case d.Growth == losses.SampledPairs && d.Operations == nil:
		// At sizes with fewer positions than are sampled it grows, which counts as well.
		w.fixed = 2 * c * min(n, sampledPairs) * min(float64(targetPositions), sampledPairs) * pairPasses / lossRate
	case d.Growth == losses.SampledPairs:
		w.fixed = d.Operations(channels, min(positions, 2*sampledPairs), min(targetPositions, 2*sampledPairs)) / lossRate
	case d.Operations != nil:
		w.growing = d.Operations(channels, positions, targetPositions) / lossRate
	}
	return w
}

// times is that work several times.
func (w work) times(n float64) work { return work{growing: w.growing * n, fixed: w.fixed * n} }

// levelWork is what a level takes.
type levelWork struct {
	iterations  int
	evaluations float64 // that an iteration is expected to make
	evaluation  work    // an evaluation of the loss, with its part of the optimiser's step
	setup       work    // what comes before the first iteration
}

// workOf is the work of a level, counted from the graphs that it runs. graphs is that of an
// evaluation.
func (e extractor) workOf(l sketch, graphs work, o Options) (levelWork, error) {
	e = e.at(l.outline)
	w := levelWork{evaluation: graphs}
	_, maps, err := e.Build(l.width, l.height, e.recipe.layers()...)
	if err != nil {
		return w, err
	}
	for i, style := range l.styles {
		// Positions of a layer are in proportion to the pictures' pixels.
		ratio := float64(style.X*style.Y) / float64(l.width*l.height)
		for _, k := range e.recipe.partsOf(i) {
			part := e.recipe.style[k]
			shape := maps[part.layer].Shape()
			positions := part.where.count(shape[1] * shape[2])
			of := ofLoss(part.loss.Description(), shape[0], positions, max(1, int(ratio*float64(positions))))
			if e.recipe.form(part).Blends() { // one loss against all styles of a region
				styles := float64(e.recipe.stylesIn(part.region))
				of = work{of.growing / styles, of.fixed / styles}
			}
			w.evaluation.add(of)
		}
		// Forward, and the summaries, are about half of what the gradient takes as well.
		half := w.evaluation.sum() / 2
		w.setup.add(work{growing: half * ratio})
	}
	w.setup.add(work{growing: w.evaluation.growing / 2, fixed: setupSeconds})
	w.evaluations = 1
	if !o.Optimizer.Averages() {
		w.evaluations = searchEvaluations
		if slices.ContainsFunc(l.objective.Inputs, func(b *plan.Buffer) bool { return b.Node.Name() == losses.KeyName }) {
			w.evaluations++ // of the point, which is another function's; see rekey
		}
		w.evaluation.growing += vectorPasses * float64(pictureBytes(l.width, l.height)) / memoryRate
	}
	return w, nil
}

// searchEvaluations are what a line search makes in the mean: 1.0 to 1.25, as measured.
const searchEvaluations = 1.1

// setupSeconds is what making and compiling a level's graphs takes.
const setupSeconds = 0.05
