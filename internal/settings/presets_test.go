package settings

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestEveryPresetIsSettingsThatGoTogether(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Presets() {
		t.Run(p.Name, func(t *testing.T) {
			if seen[p.Name] || p.Help == "" || len(p.Settings) == 0 || len(p.Deviations) == 0 {
				t.Error("it stands twice, or lacks its help, settings or deviations")
			}
			seen[p.Name] = true
			s, defaults := Default(), Default().Values()
			given, err := p.Apply(&s, none)
			if err != nil {
				t.Fatal(err)
			}
			// In the order of the table, each once, and none that says what holds anyway.
			var order []string
			for _, setting := range s.Table() {
				if slices.ContainsFunc(p.Settings, func(a Assignment) bool { return a.Name == setting.Name }) {
					order = append(order, setting.Name)
				}
			}
			for i, a := range p.Settings {
				if i >= len(order) || a.Name != order[i] {
					t.Errorf("setting %d is %s, want the order %v", i, a.Name, order)
				}
				if a.Text == defaults[a.Name] {
					t.Errorf("%s is the default", a.Name)
				}
			}
			if err := s.Settle(given); err != nil {
				t.Fatal(err)
			}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			for _, a := range p.Settings {
				if got := s.Values()[a.Name]; got != a.Text && a.Name != fitting {
					t.Errorf("%s is %s, want %s", a.Name, got, a.Text)
				}
			}
		})
	}
	if len(originals) == 0 {
		t.Error("there are none of papers and programs")
	}
}

func TestPresetsAreFoundByTheirNames(t *testing.T) {
	for _, name := range PresetNames() {
		if p, err := PresetNamed(name); err != nil || p.Name != name {
			t.Errorf("%s: %v, %v", name, p.Name, err)
		}
	}
	if _, err := PresetNamed("gatis"); err == nil || err.Error() != "no such preset; did you mean gatys?" {
		t.Errorf("a wrong name: %v", err)
	}
	var name string
	value := PresetName(&name)
	if err := value.Set("gatys"); err != nil || name != "gatys" || value.Type() != "PRESET" {
		t.Errorf("the value is %q of %s (%v)", name, value.Type(), err)
	}
	if got := value.(Completer).Complete("gat"); len(got) != 1 || got[0].Text != "gatys" || got[0].Help == "" {
		t.Errorf("it completes to %v", got)
	}
}

func TestLaterPlacesTakeTheSettingsOfEarlierOnes(t *testing.T) {
	list := []Assignment{
		{"size", "300"}, {"min-size", "16384"}, {"style-scale", "2"}, {"layer-loss", "relu1_1=gram,relu2_1=cmd"}, {"content-weight", "1"}, {"tv-weight", "3"},
		{"optimizer", "adam"}, {"first-iterations", "7"}, {"iterations", "5"}, {"step-size", "0.1"},
	}
	all := func(without ...string) []string {
		var names []string
		for _, a := range list {
			if !slices.Contains(without, a.Name) {
				names = append(names, a.Name)
			}
		}
		return names
	}
	for _, test := range []struct {
		given string
		want  []string
	}{
		{"", all()},
		{"size", all("size")},
		{"quality", all("optimizer", "first-iterations", "iterations", "step-size")},
		{"optimizer", all("optimizer", "step-size")},
		{"iterations", all("iterations")},
		{"style-layers", all("layer-loss")},
		{"style-size", all("style-scale")},
		{"content-weight", all("content-weight")},
		{"strength", all("content-weight")},
	} {
		var names []string
		for _, a := range Counting(list, these(test.given)) {
			names = append(names, a.Name)
		}
		if !slices.Equal(names, test.want) {
			t.Errorf("beneath %q count %v, want %v", test.given, names, test.want)
		}
	}

	s := Default()
	s.Options.Size, s.Options.TotalVariationWeight = 64, 9
	given, err := s.SetBeneath(list, these("size", "tv-weight"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"size": true, "tv-weight": true, "iterations": true, "min-size": false, "seed": false} {
		if given(name) != want {
			t.Errorf("%s is given: %t, want %t", name, given(name), want)
		}
	}
	if err := s.Settle(given); err != nil {
		t.Fatal(err)
	}
	o := s.Options
	if o.Size != 64 || o.MinSize != 64 || o.TotalVariationWeight != 9 || o.StyleScale != 2 || o.Optimizer != "adam" ||
		o.FirstIterations != 7 || o.Iterations != 5 || o.StepSize != 0.1 || len(s.LayerLoss) != 2 {
		t.Errorf("%+v", s)
	}
	if _, err := s.SetBeneath([]Assignment{{"size", "0"}}, none); err == nil || !strings.Contains(err.Error(), `size "0": want a whole number`) {
		t.Errorf("a wrong value: %v", err)
	}
}

func TestLossesOfSeveralLayersAreSetAtOnce(t *testing.T) {
	s := Default()
	if err := s.Set("layer-loss", "relu1_1=gram,relu2_1=cmd"); err != nil {
		t.Fatal(err)
	}
	before := maps.Clone(s.LayerLoss)
	if err := s.Set("layer-loss", "relu3_1=gram,relu4_1"); err == nil || !maps.Equal(s.LayerLoss, before) || len(before) != 2 {
		t.Errorf("a layer without a loss: %v, %v", err, s.LayerLoss)
	}
}
