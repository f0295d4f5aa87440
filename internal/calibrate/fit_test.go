package main

import (
	"bytes"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"impasto/losses"
	"impasto/model"
)

const root = "../.."

// The table and the document are what the measurements make of them, which takes no painting.
func TestTheTableIsThatOfTheMeasurements(t *testing.T) {
	made, err := options{root: root}.made()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range made {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s isn't what measurements.csv says; write it by go run ./internal/calibrate", path)
		}
	}
}

func TestMeasurementsAreReadAsTheyAreWritten(t *testing.T) {
	path := root + "/" + measurementsFile
	all, err := readMeasurements(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(writeMeasurements(all), raw) {
		t.Error("the file is written otherwise than it was read")
	}
}

// Whoever adds a loss measures it.
func TestEveryLossIsMeasured(t *testing.T) {
	all, err := readMeasurements(root + "/" + measurementsFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range losses.Names() {
		if alike[loss] == "" && !slices.ContainsFunc(all, func(m measurement) bool { return m.loss == loss && m.weight > 0 && m.strength == "" }) {
			t.Errorf("%s isn't measured", loss)
		}
	}
	for loss, other := range alike {
		if !slices.Contains(losses.Names(), loss) || !slices.Contains(losses.Names(), other) || alike[other] != "" {
			t.Errorf("%s is measured by %s, and one of them isn't there or isn't measured either", loss, other)
		}
	}
}

// logistic is a world where a loss comes to a share that follows from the logarithm of its
// weight over its own.
func logistic(loss, contentLoss string, own float64, weights ...float64) []measurement {
	var all []measurement
	for _, pair := range []string{"a × b", "c × d"} {
		reach := float64(len(all)%2) + 1 // pairs differ in how far they go at all
		for _, w := range weights {
			share := 1 / (1 + math.Pow(w/own, 1.5))
			all = append(all, measurement{pair: pair, loss: loss, contentLoss: contentLoss, weight: w, distance: reach * share})
		}
	}
	return all
}

func TestWeightsBesideTheDefaultLossAreFound(t *testing.T) {
	fine := []float64{0}
	for w := 0.001; w < 5; w *= 1.1 {
		fine = append(fine, w)
	}
	all := logistic("gaussian", "scaled", 0.06, fine...)
	for _, loss := range losses.Names() {
		if loss != "gaussian" && alike[loss] == "" {
			all = append(all, logistic(loss, "scaled", 0.18, 0.06, 0.2, 0.6)...)
		}
	}
	all = append(all, logistic("gram", "mse", 0.36, 0.1, 0.3, 1)...)
	rows, err := fitAll(all)
	if err != nil {
		t.Fatal(err)
	}
	weight := func(loss, contentLoss string, strength int) float64 {
		for _, r := range rows {
			if r.loss == loss && r.contentLoss == contentLoss {
				return r.weights[strength/step]
			}
		}
		t.Fatalf("no row of %s under %s", loss, contentLoss)
		return 0
	}
	if got, want := weight("gaussian", "scaled", model.DefaultStrength), model.DefaultOptions().ContentWeight; got != want {
		t.Errorf("the default strength is a content weight of %g, want %g", got, want)
	}
	for _, strength := range []int{0, 30, 50, 80, 100} {
		standard := weight("gaussian", "scaled", strength)
		for _, test := range []struct {
			loss, contentLoss string
			factor            float64
		}{{"gram", "scaled", 3}, {"sinkhorn-whole", "scaled", 3}, {"gram", "mse", 6}, {"gaussian", "mse", 2}} {
			if got := weight(test.loss, test.contentLoss, strength); math.Abs(got/standard/test.factor-1) > 0.03 {
				t.Errorf("strength %d: %s under %s takes %g times the default loss's weight, want %g", strength, test.loss, test.contentLoss, got/standard, test.factor)
			}
		}
	}
	if _, err := fitAll(slices.DeleteFunc(all, func(m measurement) bool { return m.loss == "cmd" })); err == nil || !strings.Contains(err.Error(), "cmd under scaled wasn't measured") {
		t.Errorf("without a loss: %v", err)
	}
}

func TestCurvesFall(t *testing.T) {
	got := falling([]point{{0, 1}, {1, 0.5}, {2, 0.7}, {3, 0.6}, {4, 0.1}})
	want := curve{{0, 1}, {2, 0.6}, {4, 0.1}}
	if !slices.EqualFunc(got, want, func(a, b point) bool { return math.Abs(a.x-b.x) < 1e-12 && math.Abs(a.y-b.y) < 1e-12 }) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, x := range []float64{-1, 0, 0.5, 2, 3, 9} {
		if y := want.at(x); x >= 0 && x <= 4 && math.Abs(want.swapped().at(y)-x) > 1e-12 {
			t.Errorf("%g goes to %g and that to %g", x, y, want.swapped().at(y))
		}
	}
	if want.at(-1) != 1 || want.at(9) != 0.1 {
		t.Error("a curve doesn't go on level beyond its ends")
	}
}

func TestStrengthsAreEqualSteps(t *testing.T) {
	for _, test := range []struct{ strength, want float64 }{{0, leastShare}, {25, (leastShare + 0.6) / 2}, {50, 0.6}, {75, (0.6 + mostShare) / 2}, {100, mostShare}} {
		if got := targetShare(test.strength, 0.6); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("strength %g has a share of %g, want %g", test.strength, got, test.want)
		}
	}
}
