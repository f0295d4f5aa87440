package model

import (
	"bytes"
	"encoding/gob"
	"testing"
	"time"
)

func TestPlanHasTheLevelsThatAreMade(t *testing.T) {
	o := planned()
	content, styles := waves(60, 40, 0.1), []Style{{waves(50, 50, 0.3), 1}}
	plan, err := MakePlan(t.Context(), content, styles, o)
	if err != nil {
		t.Fatal(err)
	}
	var begun []Level
	o.Begin = func(l Level) { begun = append(begun, l) }
	if _, err := Stylize(t.Context(), content, styles, o); err != nil {
		t.Fatal(err)
	}
	if len(plan.Levels) != len(begun) || plan.Time <= 0 {
		t.Fatalf("the plan has %d levels and takes %v, and there were %d", len(plan.Levels), plan.Time, len(begun))
	}
	for i, l := range plan.Levels {
		if b := begun[i]; l.Number != b.Number || l.Width != b.Width || l.Height != b.Height || l.Memory != b.Memory || l.Time <= 0 {
			t.Errorf("level %d is planned as %+v and was %+v", i+1, l, b)
		}
	}
}

func TestPlanUnderATimeLimitIsThat(t *testing.T) {
	o := planned()
	o.TimeLimit = 90 * time.Second
	plan, err := MakePlan(t.Context(), waves(60, 40, 0.1), []Style{{waves(50, 50, 0.3), 1}}, o)
	if err != nil {
		t.Fatal(err)
	}
	var sum time.Duration
	for _, l := range plan.Levels {
		sum += l.Time
		if l.Iterations != 0 {
			t.Errorf("level %d is said to make %d iterations", l.Number, l.Iterations)
		}
	}
	if plan.Time != o.TimeLimit || sum != o.TimeLimit {
		t.Errorf("the plan takes %v and its levels %v, want %v", plan.Time, sum, o.TimeLimit)
	}
}

func TestPlanningDoesNotChangeThePicture(t *testing.T) {
	var pictures [2]bytes.Buffer
	for i := range pictures {
		o, calls := planned(), 0
		if i == 1 {
			o.Planned = func(Plan) { calls++ }
		}
		result, err := Stylize(t.Context(), waves(60, 40, 0.1), []Style{{waves(50, 50, 0.3), 1}}, o)
		if err != nil || calls != i {
			t.Fatalf("%d plans, want %d (%v)", calls, i, err)
		}
		if err := gob.NewEncoder(&pictures[i]).Encode(result.Image); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(pictures[0].Bytes(), pictures[1].Bytes()) {
		t.Error("the picture is another one when the run was planned")
	}
}

func TestWorkGrowsToItsTotal(t *testing.T) {
	o := planned()
	var before float64
	var last Progress
	o.Planned = func(Plan) {}
	o.Progress = func(p Progress) {
		if p.Work <= before || p.Remaining < 0 {
			t.Errorf("after iteration %d, %g of %g work are done, %g before, and %v are left", p.Done, p.Work, p.TotalWork, before, p.Remaining)
		}
		before, last = p.Work, p
	}
	if _, err := Stylize(t.Context(), waves(60, 40, 0.1), []Style{{waves(50, 50, 0.3), 1}}, o); err != nil {
		t.Fatal(err)
	}
	if r := last.Work / last.TotalWork; r < 1-1e-9 || r > 1+1e-9 || last.Remaining != 0 {
		t.Errorf("at the end %g of the work are done and %v are left", r, last.Remaining)
	}
}

// planned are options of three small levels.
func planned() Options {
	o := DefaultOptions()
	o.Device, o.Size, o.MinSize, o.FirstIterations, o.Iterations = "cpu", 40, 20, 3, 2
	o.StyleTerms, o.ContentLayers = o.StyleTerms[:2], []LayerWeight{{"relu2_2", 1}}
	return o
}

func TestPlanOfALargeFirstLevelIsMeasuredAtASmallSize(t *testing.T) {
	o := planned()
	o.Size, o.MinSize, o.FirstIterations, o.Iterations, o.LeastIterations = 2*probeSide, probeSide+1, 1, 1, 1
	plan, err := MakePlan(t.Context(), waves(60, 40, 0.1), []Style{{waves(50, 50, 0.3), 1}, {waves(300, 200, 0.2), 1}}, o)
	if err != nil || plan.Time <= 0 {
		t.Errorf("the plan takes %v (%v)", plan.Time, err)
	}
}
