package model

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

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

func own(t *testing.T, name string, evaluate func([]float64, losses.Features, losses.Features) (float64, error)) losses.Loss {
	t.Helper()
	loss, err := losses.Custom(losses.Function{Description: losses.Description{Name: name}, Evaluate: evaluate})
	if err != nil {
		t.Fatal(err)
	}
	return loss
}

func TestALossFromOutsidePaintsAsTheSameOneFromWithin(t *testing.T) {
	// Of several styles, moments blends the summaries and a loss of points the values, so
	// there is one.
	o := tinyOptions()
	o.OwnLosses = []losses.Loss{own(t, "own-moments", ownMoments)}
	var results [2]*Result
	for i, name := range []string{"moments", "own-moments"} {
		o.Loss = name
		var err error
		if results[i], err = stylize(t, t.Context(), oneStyle, o); err != nil {
			t.Fatal(err)
		}
	}
	a, b := results[0].Image, results[1].Image
	var largest float64
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, _, _, _ := a.At(x, y).RGBA()
			s, _, _, _ := b.At(x, y).RGBA()
			largest = max(largest, math.Abs(float64(r)-float64(s))/65535)
		}
	}
	// Adam divides each gradient by its own size, so rounding shows where one is nearly
	// zero: by less than a step in all.
	if largest > o.StepSize {
		t.Errorf("pictures differ by %g, steps are %g", largest, o.StepSize)
	}
}

func TestALossFromOutsideIsMeasuredAndScored(t *testing.T) {
	ours := []losses.Loss{own(t, "own-moments", ownMoments)}
	parameters, err := network()
	if err != nil {
		t.Fatal(err)
	}
	content, style := waves(60, 40, 0.1), oneStyle[0].Image
	measured, err := Measure(t.Context(), content, style, MeasureOptions{
		Losses: []string{"own-moments"}, OwnLosses: ours, Layers: []string{"relu1_1"}, Parameters: parameters,
	})
	if err != nil || len(measured) != 1 || !(measured[0].Value > 0) {
		t.Errorf("measured %v, error %v", measured, err)
	}
	o := tinyOptions()
	o.OwnLosses, o.Parameters = ours, parameters
	names := []string{"moments", "own-moments"}
	s, err := NewScorer(content, oneStyle, names, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	scores, err := s.Score(context.Background(), content)
	if err != nil || len(scores.Problems) > 0 {
		t.Fatalf("error %v, problems %v", err, scores.Problems)
	}
	if a, b := scores.Style[names[0]], scores.Style[names[1]]; !(math.Abs(a-b) <= 1e-6*a) {
		t.Errorf("scores %g and %g, want the same", a, b)
	}
}

func TestALossFromOutsideThatFailsIsNamed(t *testing.T) {
	o := tinyOptions()
	o.Loss = "broken"
	o.OwnLosses = []losses.Loss{own(t, "broken", func([]float64, losses.Features, losses.Features) (float64, error) {
		panic("no such thing")
	})}
	_, err := stylize(t, t.Context(), oneStyle, o)
	if err == nil || !strings.Contains(err.Error(), "loss broken: panic: no such thing") {
		t.Errorf("error %v, want one that tells of the panic", err)
	}
	o.OwnLosses = []losses.Loss{own(t, "broken", func([]float64, losses.Features, losses.Features) (float64, error) {
		return math.NaN(), nil
	})}
	if _, err := stylize(t, t.Context(), oneStyle, o); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("error %v, want one that tells of NaN", err)
	}
}

func TestLossesFromOutsideHaveNamesOfTheirOwn(t *testing.T) {
	loss := own(t, "own", ownMoments)
	for name, all := range map[string][]losses.Loss{
		"twice": {loss, loss}, "missing": {nil}, "one that is": {named(t, "gram")},
	} {
		o := tinyOptions()
		o.OwnLosses = all
		var problem *OptionError
		if err := o.Check(); !errors.As(err, &problem) || problem.Option != "OwnLosses" {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func named(t *testing.T, name string) losses.Loss {
	t.Helper()
	loss, err := losses.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return loss
}
