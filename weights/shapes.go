package weights

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"impasto/vgg19"
)

// pair is a convolution's filter and its bias, which may be missing.
type pair struct {
	filter, bias *tensor
	in, out      int64
	side         int64 // of its kernels
	heightFirst  bool
	numbers      []int64 // in the filter's name
}

// sequence is all convolutions whose names differ in numbers alone, in the order of
// these. A network's own are such a sequence under nearly every way to name them:
// features.0.weight, module.features.0.weight, 0.weight, slice1.0.weight,
// conv1_1.conv.weight.
type sequence struct {
	pattern string // the names, with # for numbers
	pairs   []pair
}

// filterEndings are how names of filters end, with those of the biases beside them.
var filterEndings = []struct{ filter, bias string }{
	{"weight", "bias"}, {"kernel", "bias"}, {"filter", "bias"}, {"W", "b"}, {".0", ".1"},
}

var number = regexp.MustCompile(`\d+`)

// sequences returns those of a container, the longest first.
func (c *container) sequences() []*sequence {
	byPattern := map[string]*sequence{}
	for name, t := range c.tensors {
		p, ok := c.pairOf(t)
		if !ok {
			continue
		}
		for _, digits := range number.FindAllString(name, -1) {
			var n int64
			_, _ = fmt.Sscan(digits, &n) // what is too large for a place stays 0
			p.numbers = append(p.numbers, n)
		}
		pattern := number.ReplaceAllString(name, "#")
		if byPattern[pattern] == nil {
			byPattern[pattern] = &sequence{pattern: pattern}
		}
		byPattern[pattern].pairs = append(byPattern[pattern].pairs, p)
	}
	var all []*sequence
	for _, s := range byPattern {
		slices.SortFunc(s.pairs, func(a, b pair) int {
			return cmp.Or(slices.Compare(a.numbers, b.numbers), strings.Compare(a.filter.name, b.filter.name))
		})
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *sequence) int {
		return cmp.Or(cmp.Compare(len(b.pairs), len(a.pairs)), comparePlaces(a.pattern, b.pattern))
	})
	return all
}

// pairOf is a tensor that has the shape of a convolution's filters, with its bias.
func (c *container) pairOf(t *tensor) (pair, bool) {
	if len(t.shape) != 4 {
		return pair{}, false
	}
	p := pair{filter: t, out: t.shape[0], in: t.shape[1], side: t.shape[3]}
	// Kernels are square, and smaller than a layer has channels.
	firstSquare, lastSquare := t.shape[0] == t.shape[1], t.shape[2] == t.shape[3]
	switch {
	case firstSquare && (!lastSquare || t.shape[0] < t.shape[2]):
		p.side, p.in, p.out, p.heightFirst = t.shape[0], t.shape[2], t.shape[3], true
	case !lastSquare:
		return pair{}, false
	}
	for _, e := range filterEndings {
		if stem, ok := strings.CutSuffix(t.name, e.filter); ok {
			p.bias = c.tensors[stem+e.bias]
			return p, true
		}
	}
	return pair{}, false
}

// kernels3 are the convolutions of 3×3.
func (s *sequence) kernels3() []pair {
	return slices.DeleteFunc(slices.Clone(s.pairs), func(p pair) bool { return p.side != 3 })
}

// prefix is what stands before the first number of the names.
func (s *sequence) prefix() string {
	before, _, _ := strings.Cut(s.pattern, "#")
	return before[:strings.LastIndexByte(before, '.')+1]
}

// finding returns VGG-19 where the sequence is that, and nil else.
func (s *sequence) finding(c *container) *finding {
	found := &finding{prefix: s.prefix()}
	if c.isNormalised(found.prefix) {
		return nil
	}
	pairs := s.kernels3()
	if len(pairs) != len(vgg19.Convolutions) {
		return nil
	}
	for i, row := range vgg19.Convolutions {
		l := layer{Convolution: row, filter: pairs[i].filter, bias: pairs[i].bias, heightFirst: pairs[i].heightFirst}
		if l.bias == nil || l.check() != nil {
			return nil
		}
		found.layers = append(found.layers, l)
	}
	if first := s.pairs[0]; first.side == 1 && first.in == 3 && first.out == 3 && first.bias != nil && !first.heightFirst {
		found.input = &first
	}
	return found
}
