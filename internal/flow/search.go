package flow

import "impasto/internal/panics"

// patchSide is the side of a patch in pixels.
const (
	patchSide = 8
	patchArea = patchSide * patchSide
)

// patches are those of a level: where they begin, and what was found for each.
type patches struct {
	first          Plane
	acrossX, downY Plane     // derivatives of first
	padded         Plane     // the second picture with a border, see pad
	xs, ys         []int     // where they begin along rows and columns
	u, v           []float32 // displacements, row by row of patches
	residual       []float32 // squared differences there, without the means
	h              []tensor  // see tensor
	stripes        int       // how many independent stripes of patches there are
}

// tensor is the inverse of a patch's matrix of products of derivatives, and their means.
type tensor struct{ xx, xy, yy, meanX, meanY float32 }

// stripeRows is how many rows of patches hand displacements on to each other. It doesn't
// depend on the number of threads, so neither do results.
const stripeRows = 16

// starts are where patches begin along a side: at multiples of a stride, the last one at the
// end.
func starts(side, stride int) []int {
	var all []int
	for at := 0; at+patchSide < side; at += stride {
		all = append(all, at)
	}
	return append(all, side-patchSide)
}

// newPatches makes patches that begin with the flow of the level before.
func newPatches(l level, begin Field, stride int) *patches {
	p := &patches{
		first: l.first, acrossX: centralX(l.first), downY: centralY(l.first), padded: pad(l.second),
		xs: starts(l.first.Width, stride), ys: starts(l.first.Height, stride),
	}
	n := len(p.xs) * len(p.ys)
	p.u, p.v, p.residual, p.h = make([]float32, n), make([]float32, n), make([]float32, n), make([]tensor, n)
	for j, y := range p.ys {
		for i, x := range p.xs {
			at, middle := j*len(p.xs)+i, (y+patchSide/2)*begin.Width+x+patchSide/2
			p.u[at], p.v[at] = begin.U[middle], begin.V[middle]
		}
	}
	p.stripes = (len(p.ys) + stripeRows - 1) / stripeRows
	return p
}

// search finds all displacements, in two passes: from the upper left on, and back from the
// lower right, each patch beginning from the best of its own and its neighbours'.
func (p *patches) search(threads, iterations int) error {
	return inStripes(threads, p.stripes, func(stripe int) {
		first, end := stripe*stripeRows, min((stripe+1)*stripeRows, len(p.ys))
		columns := len(p.xs)
		for j := first; j < end; j++ {
			for i := range columns {
				at := j*columns + i
				p.h[at] = p.tensorOf(i, j)
				best := p.begin(i, j)
				if i > 0 {
					best = p.better(i, j, best, at-1)
				}
				if j > first {
					best = p.better(i, j, best, at-columns)
				}
				p.descend(i, j, best, iterations/2)
			}
		}
		for j := end - 1; j >= first; j-- {
			for i := columns - 1; i >= 0; i-- {
				at := j*columns + i
				best := candidate{p.u[at], p.v[at], p.residual[at]}
				if i+1 < columns {
					best = p.better(i, j, best, at+1)
				}
				if j+1 < end {
					best = p.better(i, j, best, at+columns)
				}
				p.descend(i, j, best, iterations-iterations/2)
			}
		}
	})
}

// inStripes calls f with every stripe, some of them at a time.
func inStripes(threads, stripes int, f func(stripe int)) error {
	threads = max(min(threads, stripes), 1)
	return panics.Together(threads, func(thread int) error {
		for stripe := thread; stripe < stripes; stripe += threads {
			f(stripe)
		}
		return nil
	})
}

// candidate is a displacement, and how far the patch there differs.
type candidate struct{ u, v, residual float32 }

// begin is the displacement that a patch has by now.
func (p *patches) begin(i, j int) candidate {
	at := j*len(p.xs) + i
	c := candidate{u: p.u[at], v: p.v[at]}
	c.residual = p.compare(i, j, c.u, c.v).residual
	return c
}

// better is the better one of a candidate and of another patch's displacement.
func (p *patches) better(i, j int, best candidate, other int) candidate {
	u, v := p.u[other], p.v[other]
	if u == best.u && v == best.v {
		return best
	}
	if r := p.compare(i, j, u, v).residual; r < best.residual {
		return candidate{u, v, r}
	}
	return best
}

// descend makes steps of Gauss and Newton from a displacement, as long as they lower the
// difference, and keeps where it ends. One that goes farther than a patch's side is lost
// and stays where it began.
func (p *patches) descend(i, j int, from candidate, iterations int) {
	at := j*len(p.xs) + i
	h, best := p.h[at], from
	u, v := from.u, from.v
	for range iterations {
		c := p.compare(i, j, u, v)
		if c.residual < best.residual {
			best = candidate{u, v, c.residual}
		} else if c.residual > best.residual {
			break
		}
		x, y := c.x-h.meanX*c.sum, c.y-h.meanY*c.sum
		du, dv := h.xx*x+h.xy*y, h.xy*x+h.yy*y
		u, v = u-du, v-dv
		if square(du)+square(dv) < leastStep*leastStep {
			break
		}
	}
	if square(best.u-from.u)+square(best.v-from.v) > patchArea {
		best = from
	}
	p.u[at], p.v[at], p.residual[at] = best.u, best.v, best.residual
}

// leastStep, in pixels, changes nothing any more.
const leastStep = 0.01

// tensorOf computes the inverse matrix of a patch.
func (p *patches) tensorOf(i, j int) tensor {
	var x, y, xx, xy, yy float32
	for row := range patchSide {
		from := (p.ys[j]+row)*p.first.Width + p.xs[i]
		across, down := p.acrossX.Values[from:][:patchSide], p.downY.Values[from:][:patchSide]
		for k, a := range across {
			b := down[k]
			x, y = x+a, y+b
			xx, xy, yy = xx+a*a, xy+a*b, yy+b*b
		}
	}
	xx, xy, yy = xx-x*x/patchArea, xy-x*y/patchArea, yy-y*y/patchArea
	// A ridge of what quantisation to 256 values makes of derivatives.
	const ridge = patchArea * 0.05
	xx, yy = xx+ridge, yy+ridge
	d := xx*yy - xy*xy
	return tensor{yy / d, -xy / d, xx / d, x / patchArea, y / patchArea}
}

// comparison is what a patch and the part of the second picture at a displacement differ
// by: the sum of differences d, those of d times derivatives, and the squared differences
// from their mean.
type comparison struct{ sum, x, y, residual float32 }

func (p *patches) compare(i, j int, u, v float32) comparison {
	at, there := p.ys[j]*p.first.Width+p.xs[i], p.counterpart(i, j, u, v)
	return comparePatches(p.first.Values[at:], p.acrossX.Values[at:], p.downY.Values[at:], p.first.Width,
		p.padded.Values[there.at:], p.padded.Width, &there.weights)
}

// counterpart is where the padded picture has what a patch shows: its upper left pixel, and
// the weights between four neighbours.
type counterpart struct {
	at      int
	weights [4]float32
}

// counterpart is that of a patch at a displacement. It stays on the padded picture.
func (p *patches) counterpart(i, j int, u, v float32) counterpart {
	x := min(max(float32(p.xs[i]+border)+u, 0), float32(p.padded.Width-patchSide-2))
	y := min(max(float32(p.ys[j]+border)+v, 0), float32(p.padded.Height-patchSide-2))
	left, top := int(x), int(y)
	return counterpart{top*p.padded.Width + left, bilinear(x-float32(left), y-float32(top))}
}

// comparePatches compares a patch of the first picture, whose rows are stride values apart,
// with one of the second, between whose values weights interpolate.
func comparePatches(first, acrossX, downY []float32, stride int, second []float32, secondStride int, w *[4]float32) (c comparison) {
	var squares float32
	for row := range patchSide {
		a, x, y := first[row*stride:][:patchSide], acrossX[row*stride:][:patchSide], downY[row*stride:][:patchSide]
		upper, lower := second[row*secondStride:][:patchSide+1], second[(row+1)*secondStride:][:patchSide+1]
		for k := range a {
			d := w[0]*upper[k] + w[1]*upper[k+1] + w[2]*lower[k] + w[3]*lower[k+1] - a[k]
			c.sum += d
			c.x += d * x[k]
			c.y += d * y[k]
			squares += d * d
		}
	}
	c.residual = squares - c.sum*c.sum/patchArea
	return c
}
