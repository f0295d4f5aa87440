package model

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"

	"impasto/internal/engine"
	"impasto/internal/ops"
	"impasto/internal/optim"
	"impasto/internal/plan"
	"impasto/losses"
)

// The objective has three stages, cut at the summaries:
//
//   - summarise: a picture, or a part of one, gives what it adds to each summary;
//   - compare: summaries and targets give the losses, and the summaries' cotangents;
//   - pull back: a picture, or a part of one, and the cotangents give the gradient.
//
// A whole picture goes through all three in one graph. One in tiles goes through
// a graph a stage; see tiled.go.

// summaries are what the terms of the loss need to know of a picture.
type summaries struct {
	style   [][]losses.Summarised // one for each style part
	content []*gorgonia.Node      // one for each content part: sums of differences, nil without positions
}

// summarise adds the summaries of feature maps to their graph, of the positions that places
// says. content has what is kept of the content there.
func (r recipe) summarise(maps map[string]*gorgonia.Node, places *locator, content []*gorgonia.Node) (s summaries, err error) {
	s = summaries{style: make([][]losses.Summarised, len(r.style)), content: make([]*gorgonia.Node, len(r.content))}
	for i, part := range r.style {
		if s.style[i], err = r.form(part).Summarise(maps[part.layer], places.at(part.layer, part.where)); err != nil {
			return s, fmt.Errorf("%s: %w", part, err)
		}
	}
	for i, part := range r.content {
		if s.content[i], err = r.contentForm.Summarise(maps[part.layer], content[i], places.at(part.layer, part.where)); err != nil {
			return s, fmt.Errorf("content at %s: %w", part.layer, err)
		}
	}
	return s, nil
}

// term is one part of the loss.
type term struct {
	name   string
	weight float64
	node   *gorgonia.Node
}

// total is the loss as a graph: a weighted sum of terms.
type total struct {
	node    *gorgonia.Node // the sum
	terms   []term
	targets []engine.Input
}

// compare adds the terms between summaries and targets to their graph. content is how
// large each content part's map is.
func (r recipe) compare(g *gorgonia.ExprGraph, x summaries, style []styleTarget, content []contentSize) (*total, error) {
	t := &total{}
	for _, parts := range r.terms() {
		of, err := t.style(g, r, parts, x.style, style)
		if err != nil {
			return nil, err
		}
		t.terms = append(t.terms, of)
	}
	for i, part := range r.content {
		node, err := r.contentForm.Value(x.content[i], content[i].elements)
		if err != nil {
			return nil, fmt.Errorf("content at %s: %w", part.layer, err)
		}
		weight := part.weight * r.contentForm.Unit(content[i].meanSquare())
		t.terms = append(t.terms, term{name: "content " + part.layer, weight: weight, node: node})
	}
	return t, nil
}

// ofPixels adds the terms that look at the picture itself: its total variation, and how it
// agrees with a prior, as far as they count.
func (r recipe) ofPixels(t *total, picture *gorgonia.Node) error {
	if r.variation > 0 {
		node, err := losses.TotalVariation(picture)
		if err != nil {
			return fmt.Errorf("total variation: %w", err)
		}
		t.terms = append(t.terms, term{name: "total variation", weight: r.variation, node: node})
	}
	return r.agreement.add(t, picture)
}

// sum adds up the terms.
func (t *total) sum() (err error) {
	weights, nodes := make([]float64, len(t.terms)), make([]*gorgonia.Node, len(t.terms))
	for i, of := range t.terms {
		weights[i], nodes[i] = of.weight, of.node
	}
	t.node, err = losses.Sum(weights, nodes...)
	return err
}

// style adds one style term: the weighted sum of its parts, which have a region each, and of
// the losses of each against its targets. The targets' inputs are named after the part, since
// inputs of one name are one to Gorgonia.
func (t *total) style(g *gorgonia.ExprGraph, r recipe, parts []int, x [][]losses.Summarised, targets []styleTarget) (term, error) {
	of := term{name: r.styleName(parts[0])}
	for _, i := range parts {
		of.weight += r.style[i].weight
	}
	var nodes []*gorgonia.Node
	var weights []float64
	for _, i := range parts {
		part, form := r.style[i], r.form(r.style[i])
		for k, kept := range targets[i].kept {
			target, inputs := kept.Inputs(g, fmt.Sprintf("%s region %d target %d", of.name, part.region+1, k+1))
			t.targets = append(t.targets, inputs...)
			node, err := form.Value(x[i], target)
			if err != nil {
				return of, fmt.Errorf("%s: %w", part, err)
			}
			nodes, weights = append(nodes, node), append(weights, part.weight/of.weight*targets[i].weights[k])
		}
	}
	of.node = nodes[0]
	if len(nodes) == 1 {
		return of, nil
	}
	var err error
	of.node, err = losses.Sum(weights, nodes...)
	return of, err
}

// nodes are all summaries that are there.
func (x summaries) nodes() []*gorgonia.Node {
	var nodes []*gorgonia.Node
	for _, of := range x.style {
		nodes = append(nodes, engine.Nodes(of)...)
	}
	for _, node := range x.content {
		if node != nil {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// total builds the loss of whole pictures of a size against the targets, and returns
// the picture's input, too.
func (e extractor) total(width, height int, t targets) (picture *gorgonia.Node, sum *total, err error) {
	defer ops.Catch(&err, "build the loss")
	picture, maps, err := e.Build(width, height, e.recipe.layers()...)
	if err != nil {
		return nil, nil, err
	}
	content := e.recipe.contentInputs(picture.Graph(), t.content)
	places := &locator{graph: picture.Graph()}
	x, err := e.recipe.summarise(maps, places, content)
	if err != nil {
		return nil, nil, err
	}
	sizes := make([]contentSize, len(t.content))
	for i, values := range t.content {
		sizes[i].add(values)
	}
	if sum, err = e.recipe.compare(picture.Graph(), x, t.style, sizes); err != nil {
		return nil, nil, err
	}
	if err := e.recipe.ofPixels(sum, picture); err != nil {
		return nil, nil, err
	}
	if err := sum.sum(); err != nil {
		return nil, nil, err
	}
	for i, values := range t.content {
		sum.targets = append(sum.targets, engine.Input{Node: content[i], Values: values})
	}
	sum.targets = append(sum.targets, places.inputs()...)
	return picture, sum, nil
}

// contentSize is how many elements the content has at a layer, and the sum of their
// squares.
type contentSize struct {
	elements int
	squares  float64
}

// add counts what is kept of the content, or of a part of it.
func (s *contentSize) add(kept plan.Values) { s.addValues(kept.Single) }

func (s *contentSize) addValues(kept []float32) {
	s.elements += len(kept)
	for _, v := range kept {
		s.squares += float64(v) * float64(v)
	}
}

func (s contentSize) meanSquare() float64 { return s.squares / float64(max(s.elements, 1)) }

// contentInputs adds inputs for what is kept of the content to a graph, one for each
// content part. Those without positions have none.
func (r recipe) contentInputs(g *gorgonia.ExprGraph, kept []plan.Values) []*gorgonia.Node {
	nodes := make([]*gorgonia.Node, len(kept))
	for i, values := range kept {
		if values.Shape != nil {
			nodes[i] = values.Input(g, "content "+r.content[i].layer+" target")
		}
	}
	return nodes
}

// objective is the loss of a picture at one level and its gradient, compiled for a
// device.
type objective struct {
	*engine.Executable
	device       plan.Device
	picture      *gorgonia.Node
	gradient     *gorgonia.Node
	loss         *gorgonia.Node
	terms        []term
	key          *gorgonia.Node // input of losses that sample, nil without such
	point, slope optim.Vector   // the picture, and the loss's gradient by it
	still        stillPixels

	// Of a picture that is looked at in tiles:
	tiled      *tiled
	comparison *comparison
	pixels     *objective     // the terms that look at the picture itself; nil where none counts
	owns       []optim.Vector // those that don't belong to an executable
}

// objective builds and compiles the graph for pictures of the level's size.
func (e extractor) objective(l level, t targets) (*objective, error) {
	o, inputs, err := e.outlineObjective(l.width, l.height, t)
	if err != nil {
		return nil, err
	}
	if o.Executable, err = engine.Compile(e.Device, inputs, o.outputs()...); err != nil {
		return nil, err
	}
	o.key = o.Input(losses.KeyName)
	if o.point, o.slope, err = o.vectors(e.Device, 3*l.width*l.height); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// Close frees what the objective holds.
func (o *objective) Close() error {
	if o.tiled != nil {
		for _, v := range o.owns {
			o.device.Free(v)
		}
		o.tiled.close()
	}
	if o.pixels != nil {
		o.pixels.Close()
	}
	return o.Executable.Close()
}

// outlineObjective builds the graph for pictures of a size, and returns what has to be
// written to it, too.
func (e extractor) outlineObjective(width, height int, t targets) (_ *objective, inputs []engine.Input, err error) {
	defer ops.Catch(&err, "build the loss")
	picture, sum, err := e.total(width, height, t)
	if err != nil {
		return nil, nil, err
	}
	gradients, err := gorgonia.Grad(sum.node, picture)
	if err != nil {
		return nil, nil, err
	}
	return &objective{device: e.Device, picture: picture, gradient: gradients[0], loss: sum.node, terms: sum.terms}, sum.targets, nil
}

// outputs are what a run gives: the loss, its gradient and its terms.
func (o *objective) outputs() []*gorgonia.Node {
	outputs := []*gorgonia.Node{o.loss}
	if o.gradient != nil {
		outputs = append(outputs, o.gradient)
	}
	if o.comparison != nil {
		outputs = append(outputs, o.comparison.gradients...)
	}
	for _, t := range o.terms {
		outputs = append(outputs, t.node)
	}
	return outputs
}

// evaluate is the optimisers' view of the objective. Where ctx ends before it is done, the
// error is ctx's.
func (o *objective) evaluate(ctx context.Context) (float64, error) {
	loss, err := o.evaluateAll(ctx)
	if err != nil || o.still == nil {
		return loss, err
	}
	return loss, o.hold(o.slope)
}

// hold makes a vector zero at pixels that don't move.
func (o *objective) hold(v optim.Vector) error {
	if o.still == nil {
		return nil
	}
	values, here := v.(optim.HostVector)
	if !here {
		values = make([]float32, v.Len())
		if err := o.device.Download(values, v); err != nil {
			return err
		}
	}
	o.still.each(func(at int) { values[at] = 0 })
	if here {
		return nil
	}
	return o.device.Upload(v, values)
}

func (o *objective) evaluateAll(ctx context.Context) (float64, error) {
	if o.tiled != nil {
		return o.evaluateTiled(ctx)
	}
	if err := o.Run(ctx); err != nil {
		return 0, err
	}
	return o.Scalar(o.loss)
}

// rekey gives losses that sample another key: the same for the same seed of the run and
// the same turn. It tells whether there are such losses, so that the objective is
// another function than before.
func (o *objective) rekey(seed uint64, turn int) (bool, error) {
	if o.key == nil && (o.tiled == nil || !o.tiled.draws) {
		return false, nil
	}
	key := rand.New(rand.NewPCG(seed, uint64(turn))).Float64()
	return true, o.setKey(key)
}

// rest gives back the memory that evaluations alone need.
func (o *objective) rest() {
	if o.tiled != nil {
		o.tiled.stop()
		o.tiled.forget()
	}
}

// setKey writes the key of losses that sample.
func (o *objective) setKey(key float64) error {
	if o.tiled != nil {
		o.tiled.key[0] = key
	}
	if o.key == nil {
		return nil
	}
	return o.WriteFloat64(o.key, []float64{key})
}

// values returns the terms as they counted in the last evaluation.
func (o *objective) values() ([]Term, error) {
	terms := make([]Term, len(o.terms))
	for i, t := range o.terms {
		value, err := o.Scalar(t.node)
		if err != nil {
			return nil, err
		}
		terms[i] = Term{Name: t.name, Value: t.weight * value}
	}
	if o.pixels == nil {
		return terms, nil
	}
	others, err := o.pixels.values()
	return append(terms, others...), err
}

// culprit names the first term that isn't finite, and its value.
func (o *objective) culprit() (Term, bool) {
	terms, err := o.values()
	if err != nil {
		return Term{}, false
	}
	for _, t := range terms {
		if !finite(t.Value) {
			return t, true
		}
	}
	return Term{}, false
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
