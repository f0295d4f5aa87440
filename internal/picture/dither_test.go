package picture

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

// slope is a picture of a few levels' difference.
func slope(width, height int) *Picture {
	p := &Picture{Width: width, Height: height, RGB: make([]float32, 3*width*height)}
	for i := range p.RGB {
		x, y := i%width, i/width%height
		p.RGB[i] = (80 + 10*float32(x)/float32(width) + float32(y)/float32(height)) / 255
	}
	return p
}

// seenError is what is left of rounding, root mean square in levels, once it is blurred.
func seenError(p *Picture, q quantiser) float64 {
	const radius = 4
	errors := make([]float64, p.Width*p.Height)
	for i := range errors {
		errors[i] = float64(q(p.RGB[i], i%p.Width, i/p.Width, 0)) - 255*float64(p.RGB[i])
	}
	var sum float64
	count := 0
	for y := radius; y < p.Height-radius; y++ {
		for x := radius; x < p.Width-radius; x++ {
			var blurred, weights float64
			for dy := -radius; dy <= radius; dy++ {
				for dx := -radius; dx <= radius; dx++ {
					w := math.Exp(-float64(dx*dx+dy*dy) / (2 * 1.5 * 1.5))
					weights += w
					blurred += w * errors[(y+dy)*p.Width+x+dx]
				}
			}
			sum += blurred * blurred / (weights * weights)
			count++
		}
	}
	return math.Sqrt(sum / float64(count))
}

func TestDitherLeavesNoSteps(t *testing.T) {
	p := slope(512, 64)
	rounded, dithered := seenError(p, SaveOptions{}.quantiser()), seenError(p, SaveOptions{Dither: true, Seed: 3}.quantiser())
	if rounded < 0.25 || dithered > 0.025 {
		t.Errorf("blurred, rounding is off by %.4f levels and dithering by %.4f, want some 0.27 and less than a tenth of that", rounded, dithered)
	}
}

func TestDitherKeepsLevelsAndGoesByTheSeed(t *testing.T) {
	q := SaveOptions{Dither: true}.quantiser()
	for v := range 256 {
		for i := range blueNoiseSide * blueNoiseSide {
			for channel := range 4 {
				if got := q(float32(v)/255, i%blueNoiseSide, i/blueNoiseSide, channel); got != uint32(v) {
					t.Fatalf("level %d becomes %d", v, got)
				}
			}
		}
	}
	for v, want := range map[float32]uint32{-1: 0, 2: 255, float32(math.NaN()): 0, float32(math.Inf(1)): 255} {
		if got := q(v, 5, 5, 0); got != want {
			t.Errorf("%g becomes %d, want %d", v, got, want)
		}
	}
	written := func(o SaveOptions) []byte {
		var b bytes.Buffer
		if err := Encode(&b, slope(40, 30), o); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, format := range []string{"png", "tiff"} {
		one, same := written(SaveOptions{Format: format, Dither: true, Seed: 1}), written(SaveOptions{Format: format, Dither: true, Seed: 1})
		other, none := written(SaveOptions{Format: format, Dither: true, Seed: 2}), written(SaveOptions{Format: format, Seed: 1})
		if !bytes.Equal(one, same) || bytes.Equal(one, other) || bytes.Equal(one, none) {
			t.Errorf("%s: dithering doesn't follow from its seed alone", format)
		}
		deep, plain := written(SaveOptions{Format: format, Depth: 16, Dither: true}), written(SaveOptions{Format: format, Depth: 16})
		if !bytes.Equal(deep, plain) {
			t.Errorf("%s: 16 bits are dithered", format)
		}
	}
}

func TestBlueNoiseHasEveryThresholdOnce(t *testing.T) {
	sorted := slices.Sorted(slices.Values(blueNoise()))
	for i, v := range sorted {
		if want := (float32(i) + 0.5) / (blueNoiseSide * blueNoiseSide); v != want {
			t.Fatalf("threshold %d is %g, want %g", i, v, want)
		}
	}
}
