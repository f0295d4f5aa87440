package progress

import (
	"testing"
	"time"

	"impasto/model"
)

func at(scale, iteration int, elapsed time.Duration) model.Progress {
	return model.Progress{Level: scale, Levels: 3, Iteration: iteration, Iterations: 100, Elapsed: elapsed}
}

func TestRateIsThatOfTheScaleWithoutSettingItUp(t *testing.T) {
	timer := &Timer{}
	for _, step := range []struct {
		p    model.Progress
		want float64
	}{
		{at(1, 1, 5*time.Second), 0.2}, // there is no other yet
		{at(1, 51, 55*time.Second), 1},
		{at(2, 1, 110*time.Second), 1 / 55.},
		{at(2, 3, 114*time.Second), 0.5},
	} {
		if got := timer.Rate(step.p); got != step.want {
			t.Errorf("after iteration %d of scale %d: %g iterations a second, want %g", step.p.Iteration, step.p.Level, got, step.want)
		}
	}
}

func TestRateOfARunThatGoesOnCountsWhatWasSeen(t *testing.T) {
	timer := &Timer{}
	timer.Rate(at(2, 41, time.Second))
	if got := timer.Rate(at(2, 43, 2*time.Second)); got != 2 {
		t.Errorf("%g iterations a second, want 2", got)
	}
}

func TestBarCountsWork(t *testing.T) {
	for _, test := range []struct {
		work, total float64
		want        int
	}{{0, 0, 0}, {0, 8, 0}, {2, 8, 250}, {8, 8, Steps}, {9, 8, Steps}} {
		if got := Done(model.Progress{Done: 1, Total: 2, Work: test.work, TotalWork: test.total}); got != test.want {
			t.Errorf("%g of %g work: %d steps, want %d", test.work, test.total, got, test.want)
		}
	}
}
