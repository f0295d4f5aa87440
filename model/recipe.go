package model

import (
	"slices"

	"impasto/losses"
	"impasto/vgg19"
)

// recipe is what the options come down to: the parts of the loss and the weight
// that each counts with.
type recipe struct {
	style       []stylePart
	content     []contentPart
	contentForm losses.ContentForm
	variation   float64
	styles      []float64 // the style pictures' weights, which sum to 1
	// points is how many positions losses that keep points look at at most; 0 stands for
	// as many as they like.
	points int
}

type stylePart struct {
	layer  string
	loss   losses.Loss
	weight float64
}

// String says what is compared where, for errors.
func (p stylePart) String() string { return p.loss.Description().Name + " at " + p.layer }

// form is what a style part minimises.
func (r recipe) form(p stylePart) losses.Form {
	form := p.loss.Normalised()
	if r.points > 0 {
		form = form.Bounded(r.points)
	}
	return form
}

type contentPart struct {
	layer  string
	weight float64
}

// recipeOf expects options and styles that have been checked. Parts of weight 0
// are left out.
func recipeOf(o Options, styles []Style) (recipe, error) {
	form, err := losses.ContentNamed(o.ContentLoss)
	if err != nil {
		return recipe{}, err
	}
	r := recipe{contentForm: form, variation: o.TotalVariationWeight}
	var total float64
	for _, t := range o.StyleTerms {
		total += t.Weight
	}
	for _, t := range o.StyleTerms {
		if t.Weight > 0 {
			r.style = append(r.style, stylePart{layer: t.Layer, loss: t.Loss, weight: t.Weight / total})
		}
	}
	for _, l := range o.ContentLayers {
		if weight := o.ContentWeight * l.Weight; weight > 0 {
			r.content = append(r.content, contentPart{layer: l.Layer, weight: weight / sumOf(o.ContentLayers)})
		}
	}
	total = 0
	for _, s := range styles {
		total += s.Weight
	}
	for _, s := range styles {
		r.styles = append(r.styles, s.Weight/total)
	}
	return r, nil
}

// network is how the network is built.
func (o Options) network() vgg19.Options {
	return vgg19.Options{Pooling: o.Pooling, Padding: o.Padding, PlainPooling: o.PlainPooling}
}

func sumOf(layers []LayerWeight) float64 {
	var sum float64
	for _, l := range layers {
		sum += l.Weight
	}
	return sum
}

// styleName is what a style part's term is called: by its layer and, where that has
// several, by its loss.
func (r recipe) styleName(part int) string {
	layer := r.style[part].layer
	name := "style " + layer
	for i, other := range r.style {
		if i != part && other.layer == layer {
			return name + " " + r.style[part].loss.Description().Name
		}
	}
	return name
}

// styleLayers are those of the style, each once.
func (r recipe) styleLayers() []string {
	var layers []string
	for _, part := range r.style {
		if !slices.Contains(layers, part.layer) {
			layers = append(layers, part.layer)
		}
	}
	return layers
}

func (r recipe) contentLayers() []string {
	var layers []string
	for _, part := range r.content {
		layers = append(layers, part.layer)
	}
	return layers
}

// layers are those of the style and the content, each once.
func (r recipe) layers() []string {
	layers := r.styleLayers()
	for _, layer := range r.contentLayers() {
		if !slices.Contains(layers, layer) {
			layers = append(layers, layer)
		}
	}
	return layers
}
