//go:build gpu && cgo && linux

package cuda_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"
	"testing"
	"time"

	"impasto/cuda/standin"
	"impasto/device"
	"impasto/losses"
	"impasto/model"
)

// waves is a picture of coloured stripes.
func waves(width, height int, frequency float64) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			level := func(phase float64) uint8 {
				return uint8(127 + 100*math.Sin(frequency*(float64(x)+0.6*float64(y))/5+phase))
			}
			img.Set(x, y, color.RGBA{level(0), level(1), level(2.5), 255})
		}
	}
	return img
}

// stylized is a small stylisation, by default at one scale.
func stylized(t *testing.T, set func(o *model.Options)) *model.Result {
	t.Helper()
	return stylizedIn(t, []model.Style{{Image: waves(48, 40, 3), Weight: 2}, {Image: waves(36, 44, 0.7), Weight: 1}}, set)
}

func stylizedIn(t *testing.T, styles []model.Style, set func(o *model.Options)) *model.Result {
	t.Helper()
	o := model.DefaultOptions()
	o.Size, o.MinSize, o.FirstIterations, o.Iterations = 20, 20, 2, 1
	o.Precision = device.Float32 // not what either device takes by itself
	set(&o)
	began := time.Now()
	result, err := model.Stylize(context.Background(), waves(40, 36, 1), styles, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s on %s: %.1f s", o.StyleTerms[0].Loss.Description().Name, o.Device, time.Since(began).Seconds())
	return result
}

// apart is the root mean square difference of two pictures, in units of the range
// from black to white.
func apart(a, b image.Image) float64 {
	var sum float64
	bounds := a.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, d := range []float64{float64(r) - float64(r2), float64(g) - float64(g2), float64(b1) - float64(b2)} {
				sum += d / 0xffff * d / 0xffff
			}
		}
	}
	return math.Sqrt(sum / float64(3*bounds.Dx()*bounds.Dy()))
}

func TestStylisationsMatchTheProcessors(t *testing.T) {
	for _, c := range []struct {
		loss          string
		optimizer     model.Optimizer
		precision     device.Precision
		min           int
		apart, loss32 float64
	}{
		{"gram", "lbfgs", "f32", 16, 2e-3, 1e-3},
		{"gaussian", "adam", "f16", 20, 4e-3, 2e-3},
		{"sinkhorn", "lbfgs", "f32", 20, 2e-3, 1e-3}, // which samples, and goes on from what it had
		{"gram", "adam", "bf16", 20, 1e-2, 1e-2},
	} {
		t.Run(fmt.Sprint(c.loss, c.optimizer, c.precision), func(t *testing.T) {
			set := func(o *model.Options) {
				o.SetLoss(losses.Must(losses.Named(c.loss)))
				o.Optimizer, o.MinSize = c.optimizer, c.min
				// Many passes, and deep layers, take a while where they are emulated.
				if c.loss == "sinkhorn" {
					o.StyleTerms, o.ContentLayers = o.StyleTerms[1:2], []model.LayerWeight{{Layer: "relu2_1", Weight: 1}}
				} else {
					o.StyleTerms, o.ContentLayers = o.StyleTerms[:3], []model.LayerWeight{{Layer: "relu3_1", Weight: 1}}
				}
			}
			want := stylized(t, func(o *model.Options) { set(o); o.Device = "cpu" })
			got := stylized(t, func(o *model.Options) { set(o); o.Device, o.Precision = "cuda", c.precision })
			off := apart(got.Image, want.Image)
			t.Logf("pictures are %.2g apart; losses %v and %v", off, got.Last.Loss, want.Last.Loss)
			if !(off <= c.apart) {
				t.Errorf("pictures are %.2g apart, want %.2g at most", off, c.apart)
			}
			if d := math.Abs(got.Last.Loss/want.Last.Loss - 1); !(d <= c.loss32) {
				t.Errorf("the loss is %v, want %v to within %g of it", got.Last.Loss, want.Last.Loss, c.loss32)
			}
		})
	}
}

// TestPriorsMatchTheProcessors has results agree with a picture that is trusted in a half and
// still in a quarter.
func TestPriorsMatchTheProcessors(t *testing.T) {
	mask := func(columns int) image.Image {
		m := image.NewGray(image.Rect(0, 0, 40, 36))
		draw.Draw(m, image.Rect(0, 0, columns, 36), image.White, image.Point{}, draw.Src)
		return m
	}
	prior := &model.Prior{Image: waves(40, 36, 2), Trusted: mask(20), Still: mask(10), Weight: 100}
	for _, precision := range []device.Precision{"f32", "f16"} {
		set := func(o *model.Options) {
			o.SetLoss(losses.Must(losses.Named("gram")))
			o.StyleTerms, o.ContentLayers = o.StyleTerms[:2], []model.LayerWeight{{Layer: "relu2_1", Weight: 1}}
			o.Prior = prior
		}
		want := stylized(t, func(o *model.Options) { set(o); o.Device = "cpu" })
		got := stylized(t, func(o *model.Options) { set(o); o.Device, o.Precision = "cuda", precision })
		off, d := apart(got.Image, want.Image), math.Abs(got.Last.Loss/want.Last.Loss-1)
		t.Logf("%s: pictures are %.2g apart; losses %v and %v", precision, off, got.Last.Loss, want.Last.Loss)
		if !(off <= 4e-3 && d <= 2e-3) {
			t.Errorf("%s: pictures are %.2g apart, losses %.2g, want 4e-3 and 2e-3 at most", precision, off, d)
		}
	}
}

// TestAStyleOfOneColourMatchesTheProcessors paints a style whose features don't vary: its
// covariances, and those of the picture beside it, have an inverse by their least ridge only.
func TestAStyleOfOneColourMatchesTheProcessors(t *testing.T) {
	canvas := image.NewRGBA(image.Rect(0, 0, 40, 40))
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(color.RGBA{200, 90, 40, 255}), image.Point{}, draw.Src)
	plain := []model.Style{{Image: canvas, Weight: 1}}
	remarks := 0
	set := func(o *model.Options) {
		o.StyleTerms = o.StyleTerms[:3]
		o.FirstIterations = 3
		o.Progress = func(p model.Progress) {
			if p.Remark != "" {
				remarks++
			}
		}
	}
	want := stylizedIn(t, plain, func(o *model.Options) { set(o); o.Device = "cpu" })
	got := stylizedIn(t, plain, func(o *model.Options) { set(o); o.Device = "cuda" })
	if remarks > 0 {
		t.Errorf("%d iterations remark that a map takes an eigendecomposition, want none", remarks)
	}
	off := apart(got.Image, want.Image)
	t.Logf("pictures are %.2g apart; losses %v and %v", off, got.Last.Loss, want.Last.Loss)
	if d := math.Abs(got.Last.Loss/want.Last.Loss - 1); !(off <= 2e-3 && d <= 1e-3) {
		t.Errorf("pictures are %.2g apart, losses %.2g, want 2e-3 and 1e-3 at most", off, d)
	}
}

// TestALostGPULeavesTheBestPictureSoFar loses the GPU in the middle of the run.
func TestALostGPULeavesTheBestPictureSoFar(t *testing.T) {
	if !standin.Again(t, "STANDIN_LOST=300") {
		return
	}
	o := model.DefaultOptions()
	o.Size, o.MinSize, o.FirstIterations, o.Device, o.Optimizer = 20, 20, 100, "cuda", "adam"
	o.Precision = device.Float32 // which is emulated faster
	o.SetLoss(losses.Must(losses.Named("moments")))
	result, err := model.Stylize(context.Background(), waves(40, 36, 1), []model.Style{{Image: waves(36, 44, 0.7), Weight: 1}}, o)
	if err == nil || !strings.Contains(err.Error(), "the GPU (stand-in 0) failed") || !strings.Contains(err.Error(), "nvidia-smi") {
		t.Errorf("error %v, want one that says that the GPU failed and where to look", err)
	}
	if result == nil || result.Last.Done == 0 || result.Image.Bounds().Dx() != 20 {
		t.Errorf("result %+v, want the picture after the last good iteration", result)
	}
}
