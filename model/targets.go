package model

import (
	"context"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/vgg19"
)

// targets are what the picture's features are compared with at one scale.
type targets struct {
	style   []summary  // one for each style part of the recipe
	content []features // one for each content part
}

// summary is a style loss's summary of one layer's features.
type summary struct {
	shape  tensor.Shape
	values []float64
}

// features are one layer's feature maps.
type features struct {
	shape  tensor.Shape
	values []float32
}

// engine runs the network for a recipe on a device.
type engine struct {
	device     plan.Device
	parameters *vgg19.Parameters
	recipe     recipe
}

// targets computes the targets of a level, one picture at a time, each on a
// machine that is closed before the next is made.
func (e engine) targets(ctx context.Context, l level) (targets, error) {
	var t targets
	for i, p := range l.styles {
		if err := ctx.Err(); err != nil {
			return targets{}, err
		}
		summaries, err := e.summaries(p)
		if err != nil {
			return targets{}, fmt.Errorf("style picture %d: %w", i+1, err)
		}
		t.style = blend(t.style, summaries, e.recipe.styles[i])
	}
	if len(e.recipe.content) == 0 {
		return t, ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return targets{}, err
	}
	content, err := e.features(l.content)
	if err != nil {
		return targets{}, fmt.Errorf("content picture: %w", err)
	}
	t.content = content
	return t, nil
}

// blend adds weight times the summaries to the sum, which starts out nil.
func blend(sum, summaries []summary, weight float64) []summary {
	if sum == nil {
		for _, s := range summaries {
			sum = append(sum, summary{shape: s.shape, values: make([]float64, len(s.values))})
		}
	}
	for i, s := range summaries {
		for j, v := range s.values {
			sum[i].values[j] += weight * v
		}
	}
	return sum
}

// summaries returns the summary of a picture for each style part.
func (e engine) summaries(p *picture.Picture) (_ []summary, err error) {
	defer ops.Catch(&err, "build the network")
	input := pictureNode(p.Width, p.Height)
	taps, err := vgg19.Build(input, e.parameters, e.recipe.network, e.recipe.styleLayers()...)
	if err != nil {
		return nil, err
	}
	nodes := make([]*gorgonia.Node, len(e.recipe.style))
	for i, part := range e.recipe.style {
		if nodes[i], err = part.loss.Summarise(taps[part.layer]); err != nil {
			return nil, fmt.Errorf("%s at %s: %w", part.loss.Name(), part.layer, err)
		}
	}
	machine, err := e.evaluate(p, input, nodes)
	if err != nil {
		return nil, err
	}
	defer machine.Close()
	result := make([]summary, len(nodes))
	for i, node := range nodes {
		result[i] = summary{shape: node.Shape().Clone(), values: make([]float64, node.Shape().TotalSize())}
		if err := machine.ReadFloat64(node, result[i].values); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// features returns a picture's features for each content part.
func (e engine) features(p *picture.Picture) (_ []features, err error) {
	defer ops.Catch(&err, "build the network")
	input := pictureNode(p.Width, p.Height)
	taps, err := vgg19.Build(input, e.parameters, e.recipe.network, e.recipe.contentLayers()...)
	if err != nil {
		return nil, err
	}
	nodes := make([]*gorgonia.Node, len(e.recipe.content))
	for i, part := range e.recipe.content {
		nodes[i] = taps[part.layer]
	}
	machine, err := e.evaluate(p, input, nodes)
	if err != nil {
		return nil, err
	}
	defer machine.Close()
	result := make([]features, len(nodes))
	for i, node := range nodes {
		result[i] = features{shape: node.Shape().Clone(), values: make([]float32, node.Shape().TotalSize())}
		if err := machine.Read(node, result[i].values); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// evaluate runs a graph on one picture and returns the machine that holds the
// outputs.
func (e engine) evaluate(p *picture.Picture, input *gorgonia.Node, outputs []*gorgonia.Node) (plan.Machine, error) {
	schedule, err := plan.Make(outputs...)
	if err != nil {
		return nil, err
	}
	machine, err := e.device.Compile(schedule)
	if err != nil {
		return nil, err
	}
	if err = machine.Write(input, p.RGB); err == nil {
		err = machine.RunAll()
	}
	if err != nil {
		machine.Close()
		return nil, err
	}
	return machine, nil
}

// pictureNode is the input of a new graph: three planes of float32.
func pictureNode(width, height int) *gorgonia.Node {
	return gorgonia.NewTensor(gorgonia.NewGraph(), gorgonia.Float32, 3,
		gorgonia.WithShape(3, height, width), gorgonia.WithName("picture"))
}
