package flow_test

import (
	"context"
	"testing"
	"time"

	"impasto/internal/flow"
	"impasto/internal/flow/scene"
)

// grey is a scene's picture at a time.
func grey(t testing.TB, s scene.Scene, time float64) flow.Plane {
	t.Helper()
	p, err := flow.Grey(s.Width, s.Height, s.Picture(time))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFlowIsThatOfTheScene(t *testing.T) {
	for _, s := range scene.All(320, 180) {
		t.Run(s.Name, func(t *testing.T) {
			a, b := grey(t, s, 0), grey(t, s, 1)
			began := time.Now()
			got, err := flow.Estimate(context.Background(), a, b, flow.DefaultOptions())
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			truth, hidden := s.Truth(0, 1)
			seen := make([]bool, len(hidden))
			for i := range hidden {
				seen[i] = !hidden[i]
			}
			still := flow.NewField(s.Width, s.Height)
			t.Logf("off by %.3f pixels where seen, %.3f everywhere; motions of %.2f; %v", got.EndPointError(truth, seen), got.EndPointError(truth, nil), still.EndPointError(truth, nil), took)
		})
	}
}
