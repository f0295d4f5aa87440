package opstest

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

var (
	replicate = pure.Border{Replicate: true}
	colour    = pure.Border{Colour: []float32{0.5, -1, 0.75}}
)

// convolutions are of every border, of channels that vectors and blocks hold and of
// others, and of maps down to one position.
func convolutions() []*Case {
	of := func(uses Use, in, height, width int, l layer) *Case {
		x := features("x", 1, in, height, width)
		c := &Case{
			Operation: "convolution", Uses: uses, Inputs: append([]Input{x}, parameters(x, l)...),
			Variant:    fmt.Sprintf("%dx%dx%d to %d%s", in, height, width, l.Out, formOf(l)),
			Operations: 18 * float64(in) * float64(l.Out) * float64(height) * float64(width),
		}
		c.Apply = func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			_, y, _, err := throughLayers(in, l)
			return y, err
		}
		return c
	}
	cases := []*Case{
		of(Compared|Differentiated, 3, 5, 4, layer{Out: 4}),
		of(Compared|Differentiated, 3, 4, 5, layer{Out: 4, Border: colour, Rectify: true}),
		of(Compared|Differentiated, 2, 3, 6, layer{Out: 4, Border: replicate, Rectify: true}),
		of(Compared|Differentiated, 2, 1, 1, layer{Out: 4, Border: replicate}),
		of(Compared, 3, 17, 5, layer{Out: 64, Border: colour, Rectify: true}),
		of(Compared, 3, 9, 13, layer{Out: 64, Border: replicate, Rectify: true}),
		of(Compared, 20, 6, 7, layer{Out: 7, Rectify: true}),
		of(Compared, 7, 6, 7, layer{Out: 33}),
		of(Compared, 16, 1, 1, layer{Out: 16}),
		of(Compared, 64, 1, 4, layer{Out: 64, Border: replicate, Rectify: true}),
		of(Compared, 32, 3, 1, layer{Out: 64}),
		of(Compared, 64, 12, 14, layer{Out: 64, Rectify: true}),
		of(Compared, 64, 11, 7, layer{Out: 128, Border: replicate}),
		of(Compared, 128, 5, 6, layer{Out: 32, Rectify: true}),
	}
	for _, l := range [][3]int{{3, 224, 64}, {64, 224, 64}, {64, 112, 128}, {128, 112, 128}, {256, 56, 256}, {512, 28, 512}, {512, 14, 512}} {
		cases = append(cases, of(Timed, l[0], l[1], l[1], layer{Out: l[2]}))
	}
	return cases
}

// formOf writes what a layer is beside its size.
func formOf(l layer) string {
	form := ""
	switch {
	case l.Border.Replicate:
		form = " replicate"
	case l.Border.Colour != nil:
		form = " colour"
	}
	if l.Rectify {
		form += " rectified"
	}
	return form
}

func rectifications() []*Case {
	var cases []*Case
	for _, s := range []struct {
		uses  Use
		shape [3]int
	}{{Compared | Differentiated, [3]int{2, 3, 3}}, {Compared, [3]int{5, 33, 65}}, {Timed, [3]int{64, 224, 224}}} {
		cases = append(cases, &Case{
			Operation: "rectification", Variant: size(s.shape[:]...), Uses: s.uses, Streams: true,
			Inputs: []Input{features("x", 1, s.shape[:]...)},
			Apply:  func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.Rectify(in[0]) },
		})
	}
	return cases
}

// pools are of every mode, of even and of odd sides.
func pools() []*Case {
	of := func(uses Use, mode pure.PoolMode, scale float64, shape ...int) *Case {
		return &Case{
			Operation: []string{"max pool", "mean pool", "l2 pool"}[mode],
			Variant:   fmt.Sprintf("%s by %g", size(shape...), scale), Uses: uses, Streams: true,
			Inputs: []Input{features("x", 1, shape...)},
			Apply:  func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.ApplyPool(in[0], mode, scale) },
		}
	}
	cases := []*Case{
		of(Compared|Differentiated, pure.MaxPool, 1, 2, 5, 7),
		of(Compared|Differentiated, pure.MaxPool, 1.5, 2, 4, 6),
		of(Compared|Differentiated, pure.MeanPool, 2, 2, 4, 5),
		of(Compared|Differentiated, pure.L2Pool, 0.78, 2, 4, 4),
	}
	for _, m := range []struct {
		mode  pure.PoolMode
		scale float64
	}{{pure.MaxPool, 1}, {pure.MeanPool, 2}, {pure.L2Pool, 0.78}} {
		cases = append(cases,
			of(Compared, m.mode, m.scale, 64, 2, 3), of(Compared, m.mode, m.scale, 5, 33, 66), of(Compared, m.mode, m.scale, 64, 12, 34),
			of(Timed, m.mode, m.scale, 64, 224, 224), of(Timed, m.mode, m.scale, 256, 56, 56))
	}
	return cases
}
