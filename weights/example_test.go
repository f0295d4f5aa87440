package weights_test

import (
	"context"
	"fmt"

	"impasto/vgg19"
	"impasto/weights"
)

// The embedded network, as the other packages take it.
func ExampleDefault() {
	parameters, err := weights.Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	first := vgg19.Convolutions[0]
	fmt.Printf("%s: %d filters of %d×3×3, %d values\n", first.Name, first.Out, first.In, len(parameters.Filters[0]))
	// Output:
	// conv1_1: 64 filters of 3×3×3, 1728 values
}

// What a file of weights is, before it is used: here the embedded one.
func ExampleInspect() {
	info, err := weights.Inspect(context.Background(), "")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, %d convolutions\n", info.Format, len(info.Layers))
	fmt.Println(info.Preprocessing)
	// Output:
	// safetensors, 16 convolutions
	// BGR 0-255, mean 103.939 116.779 123.68, deviation 1 1 1
}
