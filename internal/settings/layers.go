package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"impasto/internal/names"
	"impasto/model"
	"impasto/vgg19"
)

// layerWeights are layers and what each of them counts, as LAYER=WEIGHT with
// commas between them.
type layerWeights struct{ target *[]model.LayerWeight }

func (l layerWeights) String() string {
	var parts []string
	for _, w := range *l.target {
		parts = append(parts, fmt.Sprintf("%s=%g", w.Layer, w.Weight))
	}
	return strings.Join(parts, ",")
}

func (l layerWeights) Type() string { return "LAYER=WEIGHT,…" }

func (l layerWeights) Set(text string) error {
	var list []model.LayerWeight
	for part := range strings.SplitSeq(text, ",") {
		layer, number, weighted := strings.Cut(part, "=")
		if err := checkLayer(layer); err != nil {
			return fmt.Errorf("%q: %w", layer, err)
		}
		if slices.ContainsFunc(list, func(w model.LayerWeight) bool { return w.Layer == layer }) {
			return fmt.Errorf("layer %s is named twice", layer)
		}
		weight := 1.0
		if weighted {
			var err error
			if weight, err = parseNumber(number, minWeight, model.MaxWeight); err != nil {
				return fmt.Errorf("weight %q of %s: %w", number, layer, err)
			}
		}
		list = append(list, model.LayerWeight{Layer: layer, Weight: weight})
	}
	*l.target = list
	return nil
}

// checkLayer reports a name that is no layer of VGG-19; where no layer is near,
// it says how they are named rather than listing all 37.
func checkLayer(name string) error {
	layers := vgg19.Layers()
	if slices.Contains(layers, name) {
		return nil
	}
	if hint := names.DidYouMean(name, layers, ""); hint != "" {
		return errors.New("no such layer" + hint)
	}
	return errors.New("no such layer; want conv1_1, relu1_1, … pool5")
}
