package settings

import (
	"maps"
	"strings"
	"testing"

	"impasto/model"
)

func TestStrengthChoosesTheContentWeight(t *testing.T) {
	weight := func(settings ...string) float64 {
		s := Default()
		var names []string
		for _, setting := range settings {
			name, text, _ := strings.Cut(setting, "=")
			if err := s.Set(name, text); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		if err := s.Settle(these(names...)); err != nil {
			t.Fatal(err)
		}
		return s.Options.ContentWeight
	}
	standard := model.DefaultOptions().ContentWeight
	for _, test := range []struct {
		settings []string
		want     float64
	}{
		{nil, standard}, {[]string{"loss=gram"}, standard}, {[]string{"content-weight=3"}, 3},
		{[]string{"strength=50"}, standard}, {[]string{"strength=50", "quality=draft"}, standard},
	} {
		if got := weight(test.settings...); got != test.want {
			t.Errorf("%v: the content weight is %g, want %g", test.settings, got, test.want)
		}
	}
	if a, b := weight("strength=50", "loss=sliced"), weight("strength=50", "layer-loss=relu1_1=sliced"); !(a > b && b > standard) {
		t.Errorf("at strength 50, content weights are %g under sliced, %g with it at a layer and %g by default, want them to fall", a, b, standard)
	}
	if weight("strength=20", "content-loss=mse") == weight("strength=20") {
		t.Error("the content loss changes nothing")
	}
}

func TestStrengthIsNothingUnlessGiven(t *testing.T) {
	s := Default()
	if s.HasStrength() || s.Values()["strength"] != "" {
		t.Errorf("by default, the strength is %q", s.Values()["strength"])
	}
	for _, text := range []string{"-1", "101", "NaN", "much", ""} {
		if err := s.Set("strength", text); err == nil || !strings.HasSuffix(err.Error(), "want a number from 0 to 100") || !maps.Equal(s.Values(), Default().Values()) {
			t.Errorf("strength %q: %v", text, err)
		}
	}
	if err := s.Set("strength", "72.5"); err != nil || s.Values()["strength"] != "72.5" || !s.HasStrength() {
		t.Errorf("the strength is %q (%v)", s.Values()["strength"], err)
	}
	if s.DropStrength(); s.HasStrength() || s.Values()["strength"] != "" {
		t.Errorf("after it was dropped, the strength is %q", s.Values()["strength"])
	}
}

func TestStrengthAndContentWeightExcludeEachOther(t *testing.T) {
	s := Default()
	s.Strength, s.Options.ContentWeight = 30, 2
	if err := s.Settle(these("strength", "content-weight")); err == nil || err.Error() != "--strength 30 and --content-weight 2 both say how much the content counts; give one of them" {
		t.Errorf("both: %v", err)
	}
	// A later place has the last word.
	for _, test := range []struct{ preset, given string }{{"content-weight", "strength"}, {"strength", "content-weight"}} {
		s := Default()
		if err := s.Set(test.given, "40"); err != nil {
			t.Fatal(err)
		}
		given, err := s.SetBeneath([]Assignment{{test.preset, "7"}, {"tv-weight", "1"}}, these(test.given))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Settle(given); err != nil {
			t.Fatal(err)
		}
		if given(test.preset) || s.HasStrength() != (test.given == "strength") || s.Options.TotalVariationWeight != 1 {
			t.Errorf("%s over a preset's %s: %+v", test.given, test.preset, s)
		}
		if got := s.Options.ContentWeight; (got == 40) != (test.given == "content-weight") || got == 7 {
			t.Errorf("%s over a preset's %s: the content weight is %g", test.given, test.preset, got)
		}
	}
}

// A preset's content weight is for its layers and losses, and gives way to a strength.
func TestPresetsTakeAStrength(t *testing.T) {
	for _, p := range Presets() {
		s := Default()
		s.Strength = 80
		given, err := p.Apply(&s, these("strength"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Settle(given); err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		o := s.Options
		o.StyleTerms = s.StyleTerms()
		if err := o.SetStrength(80); err != nil || s.Options.ContentWeight != o.ContentWeight {
			t.Errorf("%s: the content weight is %g, want %g (%v)", p.Name, s.Options.ContentWeight, o.ContentWeight, err)
		}
	}
}
