package progress

import (
	"math"
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

func TestTimeLeftCountsThatLargerScalesAreSlower(t *testing.T) {
	timer := NewTimer(model.Options{Size: 200, Iterations: 10})
	timer.Update(at(1, 1, 100, 5*time.Second)) // setting up takes 4 s of these
	rate, left := timer.Update(at(1, 51, 100, 55*time.Second))
	// 49 iterations of 1 s, then 10 at twice and 10 at four times the pixels.
	if want := 49 + 20 + 40.; math.Abs(left.Seconds()-want) > 0.01 || rate != 1 {
		t.Errorf("%v left at %g iterations a second, want %g s at 1", left, rate, want)
	}
	timer.Update(at(2, 1, 10, 110*time.Second))
	if rate, _ := timer.Update(at(2, 3, 10, 114*time.Second)); rate != 0.5 {
		t.Errorf("%g iterations a second at the second scale, want 0.5", rate)
	}
}

func TestTimeLeftIsZeroAtTheEnd(t *testing.T) {
	timer := NewTimer(model.Options{Size: 100, Iterations: 10})
	timer.Update(at(3, 1, 2, time.Second))
	if _, left := timer.Update(at(3, 2, 2, 2*time.Second)); left != 0 {
		t.Errorf("%v left after the last iteration", left)
	}
}

func TestStepsOfATimedRunAreTime(t *testing.T) {
	timer := NewTimer(model.Options{Size: 100, Iterations: 10, TimeLimit: 2 * time.Second})
	if got := timer.Steps(500); got != 21 {
		t.Errorf("%d steps of 2 s, want 21 tenths", got)
	}
	if got := timer.Done(at(1, 1, 1, 1550*time.Millisecond)); got != 15 {
		t.Errorf("%d steps after 1.55 s, want 15", got)
	}
	if got := timer.Done(at(1, 2, 2, time.Minute)); got != 20 {
		t.Errorf("%d steps beyond the limit, want 20", got)
	}
	if _, left := timer.Update(at(1, 1, 1, 1500*time.Millisecond)); left != 500*time.Millisecond {
		t.Errorf("%v left after 1.5 s, want 500ms", left)
	}
	timer = NewTimer(model.Options{Size: 100, Iterations: 10})
	if steps, done := timer.Steps(500), timer.Done(at(1, 7, 10, time.Second)); steps != 500 || done != 7 {
		t.Errorf("%d of %d steps of a run that isn't timed, want 7 of 500", done, steps)
	}
}
