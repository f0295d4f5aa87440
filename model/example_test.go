package model_test

import (
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"

	"impasto/model"
)

func Example() {
	content, style := open("../examples/harbour.png"), open("../examples/whirl.jpg")
	o := model.DefaultOptions()
	o.Loss = "gram"
	o.Size, o.MinSize = 48, 48 // tiny, to be quick: leave this line and the next out
	o.FirstIterations = 5
	o.Progress = func(p model.Progress) {
		if p.Done == p.Total {
			fmt.Printf("scale %d of %d, %d×%d pixels\n", p.Level, p.Levels, p.Width, p.Height)
		}
	}
	result, err := model.Stylize(context.Background(), content, []model.Style{{Image: style, Weight: 1}}, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("a picture of", result.Image.Bounds().Size())
	// Output:
	// scale 1 of 1, 48×36 pixels
	// a picture of (48,36)
}

func open(path string) image.Image {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	img, _, err := image.Decode(file)
	if err != nil {
		panic(err)
	}
	return img
}
