package model

import (
	"context"
	"fmt"

	"gorgonia.org/gorgonia"

	"impasto/internal/engine"
	"impasto/internal/picture"
	"impasto/internal/plan"
)

// targets are what the picture's features are compared with at one level.
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
	var err error
	if t.content, err = e.features(l.content); err != nil {
		return targets{}, fmt.Errorf("content picture: %w", err)
	}
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
func (e extractor) summaries(p *picture.Picture) ([]plan.Values, error) {
	return e.Evaluate(p, e.recipe.styleLayers(), func(maps map[string]*gorgonia.Node) (nodes []*gorgonia.Node, err error) {
		nodes = make([]*gorgonia.Node, len(e.recipe.style))
		for i, part := range e.recipe.style {
			if nodes[i], err = part.loss.Summarise(maps[part.layer]); err != nil {
				return nil, fmt.Errorf("%s at %s: %w", part.loss.Name(), part.layer, err)
			}
		}
		return nodes, nil
	})
}

// features returns a picture's features for each content part.
func (e extractor) features(p *picture.Picture) ([]plan.Values, error) {
	return e.Evaluate(p, e.recipe.contentLayers(), func(maps map[string]*gorgonia.Node) ([]*gorgonia.Node, error) {
		nodes := make([]*gorgonia.Node, len(e.recipe.content))
		for i, part := range e.recipe.content {
			nodes[i] = maps[part.layer]
		}
		return nodes, nil
	})
}
