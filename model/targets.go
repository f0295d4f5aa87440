package model

import (
	"context"
	"fmt"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/vgg19"
)

// targets are what the picture's features are compared with at one scale.
type targets struct {
	style   []styleTarget // one for each style part of the recipe
	content []plan.Values // one for each content part: a feature map
}

// styleTarget is the summaries that one layer's is compared with, each counting
// by its weight: a single one of all style pictures where the loss's summaries
// blend, else one of each. Weights sum to 1.
type styleTarget struct {
	summaries []plan.Values
	weights   []float64
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
		if t.style == nil {
			t.style = make([]styleTarget, len(summaries))
		}
		for k, part := range e.recipe.style {
			t.style[k].add(summaries[k], e.recipe.styles[i], part.loss.Blends())
		}
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

// add takes in the summary of another style picture.
func (t *styleTarget) add(summary plan.Values, weight float64, blends bool) {
	if !blends {
		t.summaries, t.weights = append(t.summaries, summary), append(t.weights, weight)
		return
	}
	if t.summaries == nil {
		t.summaries = []plan.Values{{Shape: summary.Shape, Double: make([]float64, len(summary.Double))}}
		t.weights = []float64{1}
	}
	for i, v := range summary.Double {
		t.summaries[0].Double[i] += weight * v
	}
}

// summaries returns the summary of a picture for each style part.
func (e engine) summaries(p *picture.Picture) (_ []plan.Values, err error) {
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
	return e.evaluate(p, input, nodes)
}

// features returns a picture's features for each content part.
func (e engine) features(p *picture.Picture) (_ []plan.Values, err error) {
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
	return e.evaluate(p, input, nodes)
}

// evaluate runs a graph on one picture and returns the outputs.
func (e engine) evaluate(p *picture.Picture, input *gorgonia.Node, outputs []*gorgonia.Node) ([]plan.Values, error) {
	schedule, err := plan.Make(outputs...)
	if err != nil {
		return nil, err
	}
	machine, err := e.device.Compile(schedule)
	if err != nil {
		return nil, err
	}
	defer machine.Close()
	if err := machine.Write(input, p.RGB); err != nil {
		return nil, err
	}
	if err := machine.RunAll(); err != nil {
		return nil, err
	}
	values := make([]plan.Values, len(outputs))
	for i, output := range outputs {
		if values[i], err = plan.ReadValues(machine, output); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// pictureNode is the input of a new graph: three planes of float32.
func pictureNode(width, height int) *gorgonia.Node {
	return gorgonia.NewTensor(gorgonia.NewGraph(), gorgonia.Float32, 3,
		gorgonia.WithShape(3, height, width), gorgonia.WithName("picture"))
}
