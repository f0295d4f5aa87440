package picture

import "fmt"

// setAlpha sets the alpha of pixel i. There is none until one isn't opaque.
func (p *Picture) setAlpha(i int, alpha float32) {
	if p.Alpha == nil {
		if alpha >= 1 {
			return
		}
		p.Alpha = make([]float32, p.Width*p.Height)
		for j := range p.Alpha {
			p.Alpha[j] = 1
		}
	}
	p.Alpha[i] = clamp(alpha)
}

// OnWhite returns the picture laid on white, in sRGB as viewers do. It is the picture
// itself where that is opaque.
func (p *Picture) OnWhite() *Picture {
	if p.Alpha == nil {
		return p
	}
	flat := &Picture{Width: p.Width, Height: p.Height, RGB: make([]float32, len(p.RGB)), Remarks: p.Remarks}
	n := len(p.Alpha)
	for plane := range 3 {
		onWhite(flat.RGB[plane*n:][:n], p.RGB[plane*n:][:n], p.Alpha)
	}
	return flat
}

// onWhite sets to to values laid on white by alpha. What is opaque stays as it is.
func onWhite(to, values, alpha []float32) {
	for i, a := range alpha {
		if to[i] = values[i]; a < 1 {
			to[i] = 1 - a*(1-values[i])
		}
	}
}

// solid is the alpha from which on a pixel keeps its colour when what is hidden is
// filled in.
const solid = 1. / 16

// Filled returns the picture with colours where it is transparent: those of the nearest
// opaque parts, smoothly spread, and white where there are none. Its alpha is as before.
// It is the picture itself where that is opaque.
//
// The method is the pull and push of Gortler et al., "The Lumigraph", 1996: colours are
// averaged, by their weights, to ever smaller pictures, and on the way back each fills
// what is missing in the next.
func (p *Picture) Filled() (*Picture, error) {
	if p.Alpha == nil {
		return p, nil
	}
	filled := &Picture{Width: p.Width, Height: p.Height, RGB: append([]float32(nil), p.RGB...), Alpha: p.Alpha, Remarks: p.Remarks}
	weights := make([]float32, len(p.Alpha))
	for i, a := range p.Alpha {
		weights[i] = min(a/solid, 1)
	}
	if err := fillIn(filled.RGB, weights, p.Width, p.Height); err != nil {
		return nil, fmt.Errorf("picture: fill: %w", err)
	}
	return filled, nil
}

// fillIn fills three planes of height×width values where their weights, 0–1, are low.
func fillIn(rgb, weights []float32, width, height int) error {
	n := width * height
	if n == 1 {
		for plane := range 3 {
			rgb[plane] = 1 - weights[0]*(1-rgb[plane])
		}
		return nil
	}
	halfWidth, halfHeight := (width+1)/2, (height+1)/2
	m := halfWidth * halfHeight
	coarse, sums := make([]float32, 3*m), make([]float32, m)
	for i, w := range weights {
		to := i/width/2*halfWidth + i%width/2
		sums[to] += w
		for plane := range 3 {
			coarse[plane*m+to] += w * rgb[plane*n+i]
		}
	}
	for i, sum := range sums {
		for plane := range 3 {
			if sum > 0 {
				coarse[plane*m+i] /= sum
			}
		}
		sums[i] = min(sum, 1)
	}
	if err := fillIn(coarse, sums, halfWidth, halfHeight); err != nil {
		return err
	}
	spread := make([]float32, 3*n)
	if err := ResizePlanes(spread, coarse, 3, halfHeight, halfWidth, height, width, Bilinear); err != nil {
		return err
	}
	for i, w := range weights {
		for plane := range 3 {
			at := plane*n + i
			rgb[at] = w*rgb[at] + (1-w)*spread[at]
		}
	}
	return nil
}
