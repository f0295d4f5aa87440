package video

import (
	"context"
	"math"

	"impasto/internal/flow"
	"impasto/internal/picture"
)

// view is what a frame shows, at the size at which it is painted.
type view struct {
	content   *picture.Picture
	grey      flow.Plane
	frame     *flow.Frame // of the estimator
	estimator *flow.Estimator
}

// newView readies a frame for matches with others of an estimator, which is for its size.
func newView(e *flow.Estimator, content *picture.Picture) (view, error) {
	grey, err := flow.Grey(content.Width, content.Height, content.RGB)
	if err != nil {
		return view{}, err
	}
	frame, err := e.Frame(grey)
	return view{content, grey, frame, e}, err
}

// match is where another frame has what a frame shows.
type match struct {
	field flow.Field // from the frame to the other
	// trusted are the pixels of which the other frame shows the same: flow there and back
	// agrees, it isn't at a border between motions (Ruder et al., section 4.2), and what is there
	// looks alike.
	trusted []bool
}

// matchOf matches a frame to another one.
func matchOf(ctx context.Context, frame, other view) (match, error) {
	there, err := frame.estimator.Flow(ctx, frame.frame, other.frame)
	if err != nil {
		return match{}, err
	}
	back, err := frame.estimator.Flow(ctx, other.frame, frame.frame)
	if err != nil {
		return match{}, err
	}
	found := flow.FindOcclusions(there, back)
	m := match{there, make([]bool, len(found.Hidden))}
	shown, err := warp(other.content, there)
	if err != nil {
		return match{}, err
	}
	for i, alike := range alike(frame.content, shown) {
		m.trusted[i] = alike && !found.Hidden[i] && !found.Border[i]
	}
	return m, m.fill(frame, other, found.Hidden)
}

// fill has hidden pixels go with the edges about them, where that leads to what looks the same
// but for noise, and not beyond the border, where warping repeats what is at it. Where there is
// nothing to tell motion by, as in a clear sky, noise makes flow be anything.
func (m match) fill(frame, other view, hidden []bool) error {
	about := surroundings(frame.grey, m.field)
	shown, err := warp(other.content, about.motion)
	if err != nil {
		return err
	}
	for i, same := range unchanged(frame.content, shown, nil, nil) {
		if hidden[i] && same && about.known[i] && !about.motion.LeadsOut(i%m.field.Width, i/m.field.Width) {
			m.field.U[i], m.field.V[i], m.trusted[i] = about.motion.U[i], about.motion.V[i], true
		}
	}
	return nil
}

// mostUnlike is the mean difference about a pixel, in units of the range, up to which two
// pictures are alike: more than light changes from frame to frame.
const mostUnlike = 20. / 255

// alike are the pixels about which two pictures of a size hardly differ.
func alike(a, b *picture.Picture) []bool {
	plane := a.Width * a.Height
	apart := make([]float32, plane)
	for i, v := range a.RGB {
		d := v - b.RGB[i]
		apart[i%plane] += max(d, -d) / 3
	}
	like := make([]bool, plane)
	for i, mean := range boxMean(apart, a.Width, a.Height, stillRadius) {
		like[i] = mean <= mostUnlike
	}
	return like
}

// share is how much of the frame is trusted, 0 to 1.
func share(of []bool) float64 {
	n := 0
	for _, v := range of {
		if v {
			n++
		}
	}
	return float64(n) / float64(max(1, len(of)))
}

// flicker is by how much a result differs from that of another frame, warped, where the match
// is trusted: the root mean square in levels of 8 bits (Lai et al. 2018, "Learning Blind Video
// Temporal Consistency", equation 9, as a root). It is 0 where nothing is trusted.
func (m match) flicker(result, other *picture.Picture) (float64, error) {
	warped, err := warp(other, m.field)
	if err != nil {
		return 0, err
	}
	var sum float64
	n := 0
	plane := len(m.trusted)
	for i, v := range result.RGB {
		if m.trusted[i%plane] {
			d := float64(v - warped.RGB[i])
			sum += d * d
			n++
		}
	}
	return 255 * math.Sqrt(sum/float64(max(1, n))), nil
}
