package losses_test

import (
	"fmt"
	"log"
	"slices"

	"impasto/losses"
)

// A loss by its name, as it is defined in the literature and as a descent takes it.
func ExampleNamed() {
	gram, err := losses.Named("gram")
	if err != nil {
		log.Fatal(err)
	}
	// Two channels, and of the picture three positions, of the target two.
	x := losses.Features{Channels: 2, Values: []float64{1, 2, 3, 0, 1, 0}}
	target := losses.Features{Channels: 2, Values: []float64{2, 4, 1, 0}}

	plain, _, err := losses.Evaluate(gram.Plain(), x, target, 0)
	if err != nil {
		log.Fatal(err)
	}
	normalised, gradient, err := losses.Evaluate(gram.Normalised(), x, target, 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(gram.Description().Formula)
	fmt.Printf("plain %.3f, normalised %.3f\n", plain, normalised)
	fmt.Printf("gradient %.2f\n", gradient)
	// Output:
	// Σ (S − T)², S = X·Xᵀ/N, T = Y·Yᵀ/M
	// plain 28.694, normalised 0.886
	// gradient [-0.12 -0.17 -0.37 0.08 0.25 0.25]
}

// peaks compares the strongest response of each channel,
//
//	Σ (max x − max y)²    over the channels
//
// divided by the target's mean square activation. A maximum moves with the one
// position that has it, so the gradient goes there.
func peaks(gradient []float64, x, target losses.Features) (float64, error) {
	scale := 1 / (target.MeanSquare() + 1e-8)
	var value float64
	for c := range x.Channels {
		channel := x.Channel(c)
		most := slices.Max(channel)
		d := most - slices.Max(target.Channel(c))
		value += scale * d * d
		gradient[c*x.Positions()+slices.Index(channel, most)] = 2 * scale * d
	}
	return value, nil
}

// A loss of one's own, made of a function of features.
func ExampleCustom() {
	loss, err := losses.Custom(losses.Function{
		Description: losses.Description{Name: "peaks", Help: "the strongest response of each channel"},
		Evaluate:    peaks,
	})
	if err != nil {
		log.Fatal(err)
	}
	x := losses.Features{Channels: 2, Values: []float64{1, 2, 3, 0, 1, 0}}
	target := losses.Features{Channels: 2, Values: []float64{2, 4, 1, 0}}
	value, gradient, err := losses.Evaluate(loss.Normalised(), x, target, 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f %.3f\n", value, gradient)
	// Output:
	// 0.095 [0.000 0.000 -0.190 0.000 0.000 0.000]
}

// beside is a loss of two others.
type beside struct{ first, second losses.Loss }

func (b beside) Description() losses.Description {
	return losses.Description{
		Name: b.first.Description().Name + "+" + b.second.Description().Name,
		Help: "one beside the other",
	}
}

func (b beside) Plain() losses.Form {
	return losses.Combine([]float64{1, 1}, b.first.Plain(), b.second.Plain())
}

func (b beside) Normalised() losses.Form {
	return losses.Combine([]float64{0.5, 0.5}, b.first.Normalised(), b.second.Normalised())
}

// A loss of others: histograms beside second moments, as Risser et al. have them.
func ExampleCombine() {
	var parts [2]losses.Loss
	for i, name := range []string{"gram", "histogram"} {
		var err error
		if parts[i], err = losses.Named(name); err != nil {
			log.Fatal(err)
		}
	}
	loss := beside{parts[0], parts[1]}
	x := losses.Features{Channels: 2, Values: []float64{1, 2, 3, 0, 1, 0}}
	target := losses.Features{Channels: 2, Values: []float64{2, 4, 1, 0}}
	value, _, err := losses.Evaluate(loss.Normalised(), x, target, 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %.3f\n", loss.Description().Name, value)
	// Output:
	// gram+histogram: 0.515
}
