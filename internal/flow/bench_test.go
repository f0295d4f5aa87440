package flow_test

import (
	"fmt"
	"testing"

	"impasto/internal/flow"
	"impasto/internal/flow/scene"
)

// BenchmarkEstimate takes the time of making two pictures ready and of the flow between
// them, as others' estimators do both in one. testdata/opencv.py --time takes that of
// another.
func BenchmarkEstimate(b *testing.B) {
	for _, s := range scene.All(640, 360) {
		first, second := grey(b, s, 0), grey(b, s, 1)
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", s.Name, threads), func(b *testing.B) {
				e := estimator(b, s, threads)
				timed(b, func() { flowBetween(b, e, frame(b, e, first), frame(b, e, second)) })
			})
		}
	}
}

// BenchmarkVideo takes the time that a further frame of a video takes: to make it ready, and
// for the flow from the one before and back.
func BenchmarkVideo(b *testing.B) {
	s := scene.All(640, 360)[3]
	first, second := grey(b, s, 0), grey(b, s, 1)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			e := estimator(b, s, threads)
			before := frame(b, e, first)
			timed(b, func() {
				next := frame(b, e, second)
				flowBetween(b, e, before, next)
				flowBetween(b, e, next, before)
			})
		})
	}
}

// timed takes the time of f, of the clock and of the processor.
func timed(b *testing.B, f func()) {
	began := processorTime()
	for b.Loop() {
		f()
	}
	b.ReportMetric((processorTime()-began).Seconds()*1000/float64(b.N), "cpu-ms/op")
}

func estimator(b *testing.B, s scene.Scene, threads int) *flow.Estimator {
	b.Helper()
	o := flow.DefaultOptions()
	o.Threads = threads
	e, err := flow.NewEstimator(s.Width, s.Height, o)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func frame(b *testing.B, e *flow.Estimator, p flow.Plane) *flow.Frame {
	b.Helper()
	f, err := e.Frame(p)
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func flowBetween(b *testing.B, e *flow.Estimator, first, second *flow.Frame) {
	b.Helper()
	if _, err := e.Flow(b.Context(), first, second); err != nil {
		b.Fatal(err)
	}
}
