package model

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"

	"impasto/internal/engine"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/losses"
)

// total is the loss of a picture as a graph: a weighted sum of terms.
type total struct {
	picture *gorgonia.Node // the input
	node    *gorgonia.Node // the sum
	terms   []term
	targets []engine.Input
}

// term is one part of the loss.
type term struct {
	name   string
	weight float64
	node   *gorgonia.Node
}

// total builds the loss of pictures of a size against the targets.
func (e extractor) total(width, height int, t targets) (_ *total, err error) {
	defer ops.Catch(&err, "build the loss")
	sum := &total{}
	var maps map[string]*gorgonia.Node
	if sum.picture, maps, err = e.Build(width, height, e.recipe.layers()...); err != nil {
		return nil, err
	}
	if err := sum.addStyle(e.recipe, maps, t.style); err != nil {
		return nil, err
	}
	if err := sum.addContent(e.recipe, maps, t.content); err != nil {
		return nil, err
	}
	if e.recipe.variation > 0 {
		node, err := losses.TotalVariation(sum.picture)
		if err != nil {
			return nil, fmt.Errorf("total variation: %w", err)
		}
		sum.terms = append(sum.terms, term{name: "total variation", weight: e.recipe.variation, node: node})
	}
	weights, nodes := make([]float64, len(sum.terms)), make([]*gorgonia.Node, len(sum.terms))
	for i, t := range sum.terms {
		weights[i], nodes[i] = t.weight, t.node
	}
	sum.node, err = losses.Sum(weights, nodes...)
	return sum, err
}

func (s *total) addStyle(r recipe, maps map[string]*gorgonia.Node, targets []styleTarget) error {
	for i, part := range r.style {
		form := part.loss.Normalised()
		x, err := form.Summarise(maps[part.layer], losses.Positions{})
		if err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
		var nodes []*gorgonia.Node
		for k, kept := range targets[i].kept {
			target, inputs := kept.Inputs(s.picture.Graph(), fmt.Sprintf("style %s target %d", part.layer, k+1))
			s.targets = append(s.targets, inputs...)
			node, err := form.Value(x, target)
			if err != nil {
				return fmt.Errorf("%s: %w", part, err)
			}
			nodes = append(nodes, node)
		}
		node := nodes[0]
		if len(nodes) > 1 {
			if node, err = losses.Sum(targets[i].weights, nodes...); err != nil {
				return fmt.Errorf("%s: %w", part, err)
			}
		}
		s.terms = append(s.terms, term{name: "style " + part.layer, weight: part.weight, node: node})
	}
	return nil
}

func (s *total) addContent(r recipe, maps map[string]*gorgonia.Node, targets []plan.Values) error {
	form, err := losses.ContentNamed(r.contentForm)
	if err != nil {
		return err
	}
	for i, part := range r.content {
		name := "content " + part.layer
		node, err := form.Between(maps[part.layer], s.target(name+" target", targets[i]))
		if err != nil {
			return fmt.Errorf("content at %s: %w", part.layer, err)
		}
		s.terms = append(s.terms, term{name: name, weight: part.weight, node: node})
	}
	return nil
}

// target adds an input for values, which are written once the graph is compiled.
func (s *total) target(name string, values plan.Values) *gorgonia.Node {
	node := values.Input(s.picture.Graph(), name)
	s.targets = append(s.targets, engine.Input{Node: node, Values: values})
	return node
}

// objective is the loss of a picture at one level and its gradient, compiled for a
// device.
type objective struct {
	*engine.Executable
	picture  *gorgonia.Node
	gradient *gorgonia.Node
	loss     *gorgonia.Node
	terms    []term
	key      *gorgonia.Node // input of losses that sample, nil without such
}

// objective builds and compiles the graph for pictures of the level's size.
func (e extractor) objective(l level, t targets) (_ *objective, err error) {
	defer ops.Catch(&err, "build the loss")
	sum, err := e.total(l.width, l.height, t)
	if err != nil {
		return nil, err
	}
	gradients, err := gorgonia.Grad(sum.node, sum.picture)
	if err != nil {
		return nil, err
	}
	o := &objective{picture: sum.picture, gradient: gradients[0], loss: sum.node, terms: sum.terms}
	outputs := []*gorgonia.Node{o.loss, o.gradient}
	for _, t := range o.terms {
		outputs = append(outputs, t.node)
	}
	if o.Executable, err = engine.Compile(e.Device, sum.targets, outputs...); err != nil {
		return nil, err
	}
	o.key = o.Input(losses.KeyName)
	return o, nil
}

// evaluate is the optimisers' view of the objective.
func (o *objective) evaluate() (float64, error) {
	if err := o.RunAll(); err != nil {
		return 0, err
	}
	return o.Scalar(o.loss)
}

// rekey gives losses that sample another key: the same for the same seed of the run and
// the same turn. It tells whether there are such losses, so that the objective is
// another function than before.
func (o *objective) rekey(seed uint64, turn int) (bool, error) {
	if o.key == nil {
		return false, nil
	}
	key := rand.New(rand.NewPCG(seed, uint64(turn))).Float64()
	return true, o.WriteFloat64(o.key, []float64{key})
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
	return terms, nil
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
