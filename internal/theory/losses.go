package theory

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/device"
	"impasto/internal/engine"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/losses"
)

// LossSamples is how many points of each distribution the losses are given: some
// of them take time with the square.
const LossSamples = 1000

// Verdict is what one loss finds between the essay's pairs: its plain value
// between samples, as the loss's literature defines it.
type Verdict struct {
	Loss string  `json:"loss"`
	XY   float64 `json:"xy"` // between samples of X and Y, the mean of some draws
	WZ   float64 `json:"wz"` // and of W and Z
	// NoiseXY and NoiseWZ are the most that it finds between two samples of the
	// same distribution of the pair.
	NoiseXY float64 `json:"noise_xy"`
	NoiseWZ float64 `json:"noise_wz"`
	// TellsXY and TellsWZ: every draw between the pair is above that noise.
	TellsXY bool `json:"tells_xy"`
	TellsWZ bool `json:"tells_wz"`
}

// So many pairs of samples are drawn between a pair, and within each of its
// distributions. A loss that sees no difference has every one of the former above
// every one of the latter once in 462 times, the ways to choose 5 of 11.
const (
	drawsBetween = 5
	drawsWithin  = 3
)

// Verdicts are those of losses.Usable, in alphabetical order. The seed is that of the
// samples.
func Verdicts(seed uint64) ([]Verdict, error) {
	processor, err := engine.Open(engine.Options{Device: device.CPU, Threads: 1}) // a thousand points keep no more at work
	if err != nil {
		return nil, fmt.Errorf("theory: %w", err)
	}
	defer processor.Close()
	var verdicts []Verdict
	for _, loss := range losses.Usable() {
		name := loss.Description().Name
		v := Verdict{Loss: name}
		if v.XY, v.NoiseXY, v.TellsXY, err = judge(processor, loss, X(), Y(), seed); err != nil {
			return nil, fmt.Errorf("theory: %s between X and Y: %w", name, err)
		}
		if v.WZ, v.NoiseWZ, v.TellsWZ, err = judge(processor, loss, W(), Z(), seed); err != nil {
			return nil, fmt.Errorf("theory: %s between W and Z: %w", name, err)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

// judge returns the mean of a loss between samples of two distributions, the most
// that it finds within each, and whether all of the former are above that. All
// losses are given the same samples.
func judge(device plan.Device, loss losses.Loss, a, b Normal, seed uint64) (between, within float64, tells bool, err error) {
	random := rand.New(rand.NewPCG(seed, 1))
	distance := func(a, b Normal) (float64, error) {
		pointsA, err := a.Sample(random, LossSamples)
		if err != nil {
			return 0, err
		}
		pointsB, err := b.Sample(random, LossSamples)
		if err != nil {
			return 0, err
		}
		return lossBetween(device, loss, pointsA, pointsB, len(a.Mean))
	}
	least := math.Inf(1)
	for range drawsBetween {
		d, err := distance(a, b)
		if err != nil {
			return 0, 0, false, err
		}
		between, least = between+d/drawsBetween, min(least, d)
	}
	for range drawsWithin {
		for _, each := range []Normal{a, b} {
			noise, err := distance(each, each)
			if err != nil {
				return 0, 0, false, err
			}
			within = max(within, noise)
		}
	}
	return between, within, least > within, nil
}

// lossBetween is the plain value of a loss between two sets of points in n dimensions,
// which stand in for the features of a layer of n channels.
func lossBetween(device plan.Device, loss losses.Loss, a, b []float64, n int) (value float64, err error) {
	defer ops.Catch(&err, "build the loss")
	graph := gorgonia.NewGraph()
	var features [2]*gorgonia.Node
	for i, points := range [][]float64{a, b} {
		shape := tensor.Shape{n, 1, len(points) / n}
		features[i] = gorgonia.NewTensor(graph, tensor.Float32, 3, gorgonia.WithName(fmt.Sprintf("points.%d", i)), gorgonia.WithShape(shape...),
			gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(channelsFirst(points, n)))))
	}
	node, err := loss.Plain().Between(features[0], features[1])
	if err != nil {
		return 0, err
	}
	values, err := engine.Evaluate(context.Background(), device, nil, node)
	if err != nil {
		return 0, err
	}
	return values[0].Double[0], nil
}

// channelsFirst lays points, which stand one after the other, out as a feature
// map: one coordinate of all points after the other.
func channelsFirst(points []float64, n int) []float32 {
	count := len(points) / n
	features := make([]float32, len(points))
	for i, x := range points {
		features[i%n*count+i/n] = float32(x)
	}
	return features
}
