package vgg19_test

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/vgg19"
	"impasto/weights"
)

// The network as a graph, run by Gorgonia's own machine: slowly, and without any other
// part of this module. Package model runs it fast.
func ExampleBuild() {
	parameters, err := weights.Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	grey := make([]float32, 3*16*16)
	for i := range grey {
		grey[i] = 0.5
	}
	picture := gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Float32, 3, gorgonia.WithName("picture"), gorgonia.WithShape(3, 16, 16),
		gorgonia.WithValue(tensor.New(tensor.WithShape(3, 16, 16), tensor.WithBacking(grey))))
	maps, err := vgg19.Build(picture, parameters, vgg19.Options{}, "relu1_1", "relu2_1")
	if err != nil {
		fmt.Println(err)
		return
	}
	machine := gorgonia.NewTapeMachine(picture.Graph())
	defer machine.Close()
	if err := machine.RunAll(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("relu1_1", maps["relu1_1"].Value().Shape())
	fmt.Println("relu2_1", maps["relu2_1"].Value().Shape())
	// Output:
	// relu1_1 (64, 16, 16)
	// relu2_1 (128, 8, 8)
}

// What the table of layers tells without running anything.
func Example() {
	layers := vgg19.Layers()
	fmt.Printf("%d layers, %s to %s\n", len(layers), layers[0], layers[len(layers)-1])
	fmt.Println("relu5_1 wants pictures of", vgg19.MinimumSize("relu5_1"), "pixels a side")
	fmt.Printf("and takes %.0f GFLOP at 512×512\n", vgg19.Operations(512, 512, "relu5_1")/1e9)
	// Output:
	// 37 layers, conv1_1 to pool5
	// relu5_1 wants pictures of 16 pixels a side
	// and takes 189 GFLOP at 512×512
}
