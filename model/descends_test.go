package model

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"

	"impasto/losses"
)

// shallowOptions are for runs of a tenth of a second: one level of 32 pixels, through the
// first third of the network.
func shallowOptions(t *testing.T) Options {
	t.Helper()
	o := shallow(DefaultOptions())
	o.Size, o.MinSize, o.FirstIterations, o.Threads = 32, 32, 5, 1
	var err error
	if o.Parameters, err = network(); err != nil {
		t.Fatal(err)
	}
	return o
}

// styleDistance is the sum of the style terms.
func styleDistance(p Progress) float64 {
	var sum float64
	for _, t := range p.Terms {
		if strings.HasPrefix(t.Name, "style") {
			sum += t.Value
		}
	}
	return sum
}

// descend makes a run and returns what its iterations were, after checking that each loss
// is finite and that the picture changed.
func descend(t *testing.T, content, style image.Image, o Options) []Progress {
	t.Helper()
	var seen []Progress
	o.Progress = func(p Progress) { seen = append(seen, p) }
	result, err := Stylize(t.Context(), content, []Style{{style, 1}}, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Remarks) > 0 {
		t.Errorf("remarks %q", result.Remarks)
	}
	return seen
}

// TestEverythingComesNearerToTheStyle takes each loss with each content form, optimiser and
// start, and each of these with each other, at the default weights.
func TestEverythingComesNearerToTheStyle(t *testing.T) {
	content, style := waves(40, 30, 0.2), waves(36, 36, 0.9)
	forms, optimizers := losses.ContentForms(), []Optimizer{Adam, LBFGS}
	for i, loss := range losses.All() {
		for j, row := range starts {
			form, optimizer := forms[(i+j/2)%len(forms)], optimizers[(i+j)%len(optimizers)]
			t.Run(fmt.Sprintf("%s, %s, %s from %s", loss.Description().Name, form.Name, optimizer, row.name), func(t *testing.T) {
				t.Parallel()
				o := shallowOptions(t)
				o.SetLoss(loss)
				o.ContentLoss, o.Optimizer, o.Start = form.Name, optimizer, row.name
				if row.name.IsPicture() {
					o.StartImage = waves(20, 15, 0.3)
				}
				seen := descend(t, content, style, o)
				first, last := styleDistance(seen[0]), styleDistance(seen[len(seen)-1])
				if !(last < first) {
					t.Errorf("the distance to the style went from %.4g to %.4g, want it to fall", first, last)
				}
			})
		}
	}
}

// TestContentWeightsAHundredTimesOffDoNotExplode has the loss stay near where it began.
func TestContentWeightsAHundredTimesOffDoNotExplode(t *testing.T) {
	content, style := waves(40, 30, 0.2), waves(36, 36, 0.9)
	optimizers := []Optimizer{Adam, LBFGS}
	for i, loss := range losses.All() {
		for j, form := range losses.ContentForms() {
			for k, factor := range []float64{0.01, 100} {
				optimizer := optimizers[(i+j+k)%len(optimizers)]
				t.Run(fmt.Sprintf("%s, %s at %g, %s", loss.Description().Name, form.Name, factor, optimizer), func(t *testing.T) {
					t.Parallel()
					o := shallowOptions(t)
					o.SetLoss(loss)
					o.ContentLoss, o.Optimizer = form.Name, optimizer
					o.ContentWeight *= factor
					seen := descend(t, content, style, o)
					for _, p := range seen {
						if first := seen[0].Loss; !(p.Loss < 2*first) {
							t.Fatalf("the loss went from %.4g to %.4g in %d iterations", first, p.Loss, p.Iteration)
						}
					}
				})
			}
		}
	}
}

// TestFlatAndSmallPicturesDescend has contents and styles of one colour, of black and white
// and of hardly any pixels.
func TestFlatAndSmallPicturesDescend(t *testing.T) {
	board := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for y := range 30 {
		for x := range 40 {
			v := uint8(255 * ((x/4 + y/4) % 2))
			board.Set(x, y, color.NRGBA{v, v, v, 255})
		}
	}
	picture, small := waves(40, 30, 0.2), waves(5, 5, 0.9)
	one := func(c color.NRGBA) image.Image {
		img := image.NewNRGBA(board.Rect)
		draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
		return img
	}
	pairs := []struct {
		name           string
		content, style image.Image
	}{
		{"a grey style", picture, one(color.NRGBA{128, 128, 128, 255})},
		{"a content of one colour", one(color.NRGBA{220, 90, 30, 255}), picture},
		{"a small style", picture, small},
		{"a black and white style", picture, board},
	}
	optimizers := []Optimizer{Adam, LBFGS}
	for i, pair := range pairs {
		for j, loss := range losses.All() {
			optimizer := optimizers[(i+j)%len(optimizers)]
			t.Run(fmt.Sprintf("%s, %s, %s", pair.name, loss.Description().Name, optimizer), func(t *testing.T) {
				t.Parallel()
				o := shallowOptions(t)
				o.SetLoss(loss)
				o.Optimizer = optimizer
				seen := descend(t, pair.content, pair.style, o)
				if first, last := seen[0].Loss, seen[len(seen)-1].Loss; !(last < first) {
					t.Errorf("the loss went from %.4g to %.4g, want it to fall", first, last)
				}
				for _, p := range seen {
					if p.Remark != "" {
						t.Errorf("iteration %d: remark %q", p.Iteration, p.Remark)
					}
				}
			})
		}
	}
}
