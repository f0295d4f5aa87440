package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"impasto/internal/names"
	"impasto/internal/report"
)

// dimension is a setting of a grid and the values that it takes.
type dimension struct {
	name   string
	values []string
}

// dimensions is a flag that takes NAME=VALUE,… and may be given several times.
// Values that have commas in them are parted by semicolons.
type dimensions struct{ target *[]dimension }

func (d dimensions) String() string { return "" }

func (d dimensions) Type() string { return "NAME=VALUE,…" }

func (d dimensions) Set(text string) error {
	name, list, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("want NAME=VALUE,…, such as tv-weight=0,2,8")
	}
	return addDimension(d.target, name, list)
}

// addDimension checks the name and every value by itself.
func addDimension(target *[]dimension, name, list string) error {
	known := variable()
	if !slices.Contains(known, name) {
		return fmt.Errorf("%q: no such setting%s", name, names.DidYouMean(name, known, ""))
	}
	if slices.ContainsFunc(*target, func(d dimension) bool { return d.name == name }) {
		return fmt.Errorf("%s is varied twice", name)
	}
	separator := ","
	if strings.Contains(list, ";") {
		separator = ";"
	}
	d := dimension{name: name}
	for value := range strings.SplitSeq(list, separator) {
		value = strings.TrimSpace(value)
		if slices.Contains(d.values, value) {
			return fmt.Errorf("%s %s stands twice", name, value)
		}
		if err := newStylizeOptions().set(name, value); err != nil {
			return err
		}
		d.values = append(d.values, value)
	}
	*target = append(*target, d)
	return nil
}

// variable are the names of the settings that a grid can vary.
func variable() []string {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	newStylizeOptions().addPictureFlags(flags)
	var names []string
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// set changes one setting as its flag would.
func (o *stylizeOptions) set(name, value string) error {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.addPictureFlags(flags)
	if err := flags.Set(name, value); err != nil {
		var invalid *pflag.InvalidValueError
		if errors.As(err, &invalid) {
			return fmt.Errorf("%s %q: %s", name, value, wanted(invalid))
		}
		return err
	}
	return nil
}

// settings are the values of all flags that make a picture what it is, by name.
func (o *stylizeOptions) settings() map[string]string {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.addPictureFlags(flags)
	settings := map[string]string{}
	flags.VisitAll(func(f *pflag.Flag) { settings[f.Name] = f.Value.String() })
	return settings
}

// cell is one picture of a grid.
type cell struct {
	settings []report.Setting // those that vary
	options  stylizeOptions
}

// grid makes a cell for every combination of values, the last dimension
// changing fastest.
func grid(base stylizeOptions, all []dimension, flags *pflag.FlagSet) ([]cell, error) {
	cells := []cell{{options: base}}
	for _, d := range all {
		var more []cell
		for _, c := range cells {
			for _, value := range d.values {
				next := cell{settings: append(slices.Clone(c.settings), report.Setting{Name: d.name, Value: value}), options: c.options}
				next.options.LayerLoss = maps.Clone(c.options.LayerLoss)
				if err := next.options.set(d.name, value); err != nil {
					return nil, usagef("--vary: %s", err)
				}
				more = append(more, next)
			}
		}
		cells = more
	}
	files := map[string]string{}
	for i := range cells {
		c := &cells[i]
		err := c.options.settle(func(flag string) bool {
			return flags.Changed(flag) || slices.ContainsFunc(all, func(d dimension) bool { return d.name == flag })
		})
		if err == nil {
			err = c.options.checkPictureFlags()
		}
		if err != nil {
			return nil, usagef("compare: %s: %s", c.name(), err)
		}
		if other, taken := files[c.file()]; taken {
			return nil, usagef("compare: %s and %s would have the same file name; write their values differently", other, c.name())
		}
		files[c.file()] = c.name()
	}
	return cells, nil
}

// name is what people read: the loss by itself, other settings with theirs.
func (c cell) name() string {
	var parts []string
	for _, s := range c.settings {
		if s.Name == "loss" {
			parts = append(parts, s.Value)
		} else {
			parts = append(parts, s.Name+" "+s.Value)
		}
	}
	return strings.Join(parts, ", ")
}

// file is the name as files have it, without a folder and an extension.
func (c cell) file() string { return fileName(c.name()) }

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
