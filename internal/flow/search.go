package flow

import "impasto/internal/flow/kernels"

// patchSide is the side of a patch in pixels.
const (
	patchSide = kernels.PatchSide
	patchArea = patchSide * patchSide
)

// patches are those of a level: where they begin along rows and columns, and what was found
// for each, row by row.
type patches struct {
	xs, ys  []int
	found   []candidate
	stripes int // how many independent stripes of patches there are
}

// candidate is a displacement, how the patch there differs, and whether the search has ended
// there.
type candidate struct {
	u, v float32
	comparison
	settled bool
}

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

func newPatches(s size, stride int) *patches {
	p := &patches{xs: starts(s.width, stride), ys: starts(s.height, stride)}
	p.found = make([]candidate, len(p.xs)*len(p.ys))
	p.stripes = (len(p.ys) + stripeRows - 1) / stripeRows
	return p
}

// begin gives patches the flow of the coarser level in their middle, or none.
func (p *patches) begin(coarser *vectors, s size) {
	clear(p.found)
	if coarser == nil {
		return
	}
	by := coarser.scalingTo(s)
	for j, y := range p.ys {
		for i, x := range p.xs {
			c := &p.found[j*len(p.xs)+i]
			c.u, c.v = coarser.scaled(float32(x+patchSide/2), float32(y+patchSide/2), by)
		}
	}
}

// search is that for the patches of one picture in another.
type search struct {
	set           *kernels.Set
	patches       *patches
	first, second *frameLevel
}

// stripe finds the displacements of a stripe, in two passes of so many iterations each: from
// the upper left on, and back from the lower right, each patch beginning from the best of
// its own and its neighbours'.
func (s search) stripe(stripe, iterations int) {
	p := s.patches
	first, end := stripe*stripeRows, min((stripe+1)*stripeRows, len(p.ys))
	columns := len(p.xs)
	c := s.comparer()
	for j := first; j < end; j++ {
		for i := range columns {
			at := j*columns + i
			c.turnTo(i, j)
			best := c.compare(p.found[at].u, p.found[at].v)
			if i > 0 {
				best = c.better(best, at-1)
			}
			if j > first {
				best = c.better(best, at-columns)
			}
			p.found[at] = c.descend(best, iterations)
		}
	}
	for j := end - 1; j >= first; j-- {
		for i := columns - 1; i >= 0; i-- {
			at := j*columns + i
			c.turnTo(i, j)
			best := p.found[at]
			if i+1 < columns {
				best = c.better(best, at+1)
			}
			if j+1 < end {
				best = c.better(best, at+columns)
			}
			p.found[at] = c.descend(best, iterations)
		}
	}
}

// comparer compares one patch after the other with parts of the second picture.
type comparer struct {
	search
	sums []float32
	// right and bottom are the greatest x and y at which a part of the second picture with
	// its border can begin.
	right, bottom float32

	// Of the patch: where it begins on a picture with a border, its values and derivatives,
	// and its tensor.
	x, y                float32
	own, acrossX, downY []float32
	tensor              *tensor
}

func (s search) comparer() *comparer {
	to := s.second.grey
	return &comparer{
		search: s, sums: make([]float32, kernels.Compared*patchSide),
		right: float32(to.width + 2*border - patchSide - 2), bottom: float32(to.height + 2*border - patchSide - 2),
	}
}

// turnTo takes a patch to compare.
func (c *comparer) turnTo(i, j int) {
	x, y := c.patches.xs[i], c.patches.ys[j]
	c.x, c.y = float32(x+border), float32(y+border)
	c.own, c.acrossX, c.downY = c.first.grey.from(x, y), c.first.acrossX.from(x, y), c.first.downY.from(x, y)
	c.tensor = &c.first.tensors[j*len(c.patches.xs)+i]
}

// better is the better one of a candidate and of another patch's displacement.
func (c *comparer) better(best candidate, other int) candidate {
	o := &c.patches.found[other]
	if o.u == best.u && o.v == best.v {
		return best
	}
	if there := c.compare(o.u, o.v); there.residual < best.residual {
		return there
	}
	return best
}

// descend makes steps of Gauss and Newton from a displacement, as long as they lower the
// difference, and returns where it ends. One that goes farther than a patch's side is lost
// and stays where it began, and so does one that begins outside of the second picture.
func (c *comparer) descend(from candidate, iterations int) candidate {
	if from.settled || !c.inside(from) {
		return from
	}
	h, best, here := c.tensor, from, from
	for range iterations {
		x, y := here.x-float32(h.meanX*here.sum), here.y-float32(h.meanY*here.sum)
		du, dv := float32(h.xx*x)+float32(h.xy*y), float32(h.xy*x)+float32(h.yy*y)
		if square(du)+square(dv) < leastStep*leastStep {
			best.settled = true
			break
		}
		here = c.compare(here.u-du, here.v-dv)
		if here.residual < best.residual {
			best = here
		} else if here.residual > best.residual {
			best.settled = true
			break
		}
	}
	if square(best.u-from.u)+square(best.v-from.v) > patchArea {
		best = from
		best.settled = true
	}
	return best
}

// leastStep, in pixels, changes nothing any more.
const leastStep = 0.01

// inside says whether the second picture has all that the patch shows at a displacement, but
// for a margin. Elsewhere the picture's repeated border tells little of how things move.
func (c *comparer) inside(at candidate) bool {
	const margin = 2
	x, y, to := c.x+at.u-border, c.y+at.v-border, &c.second.grey
	return x >= -margin && y >= -margin && x <= float32(to.width-patchSide+margin) && y <= float32(to.height-patchSide+margin)
}

// tensor is the inverse of a patch's matrix of products of derivatives, and their means.
type tensor struct{ xx, xy, yy, meanX, meanY float32 }

// tensorOf makes a patch's tensor of the sums of kernels.Set.Moments.
func tensorOf(sums []float32) tensor {
	var moments [kernels.Moments]float32
	for i := range moments {
		moments[i] = total(sums[i*patchSide:])
	}
	// A ridge of what quantisation to 256 values makes of derivatives.
	const ridge = patchArea * 0.05
	meanX, meanY := moments[0]/patchArea, moments[1]/patchArea
	xx, xy, yy := moments[2]-float32(moments[0]*meanX)+ridge, moments[3]-float32(moments[0]*meanY), moments[4]-float32(moments[1]*meanY)+ridge
	d := float32(xx*yy) - float32(xy*xy)
	return tensor{yy / d, -xy / d, xx / d, meanX, meanY}
}

// total adds up the parts of a sum, in a fixed order.
func total(parts []float32) float32 {
	p := parts[:patchSide]
	return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
}

// comparison is what a patch and the part of the second picture at a displacement differ
// by: the sum of differences d, those of d times derivatives, and the squared differences
// from their mean.
type comparison struct{ sum, x, y, residual float32 }

// compare compares the patch with what is at a displacement.
func (c *comparer) compare(u, v float32) candidate {
	to := &c.second.grey
	there, w := counterpart(to, clamp(c.x+u, c.right), clamp(c.y+v, c.bottom))
	c.set.Compare(c.sums, c.own, c.acrossX, c.downY, to.values[there:], to.values[there+to.stride:],
		w[0], w[1], w[2], w[3], c.first.grey.stride, to.stride, patchSide)
	sums := c.sums[:4*patchSide]
	sum := total(sums[:patchSide])
	return candidate{u: u, v: v, comparison: comparison{
		sum, total(sums[patchSide : 2*patchSide]), total(sums[2*patchSide : 3*patchSide]), total(sums[3*patchSide:]) - float32(sum*sum)/patchArea,
	}}
}

// clamp is the nearest to x of 0 to a limit.
func clamp(x, limit float32) float32 {
	if !(x > 0) {
		return 0
	}
	if x > limit {
		return limit
	}
	return x
}

// counterpart is where a sheet has what lies at a point: the upper left pixel among its
// values, and the weights between four neighbours.
func counterpart(to *sheet, x, y float32) (at int, weights [4]float32) {
	left, top := int(x), int(y)
	return top*to.stride + left, bilinear(x-float32(left), y-float32(top))
}
