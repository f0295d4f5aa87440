//go:build gpu && linux && amd64 && cgo

package cuda_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"
	"time"

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

// stylized is a small stylisation at two scales.
func stylized(t *testing.T, set func(o *model.Options)) *model.Result {
	t.Helper()
	o := model.DefaultOptions()
	o.Size, o.MinSize, o.FirstIterations, o.Iterations = 32, 22, 3, 2
	set(&o)
	began := time.Now()
	result, err := model.Stylize(context.Background(), waves(40, 36, 1), []model.Style{
		{Image: waves(48, 40, 3), Weight: 2}, {Image: waves(36, 44, 0.7), Weight: 1},
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s on %s: %.1f s", o.Loss, o.Device, time.Since(began).Seconds())
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
		loss, optimizer, precision string
		apart, loss32              float64
	}{
		{"gaussian", "lbfgs", "f32", 2e-3, 1e-3},
		{"gram", "adam", "f32", 2e-3, 1e-3},
	} {
		t.Run(fmt.Sprint(c.loss, c.optimizer, c.precision), func(t *testing.T) {
			set := func(o *model.Options) { o.Loss, o.Optimizer = c.loss, c.optimizer }
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
