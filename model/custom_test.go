package model

import (
	"errors"
	"fmt"
	"image"
	"math"
	"strings"
	"testing"

	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
)

// ownMoments is the normalised form of the loss moments, as a function from outside:
// the difference of the channels' means and deviations.
func ownMoments(gradient []float64, x, target losses.Features) (float64, error) {
	n := x.Positions()
	scale := 1 / (target.MeanSquare() + 1e-8)
	var value float64
	for c := range x.Channels {
		mean, deviation := statistics(x.Channel(c))
		targetMean, targetDeviation := statistics(target.Channel(c))
		dMean, dDeviation := mean-targetMean, deviation-targetDeviation
		value += scale * (dMean*dMean + dDeviation*dDeviation)
		for i, v := range x.Channel(c) {
			slope := dMean
			if deviation > 0 {
				slope += dDeviation * (v - mean) / deviation
			}
			gradient[c*n+i] = 2 * scale * slope / float64(n)
		}
	}
	return value, nil
}

func statistics(values []float64) (mean, deviation float64) {
	var square float64
	for _, v := range values {
		mean += v / float64(len(values))
		square += v * v / float64(len(values))
	}
	return mean, math.Sqrt(max(square-mean*mean, 0))
}

func custom(name string, evaluate func([]float64, losses.Features, losses.Features) (float64, error)) losses.Loss {
	return losses.Must(losses.Custom(losses.Function{Description: losses.Description{Name: name}, Evaluate: evaluate}))
}

func TestACustomLossPaintsAsTheSameOneFromWithin(t *testing.T) {
	// Of several styles, moments blends the summaries and a loss of points the values, so
	// there is one.
	o := tinyOptions()
	var results [2]image.Image
	for i, loss := range []losses.Loss{named("moments"), custom("own-moments", ownMoments)} {
		o.SetLoss(loss)
		result, err := stylize(t, t.Context(), oneStyle, o)
		if err != nil {
			t.Fatal(err)
		}
		results[i] = result.Image
	}
	var largest float64
	a, b := results[0].(*picture.Picture).RGB, results[1].(*picture.Picture).RGB
	for i := 0; i < len(a); i += 2 {
		largest = max(largest, math.Abs(float64(int(a[i])<<8|int(a[i+1]))-float64(int(b[i])<<8|int(b[i+1])))/0xffff)
	}
	// Adam divides each gradient by its own size, so rounding shows where one is nearly
	// zero: by less than a step in all.
	if largest > o.StepSize {
		t.Errorf("pictures differ by %g, steps are %g", largest, o.StepSize)
	}
}

// TestACustomLossDescendsBesideOthers: with both optimisers, over several levels, at a
// layer where another loss is, with and without a sample.
func TestACustomLossDescendsBesideOthers(t *testing.T) {
	sampled := losses.Must(losses.Custom(losses.Function{
		Description: losses.Description{Name: "sampled-moments"}, Evaluate: ownMoments, Sample: 300,
	}))
	for _, optimizer := range []Optimizer{Adam, LBFGS} {
		t.Run(string(optimizer), func(t *testing.T) {
			o := tinyOptions()
			o.Optimizer, o.Size = optimizer, 64
			o.FirstIterations, o.Iterations = 12, 8
			o.ContentLayers = []LayerWeight{{"relu3_1", 1}}
			o.StyleTerms = []StyleTerm{
				{"relu1_1", named("gram"), 1}, {"relu1_1", custom("own-moments", ownMoments), 2},
				{"relu2_1", sampled, 1}, {"relu3_1", named("sliced"), 1},
			}
			r, err := stylize(t, t.Context(), oneStyle, o)
			if err != nil {
				t.Fatal(err)
			}
			curves, names := map[int][]float64{}, ""
			for _, point := range r.Curve {
				curves[point.Level] = append(curves[point.Level], point.Loss)
			}
			for level, curve := range curves {
				if last := curve[len(curve)-1]; !(last < curve[0]) {
					t.Errorf("level %d: loss went from %g to %g, want it to fall", level, curve[0], last)
				}
			}
			for _, term := range r.Last.Terms {
				names += term.Name + ", "
			}
			if want := "style relu1_1 gram, style relu1_1 own-moments, style relu2_1, style relu3_1, content relu3_1, total variation, "; len(curves) != 3 || names != want {
				t.Errorf("%d levels, terms are %s; want 3 and %s", len(curves), names, want)
			}
		})
	}
}

func TestACustomLossIsMeasuredAndScored(t *testing.T) {
	both := []losses.Loss{named("moments"), custom("own-moments", ownMoments)}
	parameters, err := network()
	if err != nil {
		t.Fatal(err)
	}
	content, style := waves(60, 40, 0.1), oneStyle[0].Image
	measured, err := Measure(t.Context(), content, style, MeasureOptions{
		Losses: both, FeatureOptions: FeatureOptions{Layers: []string{"relu1_1"}, Parameters: parameters},
	})
	if err != nil || len(measured) != 2 || measured[1].Loss != "own-moments" || !(measured[1].Value > 0) {
		t.Errorf("measured %v, error %v", measured, err)
	}
	s := newScorer(t, both, tinyOptions())
	scores, err := s.Score(t.Context(), content)
	if err != nil || len(scores.Problems) > 0 {
		t.Fatalf("error %v, problems %v", err, scores.Problems)
	}
	if a, b := scores.Style["moments"], scores.Style["own-moments"]; !(math.Abs(a-b) <= 1e-6*a) {
		t.Errorf("scores %g and %g, want the same", a, b)
	}
}

func TestACustomLossThatFailsIsNamed(t *testing.T) {
	for want, evaluate := range map[string]func([]float64, losses.Features, losses.Features) (float64, error){
		"loss broken: panic: no such thing": func([]float64, losses.Features, losses.Features) (float64, error) { panic("no such thing") },
		"loss broken: not today":            func([]float64, losses.Features, losses.Features) (float64, error) { return 0, errors.New("not today") },
		`the term "style relu1_1" is NaN`:   func([]float64, losses.Features, losses.Features) (float64, error) { return math.NaN(), nil },
	} {
		o := tinyOptions()
		o.SetLoss(custom("broken", evaluate))
		if _, err := stylize(t, t.Context(), oneStyle, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %s", err, want)
		}
	}
}

// refusing is a device that has no kernel for losses from outside, as GPUs haven't.
type refusing struct{ plan.Device }

func (refusing) Compile(s *plan.Schedule) (plan.Machine, error) {
	for _, step := range s.Steps {
		if strings.Contains(step.Op.String(), "pure.Custom") {
			return nil, fmt.Errorf("%v: there is no kernel for it", step.Op)
		}
	}
	return nil, errors.New("nothing was refused")
}

func TestADeviceThatRefusesACustomLossNamesIt(t *testing.T) {
	o := tinyOptions()
	o.StyleTerms[1].Loss = custom("own-moments", ownMoments)
	r := newTestRun(t, o)
	targets, err := r.extractor.targets(t.Context(), r.levels[0])
	if err != nil {
		t.Fatal(err)
	}
	e := r.extractor
	e.Device = refusing{e.Device}
	if _, err := e.objective(r.levels[0], targets); err == nil || !strings.Contains(err.Error(), "own-moments") {
		t.Errorf("error %v, want one that names the loss", err)
	}
}

func TestTwoTermsOfALayerAddUp(t *testing.T) {
	start := func(terms ...StyleTerm) (loss float64) {
		o := tinyOptions()
		o.FirstIterations, o.ContentWeight, o.TotalVariationWeight, o.StyleTerms = 1, 0, 0, terms
		o.Progress = func(p Progress) { loss = p.Loss }
		must(t)(stylize(t, t.Context(), oneStyle, o))
		return loss
	}
	for _, pair := range [][2]string{{"gram", "gaussian"}, {"moments", "sliced"}, {"relaxed", "mmd"}} {
		a, b := StyleTerm{"relu2_1", named(pair[0]), 3}, StyleTerm{"relu2_1", named(pair[1]), 1}
		// The terms are summed in another order.
		if both, want := start(a, b), 0.75*start(a)+0.25*start(b); !(math.Abs(both-want) <= 1e-9*want) {
			t.Errorf("%s and %s: loss %g, want %g", pair[0], pair[1], both, want)
		}
	}
}
