package studio

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"impasto/model"
)

func TestACurveIsThinned(t *testing.T) {
	var c curve
	for i := 1; i <= 50_000; i++ {
		c.add(progress{Done: i, Loss: 1 / float64(i)})
		if len(c.points) > mostPoints {
			t.Fatalf("%d points after %d iterations", len(c.points), i)
		}
		if last := c.points[len(c.points)-1]; last.Done != i {
			t.Fatalf("the last point is of iteration %d, want %d", last.Done, i)
		}
	}
	if len(c.points) < mostPoints/3 || c.points[0].Done != 1 {
		t.Errorf("%d points from iteration %d", len(c.points), c.points[0].Done)
	}
	longest, shortest := 0, math.MaxInt
	for i := 2; i < len(c.points)-1; i++ {
		gap := c.points[i].Done - c.points[i-1].Done
		longest, shortest = max(longest, gap), min(shortest, gap)
	}
	if longest != shortest {
		t.Errorf("gaps from %d to %d, want equal ones", shortest, longest)
	}
}

func TestACurveIsReadAsItWasWritten(t *testing.T) {
	var c curve
	for i := 1; i <= 9000; i++ {
		c.add(progress{Level: 1, Iteration: i, Done: i, Loss: 1 / float64(i), Terms: terms{"style relu1_1": 0.5}, Seconds: float64(i)})
	}
	path := filepath.Join(t.TempDir(), "curve.jsonl")
	if err := c.save(path); err != nil {
		t.Fatal(err)
	}
	read, err := loadCurve(path)
	if err != nil || len(read.points) != len(c.points) || read.every != c.every {
		t.Fatalf("%d points, every %d, want %d, %d (%v)", len(read.points), read.every, len(c.points), c.every, err)
	}
	read.cut(5000)
	if last := read.points[len(read.points)-1].Done; last > 5000 || last < 5000-read.every {
		t.Errorf("cut at 5000, the last point is of %d", last)
	}
	if none, err := loadCurve(filepath.Join(t.TempDir(), "none")); err != nil || len(none.points) != 0 {
		t.Errorf("of no file: %v, %v", none, err)
	}
}

func TestPointsThatAreNoNumbersAreLeftOut(t *testing.T) {
	var c curve
	c.add(progress{Done: 1, Loss: math.NaN()})
	c.add(progress{Done: 2, Loss: 1, Terms: terms{"style relu1_1": math.Inf(1)}})
	if len(c.points) != 0 {
		t.Errorf("%v, want nothing", c.points)
	}
}

func TestProgressGoesOnFromTheStretchBefore(t *testing.T) {
	first := progressOf(model.Progress{Level: 2, Levels: 3, Done: 30, Total: 50, Work: 40, TotalWork: 100, Elapsed: 8 * time.Second, Remaining: -1}, before{})
	if first.Share != 0.4 || first.Remaining != nil || first.Seconds != 8 {
		t.Fatalf("%+v", first)
	}
	next := progressOf(model.Progress{Level: 1, Levels: 2, Done: 10, Total: 40, Work: 50, TotalWork: 100, Elapsed: 2 * time.Second, Remaining: 3 * time.Second}, first.after())
	if next.Level != 2 || next.Levels != 3 || next.Done != 40 || next.Total != 70 || math.Abs(next.Share-0.7) > 1e-12 || next.Seconds != 10 || *next.Remaining != 3 {
		t.Errorf("%+v", next)
	}
}
