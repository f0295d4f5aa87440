package weights

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"impasto/vgg19"
)

// finding is where in a container the network was found.
type finding struct {
	layers []layer
	// scheme is what the tensors are named by; nil where the shapes told them.
	scheme *scheme
	// prefix stands before all names: where a checkpoint keeps the network, or what
	// PyTorch's DataParallel puts there.
	prefix string
	// input is a convolution of 1×1 before conv1_1 that does the pre-processing, or nil.
	input *pair
}

// find looks for the sixteen convolutions of VGG-19: under names that tell what they
// are, behind any prefix, and else by their shapes.
func (c *container) find() (*finding, error) {
	var first error
	for _, p := range c.places() {
		if layers, err := c.layersBy(p.scheme, p.prefix); err == nil && !c.isNormalised(p.prefix) {
			p.layers = layers
			return &p, nil
		} else if first == nil {
			first = err
		}
	}
	sequences := c.sequences()
	for _, s := range sequences {
		if found := s.finding(c); found != nil {
			return found, nil
		}
	}
	if what := c.other(sequences); what != "" {
		return nil, fmt.Errorf("%s; impasto needs VGG-19's, all sixteen convolutions and no batch normalisation", what)
	}
	if first != nil {
		return nil, first
	}
	return nil, c.nothing()
}

// places are those where a scheme's first tensor is, in the order in which they are
// tried.
func (c *container) places() []finding {
	var places []finding
	for s := range schemes {
		first := tensorName(schemes[s].filter, 0)
		for name := range c.tensors {
			prefix, ok := strings.CutSuffix(name, first)
			if ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
				places = append(places, finding{scheme: &schemes[s], prefix: prefix})
			}
		}
	}
	slices.SortFunc(places, func(a, b finding) int {
		return cmp.Or(comparePlaces(a.prefix, b.prefix), strings.Compare(a.scheme.filter, b.scheme.filter))
	})
	return places
}

// secondary are words in the names of places that hold something about a network, or
// another state of it, rather than the network.
var secondary = []string{"ema", "optim", "exp_avg", "momentum", "teacher", "shadow", "average", "grad"}

// comparePlaces orders prefixes: the network itself first, then by their length.
func comparePlaces(a, b string) int {
	rank := func(prefix string) int {
		isSecondary := slices.ContainsFunc(secondary, func(word string) bool {
			return strings.Contains(strings.ToLower(prefix), word)
		})
		if isSecondary {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// isNormalised tells whether the network behind a prefix has batch normalisation: the
// running means of channels are beside its convolutions.
func (c *container) isNormalised(prefix string) bool {
	for name := range c.tensors {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, ".running_mean") {
			return true
		}
	}
	return false
}

// nothing is the error about a file in which no network was found.
func (c *container) nothing() error {
	var names, wanted []string
	for name := range c.tensors {
		names = append(names, name)
	}
	found := "nothing"
	if len(names) > 0 {
		found = fmt.Sprintf("%d others, the first %s", len(names), shown(slices.Min(names)))
	}
	for _, s := range schemes {
		wanted = append(wanted, tensorName(s.filter, 0))
	}
	return fmt.Errorf("has no tensor named %s but %s: is this VGG-19?", strings.Join(wanted, ", "), found)
}

// remarks say what a user should know of how the network was found.
func (f *finding) remarks() []string {
	var remarks []string
	if f.prefix != "" {
		remarks = append(remarks, "its tensors are those behind "+shown(f.prefix))
	}
	if f.input != nil {
		remarks = append(remarks, fmt.Sprintf("a convolution of 1×1 before %s, %s, does the pre-processing, as in vgg_normalised.pth",
			vgg19.Convolutions[0].Name, f.input.filter.shown()))
	}
	return remarks
}
