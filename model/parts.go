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
	"impasto/vgg19"
)

// inParts is the objective of a picture that is looked at part by part. Style losses
// compare sums over the whole picture, so it is exact: each part adds what it has to
// the summaries, these are compared once, and each part pulls their cotangents back
// (Galerne, Raad, Lezama and Morel 2022, "Scaling Painting Style Transfer", do so
// for Gram-like losses). A part is seen with a margin that holds all that its
// features depend on.
type inParts struct {
	extractor     extractor
	width, height int
	parts         []part
	targets       targets        // the content's are those of each part
	strides       map[string]int // of the layers, in pixels
}

// part is a rectangle of a picture, in pixels.
type part struct {
	inner   image.Rectangle // what counts by way of this part
	shown   image.Rectangle // that with the margin
	content []plan.Values   // what is kept of the content there, for each content part
}

// evaluation is what an objective in parts comes to.
type evaluation struct {
	loss     float64
	terms    []float64 // without weights
	gradient []float32 // 3×height×width
}

// inParts is the objective of a level in columns×rows parts. Their edges are where
// positions of every layer end, so that each position belongs to one part.
func (e extractor) inParts(ctx context.Context, l level, t targets, columns, rows int) (*inParts, error) {
	s := &inParts{extractor: e, width: l.width, height: l.height, targets: t, strides: map[string]int{}}
	step, margin := 1, 0
	for _, layer := range e.recipe.layers() {
		stride, reach, err := vgg19.Reach(layer, e.Options)
		if err != nil {
			return nil, err
		}
		s.strides[layer] = stride
		step, margin = max(step, stride), max(margin, reach)
	}
	margin = (margin + step - 1) / step * step
	xs, ys := edges(l.width, columns, step), edges(l.height, rows, step)
	for j := range rows {
		for i := range columns {
			inner := image.Rect(xs[i], ys[j], xs[i+1], ys[j+1])
			if inner.Empty() {
				return nil, fmt.Errorf("model: %d×%d parts of %s, want such as have %d pixels a side", columns, rows, l.size(), step)
			}
			shown := inner.Inset(-margin).Intersect(image.Rect(0, 0, l.width, l.height))
			s.parts = append(s.parts, part{inner: inner, shown: shown})
		}
	}
	return s, s.keepContent(ctx, l.content)
}

// edges cut a side into about equal parts, at multiples of step.
func edges(size, count, step int) []int {
	at := make([]int, count+1)
	for i := range at {
		at[i] = size * i / count / step * step
	}
	at[count] = size
	return at
}

// positions are those of a layer that count by way of a part.
func (s *inParts) positions(p part, layer string) losses.Positions {
	stride := s.strides[layer]
	inLayer := func(r image.Rectangle) image.Rectangle {
		return image.Rect(r.Min.X/stride, r.Min.Y/stride, r.Max.X/stride, r.Max.Y/stride)
	}
	return losses.Positions{Height: s.height / stride, Width: s.width / stride, Part: inLayer(p.shown), Inner: inLayer(p.inner)}
}

// stage builds the network's graph for a part and the summaries in it.
func (s *inParts) stage(p part, from *picture.Picture) (x summaries, input engine.Input, inputs []engine.Input, err error) {
	defer ops.Catch(&err, "build the summaries")
	node, maps, err := s.extractor.Build(p.shown.Dx(), p.shown.Dy(), s.extractor.recipe.layers()...)
	if err != nil {
		return x, input, nil, err
	}
	content, inputs := s.extractor.contentInputs(node.Graph(), p.content)
	at := func(layer string) losses.Positions { return s.positions(p, layer) }
	x, err = s.extractor.recipe.summarise(maps, at, content)
	return x, engine.PictureInput(node, from.Crop(p.shown)), inputs, err
}

// keepContent computes what each part keeps of the content.
func (s *inParts) keepContent(ctx context.Context, content *picture.Picture) error {
	e := s.extractor
	for i := range s.parts {
		p := &s.parts[i]
		var nodes []*gorgonia.Node
		values, err := e.Evaluate(ctx, content.Crop(p.shown), e.recipe.contentLayers(), func(maps map[string]*gorgonia.Node) (there []*gorgonia.Node, err error) {
			for _, part := range e.recipe.content {
				node, err := e.recipe.contentForm.Target(maps[part.layer], s.positions(*p, part.layer))
				if err != nil {
					return nil, err
				}
				if nodes = append(nodes, node); node != nil {
					there = append(there, node)
				}
			}
			return there, nil
		})
		if err != nil {
			return err
		}
		p.content = make([]plan.Values, len(nodes))
		for k, node := range nodes {
			if node != nil {
				p.content[k], values = values[0], values[1:]
			}
		}
	}
	return nil
}

// evaluate computes the loss of a picture, its terms and its gradient, with a key for
// losses that sample.
func (s *inParts) evaluate(ctx context.Context, from *picture.Picture, key float64) (*evaluation, error) {
	var whole sums
	for i, p := range s.parts {
		if err := s.summarise(ctx, p, from, key, &whole); err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	result, cotangents, err := s.compare(ctx, from, key, whole)
	if err != nil {
		return nil, err
	}
	for i, p := range s.parts {
		if err := s.pullBack(ctx, p, from, key, cotangents, result.gradient); err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	return result, nil
}

// sums are the summaries of parts added up.
type sums struct {
	style   []engine.Kept // one for each style part
	content []plan.Values // one for each content part
	sizes   []contentSize // of each content part's map
}

// summarise adds what a part has to the sums.
func (s *inParts) summarise(ctx context.Context, p part, from *picture.Picture, key float64, to *sums) error {
	x, input, inputs, err := s.stage(p, from)
	if err != nil {
		return err
	}
	values, err := s.run(ctx, append(inputs, input), key, x.nodes()...)
	if err != nil {
		return err
	}
	if to.style == nil {
		to.style = make([]engine.Kept, len(x.style))
		to.content, to.sizes = make([]plan.Values, len(x.content)), make([]contentSize, len(x.content))
	}
	kept, values := engine.KeepAll(x.style, values)
	for i := range kept {
		to.style[i].Add(kept[i])
	}
	for i, node := range x.content {
		if node != nil {
			to.content[i].Add(1, values[0])
			to.sizes[i].add(p.content[i])
			values = values[1:]
		}
	}
	return nil
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

// compare computes the loss from the sums, with its terms and the gradient that doesn't go
// through the network, and the cotangents of the sums.
func (s *inParts) compare(ctx context.Context, from *picture.Picture, key float64, whole sums) (_ *evaluation, cotangents sums, err error) {
	defer ops.Catch(&err, "build the loss")
	r, g := s.extractor.recipe, gorgonia.NewGraph()
	shape := []int{3, s.height, s.width}
	node := gorgonia.NewTensor(g, gorgonia.Float32, 3, gorgonia.WithShape(shape...), gorgonia.WithName("picture"))
	x, inputs := summaries{}, []engine.Input{engine.PictureInput(node, from)}
	for i, kept := range whole.style {
		of, more := kept.Inputs(g, fmt.Sprintf("style %d", i+1))
		x.style, inputs = append(x.style, of), append(inputs, more...)
	}
	for i, values := range whole.content {
		input := values.Input(g, fmt.Sprintf("content %d", i+1))
		x.content, inputs = append(x.content, input), append(inputs, engine.Input{Node: input, Values: values})
	}
	total, err := r.compare(node, x, s.targets.style, whole.sizes)
	if err != nil {
		return nil, sums{}, err
	}
	wrt := x.nodes()
	if r.variation > 0 {
		wrt = append(wrt, node)
	}
	gradients, err := gorgonia.Grad(total.node, wrt...)
	if err != nil {
		return nil, sums{}, err
	}
	outputs := append([]*gorgonia.Node{total.node}, gradients...)
	for _, t := range total.terms {
		outputs = append(outputs, t.node)
	}
	values, err := s.run(ctx, append(inputs, total.targets...), key, outputs...)
	if err != nil {
		return nil, sums{}, err
	}
	result := &evaluation{loss: values[0].Double[0], gradient: make([]float32, 3*s.width*s.height)}
	cotangents.style, values = engine.KeepAll(x.style, values[1:])
	cotangents.content, values = values[:len(x.content)], values[len(x.content):]
	if r.variation > 0 {
		copy(result.gradient, values[0].Single)
		values = values[1:]
	}
	for _, value := range values {
		result.terms = append(result.terms, value.Double[0])
	}
	return result, cotangents, nil
}

// pullBack adds the gradient that a part has from the cotangents to that of the picture.
func (s *inParts) pullBack(ctx context.Context, p part, from *picture.Picture, key float64, cotangents sums, gradient []float32) (err error) {
	defer ops.Catch(&err, "build the gradient")
	x, input, inputs, err := s.stage(p, from)
	if err != nil {
		return err
	}
	// A node may be the summary of several terms.
	of := map[*gorgonia.Node]*plan.Values{}
	add := func(node *gorgonia.Node, weight float64, cotangent plan.Values) {
		if node == nil {
			return
		}
		if of[node] == nil {
			of[node] = &plan.Values{}
		}
		of[node].Add(weight, cotangent)
	}
	for i, summary := range x.style {
		for k, part := range summary {
			add(part.Node, part.Weight, cotangents.style[i].Values[k])
		}
	}
	for i, node := range x.content {
		add(node, 1, cotangents.content[i])
	}
	var nodes, grads gorgonia.Nodes
	for _, node := range x.nodes() {
		values, once := of[node]
		if !once {
			continue
		}
		delete(of, node)
		grad := values.Input(node.Graph(), fmt.Sprintf("cotangent %d", len(nodes)+1))
		nodes, grads, inputs = append(nodes, node), append(grads, grad), append(inputs, engine.Input{Node: grad, Values: *values})
	}
	if len(nodes) == 0 {
		return nil
	}
	dx, err := gorgonia.Backpropagate(nodes, grads, gorgonia.Nodes{input.Node})
	if err != nil {
		return err
	}
	values, err := s.run(ctx, append(inputs, input), key, dx[0])
	if err != nil {
		return err
	}
	s.place(values[0].Single, p.shown, gradient)
	return nil
}

// place adds the planes of a part to those of the picture.
func (s *inParts) place(planes []float32, at image.Rectangle, gradient []float32) {
	for channel := range 3 {
		for y := at.Min.Y; y < at.Max.Y; y++ {
			row := gradient[(channel*s.height+y)*s.width+at.Min.X:][:at.Dx()]
			for i, v := range planes[(channel*at.Dy()+y-at.Min.Y)*at.Dx():][:at.Dx()] {
				row[i] += v
			}
		}
	}
}

// run evaluates outputs once, with the key where their graph takes one.
func (s *inParts) run(ctx context.Context, inputs []engine.Input, key float64, outputs ...*gorgonia.Node) ([]plan.Values, error) {
	if len(outputs) == 0 {
		return nil, nil
	}
	executable, err := engine.Compile(s.extractor.Device, inputs, outputs...)
	if err != nil {
		return nil, err
	}
	defer executable.Close()
	if node := executable.Input(losses.KeyName); node != nil {
		if err := executable.WriteFloat64(node, []float64{key}); err != nil {
			return nil, err
		}
	}
	return executable.Values(ctx, outputs...)
}
