package model

import (
	"context"
	"fmt"

	"gorgonia.org/gorgonia"

	"impasto/internal/engine"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
)

// targets are what the picture's features are compared with at one level.
type targets struct {
	style   []styleTarget // one for each style part of the recipe
	content []plan.Values // one for each content part: a feature map
}

// styleTarget is what one layer's summaries are compared with, each counting by its
// weight: those of all style pictures together where the loss's summaries blend, else
// those of each. Weights sum to 1.
type styleTarget struct {
	kept    []engine.Kept
	weights []float64
}

// extractor runs the network for a recipe.
type extractor struct {
	engine.Network
	recipe recipe
}

// targets computes the targets of a level, one picture at a time, each on a
// machine that is closed before the next is made.
func (e extractor) targets(ctx context.Context, l level) (targets, error) {
	var t targets
	for i, p := range l.styles {
		kept, err := e.summaries(ctx, p)
		if err != nil {
			return targets{}, withContext(fmt.Sprintf("style picture %d", i+1), err)
		}
		t.addStyle(e.recipe, i, kept)
	}
	if len(e.recipe.content) == 0 {
		return t, nil
	}
	var err error
	if t.content, err = e.features(ctx, l.content); err != nil {
		return targets{}, withContext("content picture", err)
	}
	return t, nil
}

// addStyle takes in what each style part keeps of the style picture of that index.
func (t *targets) addStyle(r recipe, index int, kept []engine.Kept) {
	if t.style == nil {
		t.style = make([]styleTarget, len(r.style))
	}
	for k, part := range r.style {
		t.style[k].add(kept[k], r.styles[index], r.form(part).Blends())
	}
}

// add takes in the summaries of another style picture.
func (t *styleTarget) add(kept engine.Kept, weight float64, blends bool) {
	if !blends {
		t.kept, t.weights = append(t.kept, kept), append(t.weights, weight)
		return
	}
	if t.kept == nil {
		t.kept, t.weights = []engine.Kept{{Summaries: kept.Summaries, Values: make([]plan.Values, len(kept.Values))}}, []float64{1}
	}
	for k, values := range kept.Values {
		t.kept[0].Values[k].Add(weight, values)
	}
}

// summaries returns what each style part keeps of a picture.
func (e extractor) summaries(ctx context.Context, p *picture.Picture) ([]engine.Kept, error) {
	summaries, outputs := e.recipe.styleOutputs()
	values, err := e.Evaluate(ctx, p, e.recipe.styleLayers(), outputs)
	if err != nil {
		return nil, err
	}
	kept, _ := engine.KeepAll(summaries, values)
	return kept, nil
}

// styleOutputs makes the summaries of a style picture, one for each style part, which are
// there once the outputs were made.
func (r recipe) styleOutputs() ([][]losses.Summarised, engine.Outputs) {
	summaries := make([][]losses.Summarised, len(r.style))
	return summaries, func(maps map[string]*gorgonia.Node) (nodes []*gorgonia.Node, err error) {
		made, err := r.styleTargets(maps, wholeMaps)
		if err != nil {
			return nil, err
		}
		copy(summaries, made)
		for _, of := range summaries {
			nodes = append(nodes, engine.Nodes(of)...)
		}
		return nodes, nil
	}
}

// styleTargets adds what style parts keep of a style's feature maps to their graph. at says
// which positions of a layer count.
func (r recipe) styleTargets(maps map[string]*gorgonia.Node, at func(layer string) losses.Positions) ([][]losses.Summarised, error) {
	summaries := make([][]losses.Summarised, len(r.style))
	for i, part := range r.style {
		var err error
		if summaries[i], err = r.form(part).Target(maps[part.layer], at(part.layer)); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
	}
	return summaries, nil
}

// contentTargets adds what content parts keep of the content's feature maps to their graph,
// nil for those without positions.
func (r recipe) contentTargets(maps map[string]*gorgonia.Node, at func(layer string) losses.Positions) ([]*gorgonia.Node, error) {
	nodes := make([]*gorgonia.Node, len(r.content))
	for i, part := range r.content {
		var err error
		if nodes[i], err = r.contentForm.Target(maps[part.layer], at(part.layer)); err != nil {
			return nil, fmt.Errorf("content at %s: %w", part.layer, err)
		}
	}
	return nodes, nil
}

// features returns a picture's features for each content part.
func (e extractor) features(ctx context.Context, p *picture.Picture) ([]plan.Values, error) {
	return e.Evaluate(ctx, p, e.recipe.contentLayers(), e.recipe.contentOutputs)
}

// contentOutputs are the maps of the content parts, which makes it an engine.Outputs.
func (r recipe) contentOutputs(maps map[string]*gorgonia.Node) ([]*gorgonia.Node, error) {
	nodes := make([]*gorgonia.Node, len(r.content))
	for i, part := range r.content {
		nodes[i] = maps[part.layer]
	}
	return nodes, nil
}
