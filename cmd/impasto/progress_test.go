package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"impasto/model"
)

func at(scale, iteration, iterations int, elapsed time.Duration) model.Progress {
	return model.Progress{
		Level: scale, Levels: 3, Width: 100, Height: 50, Iteration: iteration, Iterations: iterations,
		Done: iteration, Total: 1000, Loss: 0.123456, Elapsed: elapsed, Remaining: 75 * time.Second,
	}
}

func TestLinesComeEveryFewSecondsAndAtEachEndOfAScale(t *testing.T) {
	var out bytes.Buffer
	r := newReporter(&out, false, false)
	for i := 1; i <= 100; i++ {
		r.progress(at(1, i, 100, time.Duration(i)*100*time.Millisecond))
	}
	r.progress(at(2, 1, 10, 11*time.Second))
	r.finish()
	var iterations []string
	for line := range strings.Lines(out.String()) {
		iterations = append(iterations, strings.Fields(line)[4])
	}
	if got, want := strings.Join(iterations, " "), "1/100, 51/100, 100/100, 1/10,"; got != want {
		t.Errorf("lines at iterations %s, want %s", got, want)
	}
	if first, _, _ := strings.Cut(out.String(), "\n"); first != "scale 1/3, 100×50, iteration 1/100, loss 0.1235, 10 it/s, 1m15s left" {
		t.Errorf("the first line is %q", first)
	}
}

func TestRatesAreRoundedForPeople(t *testing.T) {
	for rate, want := range map[float64]string{0: "– it/s", 0.05: "20.0 s/it", 1.2345: "1.23 it/s", 45.6: "46 it/s"} {
		if got := perSecond(rate); got != want {
			t.Errorf("%g is written %s, want %s", rate, got, want)
		}
	}
}

func TestBarsLineFitsTheTerminal(t *testing.T) {
	p := at(2, 51, 100, 55*time.Second)
	for width, want := range map[int]string{
		80: "2/3  100×50  3.20 it/s  loss 0.1235  1m15s left",
		61: "2/3  100×50  3.20 it/s  loss 0.1235  1m15s left",
		60: "2/3  3.20 it/s  loss 0.1235  1m15s left",
		40: "3.20 it/s  1m15s left",
		20: "1m15s left",
	} {
		if got := describe(p, 3.2, width); got != want {
			t.Errorf("at %d columns the line is %q, want %q", width, got, want)
		}
	}
}

func TestTimeLeftIsNotToldBeforeItIsKnown(t *testing.T) {
	var out bytes.Buffer
	p := at(1, 1, 100, time.Second)
	p.Remaining = -1
	newReporter(&out, false, false).progress(p)
	if !strings.HasSuffix(out.String(), ", estimating the time left\n") {
		t.Errorf("the line is %q, want one without a time left", out.String())
	}
}
