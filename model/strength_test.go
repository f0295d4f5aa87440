package model

import (
	"errors"
	"math"
	"slices"
	"testing"

	"impasto/losses"
)

func TestEveryLossHasStrengths(t *testing.T) {
	seen := map[[2]string]bool{}
	for _, row := range strengthTable {
		key := [2]string{row.loss, row.contentLoss}
		if seen[key] || !slices.Contains(losses.Names(), row.loss) || !slices.Contains(losses.ContentNames(), row.contentLoss) {
			t.Errorf("a row of %s under %s stands twice, or there are none such", row.loss, row.contentLoss)
		}
		seen[key] = true
	}
	for _, loss := range losses.Names() {
		for _, contentLoss := range losses.ContentNames() {
			if !seen[[2]string{loss, contentLoss}] {
				t.Errorf("%s under %s has no row; internal/calibrate makes it", loss, contentLoss)
			}
		}
	}
}

func TestMoreStrengthIsLessContent(t *testing.T) {
	for _, loss := range losses.All() {
		for _, contentLoss := range losses.ContentNames() {
			o := DefaultOptions()
			o.SetLoss(loss)
			o.ContentLoss = contentLoss
			last := math.Inf(1)
			for strength := 0.0; strength <= MaxStrength; strength += 2.5 {
				if err := o.SetStrength(strength); err != nil {
					t.Fatal(err)
				}
				if o.ContentWeight >= last || o.ContentWeight <= 0 {
					t.Errorf("%s under %s: a content weight of %g at strength %g, after %g", loss.Description().Name, contentLoss, o.ContentWeight, strength, last)
				}
				last = o.ContentWeight
			}
			if err := o.Check(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestTheDefaultStrengthIsTheDefault(t *testing.T) {
	o := DefaultOptions()
	if err := o.SetStrength(DefaultStrength); err != nil {
		t.Fatal(err)
	}
	if got, want := o.ContentWeight, DefaultOptions().ContentWeight; got != want {
		t.Errorf("the content weight is %v, want %v", got, want)
	}
}

func TestStrengthsOfMixedLossesLieBetweenTheirs(t *testing.T) {
	weight := func(of ...StyleTerm) float64 {
		o := DefaultOptions()
		o.StyleTerms = of
		if err := o.SetStrength(30); err != nil {
			t.Fatal(err)
		}
		return o.ContentWeight
	}
	a, b := StyleTerm{"relu1_1", named("gaussian"), 1}, StyleTerm{"relu2_1", named("sliced"), 1}
	ignored := StyleTerm{"relu3_1", named("sliced"), 0}
	first, second, mixed := weight(a), weight(b), weight(a, b)
	if math.Abs(mixed/math.Sqrt(first*second)-1) > 0.01 {
		t.Errorf("%g for both, want the geometric mean of %g and %g", mixed, first, second)
	}
	if got := weight(a, ignored); got != first {
		t.Errorf("%g with a term of no weight, want %g", got, first)
	}
	own := StyleTerm{"relu1_1", losses.Must(losses.Custom(losses.Function{
		Description: losses.Description{Name: "own"},
		Evaluate:    func([]float64, losses.Features, losses.Features) (float64, error) { return 0, nil },
	})), 1}
	if got := weight(own); got != first {
		t.Errorf("%g for a loss of one's own, want the default one's %g", got, first)
	}
}

func TestStrengthsThatWontDoAreRefused(t *testing.T) {
	for _, test := range []struct {
		strength float64
		change   func(o *Options)
		option   string
	}{
		{-1, func(*Options) {}, "Strength"},
		{101, func(*Options) {}, "Strength"},
		{math.NaN(), func(*Options) {}, "Strength"},
		{50, func(o *Options) { o.StyleTerms = nil }, "StyleTerms"},
		{50, func(o *Options) { o.StyleTerms[0].Loss = nil }, "StyleTerms"},
		{50, func(o *Options) { o.ContentLoss = "none" }, "ContentLoss"},
	} {
		o := DefaultOptions()
		test.change(&o)
		var wrong *OptionError
		if err := o.SetStrength(test.strength); !errors.As(err, &wrong) || wrong.Option != test.option {
			t.Errorf("strength %g: %v, want an error of %s", test.strength, err, test.option)
		}
		if o.ContentWeight != DefaultOptions().ContentWeight {
			t.Errorf("strength %g changed the content weight", test.strength)
		}
	}
}
