package losses

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// ContentForms are the names that Content takes.
var ContentForms = []string{"scaled", "mse"}

// Content compares a feature map with the content's, position by position, as a
// float64 scalar. The form mse is the mean of the squared differences d. The
// form scaled is Σd²/Σ|d|, divided by the content's root mean square activation:
// its gradient keeps its size at every size of picture, and a layer counts the
// same whatever the size of its activations. The gradient goes to features only.
func Content(form string, features, target *gorgonia.Node) (*gorgonia.Node, error) {
	switch form {
	case "scaled":
		return ops.CompareMaps(pure.Difference{Scaled: true}, features, target)
	case "mse":
		return ops.CompareMaps(pure.Difference{}, features, target)
	}
	return nil, fmt.Errorf("losses: unknown content loss %q, want one of %s", form, strings.Join(ContentForms, ", "))
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
