package engine

import (
	"context"
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/vgg19"
	"impasto/weights"
)

// Parameters are the network's, down to the deepest of layers: those given, or the
// embedded ones where given is nil.
func Parameters(given *vgg19.Parameters, layers ...string) (*vgg19.Parameters, error) {
	if given == nil {
		var err error
		if given, err = weights.Default(); err != nil {
			return nil, fmt.Errorf("embedded network: %w", err)
		}
	}
	return given.Through(layers...)
}

// ParametersOn is Parameters for a device. The processor takes the embedded filters as
// palettes.
func ParametersOn(d plan.Device, given *vgg19.Parameters, layers ...string) (*vgg19.Parameters, error) {
	if given != nil || !d.OnHost() {
		return Parameters(given, layers...)
	}
	compact, err := weights.Compact()
	if err != nil {
		return nil, fmt.Errorf("embedded network: %w", err)
	}
	return compact.Through(layers...)
}

// Rest gives back memory that holds filters as they are stored, for a time when the device
// has them in its own layout.
func Rest() { weights.Rest() }

// Network is VGG-19 on a device.
type Network struct {
	Device plan.Device
	// Beside are more devices of the kind, among which tiles of a picture may be shared.
	Beside     []plan.Device
	Parameters *vgg19.Parameters
	Options    vgg19.Options
}

// Devices are the device and those beside it.
func (n Network) Devices() []plan.Device { return append([]plan.Device{n.Device}, n.Beside...) }

// Close closes all devices.
func (n Network) Close() error {
	var failed []error
	for _, d := range n.Devices() {
		failed = append(failed, d.Close())
	}
	return errors.Join(failed...)
}

// Build makes a graph of the network for pictures of a size, in pixels, as deep as
// layers ask for. The input is the picture, 3×height×width; maps are the feature maps
// by the name of their layer.
func (n Network) Build(width, height int, layers ...string) (input *gorgonia.Node, maps map[string]*gorgonia.Node, err error) {
	input = gorgonia.NewTensor(gorgonia.NewGraph(), gorgonia.Float32, 3,
		gorgonia.WithShape(3, height, width), gorgonia.WithName("picture"))
	maps, err = vgg19.Build(input, n.Parameters, n.Options, layers...)
	return input, maps, err
}

// Evaluate runs the network on a picture and returns the values of the nodes that
// outputs makes of the feature maps of layers. Where ctx ends before, the error is ctx's.
func (n Network) Evaluate(ctx context.Context, p *picture.Picture, layers []string, outputs Outputs) ([]plan.Values, error) {
	input, nodes, err := n.outputs(p.Width, p.Height, layers, outputs)
	if err != nil {
		return nil, err
	}
	return Evaluate(ctx, n.Device, []Input{PictureInput(input, p)}, nodes...)
}

// Outputs makes nodes of the feature maps of layers, by name.
type Outputs func(maps map[string]*gorgonia.Node) ([]*gorgonia.Node, error)

// Outline says what Evaluate would give and take for pictures of a size: values without
// elements, which have the shapes and types, and how many bytes of the device.
func (n Network) Outline(width, height int, layers []string, outputs Outputs) (values []plan.Values, bytes int64, err error) {
	_, nodes, err := n.outputs(width, height, layers, outputs)
	if err != nil {
		return nil, 0, err
	}
	bytes, err = Needs(n.Device, nodes...)
	return NoValues(nodes...), bytes, err
}

// outputs builds the network's graph and the outputs in it.
func (n Network) outputs(width, height int, layers []string, outputs Outputs) (input *gorgonia.Node, nodes []*gorgonia.Node, err error) {
	defer ops.Catch(&err, "build the network")
	input, maps, err := n.Build(width, height, layers...)
	if err != nil {
		return nil, nil, err
	}
	nodes, err = outputs(maps)
	return input, nodes, err
}

// PictureInput is a picture for the input of a network.
func PictureInput(node *gorgonia.Node, p *picture.Picture) Input {
	return Input{node, plan.Values{Shape: node.Shape(), Single: p.RGB}}
}
