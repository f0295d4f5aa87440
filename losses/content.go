package losses

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// ContentForm is a content loss: it compares a feature map with the content's,
// position by position. What a descent minimises is the loss times Unit: 0 is equality
// and 1 a difference as large as the content's features, for every form and whatever the
// size of the map and of its activations, so that one weight does for all.
type ContentForm struct {
	Name    string // what a user types
	Help    string // in one line, for help texts
	Formula string // in one line, d being the difference

	scaled bool
	// squared is for a form of second degree in d, to be divided by the content's mean
	// square; others are relative to the content by themselves.
	squared bool
}

// contentForms are the known ones; the first is the default.
var contentForms = []ContentForm{
	// Its gradient keeps its size at every size of picture, and a layer counts the
	// same whatever the size of its activations.
	{Name: "scaled", Help: "squared difference over its absolute sum", Formula: "Σd²/Σ|d| over the content's root mean square", scaled: true},
	// Its gradient vanishes at the content and grows with the distance from it. With
	// equal weights it keeps about as much of the content as the scaled one, 5 to 10 %
	// less at a draft's end.
	{Name: "mse", Help: "mean squared difference", Formula: "Σd²/N over the content's mean square", squared: true},
}

// ContentForms are the known content losses.
func ContentForms() []ContentForm { return append([]ContentForm(nil), contentForms...) }

// ContentNames are their names.
func ContentNames() []string {
	names := make([]string, len(contentForms))
	for i, form := range contentForms {
		names[i] = form.Name
	}
	return names
}

// ContentNamed returns the content loss of that name.
func ContentNamed(name string) (ContentForm, error) {
	for _, form := range contentForms {
		if form.Name == name {
			return form, nil
		}
	}
	return ContentForm{}, fmt.Errorf("losses: unknown content loss %q, want one of %s", name, strings.Join(ContentNames(), ", "))
}

// Target adds what is to be kept of the content's features to their graph: the map
// itself, or those of its positions that count here.
func (ContentForm) Target(features *gorgonia.Node, p Positions) (_ *gorgonia.Node, err error) {
	defer ops.Catch(&err, "losses: content")
	if p, err = p.of(features); err != nil {
		return nil, err
	}
	here := p.here()
	if here.Count() == 0 {
		return nil, nil
	}
	return choose(here, features, nil)
}

// Summarise adds the sums that the loss is made of to the graph, over the positions
// that count here: a vector. Those of all parts add up to those of the whole. target
// is what Target keeps of the content at the same positions; where there are none,
// that and the sums are nil.
func (c ContentForm) Summarise(features, target *gorgonia.Node, p Positions) (_ *gorgonia.Node, err error) {
	points, err := c.Target(features, p)
	if err != nil || points == nil {
		return nil, err
	}
	defer ops.Catch(&err, "losses: content")
	return ops.SumDifference(points, target)
}

// Value adds the loss to the graph: a float64 scalar, from the sums over so many
// elements, channels times positions.
func (c ContentForm) Value(sums *gorgonia.Node, elements int) (_ *gorgonia.Node, err error) {
	defer ops.Catch(&err, "losses: content")
	return ops.Compare(pure.Difference{Scaled: c.scaled, N: elements}, sums, nil)
}

// Unit is what the loss of Value counts for in a descent: what makes it relative to the
// content, whose features have that mean square at the layer.
func (c ContentForm) Unit(meanSquare float64) float64 {
	if !c.squared || meanSquare == 0 {
		return 1
	}
	return 1 / meanSquare
}

// Between adds the loss between two whole maps to their graph. The gradient goes to
// features only.
func (c ContentForm) Between(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	sums, err := c.Summarise(features, target, Positions{})
	if err != nil {
		return nil, err
	}
	return c.Value(sums, features.Shape().TotalSize())
}

// TotalVariation is the nine-point L2 total variation of a picture, a float64
// scalar: ⅔ of the mean squared difference of horizontal and of vertical
// neighbours, ⅙ of that along each diagonal.
func TotalVariation(picture *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.TotalVariation(picture)
}

// Sum is Σ weights·terms of float64 scalars.
func Sum(weights []float64, terms ...*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.WeightedSum(weights, terms...)
}
