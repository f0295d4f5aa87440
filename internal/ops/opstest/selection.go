package opstest

import (
	"fmt"
	"image"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// selections are of samples, of masks, of samples of masks and by parts.
func selections() []*Case {
	of := func(uses Use, what string, channels int, s pure.Selection) *Case {
		shown := s.Shown()
		return &Case{
			Operation: "selection", Variant: fmt.Sprintf("%s of %dx%dx%d", what, channels, shown.Dy(), shown.Dx()), Uses: uses, Streams: true,
			Inputs: []Input{features("x", 1, channels, shown.Dy(), shown.Dx()), scalar(keyName, 0.75)},
			Apply:  func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.Select(s, in[0], in[1]) },
		}
	}
	mask := []int32{0, 3, 4, 11, 19}
	all := of(Compared|Differentiated, "a mask without a key", 3, pure.Selection{Height: 5, Width: 4, Mask: mask})
	all.Inputs = all.Inputs[:1]
	all.Apply = func(in []*gorgonia.Node) (*gorgonia.Node, error) {
		return ops.Select(pure.Selection{Height: 5, Width: 4, Mask: mask}, in[0], nil)
	}
	return []*Case{
		all,
		of(Compared|Differentiated, "a sample", 3, pure.Selection{Height: 5, Width: 4, Most: 7}),
		of(Compared|Differentiated, "a mask", 3, pure.Selection{Height: 5, Width: 4, Mask: mask}),
		of(Compared|Differentiated, "a sample of a mask", 3, pure.Selection{Height: 5, Width: 4, Mask: mask, Most: 2}),
		of(Compared|Differentiated, "a part", 3, pure.Selection{
			Height: 5, Width: 7, Most: 11, Part: image.Rect(1, 2, 5, 5), Inner: image.Rect(2, 2, 5, 4),
		}),
		of(Compared, "a sample", 70, pure.Selection{Height: 23, Width: 41, Most: 500}),
		of(Timed, "a sample", 64, pure.Selection{Height: 224, Width: 224, Most: 2048}),
	}
}
