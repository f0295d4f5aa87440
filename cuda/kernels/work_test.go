package kernels

import (
	"math"
	"testing"
)

// Numbers are counted by hand from the operations' definitions.
func TestWorkIsCountedFromShapesAndArguments(t *testing.T) {
	const at = 4096 // an address
	whole := Shape{Grid: Dim{X: 8, Y: 2, Z: 1}}
	inParts := Shape{Grid: Dim{X: 8, Y: 2, Z: 4}}
	for _, test := range []struct {
		name   string
		launch Launch
		want   Work
	}{
		{"a convolution of 4×5 positions, 64 to 128 channels, in float16",
			F16.ConvolutionMatrix128(whole, at, 0, at, at, at, 0, at, 0, 64, 128, 4, 5),
			Work{MatrixHalf, 2 * 9 * 64 * 128 * 20, 2 * (20*64 + 20*128 + 20*128 + 9*64*128)}},
		{"the same in four parts, which are float32, and are masked later",
			F16.ConvolutionMatrix128(inParts, at, at, at, at, at, 0, at, 0, 64, 128, 4, 5),
			Work{MatrixHalf, 2 * 9 * 64 * 128 * 20, 2*(20*64+9*64*128) + 4*4*20*128}},
		{"on Hopper, where a map is known by its description",
			BF16.ConvolutionHopper(whole, at, 0, 1, 0, 1, at, at, 0, 0, 0, at, 0, 0, 0, 128, 1, 32, 128, 64, 128, 4, 5),
			Work{MatrixHalf, 2 * 9 * 64 * 128 * 20, 2 * (20*64 + 20*128 + 9*64*128)}},
		{"with the maxima of a pooling",
			F16.ConvolutionHopper(whole, at, at, 1, 0, 1, at, at, 0, 0, 0, at, 0, 0, 0, 128, 1, 32, 128, 64, 128, 4, 6),
			Work{MatrixHalf, 2 * 9 * 64 * 128 * 24, 2 * (24*64 + 24*128 + 6*128 + 9*64*128)}},
		{"with what is pulled back from second moments, and a mask",
			F16.ConvolutionHopper(whole, at, 0, 1, 0, 1, at, at, at, at, at, 0, 0, at, 0, 128, 1, 32, 128, 64, 128, 4, 5),
			Work{MatrixHalf, 2 * (9*64 + 128) * 128 * 20, 2 * (20*64 + 20*128 + 20*128 + 20*128 + 9*64*128 + 128*128)}},
		{"in three parts",
			F16.ConvolutionHopper(whole, at, 0, 1, at, 3, at, at, 0, 0, 0, at, 0, 0, 0, 128, 1, 32, 128, 64, 128, 4, 5),
			Work{MatrixHalf, 2 * 9 * 64 * 128 * 20, 2*(20*64+9*64*128) + 3*4*20*128}},
		{"in TF32, whose maps are float32",
			TF32.ConvolutionMatrix64(whole, at, 0, at, at, at, 0, 0, 0, 64, 64, 4, 5),
			Work{MatrixTF32, 2 * 9 * 64 * 64 * 20, 4 * (20*64 + 20*64 + 9*64*64)}},
		{"Adam's step", Adam(Shape{}, at, at, at, at, 1, 1, 1, 1, 1, 0, 1, at, 3, at, 100), Work{Single, 1400, 28 * 100}},
		{"a sum of two maps under a mask", Float16.AddMasked(Shape{}, at, at, at, at, 100), Work{Single, 100, 800}},
		{"the same of one map", Float16.AddMasked(Shape{}, at, at, 0, at, 100), Work{Single, 100, 600}},
		{"a step of two inversions", InvertStep(Shape{Grid: Dim{X: 5, Z: 2}}, at, at, at, at, at, 0, 128, 0),
			Work{Double, 2 * 2 * 32 * 128 * 128, 2 * 2 * 8 * 128 * 128}},
		{"a sum of parts by three blocks", SumPartials(Shape{Grid: Dim{X: 3}}, at, at, 10, 1), Work{Double, 30, 240}},
	} {
		got, known := test.launch.Work()
		if !known || got.Unit != test.want.Unit || math.Abs(got.Operations-test.want.Operations) > 0.5 || math.Abs(got.Bytes-test.want.Bytes) > 0.5 {
			t.Errorf("%s: %+v (known: %t), want %+v", test.name, got, known, test.want)
		}
	}
	if _, known := MMDValue(Shape{}, at, at, at, 1, 1).Work(); known {
		t.Error("mmd_value has a count that this test doesn't know of")
	}
}

// Counts find arguments by their names in the sources, so a parameter that is renamed
// would count as nothing.
func TestCountsNameParametersThatThereAre(t *testing.T) {
	for family, count := range counts {
		declared, there := parametersOf[family]
		if !there {
			t.Errorf("work is counted of %s, which is no kernel", family)
			continue
		}
		words := make([]uint64, len(declared))
		for i := range words {
			words[i] = 32
		}
		o := operandsOf(Launch{Kernel: family, Arguments: words})
		if len(o.parameters) == 0 {
			o = operandsOf(Launch{Kernel: family + "_f16", Arguments: words})
		}
		o.asked = map[string]bool{}
		count(o)
		for name := range o.asked {
			if _, there := o.parameters[name]; !there {
				t.Errorf("the work of %s is counted by %s, which is none of its parameters", family, name)
			}
		}
	}
}
