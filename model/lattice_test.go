package model

import (
	"context"
	"image"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"

	"impasto/internal/picture"
)

// latticeBlock is the side of the blocks whose spectra latticeOf adds up.
const latticeBlock = 32

// latticeOf is how much stronger waves of 2.5 to 4 pixels are in a picture along rows and
// columns than in all directions: 1 where they are as strong. A lattice has them along rows
// and columns alone, whatever its phase.
func latticeOf(p *picture.Picture) float64 {
	power := spectrum(p)
	at := func(x, y int) float64 { return power[(y+latticeBlock)%latticeBlock][(x+latticeBlock)%latticeBlock] }
	var along, count float64
	for radius := 8; radius <= 12; radius++ {
		var ring, places float64
		for y := -radius; y <= radius; y++ {
			for x := -radius; x <= radius; x++ {
				if math.Abs(math.Hypot(float64(x), float64(y))-float64(radius)) < 0.7 {
					ring, places = ring+at(x, y), places+1
				}
			}
		}
		along += (at(radius, 0) + at(0, radius)) / 2 / (ring / places)
		count++
	}
	return along / count
}

// spectrum is the sum of the powers of a picture's brightness in overlapping blocks, under
// Hann's window, by frequency.
func spectrum(p *picture.Picture) (power [latticeBlock][latticeBlock]float64) {
	const n = latticeBlock
	transform := fourier.NewCmplxFFT(n)
	line, result := make([]complex128, n), make([]complex128, n)
	for top := 0; top+n <= p.Height; top += n / 2 {
		for left := 0; left+n <= p.Width; left += n / 2 {
			block, mean := [n][n]complex128{}, 0.
			for y := range n {
				for x := range n {
					i := (top+y)*p.Width + left + x
					v := float64(p.RGB[i]+p.RGB[i+p.Width*p.Height]+p.RGB[i+2*p.Width*p.Height]) / 3
					block[y][x] = complex(v, 0)
					mean += v / (n * n)
				}
			}
			for y := range n {
				for x := range n {
					block[y][x] = (block[y][x] - complex(mean, 0)) * complex(hann(y, n)*hann(x, n), 0)
				}
				copy(block[y][:], transform.Coefficients(result, block[y][:]))
			}
			for x := range n {
				for y := range n {
					line[y] = block[y][x]
				}
				for y, v := range transform.Coefficients(result, line) {
					power[y][x] += real(v)*real(v) + imag(v)*imag(v)
				}
			}
		}
	}
	return power
}

func hann(i, n int) float64 { return 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(n)) }

// TestLatticesAreMeasured shows that the measure tells a lattice from noise.
func TestLatticesAreMeasured(t *testing.T) {
	p := &picture.Picture{Width: 96, Height: 64, RGB: make([]float32, 3*96*64)}
	for i := range p.RGB {
		p.RGB[i] = 0.5
	}
	addNoise(p, 0.05, 1)
	if got := latticeOf(p); got < 0.85 || got > 1.3 {
		t.Errorf("noise has %.2f, want about 1", got)
	}
	for i := range p.RGB {
		x, y := i%96, i/96%64
		p.RGB[i] += 0.02 * float32(math.Sin(2*math.Pi*float64(x)/3.2)+math.Sin(2*math.Pi*float64(y)/3.2))
	}
	if got := latticeOf(p); got < 2 {
		t.Errorf("a lattice has %.2f, want more than 2", got)
	}
}

// TestPicturesHaveNoLattice stylises an example, whose result is to have as little of a
// lattice as the style has itself. With much total variation, and no noise to begin with,
// it had one.
func TestPicturesHaveNoLattice(t *testing.T) {
	content, style := example(t, "harbour.png"), example(t, "dots.jpg")
	const size = 128
	of := func(change func(o *Options)) float64 {
		o := shallow(DefaultOptions())
		o.Size, o.Device, o.FirstIterations = size, "cpu", 30
		change(&o)
		r, err := Stylize(t.Context(), content, []Style{{style, 1}}, o)
		if err != nil {
			t.Fatal(err)
		}
		return latticeOf(resizedTo(t, r.Image, r.Image.Bounds().Size()))
	}
	b := style.Bounds().Size()
	own := latticeOf(resizedTo(t, style, image.Pt(size, size*b.Y/b.X)))
	now, before := of(func(*Options) {}), of(func(o *Options) { o.TotalVariationWeight, o.Noise = 5, 0 })
	t.Logf("waves along rows and columns beside all: %.2f in the style, %.2f in the picture, %.2f in one that is smoothed", own, now, before)
	if now > 1.25*own {
		t.Errorf("the picture has %.2f, want at most a quarter more than the style, which has %.2f", now, own)
	}
	if before < 1.25*own {
		t.Errorf("a picture that is smoothed has %.2f beside the style's %.2f, want so much that the measure shows it", before, own)
	}
}

// example decodes one of the repository's examples.
func example(t *testing.T, name string) image.Image {
	t.Helper()
	file, err := os.Open("../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func resizedTo(t *testing.T, img image.Image, size image.Point) *picture.Picture {
	t.Helper()
	p, err := picture.ResizedTo(context.Background(), img, onWhite, size.X, size.Y)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
