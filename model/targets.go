package model

import (
	"context"
	"fmt"
	"image"

	"gorgonia.org/gorgonia"

	"impasto/internal/engine"
	"impasto/internal/ops"
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
	guide  *guidance // nil where there are no regions
}

// targets computes the targets of a level, one picture at a time, each on a
// machine that is closed before the next is made.
func (e extractor) targets(ctx context.Context, l level) (t targets, err error) {
	if t.style, err = e.styleTargets(ctx, l); err != nil {
		return targets{}, err
	}
	t.content, err = e.contentTargets(ctx, l)
	return t, err
}

// styleTargets computes those of the style pictures of a level.
func (e extractor) styleTargets(ctx context.Context, l level) ([]styleTarget, error) {
	var t targets
	for i, p := range l.styles {
		kept, err := e.ofStyle(i, image.Pt(p.Width, p.Height)).summaries(ctx, p)
		if err != nil {
			return nil, withContext(fmt.Sprintf("style picture %d", i+1), err)
		}
		t.addStyle(e.recipe, i, kept)
	}
	return t.style, nil
}

// contentTargets computes those of its content.
func (e extractor) contentTargets(ctx context.Context, l level) ([]plan.Values, error) {
	if len(e.recipe.content) == 0 {
		return nil, nil
	}
	features, err := e.features(ctx, l.content)
	if err != nil {
		return nil, withContext("content picture", err)
	}
	return features, nil
}

// addStyle takes in what style parts keep of the style picture of that index: those that it
// is a target of; see partsOf.
func (t *targets) addStyle(r recipe, index int, kept []engine.Kept) {
	if t.style == nil {
		t.style = make([]styleTarget, len(r.style))
	}
	for i, k := range r.partsOf(index) {
		t.style[k].add(kept[i], r.styles[index], r.form(r.style[k]).Blends())
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
func (e extractor) summaries(ctx context.Context, p *picture.Picture) (_ []engine.Kept, err error) {
	defer ops.Catch(&err, "summarise a style")
	if len(e.recipe.style) == 0 {
		return nil, nil
	}
	input, maps, err := e.Build(p.Width, p.Height, e.recipe.styleLayers()...)
	if err != nil {
		return nil, err
	}
	places := &locator{graph: input.Graph()}
	made, err := e.recipe.styleTargets(maps, places)
	if err != nil {
		return nil, err
	}
	nodes := summaries{style: made}.nodes()
	values, err := engine.Evaluate(ctx, e.Device, append(places.inputs(), engine.PictureInput(input, p)), nodes...)
	if err != nil {
		return nil, err
	}
	kept, _ := engine.KeepAll(made, values)
	return kept, nil
}

// styleOutputs makes the summaries of a style picture, one for each style part, which are
// there once the outputs were made.
func (r recipe) styleOutputs() ([][]losses.Summarised, engine.Outputs) {
	kept := make([][]losses.Summarised, len(r.style))
	return kept, func(maps map[string]*gorgonia.Node) ([]*gorgonia.Node, error) {
		made, err := r.styleTargets(maps, &locator{graph: graphOf(maps)})
		if err != nil {
			return nil, err
		}
		copy(kept, made)
		return summaries{style: made}.nodes(), nil
	}
}

// graphOf is the graph that maps are of.
func graphOf(maps map[string]*gorgonia.Node) *gorgonia.ExprGraph {
	for _, node := range maps {
		return node.Graph()
	}
	return nil
}

// styleTargets adds what style parts keep of a style's feature maps to their graph, of the
// positions that places says.
func (r recipe) styleTargets(maps map[string]*gorgonia.Node, places *locator) ([][]losses.Summarised, error) {
	summaries := make([][]losses.Summarised, len(r.style))
	for i, part := range r.style {
		var err error
		if summaries[i], err = r.form(part).Target(maps[part.layer], places.at(part.layer, part.where)); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
	}
	return summaries, nil
}

// contentTargets adds what content parts keep of the content's feature maps to their graph,
// nil for those without positions.
func (r recipe) contentTargets(maps map[string]*gorgonia.Node, places *locator) ([]*gorgonia.Node, error) {
	nodes := make([]*gorgonia.Node, len(r.content))
	for i, part := range r.content {
		var err error
		if nodes[i], err = r.contentForm.Target(maps[part.layer], places.at(part.layer, part.where)); err != nil {
			return nil, fmt.Errorf("content at %s: %w", part.layer, err)
		}
	}
	return nodes, nil
}

// features returns a picture's features for each content part.
func (e extractor) features(ctx context.Context, p *picture.Picture) ([]plan.Values, error) {
	return e.Evaluate(ctx, p, e.recipe.contentLayers(), e.recipe.contentOutputs)
}

// contentOutputs is what content parts keep, which makes it an engine.Outputs.
func (r recipe) contentOutputs(maps map[string]*gorgonia.Node) ([]*gorgonia.Node, error) {
	return r.contentTargets(maps, &locator{graph: graphOf(maps)})
}
