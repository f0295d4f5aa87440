package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"impasto/internal/report"
	"impasto/internal/settings"
)

// Dimension is a setting of a grid and the values that it takes, as text.
type Dimension struct {
	Name   string
	Values []string
}

// NewDimension checks the name and every value of a list by itself. Commas part
// the values, or semicolons where there are any. Of losses it knows those of package
// losses; others are checked by Grid.
func NewDimension(name, list string) (Dimension, error) {
	separator := ","
	if strings.Contains(list, ";") {
		separator = ";"
	}
	d := Dimension{Name: name}
	scratch := settings.Default()
	for value := range strings.SplitSeq(list, separator) {
		value = strings.TrimSpace(value)
		if slices.Contains(d.Values, value) {
			return d, fmt.Errorf("%s %s stands twice", name, value)
		}
		if err := set(&scratch, name, value); err != nil {
			return d, err
		}
		d.Values = append(d.Values, value)
	}
	return d, nil
}

// preset is the dimension of presets, whose settings count beneath those that are given
// and that vary.
const preset = "preset"

// set sets a setting, or only checks the name of a preset.
func set(s *settings.Stylization, name, value string) error {
	if name != preset {
		return s.Set(name, value)
	}
	if _, err := settings.PresetNamed(value); err != nil {
		return fmt.Errorf("%s %q: %w", name, value, err)
	}
	return nil
}

// Cell is one picture of a grid.
type Cell struct {
	Varied   []report.Setting // the settings that vary, which name it
	Settings settings.Stylization
	Seeded   bool // its variant is painted under several seeds, of which it has one
}

// Grid makes a cell for every combination of values, the last dimension changing
// fastest. Given says which settings of base were chosen, and not just left as they
// are; those that vary are, too. Placed says which ones a file has, whether they were
// chosen or fit themselves to others: presets that vary count beneath those too.
func Grid(base settings.Stylization, dimensions []Dimension, given, placed func(name string) bool) ([]Cell, error) {
	if len(dimensions) == 0 {
		return nil, errors.New("compare: nothing varies, want one setting at least")
	}
	cells := []Cell{{Settings: base}}
	for i, d := range dimensions {
		if slices.ContainsFunc(dimensions[:i], func(other Dimension) bool { return other.Name == d.Name }) {
			return nil, fmt.Errorf("compare: %s varies twice, want one list of its values", d.Name)
		}
		var more []Cell
		for _, c := range cells {
			for _, value := range d.Values {
				next := Cell{Varied: append(slices.Clone(c.Varied), report.Setting{Name: d.Name, Value: value}), Settings: c.Settings}
				if err := set(&next.Settings, d.Name, value); err != nil {
					return nil, fmt.Errorf("compare: %w", err)
				}
				more = append(more, next)
			}
		}
		cells = more
	}
	chosen := func(name string) bool {
		return given(name) || slices.ContainsFunc(dimensions, func(d Dimension) bool { return d.Name == name })
	}
	return cells, settle(cells, chosen, placed)
}

// settle fits each cell's settings to each other, and checks them and the names
// of their files.
func settle(cells []Cell, chosen, placed func(name string) bool) error {
	for i := range cells {
		c := &cells[i]
		given, err := c.applyPreset(chosen, placed)
		if err == nil {
			err = c.Settings.Settle(given)
		}
		if err == nil {
			err = c.Settings.Check()
		}
		if err != nil {
			return fmt.Errorf("compare: %s: %w", c.Name(), err)
		}
	}
	return checkNames(cells)
}

// checkNames reports two cells that would have one file.
func checkNames(cells []Cell) error {
	names := map[string]string{} // by file
	for _, c := range cells {
		if other, taken := names[c.file()]; taken {
			return fmt.Errorf("compare: %s and %s would have the same file name; write their values differently", other, c.Name())
		}
		names[c.file()] = c.Name()
	}
	return nil
}

// applyPreset takes the settings of a cell's preset, if presets vary, and returns what is
// given from then on.
func (c *Cell) applyPreset(given, placed func(name string) bool) (func(name string) bool, error) {
	for _, s := range c.Varied {
		if s.Name == preset {
			p, err := settings.PresetNamed(s.Value)
			if err != nil {
				return nil, err
			}
			p.Settings = slices.DeleteFunc(slices.Clone(p.Settings), func(a settings.Assignment) bool { return placed(a.Name) })
			return p.Apply(&c.Settings, given)
		}
	}
	return given, nil
}

// timed are the cells with an equal time limit, unless that is 0.
func timed(cells []Cell, seconds float64) []Cell {
	cells = slices.Clone(cells)
	for i := range cells {
		cells[i].Settings.Options.TimeLimit = time.Duration(seconds * float64(time.Second))
	}
	return cells
}

// Name is what people read: that of the variant, and the seed where it has several.
func (c Cell) Name() string {
	if c.Seeded {
		return fmt.Sprintf("%s, seed %d", c.Variant(), c.Settings.Options.Seed)
	}
	return c.Variant()
}

// Variant is the name that cells share which differ in nothing but the seed: the loss by
// itself, other settings with their names.
func (c Cell) Variant() string {
	var parts []string
	for _, s := range c.Varied {
		if s.Name == "loss" {
			parts = append(parts, s.Value)
		} else {
			parts = append(parts, s.Name+" "+s.Value)
		}
	}
	return strings.Join(parts, ", ")
}

// file is the name as files have it, without a folder and an extension.
func (c Cell) file() string { return fileName(c.Name()) }

// fileName keeps letters, digits and what is harmless between them.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._=+", r):
			return r
		case r == ',':
			return '_'
		}
		return '-'
	}, strings.ReplaceAll(name, ", ", ","))
}
