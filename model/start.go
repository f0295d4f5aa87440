package model

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"impasto/internal/picture"
)

// The names of what the first scale may start from.
const (
	startContent = "content"
	startStyle   = "style"
	startGrey    = "grey"
	startNoise   = "noise"
	startImage   = "image"
)

var starts = []string{startContent, startStyle, startGrey, startNoise, startImage}

// greyNoise is the width of the noise on the grey start: one level of an 8-bit
// picture, so that no two pixels have quite the same gradient.
const greyNoise = 1.0 / 255

// start returns the picture that the first level starts from. It depends on the
// options and the level alone.
func start(l level, styleWeights []float64, o Options) (*picture.Picture, error) {
	random := rand.New(rand.NewPCG(o.Seed, 0))
	switch o.Start {
	case startStyle:
		mean, deviation := colourStatistics(l.styles, styleWeights)
		return fill(l, func(channel int) float64 {
			return mean[channel] + deviation[channel]*random.NormFloat64()
		}), nil
	case startGrey:
		return fill(l, func(int) float64 { return 0.5 + greyNoise*random.Float64() }), nil
	case startNoise:
		return fill(l, func(int) float64 { return random.Float64() }), nil
	case startImage:
		return fromStartImage(l, o.StartImage)
	}
	return &picture.Picture{Width: l.width, Height: l.height, RGB: append([]float32(nil), l.content.RGB...)}, nil
}

func fromStartImage(l level, img image.Image) (*picture.Picture, error) {
	original, err := picture.FromImage(img)
	if err != nil {
		return nil, fmt.Errorf("model: start picture: %w", err)
	}
	resized, err := original.Resize(l.width, l.height, picture.Lanczos)
	if err != nil {
		return nil, fmt.Errorf("model: start picture: %w", err)
	}
	return resized, nil
}

// fill makes a picture by a value for each sample, clamped to 0–1.
func fill(l level, value func(channel int) float64) *picture.Picture {
	plane := l.width * l.height
	p := &picture.Picture{Width: l.width, Height: l.height, RGB: make([]float32, 3*plane)}
	for i := range p.RGB {
		p.RGB[i] = float32(min(max(value(i/plane), 0), 1))
	}
	return p
}

// colourStatistics returns the mean and the standard deviation of each channel
// over all pixels of the pictures, each picture counting by its weight. The
// weights sum to 1.
func colourStatistics(pictures []*picture.Picture, weights []float64) (mean, deviation [3]float64) {
	for channel := range 3 {
		var first, second float64
		for i, p := range pictures {
			plane := p.RGB[channel*p.Width*p.Height:][:p.Width*p.Height]
			for _, v := range plane {
				share := weights[i] / float64(len(plane))
				first += share * float64(v)
				second += share * float64(v) * float64(v)
			}
		}
		mean[channel] = first
		deviation[channel] = math.Sqrt(max(0, second-first*first))
	}
	return mean, deviation
}
