package model_test

import (
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"

	"impasto/losses"
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

// meanColour compares the mean of each channel only.
func meanColour(gradient []float64, x, target losses.Features) (float64, error) {
	scale := 1 / (target.MeanSquare() + 1e-8)
	var value float64
	for c := range x.Channels {
		d := mean(x.Channel(c)) - mean(target.Channel(c))
		value += scale * d * d
		for i := range x.Positions() {
			gradient[c*x.Positions()+i] = 2 * scale * d / float64(x.Positions())
		}
	}
	return value, nil
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// A loss of one's own, at the first of the style layers.
func Example_ownLoss() {
	own, err := losses.Custom(losses.Function{
		Description: losses.Description{Name: "mean-colour", Help: "the mean of each channel"},
		Evaluate:    meanColour,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	o := model.DefaultOptions()
	o.OwnLosses = []losses.Loss{own}
	o.LayerLoss = map[string]string{"relu1_1": "mean-colour"}
	o.Size, o.MinSize, o.FirstIterations = 32, 32, 3 // tiny, to be quick
	content, style := open("../examples/harbour.png"), open("../examples/whirl.jpg")
	result, err := model.Stylize(context.Background(), content, []model.Style{{Image: style, Weight: 1}}, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("a picture of", result.Image.Bounds().Size())
	// Output:
	// a picture of (32,24)
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
