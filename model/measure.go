package model

import (
	"cmp"
	"context"
	"fmt"
	"image"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/engine"
	"impasto/internal/ops"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
)

// MeasureOptions are the settings of Measure. The zero value takes the plain
// value of every loss at relu1_1 … relu5_1, with maximum pooling and zero
// padding, between the pictures as they are.
type MeasureOptions struct {
	Losses  []string // of losses.Names and OwnLosses; nil takes losses.Usable
	Layers  []string // as in vgg19.Layers; nil takes relu1_1, relu2_1 … relu5_1
	Pooling string   // max (the default), avg, l2 or none
	Padding string   // zero (the default) or replicate, at conv1_1
	// OwnLosses are losses from outside of package losses.
	OwnLosses []losses.Loss
	// ScaledPooling multiplies the results of average and L2 pooling by 2 and
	// 0.78, as Stylize does by default; otherwise they are plain means.
	ScaledPooling bool
	// Size is the longer side, in pixels, that both pictures are resized to; 0
	// leaves them as they are.
	Size int
	// Parameters are the network's; nil uses the embedded ones.
	Parameters *vgg19.Parameters
	Device     device.Name // auto where empty
	Threads    int         // 0 uses every core
}

// Measurement is the plain value of one loss at one layer between two pictures:
// losses.Loss's Plain form, in units of the network's activations.
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
	o.Device = cmp.Or(o.Device, device.Auto)
	if err := checkDevice(o.Device, device.Float32); err != nil {
		return nil, err
	}
	if err := checkOwnLosses(o.OwnLosses); err != nil {
		return nil, err
	}
	m, err := newMeasurer(o)
	if err != nil {
		return nil, withContext("model: measure", err)
	}
	defer m.close()
	var summaries [2][]engine.Kept
	for i, img := range []image.Image{a, b} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if summaries[i], err = m.summarise(img, i == 1); err != nil {
			return nil, fmt.Errorf("model: measure: %s picture: %w", [...]string{"first", "second"}[i], err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	measurements, err := m.compare(summaries[0], summaries[1])
	return measurements, withContext("model: measure", err)
}

// measurer is the work of Measure. Summaries and values are ordered as measurements
// are: by layer, and in each by loss.
type measurer struct {
	options MeasureOptions
	losses  []losses.Loss
	network engine.Network
	// processor compares, which takes no time but precision: plain values need
	// eigenvalues.
	processor plan.Device
}

func newMeasurer(o MeasureOptions) (*measurer, error) {
	if o.Losses == nil {
		o.Losses = losses.Usable()
	}
	if o.Layers == nil {
		o.Layers = []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
	}
	if o.Size < 0 {
		return nil, fmt.Errorf("size %d, want 1 or more, or 0 to leave the pictures as they are", o.Size)
	}
	m := &measurer{options: o}
	for _, name := range o.Losses {
		loss, err := lossNamed(name, o.OwnLosses)
		if err != nil {
			return nil, err
		}
		m.losses = append(m.losses, loss)
	}
	m.network.Options = vgg19.Options{Pooling: o.Pooling, Padding: o.Padding, PlainPooling: !o.ScaledPooling}
	var err error
	if m.network.Parameters, err = engine.Parameters(o.Parameters, o.Layers...); err != nil {
		return nil, err
	}
	if m.network.Device, err = engine.Open(engine.Options{Device: o.Device, Threads: o.Threads, Exact: true}); err != nil {
		return nil, fmt.Errorf("open device: %w", err)
	}
	if m.processor, err = engine.Open(engine.Options{Device: device.CPU, Threads: o.Threads}); err != nil {
		m.network.Device.Close()
		return nil, err
	}
	return m, nil
}

func (m *measurer) close() {
	m.network.Device.Close()
	m.processor.Close()
}

// summarise runs the network on one picture and returns the summaries of every
// layer for every loss: of the picture that is compared or of the target.
func (m *measurer) summarise(img image.Image, target bool) ([]engine.Kept, error) {
	p, err := picture.FromImage(img)
	if err != nil {
		return nil, err
	}
	if m.options.Size > 0 {
		width, height := picture.FitSize(p.Width, p.Height, m.options.Size)
		if p, err = p.Resize(width, height, picture.Lanczos); err != nil {
			return nil, err
		}
	}
	var summaries [][]losses.Summarised
	values, err := m.network.Evaluate(p, m.options.Layers, func(maps map[string]*gorgonia.Node) (nodes []*gorgonia.Node, err error) {
		for _, layer := range m.options.Layers {
			for _, loss := range m.losses {
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
	kept := make([]engine.Kept, len(summaries))
	for i, of := range summaries {
		kept[i], values = engine.Keep(of, values)
	}
	return kept, nil
}

// compare evaluates every loss on the summaries of two pictures.
func (m *measurer) compare(a, b []engine.Kept) (_ []Measurement, err error) {
	defer ops.Catch(&err, "build the losses")
	graph := gorgonia.NewGraph()
	var results []Measurement
	var inputs []engine.Input
	var nodes []*gorgonia.Node
	for _, layer := range m.options.Layers {
		for _, loss := range m.losses {
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
	values, err := engine.Evaluate(m.processor, inputs, nodes...)
	if err != nil {
		return nil, err
	}
	for i := range results {
		results[i].Value = values[i].Double[0]
	}
	return results, nil
}
