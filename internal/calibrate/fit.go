package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"impasto/losses"
	"impasto/model"
)

// Distances are told in shares of the distance that a picture comes to under the default
// loss with no content term, from the same content in the same style. So pictures count
// alike, whatever their style does to them.
const (
	// leastShare is that at strength 0, where strokes can just be seen.
	leastShare = 0.04
	// mostShare is that at strength 100. Smaller content weights change nothing that can
	// be seen.
	mostShare = 0.97
)

// step is how far the strengths are apart that the table has.
const step = 10

// alike are losses that are measured by another of the same values: sinkhorn-whole looks at
// all positions where sinkhorn draws some, and takes too long to be measured.
var alike = map[string]string{"sinkhorn-whole": "sinkhorn"}

// row is one of the table of strengths.
type row struct {
	loss, contentLoss string
	weights           []float64 // at the strengths 0, 10, … 100
}

// targetShare is the distance at a strength, as a share. It grows in equal steps to that of
// the default content weight, and from there in equal steps to the last.
func targetShare(strength, defaultShare float64) float64 {
	if strength <= model.DefaultStrength {
		return leastShare + (defaultShare-leastShare)*strength/model.DefaultStrength
	}
	return defaultShare + (mostShare-defaultShare)*(strength-model.DefaultStrength)/(model.MaxStrength-model.DefaultStrength)
}

// point is one of a curve.
type point struct{ x, y float64 }

// curve is piecewise linear, by points whose x increases. It goes on level beyond them.
type curve []point

// at is the value at x.
func (c curve) at(x float64) float64 {
	if x <= c[0].x {
		return c[0].y
	}
	for i := 1; i < len(c); i++ {
		if a, b := c[i-1], c[i]; x <= b.x {
			return a.y + (b.y-a.y)*(x-a.x)/(b.x-a.x)
		}
	}
	return c[len(c)-1].y
}

// swapped is the inverse of a curve that falls or rises strictly.
func (c curve) swapped() curve {
	var inverse curve
	for _, p := range c {
		inverse = append(inverse, point{p.y, p.x})
	}
	slices.SortFunc(inverse, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	return inverse
}

// falling makes a curve fall strictly: neighbours that don't become one, at their mean
// (isotonic regression by pooling adjacent violators).
func falling(points []point) curve {
	type pool struct {
		point
		n float64
	}
	var pools []pool
	for _, p := range points {
		pools = append(pools, pool{p, 1})
		for k := len(pools) - 1; k > 0 && pools[k].y >= pools[k-1].y; k-- {
			a, b := pools[k-1], pools[k]
			n := a.n + b.n
			pools = append(pools[:k-1], pool{point{(a.x*a.n + b.x*b.n) / n, (a.y*a.n + b.y*b.n) / n}, n})
		}
	}
	var c curve
	for _, p := range pools {
		c = append(c, p.point)
	}
	return c
}

// wholes are the distances, by pair, that shares are of.
func wholes(all []measurement) map[string]float64 {
	whole := map[string]float64{}
	for _, m := range all {
		if m.loss == defaultLoss() && m.contentLoss == model.DefaultOptions().ContentLoss && m.weight == 0 {
			whole[m.pair] = m.distance
		}
	}
	return whole
}

// shares are the distances under a loss and a content loss with one pair, as shares, over
// the logarithm of the content weight; none where there are none. Content weights of 0 are
// left out.
func shares(all []measurement, pair, loss, contentLoss string) (curve, error) {
	var points []point
	whole := wholes(all)[pair]
	for _, m := range all {
		if m.pair != pair || m.loss != loss || m.contentLoss != contentLoss || m.weight == 0 || m.strength != "" {
			continue
		}
		if whole == 0 {
			return nil, fmt.Errorf("%s wasn't measured without a content term", pair)
		}
		points = append(points, point{math.Log(m.weight), m.distance / whole})
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	return falling(points), nil
}

// standardOf is the curve of the default loss under the default content loss: its mean over
// the pairs, which are measured at the same weights.
func standardOf(all []measurement) (curve, error) {
	var curves []curve
	for _, pair := range pairsOf(ladderOf(all)) {
		c, err := shares(all, pair, defaultLoss(), model.DefaultOptions().ContentLoss)
		if err != nil {
			return nil, err
		}
		if len(c) == 0 {
			return nil, fmt.Errorf("%s wasn't measured under %s", pair, defaultLoss())
		}
		curves = append(curves, c)
	}
	if len(curves) == 0 {
		return nil, errors.New("nothing was measured")
	}
	var points []point
	for _, p := range curves[0] {
		points = append(points, point{p.x, mean(curves)(p.x)})
	}
	return falling(points), nil
}

// mean is that of curves.
func mean(curves []curve) func(x float64) float64 {
	return func(x float64) float64 {
		var sum float64
		for _, c := range curves {
			sum += c.at(x)
		}
		return sum / float64(len(curves))
	}
}

// defaultLoss is the name of the loss that others are measured by.
func defaultLoss() string { return model.DefaultOptions().StyleTerms[0].Loss.Description().Name }

// beside tells by how much, as a logarithm, a loss under a content loss takes other content
// weights than the default loss under the default one, over the logarithm of these: those at
// which both come equally far, with each pair that was measured. What comes farther than the
// default loss ever does, or less far, tells nothing.
func beside(all []measurement, loss, contentLoss string) ([]curve, error) {
	var found []curve
	for _, pair := range pairsOf(ladderOf(all)) {
		of, err := shares(all, pair, loss, contentLoss)
		if err != nil {
			return nil, err
		}
		standard, err := shares(all, pair, defaultLoss(), model.DefaultOptions().ContentLoss)
		if err != nil {
			return nil, err
		}
		from := standard.swapped()
		var c curve
		for _, p := range of {
			if p.y >= from[0].x && p.y <= from[len(from)-1].x {
				x := from.at(p.y)
				c = append(c, point{x, p.x - x})
			}
		}
		if len(c) > 0 {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s under %s wasn't measured, or comes to no distance of the default loss's", loss, contentLoss)
	}
	return found, nil
}

// fitAll makes the table: for every loss under every content loss.
func fitAll(all []measurement) ([]row, error) {
	o := model.DefaultOptions()
	standard, err := standardOf(all)
	if err != nil {
		return nil, err
	}
	defaultShare := standard.at(math.Log(o.ContentWeight))
	var targets []float64 // logarithms of the default loss's weights
	for strength := 0; strength <= model.MaxStrength; strength += step {
		targets = append(targets, standard.swapped().at(targetShare(float64(strength), defaultShare)))
	}
	var rows []row
	for _, contentLoss := range losses.ContentNames() {
		form, err := formBeside(all, contentLoss)
		if err != nil {
			return nil, err
		}
		for _, loss := range losses.Names() {
			own, err := lossBeside(all, loss)
			if err != nil {
				return nil, err
			}
			r := row{loss: loss, contentLoss: contentLoss}
			for _, x := range targets {
				r.weights = append(r.weights, threeDigits(math.Exp(x+own(x)+form(x))))
			}
			for i := 1; i < len(r.weights); i++ {
				if r.weights[i] >= r.weights[i-1] {
					return nil, fmt.Errorf("weights of %s under %s don't fall: %v", loss, contentLoss, r.weights)
				}
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// lossBeside is what a loss takes beside the default one under the default content loss.
func lossBeside(all []measurement, loss string) (func(x float64) float64, error) {
	if loss == defaultLoss() {
		return func(float64) float64 { return 0 }, nil
	}
	curves, err := beside(all, cmp.Or(alike[loss], loss), model.DefaultOptions().ContentLoss)
	return mean(curves), err
}

// formBeside is what a content loss takes beside the default one: the mean over the losses
// that were measured under both.
func formBeside(all []measurement, contentLoss string) (func(x float64) float64, error) {
	if contentLoss == model.DefaultOptions().ContentLoss {
		return func(float64) float64 { return 0 }, nil
	}
	var differences []func(x float64) float64
	for _, loss := range losses.Names() {
		if !slices.ContainsFunc(all, func(m measurement) bool { return m.loss == loss && m.contentLoss == contentLoss && m.strength == "" }) {
			continue
		}
		both, err := beside(all, loss, contentLoss)
		if err != nil {
			return nil, err
		}
		own, err := lossBeside(all, loss)
		if err != nil {
			return nil, err
		}
		differences = append(differences, func(x float64) float64 { return mean(both)(x) - own(x) })
	}
	if len(differences) == 0 {
		return nil, fmt.Errorf("no loss was measured under the content loss %s", contentLoss)
	}
	return func(x float64) float64 {
		var sum float64
		for _, f := range differences {
			sum += f(x)
		}
		return sum / float64(len(differences))
	}, nil
}

// threeDigits rounds a weight.
func threeDigits(weight float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(weight, 'g', 3, 64), 64) // of a number's own text
	return rounded
}
