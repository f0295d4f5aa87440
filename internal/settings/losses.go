package settings

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"impasto/internal/names"
	"impasto/losses"
)

// Loss is one of the losses of package losses, by its name.
func Loss(target *losses.Loss) Value { return lossName{target, losses.All()} }

// lossName is one of the losses that are known.
type lossName struct {
	target *losses.Loss
	known  []losses.Loss
}

func (l lossName) String() string { return (*l.target).Description().Name }

func (l lossName) Type() string { return "LOSS" }

func (l lossName) Set(text string) error {
	loss, err := lossNamed(text, l.known)
	if err == nil {
		*l.target = loss
	}
	return err
}

// lossNamed finds a loss by its name.
func lossNamed(name string, known []losses.Loss) (losses.Loss, error) {
	all := losses.NamesOf(known)
	if err := names.Check("loss", name, all); err != nil {
		return nil, err
	}
	return known[slices.Index(all, name)], nil
}

// Losses are several of the losses of package losses, by their names, as Names are.
func Losses(target *[]losses.Loss) Value {
	list := losses.NamesOf(*target)
	return &lossList{nameList{target: &list, what: "loss", candidates: losses.Names()}, target}
}

type lossList struct {
	nameList
	losses *[]losses.Loss
}

func (l *lossList) Set(text string) error {
	if err := l.nameList.Set(text); err != nil {
		return err
	}
	*l.losses = nil
	for _, name := range *l.nameList.target {
		loss, err := losses.Named(name)
		if err != nil {
			return err
		}
		*l.losses = append(*l.losses, loss)
	}
	return nil
}

// layerLosses are losses of single layers. Each Set adds some, as LAYER=LOSS with commas
// between them.
type layerLosses struct {
	target *map[string]losses.Loss
	known  []losses.Loss
}

func (l layerLosses) String() string {
	var parts []string
	for _, layer := range slices.Sorted(maps.Keys(*l.target)) {
		parts = append(parts, layer+"="+(*l.target)[layer].Description().Name)
	}
	return strings.Join(parts, ",")
}

func (l layerLosses) Type() string { return "LAYER=LOSS" }

// Set makes a new map, so that copies of settings don't share it.
func (l layerLosses) Set(text string) error {
	all := maps.Clone(*l.target)
	if all == nil {
		all = map[string]losses.Loss{}
	}
	for part := range strings.SplitSeq(text, ",") {
		layer, name, ok := strings.Cut(part, "=")
		if !ok {
			return errors.New("want LAYER=LOSS, such as relu1_1=gram")
		}
		if err := checkLayer(layer); err != nil {
			return fmt.Errorf("%q: %w", layer, err)
		}
		loss, err := lossNamed(name, l.known)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		all[layer] = loss
	}
	*l.target = all
	return nil
}
