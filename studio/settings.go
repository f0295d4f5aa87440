package studio

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"impasto/internal/settings"
	"impasto/internal/web"
	"impasto/losses"
	"impasto/model"
)

// withheld are the settings that requests can't set: those that name files, and those of
// the machine, which whoever runs the studio chooses.
var withheld = []string{"weights", "mask", "protect", "device", "threads", "memory", "precision"}

// shown are the settings that change a picture the most, which a page has in sight.
var shown = []string{"strength", "size", "style-scale", "keep-colors"}

// settable are the settings that requests can set, with the values of s.
func settable(s *settings.Stylization) []settings.Setting {
	return slices.DeleteFunc(s.Table(), func(one settings.Setting) bool { return slices.Contains(withheld, one.Name) })
}

// values are settings by name as they come in requests: numbers and switches may be
// JSON's, or be texts as on the command line.
type values map[string]value

// value is the text of a setting.
type value string

// UnmarshalJSON implements json.Unmarshaler.
func (v *value) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(v))
	case 'n', '{', '[':
		return errors.New("a setting's value is " + string(data[:1]) + "…, want a number, a text, true or false")
	}
	*v = value(data) // a number, true or false
	return nil
}

// assignments are the values that differ from the defaults, in the order of the table. The
// error is a problem of one of them.
func (v values) assignments() ([]settings.Assignment, error) {
	var list []settings.Assignment
	plain, read := settings.Default(), settings.Default()
	defaults := plain.Values()
	table := settable(&read)
	for name := range v {
		if !slices.ContainsFunc(table, func(one settings.Setting) bool { return one.Name == name }) {
			if slices.Contains(withheld, name) {
				return nil, invalid(name, "%s can't be set by a request", name)
			}
			return nil, invalid(name, "%q: no such setting; GET %s/settings lists them", cleanName(name), apiPrefix)
		}
	}
	for _, one := range table {
		text, given := v[one.Name]
		if !given {
			continue
		}
		if text == "" && defaults[one.Name] == "" {
			continue
		}
		if one.Name == "start" && !slices.Contains(startNames(), string(text)) { // never a file
			return nil, invalid(one.Name, "start %q: want %s", cleanName(string(text)), strings.Join(startNames(), ", "))
		}
		if err := one.Value.Set(string(text)); err != nil {
			return nil, invalid(one.Name, "%s %q: %v", one.Name, cleanName(string(text)), err)
		}
		if as := one.Value.String(); as != defaults[one.Name] {
			list = append(list, settings.Assignment{Name: one.Name, Text: as})
		}
	}
	return list, nil
}

// startNames are what a run may be told to start from.
func startNames() []string {
	return slices.DeleteFunc(model.StartNames(), func(name string) bool { return model.Start(name).IsPicture() })
}

// settled are the settings that assignments make. The error is a problem of one of them.
func settled(list []settings.Assignment) (settings.Stylization, error) {
	s := settings.Default()
	given, err := s.SetBeneath(list, func(string) bool { return false })
	if err == nil {
		// As in presets, a first level larger than the last one makes that the only one.
		if s.Options.MinSize > s.Options.Size {
			s.Options.MinSize = s.Options.Size
		}
		err = s.Settle(given)
	}
	if err == nil {
		err = s.Check()
	}
	if err != nil {
		return s, blame(err)
	}
	return s, nil
}

// blame makes an error about settings a problem of the first one that it names, by its flag.
func blame(err error) *problem {
	text, field, first := err.Error(), "", math.MaxInt
	plain := settings.Default()
	for _, one := range settable(&plain) {
		flag := "--" + one.Name
		for at, rest := 0, text; ; {
			i := strings.Index(rest, flag)
			if i < 0 {
				break
			}
			at += i + len(flag)
			if rest = rest[i+len(flag):]; rest == "" || !strings.ContainsAny(rest[:1], "-abcdefghijklmnopqrstuvwxyz") {
				if at-len(flag) < first {
					field, first = one.Name, at-len(flag)
				}
				break
			}
		}
	}
	return invalid(field, "%s", strings.ReplaceAll(text, "--", ""))
}

// asJSON are values by name as answers have them: numbers and switches are JSON's.
func asJSON(list []settings.Assignment) map[string]any {
	named := map[string]any{}
	for _, a := range list {
		named[a.Name] = jsonOf(kinds()[a.Name], a.Text)
	}
	return named
}

// kinds are those of the settings, by name.
var kinds = sync.OnceValue(func() map[string]settings.Kind {
	plain, of := settings.Default(), map[string]settings.Kind{}
	for _, one := range settable(&plain) {
		of[one.Name] = settings.DomainOf(one.Value).Kind
	}
	return of
})

// jsonOf is a setting's text as answers have it.
func jsonOf(kind settings.Kind, text string) any {
	switch kind {
	case settings.Number, settings.Integer:
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return json.Number(text)
		}
	case settings.OnOff:
		return text == "true"
	}
	return text
}

// settingInfo describes a setting.
type settingInfo struct {
	Name    string        `json:"name"`
	Heading string        `json:"heading"`
	Usage   string        `json:"usage"`
	Default any           `json:"default"`
	Kind    settings.Kind `json:"kind"`
	Minimum *float64      `json:"minimum,omitempty"`
	Maximum *float64      `json:"maximum,omitempty"`
	Choices []choiceInfo  `json:"choices,omitempty"`
	Shown   bool          `json:"shown"`
}

type choiceInfo struct {
	Name string `json:"name"`
	Help string `json:"help"`
}

type presetInfo struct {
	Name     string         `json:"name"`
	Help     string         `json:"help"`
	Settings map[string]any `json:"settings"`
}

type lossInfo struct {
	Name   string     `json:"name"`
	Help   string     `json:"help"`
	Colour lossColour `json:"colour"`
}

// lossColour are the colours of a loss in charts, as #rrggbb.
type lossColour struct {
	Light string `json:"light"` // on light paper
	Dark  string `json:"dark"`
}

// getSettings answers GET /settings.
func (s *Studio) getSettings(w http.ResponseWriter, _ *http.Request) error {
	answer := struct {
		Settings []settingInfo `json:"settings"`
		Presets  []presetInfo  `json:"presets"`
		Losses   []lossInfo    `json:"losses"`
	}{}
	plain := settings.Default()
	for _, one := range settable(&plain) {
		answer.Settings = append(answer.Settings, describe(one))
	}
	for _, p := range settings.Presets() {
		answer.Presets = append(answer.Presets, presetInfo{p.Name, p.Help, asJSON(p.Settings)})
	}
	for _, loss := range losses.All() {
		d, of := loss.Description(), lossColour{}
		of.Light, of.Dark = web.LossColours(d.Name)
		answer.Losses = append(answer.Losses, lossInfo{d.Name, d.Help, of})
	}
	return writeJSON(w, http.StatusOK, answer)
}

// describe describes a setting that has its default.
func describe(one settings.Setting) settingInfo {
	domain := settings.DomainOf(one.Value)
	info := settingInfo{
		Name: one.Name, Heading: one.Heading, Usage: one.Usage, Default: jsonOf(domain.Kind, one.Value.String()),
		Kind: domain.Kind, Shown: slices.Contains(shown, one.Name),
	}
	if one.Name == "strength" { // which is none until it is given, and looks like this one
		info.Default = model.DefaultStrength
	}
	if domain.Kind == settings.Number || domain.Kind == settings.Integer {
		info.Minimum = &domain.Minimum
		if !math.IsInf(domain.Maximum, 1) {
			info.Maximum = &domain.Maximum
		}
	}
	for _, c := range domain.Choices {
		info.Choices = append(info.Choices, choiceInfo{c.Text, c.Help})
	}
	return info
}
