package model

import (
	"context"
	"fmt"
	"image"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/cpu"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
	"impasto/weights"
)

// MeasureOptions are the settings of Measure. The zero value takes the plain
// value of every loss at relu1_1 … relu5_1, with maximum pooling and zero
// padding, between the pictures as they are.
type MeasureOptions struct {
	Losses  []string // as in losses.Names; nil takes all
	Layers  []string // as in vgg19.Layers; nil takes relu1_1, relu2_1 … relu5_1
	Pooling string   // max (the default), avg, l2 or none
	Padding string   // zero (the default) or replicate, at conv1_1
	// ScaledPooling multiplies the results of average and L2 pooling by 2 and
	// 0.78, as Stylize does by default; otherwise they are plain means.
	ScaledPooling bool
	// Size is the longer side, in pixels, that both pictures are resized to; 0
	// leaves them as they are.
	Size int
	// Parameters are the network's; nil uses the embedded ones.
	Parameters *vgg19.Parameters
	Device     string // auto (the default), cpu, cuda or cuda:N
	Threads    int    // 0 uses every core
}

// Measurement is the plain value of one loss at one layer between two pictures:
// losses.Loss's Distance, in units of the network's activations.
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
	m, err := newMeasure(o)
	if err != nil {
		return nil, err
	}
	defer m.close()
	var summaries [2]map[Measurement]plan.Values
	for i, img := range []image.Image{a, b} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if summaries[i], err = m.summarise(img); err != nil {
			return nil, fmt.Errorf("model: measure: %s picture: %w", [...]string{"first", "second"}[i], err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.compare(summaries[0], summaries[1])
}

// measure is the work of Measure. Its maps are by layer and loss.
type measure struct {
	options MeasureOptions
	losses  []losses.Loss
	device  plan.Device // for the network
	// processor compares, which takes no time but precision: plain distances need
	// eigenvalues.
	processor plan.Device
}

func newMeasure(o MeasureOptions) (*measure, error) {
	if o.Losses == nil {
		o.Losses = losses.Usable()
	}
	if o.Layers == nil {
		o.Layers = []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
	}
	if o.Size < 0 {
		return nil, fmt.Errorf("model: measure: size %d, want 1 or more, or 0 to leave the pictures as they are", o.Size)
	}
	m := &measure{}
	for _, name := range o.Losses {
		loss, err := losses.Named(name)
		if err != nil {
			return nil, fmt.Errorf("model: measure: %w", err)
		}
		m.losses = append(m.losses, loss)
	}
	var err error
	if o.Parameters == nil {
		if o.Parameters, err = weights.Default(); err != nil {
			return nil, fmt.Errorf("model: measure: %w", err)
		}
	}
	m.options = o
	if o.Device == "" {
		o.Device = "auto"
	}
	if err := checkDevice(o.Device, "f32"); err != nil {
		return nil, err
	}
	if m.device, err = openDevice(o.Device, "f32", cpu.Options{Threads: o.Threads, Exact: true}); err != nil {
		return nil, fmt.Errorf("model: measure: open device: %w", err)
	}
	if m.processor, err = cpu.NewDevice(cpu.Options{Threads: o.Threads}); err != nil {
		m.device.Close()
		return nil, fmt.Errorf("model: measure: %w", err)
	}
	return m, nil
}

func (m *measure) close() {
	m.device.Close()
	m.processor.Close()
}

// summarise runs the network on one picture and returns the summary of every
// layer for every loss.
func (m *measure) summarise(img image.Image) (map[Measurement]plan.Values, error) {
	p, err := m.planes(img)
	if err != nil {
		return nil, err
	}
	input := gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Float32, 3,
		gorgonia.WithName("picture"), gorgonia.WithShape(3, p.Height, p.Width))
	features, err := vgg19.Build(input, m.options.Parameters, vgg19.Options{
		Pooling: m.options.Pooling, Padding: m.options.Padding, PlainPooling: !m.options.ScaledPooling,
	}, m.options.Layers...)
	if err != nil {
		return nil, err
	}
	nodes := map[Measurement]*gorgonia.Node{}
	for _, layer := range m.options.Layers {
		for _, loss := range m.losses {
			if nodes[Measurement{Layer: layer, Loss: loss.Name()}], err = loss.Summarise(features[layer]); err != nil {
				return nil, err
			}
		}
	}
	return m.run(m.device, nodes, func(machine plan.Machine) error { return machine.Write(input, p.RGB) })
}

// planes brings a picture to the size that is asked for.
func (m *measure) planes(img image.Image) (*picture.Picture, error) {
	p, err := picture.FromImage(img)
	if err != nil || m.options.Size == 0 {
		return p, err
	}
	width, height := picture.FitSize(p.Width, p.Height, m.options.Size)
	return p.Resize(width, height, picture.Lanczos)
}

// compare evaluates every loss on the summaries of two pictures.
func (m *measure) compare(a, b map[Measurement]plan.Values) ([]Measurement, error) {
	graph := gorgonia.NewGraph()
	var results []Measurement
	nodes, inputs := map[Measurement]*gorgonia.Node{}, map[*gorgonia.Node]plan.Values{}
	for _, layer := range m.options.Layers {
		for _, loss := range m.losses {
			key := Measurement{Layer: layer, Loss: loss.Name()}
			var sides [2]*gorgonia.Node
			for i, values := range []plan.Values{a[key], b[key]} {
				sides[i] = values.Input(graph, fmt.Sprintf("%s.%s.%d", layer, loss.Name(), i))
				inputs[sides[i]] = values
			}
			var err error
			if nodes[key], err = loss.Distance(sides[0], sides[1]); err != nil {
				return nil, fmt.Errorf("model: measure: %s at %s: %w", loss.Name(), layer, err)
			}
			results = append(results, key)
		}
	}
	values, err := m.run(m.processor, nodes, func(machine plan.Machine) error {
		for node, values := range inputs {
			if err := values.WriteTo(machine, node); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("model: measure: %w", err)
	}
	for i, key := range results {
		results[i].Value = values[key].Double[0]
	}
	return results, nil
}

// run evaluates nodes once on a device, after write has filled the inputs of their graph.
// Two keys may have the same node.
func (m *measure) run(device plan.Device, nodes map[Measurement]*gorgonia.Node, write func(plan.Machine) error) (map[Measurement]plan.Values, error) {
	var outputs []*gorgonia.Node
	for _, node := range nodes {
		if !slices.Contains(outputs, node) {
			outputs = append(outputs, node)
		}
	}
	slices.SortFunc(outputs, func(a, b *gorgonia.Node) int { return int(a.ID() - b.ID()) })
	schedule, err := plan.Make(outputs...)
	if err != nil {
		return nil, err
	}
	machine, err := device.Compile(schedule)
	if err != nil {
		return nil, err
	}
	defer machine.Close()
	if err := write(machine); err != nil {
		return nil, err
	}
	if err := machine.RunAll(); err != nil {
		return nil, err
	}
	read := map[*gorgonia.Node]plan.Values{}
	for _, output := range outputs {
		if read[output], err = plan.ReadValues(machine, output); err != nil {
			return nil, err
		}
	}
	values := map[Measurement]plan.Values{}
	for key, node := range nodes {
		values[key] = read[node]
	}
	return values, nil
}
