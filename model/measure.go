package model

import (
	"context"
	"fmt"
	"image"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/engine"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/losses"
)

// MeasureOptions are the settings of Measure. The zero value takes the plain value of
// every usable loss between the features that the zero FeatureOptions look at.
type MeasureOptions struct {
	Losses []losses.Loss // of different names; none stand for losses.Usable
	FeatureOptions
}

// Measurement is the plain value of one loss at one layer between two pictures:
// its loss's Plain form, in units of the network's activations.
type Measurement struct {
	Layer string  `json:"layer"`
	Loss  string  `json:"loss"`
	Value float64 `json:"value"`
}

// Measure compares the features of two pictures, layer by layer in the order
// of o.Layers and loss by loss in that of o.Losses. It fails on names that
// aren't known and on pictures too small for the layers, and with ctx's error
// where ctx ends between two steps of the work.
func Measure(ctx context.Context, a, b image.Image, o MeasureOptions) ([]Measurement, error) {
	var err error
	if o.FeatureOptions, err = o.complete(); err != nil {
		return nil, err
	}
	m, err := newMeasurer(o)
	if err != nil {
		return nil, withContext("model: measure", err)
	}
	defer m.close()
	var summaries [2][]engine.Kept
	for i, img := range []image.Image{a, b} {
		if summaries[i], err = m.summarise(ctx, img, i == 1); err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			return nil, pictureError(fmt.Sprintf("measure: %s picture", [...]string{"first", "second"}[i]), err)
		}
	}
	measurements, err := m.compare(ctx, summaries[0], summaries[1])
	return measurements, withContext("model: measure", err)
}

// measurer is the work of Measure. Summaries and values are ordered as measurements
// are: by layer, and in each by loss.
type measurer struct {
	options MeasureOptions
	network engine.Network
	// processor compares, which takes no time but precision: plain values need
	// eigenvalues.
	processor plan.Device
}

func newMeasurer(o MeasureOptions) (*measurer, error) {
	if len(o.Losses) == 0 {
		o.Losses = losses.Usable()
	}
	if err := losses.CheckNames(o.Losses); err != nil {
		return nil, err
	}
	m := &measurer{options: o}
	var err error
	if m.network, err = o.open(); err != nil {
		return nil, err
	}
	if m.processor, err = engine.Open(engine.Options{Device: device.CPU, Threads: o.Threads}); err != nil {
		m.network.Close()
		return nil, err
	}
	return m, nil
}

func (m *measurer) close() {
	m.network.Close()
	m.processor.Close()
}

// summarise runs the network on one picture and returns the summaries of every
// layer for every loss: of the picture that is compared or of the target.
func (m *measurer) summarise(ctx context.Context, img image.Image, target bool) ([]engine.Kept, error) {
	p, err := m.options.picture(ctx, img)
	if err != nil {
		return nil, err
	}
	var summaries [][]losses.Summarised
	values, err := m.network.Evaluate(ctx, p, m.options.Layers, func(maps map[string]*gorgonia.Node) (nodes []*gorgonia.Node, err error) {
		for _, layer := range m.options.Layers {
			for _, loss := range m.options.Losses {
				summarise := loss.Plain().Summarise
				if target {
					summarise = loss.Plain().Target
				}
				of, err := summarise(maps[layer], losses.Positions{})
				if err != nil {
					return nil, err
				}
				summaries, nodes = append(summaries, of), append(nodes, engine.Nodes(of)...)
			}
		}
		return nodes, nil
	})
	if err != nil {
		return nil, err
	}
	kept, _ := engine.KeepAll(summaries, values)
	return kept, nil
}

// compare evaluates every loss on the summaries of two pictures.
func (m *measurer) compare(ctx context.Context, a, b []engine.Kept) (_ []Measurement, err error) {
	defer ops.Catch(&err, "build the losses")
	graph := gorgonia.NewGraph()
	var results []Measurement
	var inputs []engine.Input
	var nodes []*gorgonia.Node
	for _, layer := range m.options.Layers {
		for _, loss := range m.options.Losses {
			name := loss.Description().Name
			where := name + " at " + layer
			x, of := a[len(results)].Inputs(graph, where+", first picture")
			target, ofTarget := b[len(results)].Inputs(graph, where+", second picture")
			value, err := loss.Plain().Value(x, target)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", where, err)
			}
			inputs, nodes = append(append(inputs, of...), ofTarget...), append(nodes, value)
			results = append(results, Measurement{Layer: layer, Loss: name})
		}
	}
	values, err := engine.Evaluate(ctx, m.processor, inputs, nodes...)
	if err != nil {
		return nil, err
	}
	for i := range results {
		results[i].Value = values[i].Double[0]
	}
	return results, nil
}
