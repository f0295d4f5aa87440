package model

import (
	"context"
	"fmt"
	"image"

	"gorgonia.org/gorgonia"

	"impasto/internal/engine"
	"impasto/internal/ops"
	"impasto/internal/optim"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
)

// comparison is what stands between the two ways through a tiled picture: from the sums of
// its summaries, the loss and their cotangents.
type comparison struct {
	x         summaries        // inputs for the sums
	gradients []*gorgonia.Node // the cotangents, one for each of x.nodes()
}

// tiledStyleTargets computes the targets of the style pictures of a level tile by tile.
func (e extractor) tiledStyleTargets(ctx context.Context, l level, cut func(*section) error, f frugality) ([]styleTarget, error) {
	var t targets
	for i, p := range l.styles {
		kept, err := e.ofStyle(i, image.Pt(p.Width, p.Height)).tiledStyle(ctx, p, cut, f)
		if err != nil {
			return nil, withContext(fmt.Sprintf("style picture %d", i+1), err)
		}
		t.addStyle(e.recipe, i, kept)
	}
	return t.style, nil
}

// tiledContent computes what is kept of the content of a level tile by tile, and prepares its
// objective.
func (e extractor) tiledContent(ctx context.Context, l level, cut func(*section) error, f frugality) (*tiled, error) {
	b, err := e.newTiled(l.width, l.height, cut, f)
	if err != nil {
		return nil, err
	}
	if err := b.keepContent(ctx, l.content); err != nil {
		b.close()
		return nil, withContext("content picture", err)
	}
	return b, nil
}

// tiledStyle is what each style part keeps of a style picture.
func (e extractor) tiledStyle(ctx context.Context, p *picture.Picture, cut func(*section) error, f frugality) ([]engine.Kept, error) {
	if len(e.recipe.style) == 0 {
		return nil, nil
	}
	b, err := e.newTiled(p.Width, p.Height, cut, f)
	if err != nil {
		return nil, err
	}
	defer b.close()
	return b.styleSummaries(ctx, p)
}

// sketchSums has the shapes of the sums, without values. Where positions are chosen, not
// every tile has something of every sum.
func (b *tiled) sketchSums() (sums, error) {
	r := b.extractor.recipe
	shapes := sums{style: make([]engine.Kept, len(r.style)), content: make([]plan.Values, len(r.content))}
	for _, s := range b.sections {
		for _, t := range s.tiles {
			g, err := b.extractor.sketchTile(s, t, forSummaries)
			if err != nil {
				return sums{}, err
			}
			if b.sketchSum(s, g, shapes) {
				break
			}
		}
	}
	return shapes, nil
}

// sketchSum adds the shapes of what a tile has, and tells whether all of its section are
// there.
func (b *tiled) sketchSum(s *section, g *tileGraph, shapes sums) (all bool) {
	all = true
	for k, summarised := range g.x.style {
		kept, _ := engine.Keep(summarised, engine.NoValues(engine.Nodes(summarised)...))
		for _, part := range kept.Summaries {
			b.draws = b.draws || part.Drawn
		}
		to := &shapes.style[s.style[k]]
		to.Add(kept)
		for n, of := range s.recipe.form(s.recipe.style[k]).Summaries {
			all = all && (of.TargetOnly || to.Summaries[n].Node != nil)
		}
	}
	for k, node := range g.x.content {
		if node != nil {
			shapes.content[s.content[k]] = plan.NoValues(node)
		}
		all = all && shapes.content[s.content[k]].Shape != nil
	}
	return all
}

// outlineComparison builds the graph of the comparison.
func (e extractor) outlineComparison(t targets, shapes sums, sizes []contentSize) (o *objective, inputs []engine.Input, err error) {
	defer ops.Catch(&err, "build the loss")
	g := gorgonia.NewGraph()
	c := &comparison{}
	for i, kept := range shapes.style {
		of, _ := kept.Inputs(g, fmt.Sprintf("style %d", i+1))
		c.x.style = append(c.x.style, of)
	}
	for i, values := range shapes.content {
		c.x.content = append(c.x.content, values.Input(g, fmt.Sprintf("content %d", i+1)))
	}
	sum, err := e.recipe.compare(g, c.x, t.style, sizes)
	if err != nil {
		return nil, nil, err
	}
	if err := sum.sum(); err != nil {
		return nil, nil, err
	}
	c.gradients, err = gorgonia.Grad(sum.node, c.x.nodes()...)
	return &objective{device: e.Device, loss: sum.node, terms: sum.terms, comparison: c}, sum.targets, err
}

// outlinePixels builds the graph of the terms of a picture of a size that don't go through the
// network; nil where none counts. It returns what has to be written to it, too.
func (e extractor) outlinePixels(width, height int) (o *objective, inputs []engine.Input, err error) {
	defer ops.Catch(&err, "build the loss of pixels")
	if e.recipe.variation == 0 && e.recipe.agreement == nil {
		return nil, nil, nil
	}
	picture := gorgonia.NewTensor(gorgonia.NewGraph(), gorgonia.Float32, 3, gorgonia.WithShape(3, height, width), gorgonia.WithName("picture"))
	t := &total{}
	if err := e.recipe.ofPixels(t, picture); err != nil {
		return nil, nil, err
	}
	if err := t.sum(); err != nil {
		return nil, nil, err
	}
	gradients, err := gorgonia.Grad(t.node, picture)
	if err != nil {
		return nil, nil, err
	}
	return &objective{picture: picture, gradient: gradients[0], loss: t.node, terms: t.terms}, t.targets, nil
}

// tiledObjective compiles the objective of a level in tiles.
func (e extractor) tiledObjective(l level, t targets, b *tiled) (*objective, error) {
	o, err := e.comparisonOf(l, t, b)
	if err != nil {
		b.close()
		return nil, err
	}
	o.tiled, o.key = b, o.Input(losses.KeyName)
	of := o // whose the picture and its gradient are
	var inputs []engine.Input
	if o.pixels, inputs, err = e.outlinePixels(l.width, l.height); err == nil && o.pixels != nil {
		of = o.pixels
		if of.Executable, err = engine.Compile(e.Device, inputs, of.outputs()...); err != nil {
			o.pixels = nil
		}
	}
	if err == nil {
		o.point, o.slope, err = of.vectors(e.Device, 3*l.width*l.height)
	}
	if err != nil {
		o.Close()
		return nil, err
	}
	o.owns = of.owns
	if slope, here := o.slope.(optim.HostVector); here {
		b.lend(slope)
	}
	return o, nil
}

// comparisonOf compiles the comparison of a level.
func (e extractor) comparisonOf(l level, t targets, b *tiled) (*objective, error) {
	shapes, err := b.sketchSums()
	if err != nil {
		return nil, err
	}
	o, inputs, err := e.outlineComparison(t, shapes, b.sizes)
	if err != nil {
		return nil, err
	}
	o.Executable, err = engine.Compile(e.Device, inputs, o.outputs()...)
	return o, err
}

// vectors are the picture and its gradient, in the place that they have in the graph, or
// new ones where it has none.
func (o *objective) vectors(device plan.Device, n int) (point, slope optim.Vector, err error) {
	if o.picture != nil {
		if point, err = o.Vector(o.picture); err != nil {
			return nil, nil, err
		}
		slope, err = o.Vector(o.gradient)
		return point, slope, err
	}
	if point, err = device.NewVector(n); err != nil {
		return nil, nil, err
	}
	if slope, err = device.NewVector(n); err != nil {
		device.Free(point)
		return nil, nil, err
	}
	o.owns = []optim.Vector{point, slope}
	return point, slope, nil
}

// evaluateTiled computes the loss and its gradient.
func (o *objective) evaluateTiled(ctx context.Context) (float64, error) {
	b, device := o.tiled, o.device
	point, here := o.point.(optim.HostVector)
	gradient, _ := o.slope.(optim.HostVector)
	if !here {
		point, gradient = make([]float32, o.point.Len()), make([]float32, o.point.Len())
		if err := device.Download(point, o.point); err != nil {
			return 0, err
		}
	}
	from := pictureMap(b.sections[0].width, b.sections[0].height, point)
	whole, err := b.summarise(ctx, from)
	if err != nil {
		return 0, err
	}
	cotangents, err := o.compare(ctx, whole)
	if err != nil {
		return 0, err
	}
	loss, err := o.Scalar(o.loss)
	if err != nil {
		return 0, err
	}
	if err := b.pullBackToMaps(ctx, cotangents); err != nil {
		return 0, err
	}
	// From here on the gradient's memory is the gradient's.
	if o.pixels == nil {
		clear(gradient)
	} else {
		ofPixels, err := o.pixels.evaluate(ctx)
		if err == nil && !here {
			err = device.Download(gradient, o.slope)
		}
		if err != nil {
			return 0, err
		}
		loss += ofPixels
	}
	if err := b.pullBackToPicture(ctx, cotangents, pictureMap(from.width, from.height, gradient)); err != nil {
		return 0, err
	}
	if !here {
		if err := device.Upload(o.slope, gradient); err != nil {
			return 0, err
		}
	}
	return loss, nil
}

// compare computes the loss, and the cotangents of the sums.
func (o *objective) compare(ctx context.Context, whole sums) (cotangents sums, err error) {
	x := o.comparison.x
	for i, summarised := range x.style {
		for k, s := range summarised {
			if s.Node != nil {
				if err := whole.style[i].Values[k].WriteTo(o, s.Node); err != nil {
					return sums{}, err
				}
			}
		}
	}
	for i, node := range x.content {
		if err := whole.content[i].WriteTo(o, node); err != nil {
			return sums{}, err
		}
	}
	if err := o.Run(ctx); err != nil {
		return sums{}, err
	}
	values, err := o.ReadValues(o.comparison.gradients...)
	if err != nil {
		return sums{}, err
	}
	cotangents.style, values = engine.KeepAll(x.style, values)
	cotangents.content = values
	return cotangents, nil
}
