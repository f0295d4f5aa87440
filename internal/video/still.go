package video

import (
	"math"
	"slices"

	"impasto/internal/flow"
	"impasto/internal/picture"
)

const (
	// stillMotion, in pixels, is what flow may be of what stands still, and slightMotion what
	// noise makes of that, where many edges about stand still.
	stillMotion, slightMotion = 0.25, 0.75
	// stillShare is how many of the edges about have to stand still for what has none to do so.
	stillShare = 0.3
	// aboutRadius is how far around a pixel its surroundings are at first, as a share of the
	// longer side.
	aboutRadius = 1. / 20
	// leastEdge is the difference across two pixels, in levels of 8 bits, from which on there
	// is something to tell motion by.
	leastEdge = 20
)

// motions are how the edges about each pixel move.
type motions struct {
	rests []bool // many of them stand still
	firm  []bool // the nearest of these are nearer than any that move
	// motion is that of what has no edges itself: none where many about stand still, else the
	// mean of the nearest. Known tells whether there are any.
	motion flow.Field
	known  []bool
	// moving is the mean flow of the nearest of those that move, where there are such no farther
	// away than many that rest.
	moving flow.Field
}

// surroundings looks at the edges about each pixel: near by where there are some, else farther
// away.
func surroundings(grey flow.Plane, field flow.Field) motions {
	n, width, height := len(grey.Values), grey.Width, grey.Height
	edges, resting, us, vs := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	smooth := boxMean(grey.Values, width, height, 1)
	for y := range height {
		for x := range width {
			i := y*width + x
			across := smooth[y*width+min(x+1, width-1)] - smooth[y*width+max(x-1, 0)]
			down := smooth[min(y+1, height-1)*width+x] - smooth[max(y-1, 0)*width+x]
			// Whole numbers have exact sums: where there are no edges, these are zero.
			edges[i] = max(float32(int(square(across)+square(down)-square(leastEdge))), 0)
			if rests(field, i) {
				resting[i] = edges[i]
			} else {
				us[i], vs[i] = edges[i]*field.U[i], edges[i]*field.V[i]
			}
		}
	}
	m := motions{
		rests: make([]bool, n), firm: make([]bool, n), motion: flow.NewField(width, height), known: make([]bool, n),
		moving: flow.NewField(width, height),
	}
	all, rest, alongX, alongY := newBoxes(edges, width, height), newBoxes(resting, width, height), newBoxes(us, width, height), newBoxes(vs, width, height)
	longer := max(width, height)
	for i := range n {
		x, y, moves := i%width, i/width, false
		for radius := max(2, int(aboutRadius*float64(longer))); !m.rests[i]; radius *= 2 {
			w, r, u, v := all.mean(x, y, radius), rest.mean(x, y, radius), alongX.mean(x, y, radius), alongY.mean(x, y, radius)
			if w > 0 && !m.known[i] {
				m.known[i], m.motion.U[i], m.motion.V[i] = true, u/w, v/w
			}
			if moving := w - r; moving > 0.01*w && !moves {
				moves, m.moving.U[i], m.moving.V[i] = true, u/moving, v/moving
			}
			if r > 0 && r >= stillShare*w {
				m.rests[i], m.firm[i] = true, !moves
				m.motion.U[i], m.motion.V[i] = 0, 0
			}
			if radius >= longer {
				break
			}
		}
	}
	return m
}

// standing are the pixels that don't move, of those that show the same as before: their flow says
// so, or many edges about stand still, and are nearer than any that move, or the flow is slight or
// not that of edges which move.
// Where the camera moves, none does.
func standing(grey flow.Plane, field flow.Field) []bool {
	about := surroundings(grey, field)
	still := make([]bool, len(grey.Values))
	for i := range still {
		motion := square(field.U[i]) + square(field.V[i])
		u, v := about.moving.U[i], about.moving.V[i]
		along := 4*(square(field.U[i]-u)+square(field.V[i]-v)) < square(u)+square(v)
		still[i] = rests(field, i) || about.firm[i] || about.rests[i] && (motion < square(slightMotion) || !along)
	}
	return still
}

// rests tells whether the flow of a pixel is next to nothing.
func rests(f flow.Field, i int) bool {
	return square(f.U[i])+square(f.V[i]) < square(stillMotion)
}

// What shows the same as before, but for noise: by the mean of differences about a pixel and by
// their root mean square, in units of the range, or by what these are of noise where that is
// more, up to a bound. That of compressed films isn't independent from pixel to pixel.
const (
	stillRadius                = 2
	stillMean, stillSquare     = 3. / 255, 6. / 255
	noiseInMean, noiseInSquare = 5, 1.6
	mostMean, mostSquare       = 30. / 255, 60. / 255
	// lenience is how many times as much it may be of pixels that stayed as they were until now,
	// so that the rare larger values of noise don't let them go.
	lenience = 2.5
	// moving pixels make those about them move, too.
	movingRadius = 2
)

// unchanged are the pixels about which two pictures of a size show the same. Noise is told from
// those that stand still, as far as that is known, else from all, of which a quarter may show
// something else; light that changes everywhere is no noise. Stayed are the pixels that
// stayed as they were until now, if any.
func unchanged(a, b *picture.Picture, stands, stayed []bool) []bool {
	plane := a.Width * a.Height
	moving := make([]float32, plane)
	difference, squares := make([]float32, plane), make([]float32, plane)
	for channel := range 3 {
		for i := range plane {
			d := a.RGB[channel*plane+i] - b.RGB[channel*plane+i]
			difference[i], squares[i] = d, d*d
		}
		means, meanSquares := boxMean(difference, a.Width, a.Height, stillRadius), boxMean(squares, a.Width, a.Height, stillRadius)
		light := median(means, stands)
		for i, mean := range means { // of what is left without the light
			difference[i], squares[i] = square(mean-light), meanSquares[i]-light*(2*mean-light)
		}
		inMean, inSquare := noiseInMean*deviation(difference, stands), noiseInSquare*deviation(squares, stands)
		for i, mean := range means {
			times := float32(1)
			if stayed != nil && stayed[i] {
				times = lenience
			}
			most := min(times*max(stillMean, inMean), mostMean)
			mostOf := square(min(times*max(stillSquare, inSquare), mostSquare))
			if mean > most || mean < -most || meanSquares[i] > mostOf {
				moving[i] = 1
			}
		}
	}
	still := make([]bool, plane)
	for i, v := range boxMean(moving, a.Width, a.Height, movingRadius) {
		still[i] = v == 0
	}
	return still
}

func square(x float32) float32 { return x * x }

// sorted are some of the values, ascending: of those that among says count, nil for all. There
// are none where they are too few to tell anything by.
func sorted(values []float32, among []bool) []float32 {
	const least, enough = 64, 1 << 15
	var some []float32
	for i := 0; i < len(values); i += 1 + len(values)/enough {
		if among == nil || among[i] {
			some = append(some, values[i])
		}
	}
	if len(some) < least {
		return nil
	}
	slices.Sort(some)
	return some
}

// median is that of the values that count, 0 where they are too few.
func median(values []float32, among []bool) float32 {
	some := sorted(values, among)
	if some == nil {
		return 0
	}
	return some[len(some)/2]
}

// deviation is the standard deviation of normal noise, given squares of which a quarter may be
// of something else: by the mean of the smaller three quarters of those that count. It is 0
// where these are too few.
func deviation(squares []float32, among []bool) float32 {
	const (
		counted = 0.75
		ratio   = 0.607 // of the root mean square of those to the whole
	)
	some := sorted(squares, among)
	if some == nil {
		return 0
	}
	some = some[:int(counted*float64(len(some)))]
	var sum float64
	for _, v := range some {
		sum += float64(v)
	}
	return float32(math.Sqrt(max(sum, 0)/float64(len(some))) / ratio)
}

// boxMean is the mean of the values at most radius columns and rows away, of those that there
// are.
func boxMean(values []float32, width, height, radius int) []float32 {
	b := newBoxes(values, width, height)
	to := make([]float32, len(values))
	for y := range height {
		for x := range width {
			to[y*width+x] = b.mean(x, y, radius)
		}
	}
	return to
}

// boxes are means of values over boxes of any size.
type boxes struct {
	width, height int
	sums          []float64 // of all above and to the left, (height+1)×(width+1)
}

func newBoxes(values []float32, width, height int) boxes {
	b := boxes{width, height, make([]float64, (width+1)*(height+1))}
	for y := range height {
		var row float64
		for x := range width {
			row += float64(values[y*width+x])
			b.sums[(y+1)*(width+1)+x+1] = b.sums[y*(width+1)+x+1] + row
		}
	}
	return b
}

// mean is that of the values at most radius columns and rows away, of those that there are.
func (b boxes) mean(x, y, radius int) float32 {
	top, bottom := max(y-radius, 0), min(y+radius+1, b.height)
	left, right := max(x-radius, 0), min(x+radius+1, b.width)
	above, below := b.sums[top*(b.width+1):], b.sums[bottom*(b.width+1):]
	return float32((below[right] - above[right] - below[left] + above[left]) / float64((bottom-top)*(right-left)))
}
