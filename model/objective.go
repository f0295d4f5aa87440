package model

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
)

// objective is the loss of a picture at one scale, and its gradient, on a
// machine.
type objective struct {
	machine  plan.Machine
	picture  *gorgonia.Node
	gradient *gorgonia.Node
	cost     *gorgonia.Node
	draw     *gorgonia.Node // input of losses with chance in them, nil without such
	terms    []term
	inputs   []input
	scaling  int64 // bytes of the machine's memory that go with the picture's pixels, 0 where it doesn't tell
}

// term is one part of the cost.
type term struct {
	name   string
	weight float64
	node   *gorgonia.Node
}

// input is a target in the graph and what to write there.
type input struct {
	node   *gorgonia.Node
	values plan.Values
}

// objective builds the graph for pictures of the level's size and compiles it.
func (e engine) objective(l level, t targets) (_ *objective, err error) {
	defer ops.Catch(&err, "build the loss")
	o := &objective{picture: pictureNode(l.width, l.height)}
	taps, err := vgg19.Build(o.picture, e.parameters, e.recipe.network, e.recipe.layers()...)
	if err != nil {
		return nil, err
	}
	if err := o.addStyle(e.recipe, taps, t.style); err != nil {
		return nil, err
	}
	if err := o.addContent(e.recipe, taps, t.content); err != nil {
		return nil, err
	}
	if e.recipe.variation > 0 {
		node, err := losses.TotalVariation(o.picture)
		if err != nil {
			return nil, fmt.Errorf("total variation: %w", err)
		}
		o.terms = append(o.terms, term{name: "total variation", weight: e.recipe.variation, node: node})
	}
	if err := o.differentiate(); err != nil {
		return nil, err
	}
	return o, o.compile(e.device)
}

func (o *objective) addStyle(r recipe, taps map[string]*gorgonia.Node, targets []styleTarget) error {
	for i, part := range r.style {
		summary, err := part.loss.Summarise(taps[part.layer])
		if err != nil {
			return fmt.Errorf("%s at %s: %w", part.loss.Name(), part.layer, err)
		}
		var nodes []*gorgonia.Node
		for k, values := range targets[i].summaries {
			target := o.target(fmt.Sprintf("style %s target %d", part.layer, k+1), values)
			node, err := part.loss.Objective(summary, target)
			if err != nil {
				return fmt.Errorf("%s at %s: %w", part.loss.Name(), part.layer, err)
			}
			nodes = append(nodes, node)
		}
		node := nodes[0]
		if len(nodes) > 1 {
			if node, err = losses.Sum(targets[i].weights, nodes...); err != nil {
				return fmt.Errorf("%s at %s: %w", part.loss.Name(), part.layer, err)
			}
		}
		o.terms = append(o.terms, term{name: "style " + part.layer, weight: part.weight, node: node})
	}
	return nil
}

func (o *objective) addContent(r recipe, taps map[string]*gorgonia.Node, targets []plan.Values) error {
	for i, part := range r.content {
		name := "content " + part.layer
		node, err := losses.Content(r.contentForm, taps[part.layer], o.target(name+" target", targets[i]))
		if err != nil {
			return fmt.Errorf("content at %s: %w", part.layer, err)
		}
		o.terms = append(o.terms, term{name: name, weight: part.weight, node: node})
	}
	return nil
}

// target adds an input for values, which are written once the graph is compiled.
func (o *objective) target(name string, values plan.Values) *gorgonia.Node {
	node := values.Input(o.picture.Graph(), name)
	o.inputs = append(o.inputs, input{node, values})
	return node
}

// differentiate adds the cost and its gradient to the picture to the graph.
func (o *objective) differentiate() error {
	weights, nodes := make([]float64, len(o.terms)), make([]*gorgonia.Node, len(o.terms))
	for i, t := range o.terms {
		weights[i], nodes[i] = t.weight, t.node
	}
	var err error
	if o.cost, err = losses.Sum(weights, nodes...); err != nil {
		return err
	}
	gradients, err := gorgonia.Grad(o.cost, o.picture)
	if err != nil {
		return err
	}
	o.gradient = gradients[0]
	return nil
}

func (o *objective) compile(device plan.Device) error {
	outputs := []*gorgonia.Node{o.cost, o.gradient}
	for _, t := range o.terms {
		outputs = append(outputs, t.node)
	}
	schedule, err := plan.Make(outputs...)
	if err != nil {
		return err
	}
	o.draw = drawOf(schedule)
	if o.machine, err = device.Compile(schedule); err != nil {
		return err
	}
	if m, tells := o.machine.(interface{ MapMemory() int64 }); tells {
		o.scaling = m.MapMemory()
	}
	for _, in := range o.inputs {
		if err := in.values.WriteTo(o.machine, in.node); err != nil {
			o.machine.Close()
			return fmt.Errorf("%s: %w", in.node.Name(), err)
		}
	}
	o.inputs = nil
	return nil
}

// drawOf is the input that losses with chance in them draw by, nil without such.
func drawOf(schedule *plan.Schedule) *gorgonia.Node {
	for _, in := range schedule.Inputs {
		if in.Node.Name() == losses.DrawName {
			return in.Node
		}
	}
	return nil
}

// evaluate is the optimisers' view of the objective.
func (o *objective) evaluate() (float64, error) {
	if err := o.machine.RunAll(); err != nil {
		return 0, err
	}
	return o.scalar(o.cost)
}

// redraw makes losses with chance in them draw anew: the same for the same seed
// and turn. It tells whether there are any, so that the objective is another
// function than before.
func (o *objective) redraw(seed uint64, turn int) (bool, error) {
	if o.draw == nil {
		return false, nil
	}
	draw := rand.New(rand.NewPCG(seed, uint64(turn))).Float64()
	return true, o.machine.WriteFloat64(o.draw, []float64{draw})
}

// values returns the terms as they counted in the last evaluation.
func (o *objective) values() ([]Term, error) {
	terms := make([]Term, len(o.terms))
	for i, t := range o.terms {
		value, err := o.scalar(t.node)
		if err != nil {
			return nil, err
		}
		terms[i] = Term{Name: t.name, Value: t.weight * value}
	}
	return terms, nil
}

func (o *objective) scalar(node *gorgonia.Node) (float64, error) {
	var value [1]float64
	err := o.machine.ReadFloat64(node, value[:])
	return value[0], err
}

// culprit names the first term that isn't finite, and its value.
func (o *objective) culprit() (Term, bool) {
	terms, err := o.values()
	if err != nil {
		return Term{}, false
	}
	for _, t := range terms {
		if math.IsNaN(t.Value) || math.IsInf(t.Value, 0) {
			return t, true
		}
	}
	return Term{}, false
}
