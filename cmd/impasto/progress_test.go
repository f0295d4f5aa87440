package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"impasto/model"
)

func at(scale, iteration, iterations int, elapsed time.Duration) model.Progress {
	return model.Progress{
		Level: scale, Levels: 3, Width: 100, Height: 50, Iteration: iteration, Iterations: iterations,
		Done: iteration, Total: 1000, Loss: 0.123456, Elapsed: elapsed,
	}
}

func TestLinesComeEveryFewSecondsAndAtEachEndOfAScale(t *testing.T) {
	var out bytes.Buffer
	r := newReporter(&out, false, model.Options{Size: 200, Iterations: 10})
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
	if first, _, _ := strings.Cut(out.String(), "\n"); first != "scale 1/3, 100×50, iteration 1/100, loss 0.1235, 10 it/s, 16s left" {
		t.Errorf("the first line is %q", first)
	}
}

func TestTimeLeftCountsThatLargerScalesAreSlower(t *testing.T) {
	timer := timer{options: model.Options{Size: 200, Iterations: 10}}
	timer.update(at(1, 1, 100, 5*time.Second)) // setting up takes 4 s of these
	rate, left := timer.update(at(1, 51, 100, 55*time.Second))
	// 49 iterations of 1 s, then 10 at twice and 10 at four times the pixels.
	if want := 49 + 20 + 40.; math.Abs(left.Seconds()-want) > 0.01 || rate != 1 {
		t.Errorf("%v left at %g iterations a second, want %g s at 1", left, rate, want)
	}
	timer.update(at(2, 1, 10, 110*time.Second))
	if rate, _ := timer.update(at(2, 3, 10, 114*time.Second)); rate != 0.5 {
		t.Errorf("%g iterations a second at the second scale, want 0.5", rate)
	}
}

func TestTimeLeftIsZeroAtTheEnd(t *testing.T) {
	timer := timer{options: model.Options{Size: 100, Iterations: 10}}
	timer.update(at(3, 1, 2, time.Second))
	if _, left := timer.update(at(3, 2, 2, 2*time.Second)); left != 0 {
		t.Errorf("%v left after the last iteration", left)
	}
}

func TestTimesAndRatesAreRoundedForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1234 * time.Millisecond: "1.2s", 83456 * time.Millisecond: "1m23s", 3*time.Hour + 25*time.Minute + 10*time.Second: "3h25m",
	} {
		if got := roundTime(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
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
		if got := describe(p, 3.2, 75*time.Second, width); got != want {
			t.Errorf("at %d columns the line is %q, want %q", width, got, want)
		}
	}
}
