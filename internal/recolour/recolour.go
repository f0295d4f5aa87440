// Package recolour gives a picture the colours of another, in one of the two ways of Gatys,
// Bethge, Hertzmann and Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer":
// by the colours' distribution, or by keeping lightness apart from colour.
package recolour

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"impasto/internal/picture"
)

// Method names a way to keep colours.
type Method string

const (
	// Luminance keeps the colours of a picture where they are: of the other picture only
	// lightness is taken over.
	Luminance Method = "luminance"
	// Distribution keeps which colours there are, and how much of each.
	Distribution Method = "distribution"
)

// methods is the table of them; the first is the default.
var methods = [...]struct {
	name Method
	help string
}{
	{Luminance, "every place keeps its colour, and only lightness is painted"},
	{Distribution, "the picture keeps its colours as a whole, and paint may place them anew"},
}

// Names are the methods that there are, the default first.
func Names() []string {
	var names []string
	for _, row := range methods {
		names = append(names, string(row.name))
	}
	return names
}

// Help describes a method in one line; nothing for one that isn't.
func (m Method) Help() string {
	for _, row := range methods {
		if row.name == m {
			return row.help
		}
	}
	return ""
}

// Check reports a method that isn't one.
func (m Method) Check() error {
	if m.Help() == "" {
		return fmt.Errorf("%q is none of the ways to keep colours, which are %v", string(m), Names())
	}
	return nil
}

// Colours are the first and second moments of a picture's colours, sRGB in 0–1, and those
// of its lightness in Oklab.
type Colours struct {
	mean       [3]float64
	covariance [3][3]float64
	lightness  struct{ mean, deviation float64 }
}

// Of returns the colours of a picture, of which each pixel counts by its alpha.
func Of(p *picture.Picture) Colours {
	var c Colours
	var first, second, count float64
	for i := range p.Width * p.Height {
		weight := 1.
		if p.Alpha != nil {
			weight = float64(p.Alpha[i])
		}
		count += weight
		v := pixel(p, i)
		for j := range 3 {
			c.mean[j] += weight * v[j]
			for k := range 3 {
				c.covariance[j][k] += weight * v[j] * v[k]
			}
		}
		l := FromRGB(v[0], v[1], v[2]).L
		first, second = first+weight*l, second+weight*l*l
	}
	if count == 0 { // nothing is seen of it
		return c
	}
	for j := range 3 {
		c.mean[j] /= count
	}
	for j := range 3 {
		for k := range 3 {
			c.covariance[j][k] = c.covariance[j][k]/count - c.mean[j]*c.mean[k]
		}
	}
	c.lightness.mean = first / count
	c.lightness.deviation = math.Sqrt(max(0, second/count-c.lightness.mean*c.lightness.mean))
	return c
}

func pixel(p *picture.Picture, i int) [3]float64 {
	n := p.Width * p.Height
	return [3]float64{float64(p.RGB[i]), float64(p.RGB[n+i]), float64(p.RGB[2*n+i])}
}

// Match returns a picture whose colours are moved to those of another distribution, by a
// strength from 0 (not at all) to 1: along the optimal transport between the Gaussians that
// have the means and covariances of both (Pitié and Kokaram 2007, "The linear
// Monge-Kantorovitch linear colour mapping for example-based colour transfer"). Results are
// clamped to 0–1; alpha stays.
func Match(ctx context.Context, p *picture.Picture, from, to Colours, strength float64) (*picture.Picture, error) {
	move, err := transport(from.covariance, to.covariance)
	if err != nil {
		return nil, err
	}
	return each(ctx, p, func(_ int, v [3]float64) [3]float64 {
		var moved [3]float64
		for j := range 3 {
			moved[j] = to.mean[j]
			for k := range 3 {
				moved[j] += move[j][k] * (v[k] - from.mean[k])
			}
			moved[j] = (1-strength)*v[j] + strength*min(max(moved[j], 0), 1)
		}
		return moved
	})
}

// ridge is added to variances, so that a picture of one colour has a distribution. It is
// below a level of 8 bits, squared.
const ridge = 1e-6

// transport is the symmetric matrix T = A^-½ (A^½ B A^½)^½ A^-½ that moves a Gaussian of
// covariance A to one of covariance B.
func transport(a, b [3][3]float64) (t [3][3]float64, err error) {
	root, inverse, err := roots(symmetric(a))
	if err != nil {
		return t, err
	}
	var inner mat.Dense
	inner.Product(root, symmetric(b), root)
	middle, _, err := roots(mat.NewSymDense(3, slices.Clone(inner.RawMatrix().Data)))
	if err != nil {
		return t, err
	}
	var whole mat.Dense
	whole.Product(inverse, middle, inverse)
	for i := range 3 {
		for j := range 3 {
			t[i][j] = whole.At(i, j)
		}
	}
	return t, nil
}

func symmetric(m [3][3]float64) *mat.SymDense {
	s := mat.NewSymDense(3, nil)
	for i := range 3 {
		for j := i; j < 3; j++ {
			s.SetSym(i, j, m[i][j])
		}
		s.SetSym(i, i, m[i][i]+ridge)
	}
	return s
}

// roots are the square root of a covariance, and the inverse of that.
func roots(m *mat.SymDense) (root, inverse *mat.Dense, err error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(m, true) {
		return nil, nil, fmt.Errorf("recolour: no eigenvalues of the covariance %v", mat.Formatted(m))
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values, inverses := mat.NewDiagDense(3, nil), mat.NewDiagDense(3, nil)
	for i, v := range eigen.Values(nil) {
		v = math.Sqrt(max(v, ridge*ridge))
		values.SetDiag(i, v)
		inverses.SetDiag(i, 1/v)
	}
	root, inverse = new(mat.Dense), new(mat.Dense)
	root.Product(&vectors, values, vectors.T())
	inverse.Product(&vectors, inverses, vectors.T())
	return root, inverse, nil
}

// Paint returns a picture with the lightness of one, and a sum of its colours and of those
// of another picture of its size, by the weights given. Alpha is the first picture's.
func Paint(ctx context.Context, p, colours *picture.Picture, own, others float64) (*picture.Picture, error) {
	if p.Width != colours.Width || p.Height != colours.Height {
		return nil, fmt.Errorf("recolour: a picture of %d×%d and colours of %d×%d pixels, want one size", p.Width, p.Height, colours.Width, colours.Height)
	}
	return each(ctx, p, func(i int, v [3]float64) [3]float64 {
		a, of := FromRGB(v[0], v[1], v[2]), pixel(colours, i)
		b := FromRGB(of[0], of[1], of[2])
		mixed := Lab{a.L, own*a.A + others*b.A, own*a.B + others*b.B}
		v[0], v[1], v[2] = mixed.RGB()
		return v
	})
}

// Relight returns a picture whose lightness has the mean and deviation of another's, by a
// strength from 0 to 1, and whose colours are multiplied by a factor, 0 for grey.
func Relight(ctx context.Context, p *picture.Picture, from, to Colours, strength, colour float64) (*picture.Picture, error) {
	gain := to.lightness.deviation / max(from.lightness.deviation, math.Sqrt(ridge))
	return each(ctx, p, func(_ int, v [3]float64) [3]float64 {
		c := FromRGB(v[0], v[1], v[2])
		c.L += strength * (to.lightness.mean + gain*(c.L-from.lightness.mean) - c.L)
		c.A, c.B = colour*c.A, colour*c.B
		v[0], v[1], v[2] = c.RGB()
		return v
	})
}

// each returns a picture whose pixels follow from those of another. It ends with ctx.
func each(ctx context.Context, p *picture.Picture, pixels func(i int, rgb [3]float64) [3]float64) (*picture.Picture, error) {
	n := p.Width * p.Height
	result := &picture.Picture{Width: p.Width, Height: p.Height, RGB: make([]float32, len(p.RGB)), Alpha: p.Alpha}
	rows := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), p.Height) {
		workers.Go(func() {
			for y := range rows {
				for i := y * p.Width; i < (y+1)*p.Width; i++ {
					for channel, v := range pixels(i, pixel(p, i)) {
						result.RGB[channel*n+i] = float32(v)
					}
				}
			}
		})
	}
	for y := range p.Height {
		if ctx.Err() != nil {
			break
		}
		rows <- y
	}
	close(rows)
	workers.Wait()
	return result, context.Cause(ctx)
}
