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
	o.SetLoss(losses.Must(losses.Named("gram")))
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

// A loss of one's own, beside the others at the first of the style layers.
func Example_customLoss() {
	own, err := losses.Custom(losses.Function{
		Description: losses.Description{Name: "mean-colour", Help: "the mean of each channel"},
		Evaluate:    meanColour,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	o := model.DefaultOptions()
	o.StyleTerms = append(o.StyleTerms, model.StyleTerm{Layer: "relu1_1", Loss: own, Weight: 2})
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

// How features look where a style is compared, and how far two pictures are apart there.
func ExampleFeatureMaps() {
	o := model.FeatureOptions{Layers: []string{"relu1_1", "relu3_1"}, Size: 32}
	var features [2]map[string]model.FeatureMap
	for i, path := range []string{"../examples/harbour.png", "../examples/whirl.jpg"} {
		var err error
		if features[i], err = model.FeatureMaps(context.Background(), open(path), o); err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, layer := range o.Layers {
		m := features[0][layer]
		fmt.Printf("%s: %d channels of %d×%d positions\n", layer, m.Channels, m.Width, m.Height)
	}
	moments := losses.Must(losses.Named("moments")).Normalised()
	x, target := features[0]["relu1_1"].Cloud(), features[1]["relu1_1"].Cloud()
	value, gradient, err := losses.Evaluate(moments, x, target, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("moments at relu1_1: %.2f, by %d features\n", value, len(gradient))
	// Output:
	// relu1_1: 64 channels of 32×24 positions
	// relu3_1: 256 channels of 8×6 positions
	// moments at relu1_1: 0.15, by 49152 features
}

// The loss by its terms, before and after.
func ExampleResult_curve() {
	o := model.DefaultOptions()
	o.SetLoss(losses.Must(losses.Named("gram")))
	o.Size, o.MinSize, o.FirstIterations = 32, 32, 10 // tiny, to be quick
	content, style := open("../examples/harbour.png"), open("../examples/whirl.jpg")
	result, err := model.Stylize(context.Background(), content, []model.Style{{Image: style, Weight: 1}}, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	first, last := result.Curve[0], result.Curve[len(result.Curve)-1]
	fmt.Printf("iterations %d to %d\n", first.Done, last.Done)
	for i, term := range first.Terms {
		if fell := last.Terms[i].Value < term.Value/2; fell {
			fmt.Printf("less than half is left of %s\n", term.Name)
		}
	}
	// Output:
	// iterations 1 to 10
	// less than half is left of style relu1_1
	// less than half is left of style relu2_1
	// less than half is left of style relu4_1
	// less than half is left of style relu5_1
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
