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
	agreement   *agreement // with a prior; nil where there is none
	styles      []float64  // the style pictures' weights, which sum to 1 in each region
	// regions are those of the style pictures, from 0: Options.Regions and, of what they leave
	// over, the last. nil stands for one region.
	regions []int
	count   int // of regions, 0 for one
	// points is how many positions losses that keep points look at at most; 0 stands for
	// as many as they like.
	points int
}

type stylePart struct {
	layer  string
	loss   losses.Loss
	weight float64
	region int
	where  *grid // the positions that count
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
	where  *grid // the positions that count
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
	r.addStyles(styles, o.Regions)
	return r, nil
}

// addStyles gives style pictures their regions, and their weights there.
func (r *recipe) addStyles(styles []Style, regions []Region) {
	r.regions, r.count = make([]int, len(styles)), len(regions)
	sums := make([]float64, len(regions)+1)
	for i, s := range styles {
		r.regions[i] = slices.IndexFunc(regions, func(of Region) bool { return of.Style == i })
		if r.regions[i] < 0 {
			r.regions[i], r.count = len(regions), len(regions)+1
		}
		sums[r.regions[i]] += s.Weight
	}
	for i, s := range styles {
		r.styles = append(r.styles, s.Weight/sums[r.regions[i]])
	}
}

// regionOf is the region of a style picture.
func (r recipe) regionOf(style int) int {
	if r.regions == nil {
		return 0
	}
	return r.regions[style]
}

// stylesIn is how many style pictures a region has.
func (r recipe) stylesIn(region int) int {
	n := 0
	for style := range r.styles {
		if r.regionOf(style) == region {
			n++
		}
	}
	return n
}

// evenly are the weights of all style pictures beside each other, which sum to 1: each
// region has the same.
func (r recipe) evenly() []float64 {
	weights := slices.Clone(r.styles)
	for i := range weights {
		weights[i] /= float64(max(r.count, 1))
	}
	return weights
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
		if i != part && other.layer == layer && other.loss.Description().Name != r.style[part].loss.Description().Name {
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

// terms are the style parts that make up each style term: one for each region.
func (r recipe) terms() [][]int {
	var terms [][]int
	for i, part := range r.style {
		if last := len(terms) - 1; last >= 0 {
			before := r.style[terms[last][0]]
			if before.layer == part.layer && before.loss.Description().Name == part.loss.Description().Name {
				terms[last] = append(terms[last], i)
				continue
			}
		}
		terms = append(terms, []int{i})
	}
	return terms
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
