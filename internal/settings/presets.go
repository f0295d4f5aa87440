package settings

import (
	"slices"

	"impasto/internal/names"
)

// Preset is settings by one name: those of a paper or a program, or of a look.
type Preset struct {
	Name   string
	Help   string // in one line
	Source string // where its settings come from; empty for a look
	// Settings differ from the defaults, in the order of Table.
	Settings []Assignment
	// Deviations say how results differ from the source's, each in a line; of a look,
	// what it is for and what it isn't.
	Deviations []string
}

// Original tells a preset of a paper or a program from a look.
func (p Preset) Original() bool { return p.Source != "" }

// Presets are all, those of papers and programs first.
func Presets() []Preset { return slices.Concat(originals, looks) }

// PresetNames are their names.
func PresetNames() []string {
	var list []string
	for _, p := range Presets() {
		list = append(list, p.Name)
	}
	return list
}

// PresetNamed returns the preset of a name. The error doesn't repeat the name.
func PresetNamed(name string) (Preset, error) {
	for _, p := range Presets() {
		if p.Name == name {
			return p, nil
		}
	}
	return Preset{}, names.Check("preset", name, PresetNames())
}

// PresetName is the name of a preset.
func PresetName(target *string) Value {
	return choice[string]{target, "preset", PresetNames(), presetHelp}
}

func presetHelp(name string) string {
	p, err := PresetNamed(name)
	if err != nil {
		return ""
	}
	return p.Help
}

// PresetUsage is the help of a flag that takes a PresetName.
func PresetUsage() string {
	return "settings by one name: " + alternatives(" or ", PresetNames(), noHelp) + "; see impasto presets"
}

// Apply makes those settings of the preset that count beneath what was given, and
// returns what is given from then on.
func (p Preset) Apply(s *Stylization, given func(name string) bool) (func(name string) bool, error) {
	return s.SetBeneath(p.Settings, given)
}
