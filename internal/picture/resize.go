package picture

import (
	"errors"
	"fmt"
	"math"
)

// Filter is a kernel to resample with.
type Filter struct {
	Name string
	// Support is the distance from its centre beyond which the kernel is zero, in
	// samples of the coarser of the two grids.
	Support float64
	// Kernel gives the weight at a distance from the centre. Weights are scaled to
	// sum to 1 afterwards.
	Kernel func(distance float64) float64
}

// The filters, named as in Pillow, whose results they give.
var (
	// Lanczos is the sinc windowed by its own central lobe stretched by 3: the
	// sharpest, with slight ringing.
	Lanczos = Filter{Name: "lanczos", Support: 3, Kernel: lanczos3}
	// Bicubic is the cubic convolution of Keys, "Cubic convolution interpolation
	// for digital image processing", 1981, with a = −1/2 (Catmull and Rom's
	// spline).
	Bicubic = Filter{Name: "bicubic", Support: 2, Kernel: keysCubic}
	// Bilinear is the triangle; it never leaves the range of its input.
	Bilinear = Filter{Name: "bilinear", Support: 1, Kernel: triangle}
)

func lanczos3(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x == 0:
		return 1
	case x >= 3:
		return 0
	}
	x *= math.Pi
	return 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
}

func keysCubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}

func triangle(x float64) float64 {
	return max(0, 1-math.Abs(x))
}

// ResizePlanes resamples planes of height×width values in src to planes of
// newHeight×newWidth in dst. Pixels are squares: the outer edges of both grids
// coincide. When shrinking, the kernel is stretched so that every source value
// counts; at an edge, the weights inside it are scaled to sum to 1. Nothing is
// clamped. dst and src must not overlap.
func ResizePlanes(dst, src []float32, planes, height, width, newHeight, newWidth int, filter Filter) error {
	for _, side := range []int{planes, height, width, newHeight, newWidth} {
		if side < 1 {
			return fmt.Errorf("picture: resize %d planes of %d×%d to %d×%d (width×height): want at least 1 of each",
				planes, width, height, newWidth, newHeight)
		}
	}
	if got, want := len(src), planes*height*width; got != want {
		return fmt.Errorf("picture: resize: source has %d values, want %d planes of %d×%d = %d", got, planes, width, height, want)
	}
	if got, want := len(dst), planes*newHeight*newWidth; got != want {
		return fmt.Errorf("picture: resize: destination has %d values, want %d planes of %d×%d = %d", got, planes, newWidth, newHeight, want)
	}
	if filter.Kernel == nil || !(filter.Support > 0) {
		return errors.New("picture: resize: the filter has no kernel or no support; want Lanczos, Bicubic or Bilinear")
	}
	across, down := newTaps(width, newWidth, filter), newTaps(height, newHeight, filter)
	rows := make([]float32, height*newWidth)
	for plane := range planes {
		resizeRows(rows, src[plane*height*width:][:height*width], height, across)
		resizeColumns(dst[plane*newHeight*newWidth:][:newHeight*newWidth], rows, newWidth, down)
	}
	return nil
}

// taps are the weights that make each sample of a resampled line.
type taps struct {
	length int // of the source line
	each   []tap
}

// tap makes one sample: the sum of weights[i] times source sample first+i.
type tap struct {
	first   int
	weights []float32
}

func newTaps(length, newLength int, filter Filter) taps {
	t := taps{length: length, each: make([]tap, newLength)}
	if length == newLength {
		for i := range t.each {
			t.each[i] = tap{first: i, weights: []float32{1}}
		}
		return t
	}
	step := float64(length) / float64(newLength)
	stretch := max(step, 1)
	support := filter.Support * stretch
	for i := range t.each {
		// Sample j covers j to j+1, so its centre is at j+½.
		centre := (float64(i) + 0.5) * step
		first := max(0, int(math.Ceil(centre-support-0.5)))
		last := min(length-1, int(math.Floor(centre+support-0.5)))
		weights := make([]float64, last-first+1)
		var sum float64
		for j := range weights {
			weights[j] = filter.Kernel((float64(first+j) + 0.5 - centre) / stretch)
			sum += weights[j]
		}
		t.each[i] = tap{first: first, weights: make([]float32, len(weights))}
		for j, w := range weights {
			t.each[i].weights[j] = float32(w / sum)
		}
	}
	return t
}

func resizeRows(dst, src []float32, height int, t taps) {
	for y := range height {
		resizeRow(dst[y*len(t.each):][:len(t.each)], src[y*t.length:][:t.length], t)
	}
}

func resizeRow(dst, src []float32, t taps) {
	for x, tap := range t.each {
		var sum float32
		for i, v := range src[tap.first:][:len(tap.weights)] {
			sum += tap.weights[i] * v
		}
		dst[x] = sum
	}
}

func resizeColumns(dst, src []float32, width int, t taps) {
	for y, tap := range t.each {
		out := dst[y*width:][:width]
		clear(out)
		for i, w := range tap.weights {
			for x, v := range src[(tap.first+i)*width:][:width] {
				out[x] += w * v
			}
		}
	}
}
