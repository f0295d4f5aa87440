package studio

import (
	"net/http"
	"slices"
	"testing"

	"impasto/internal/settings"
	"impasto/losses"
)

type settingsAnswer struct {
	Settings []settingInfo `json:"settings"`
	Presets  []presetInfo  `json:"presets"`
	Losses   []lossInfo    `json:"losses"`
}

func TestSettingsAreThoseOfTheCommandLine(t *testing.T) {
	c := open(t, Options{})
	var answer settingsAnswer
	c.want(http.StatusOK, "GET", "/settings", nil, &answer)
	plain := settings.Default()
	var want, got []string
	for _, one := range plain.Table() {
		if !slices.Contains(withheld, one.Name) {
			want = append(want, one.Name)
		}
	}
	byName := map[string]settingInfo{}
	for _, one := range answer.Settings {
		got = append(got, one.Name)
		byName[one.Name] = one
	}
	if !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
	for _, name := range withheld {
		if !slices.ContainsFunc(plain.Table(), func(one settings.Setting) bool { return one.Name == name }) {
			t.Errorf("%s is withheld, and isn't there", name)
		}
	}
	for _, name := range shown {
		if !byName[name].Shown {
			t.Errorf("%s isn't shown", name)
		}
	}
	for name, kind := range map[string]settings.Kind{
		"size": "integer", "strength": "number", "keep-colors": "number", "loss": "choice", "quality": "choice", "start": "choice", "plain-pooling": "switch",
		"style-layers": "text", "layer-loss": "text", "seed": "integer",
	} {
		one := byName[name]
		if one.Kind != kind || one.Usage == "" || one.Heading == "" || (len(one.Choices) > 0) != (kind == "choice") || (one.Minimum != nil) != (kind == "integer" || kind == "number") {
			t.Errorf("%s is %+v", name, one)
		}
	}
	if d := byName["strength"]; d.Default != 50. || *d.Minimum != 0 || *d.Maximum != 100 {
		t.Errorf("strength is %+v", d)
	}
	for _, choice := range byName["start"].Choices {
		if !slices.Contains([]string{"content", "style", "grey", "noise"}, choice.Name) || choice.Help == "" {
			t.Errorf("a start is %+v", choice)
		}
	}
	if len(answer.Losses) != len(losses.All()) {
		t.Errorf("%d losses, want %d", len(answer.Losses), len(losses.All()))
	}
	for _, loss := range answer.Losses {
		if len(loss.Colour.Light) != 7 || len(loss.Colour.Dark) != 7 || loss.Help == "" {
			t.Errorf("%+v", loss)
		}
	}
}

// TestPresetsCanBeSet sends every preset as a page would.
func TestPresetsCanBeSet(t *testing.T) {
	c := open(t, Options{AtOnce: 1})
	c.blocked(1)
	var answer settingsAnswer
	c.want(http.StatusOK, "GET", "/settings", nil, &answer)
	if len(answer.Presets) != len(settings.Presets()) {
		t.Errorf("%d presets", len(answer.Presets))
	}
	for _, preset := range answer.Presets {
		body := c.request(1)
		body["settings"] = preset.Settings
		run := c.begin(body)
		for name, value := range preset.Settings {
			if run.Settings[name] != value {
				t.Errorf("%s: %s is %v, want %v", preset.Name, name, run.Settings[name], value)
			}
		}
		if preset.Help == "" {
			t.Errorf("%s has no help", preset.Name)
		}
	}
}

func TestDefaultsDontCountAsGiven(t *testing.T) {
	v := values{}
	for _, one := range defaults() {
		v[one.Name] = value(one.Text)
	}
	if list, err := v.assignments(); err != nil || len(list) != 0 {
		t.Errorf("%v, %v; want nothing", list, err)
	}
	v["quality"] = "draft"
	list, err := v.assignments()
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	s, err := settled(list)
	if err != nil {
		t.Fatal(err)
	}
	if plain := settings.Default(); s.Options.Iterations >= plain.Options.Iterations {
		t.Errorf("a draft has %d iterations, want fewer than %d", s.Options.Iterations, plain.Options.Iterations)
	}
}

// defaults are all settings as they are.
func defaults() (all []settings.Assignment) {
	plain := settings.Default()
	for _, one := range settable(&plain) {
		all = append(all, settings.Assignment{Name: one.Name, Text: one.Value.String()})
	}
	return all
}

func TestARunMaySetWhatIsTyped(t *testing.T) {
	var v values
	if err := decodeJSON(`{"size":"300","keep-colors":0.5,"plain-pooling":true,"seed":18446744073709551615,"layer-loss":"relu1_1=gram,relu2_1=cmd"}`, &v); err != nil {
		t.Fatal(err)
	}
	list, err := v.assignments()
	if err != nil {
		t.Fatal(err)
	}
	s, err := settled(list)
	if err != nil || s.Options.Size != 300 || s.Options.KeepColours != 0.5 || !s.Options.PlainPooling || s.Options.Seed != 1<<64-1 || len(s.LayerLoss) != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	if said := asJSON(list); said["plain-pooling"] != true || said["layer-loss"] != "relu1_1=gram,relu2_1=cmd" {
		t.Errorf("%v", said)
	}
}
