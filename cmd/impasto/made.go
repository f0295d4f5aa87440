package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
)

// documentIn is what a picture's file says of how it was made, or nil where it says nothing.
func documentIn(e picture.Embedded) (*metadata.Document, error) {
	text := e.Document
	if text == nil {
		text = metadata.FromPacket(e.Packet)
	}
	if text == nil {
		return nil, nil
	}
	return metadata.Decode(text)
}

// settingsIn are the settings of a document, each held to what its flag takes, but for files
// and for those that a picture doesn't follow from.
func settingsIn(d *metadata.Document) (settings.Stylization, error) {
	s := settings.Default()
	table := s.Table()
	for _, name := range slices.Sorted(maps.Keys(d.Settings)) {
		known := slices.ContainsFunc(table, func(row settings.Setting) bool { return row.Name == name })
		if !known || name == "weights" || name == "protect" || slices.Contains(notOfPicture, name) {
			return s, fmt.Errorf("setting %q: this version of impasto knows none of that name that a picture follows from", name)
		}
		if err := setAnew(&s, name, d.Settings[name]); err != nil {
			return s, err
		}
	}
	// A strength that stands for another content weight by now has done what it was for.
	was := s.Options.ContentWeight
	if err := s.SettleStrength(none); err != nil || s.Options.ContentWeight != was {
		s.Options.ContentWeight = was
		s.DropStrength()
	}
	if len(s.Masks.Files) > 0 {
		return s, fmt.Errorf("setting mask %q: want a number of regions to find; files have an entry of their own", d.Settings["mask"])
	}
	if start := d.Settings["start"]; d.Start != nil && start != "" {
		return s, errors.New("two settings of what to start from")
	} else if isName := model.Start(start); start != "" && (isName == model.StartFromImage || !slices.Contains(model.StartNames(), start)) {
		return s, fmt.Errorf("setting start %q: want one of the names that there are; files have an entry of their own", start)
	}
	for _, style := range d.Styles {
		if style.Weight > model.MaxWeight {
			return s, fmt.Errorf("the weight %g of a style; want %g at most", style.Weight, float64(model.MaxWeight))
		}
	}
	return s, nil
}

// none tells of no setting that it was given.
func none(string) bool { return false }

// setAnew sets a setting in place of what it was.
func setAnew(s *settings.Stylization, name, value string) error {
	if value == s.Values()[name] {
		return nil
	}
	switch {
	case name == "strength" && value == "":
		s.DropStrength()
		return nil
	case name == "layer-loss": // which Set adds to
		if s.LayerLoss = nil; value == "" {
			return nil
		}
	case name == "mask": // likewise
		if s.Masks = (settings.Masks{}); value == "" {
			return nil
		}
	}
	return s.Set(name, value)
}

// commandOf is the command line of stylize that makes a picture like the document's: its
// arguments, and those flags whose values don't follow from the others.
func commandOf(d *metadata.Document, s settings.Stylization) string {
	args := []string{"stylize", nameOr(d.Content, "CONTENT")}
	for _, style := range d.Styles {
		name := nameOr(style.Input, "STYLE")
		if style.Weight != 1 {
			name += ":" + strconv.FormatFloat(style.Weight, 'g', -1, 64)
		}
		args = append(args, name)
	}
	o := d.Output
	args = append(args, "-o", "OUT"+extensions[o.Format])
	add := func(given bool, words ...string) {
		if given {
			args = append(args, words...)
		}
	}
	for _, mask := range d.Masks {
		var names []string
		for i, in := range mask.Inputs() {
			names = append(names, nameOr(in, []string{"REGION", "STYLE", "STYLEREGION"}[i]))
		}
		add(true, "--mask", strings.Join(names, "="))
	}
	add(d.Protect != nil, "--protect", nameOr(fromPointer(d.Protect), "PROTECT"))
	add(d.Start != nil, "--start", nameOr(fromPointer(d.Start), "START"))
	add(d.Weights.FileName() != "", "--weights", d.Weights.FileName())
	values := s.Values()
	for _, name := range neededFlags(s) {
		if name == "layer-loss" {
			for part := range strings.SplitSeq(values[name], ",") {
				args = append(args, "--layer-loss", part)
			}
			continue
		}
		if values[name] == "true" || values[name] == "false" {
			args = append(args, "--"+name+"="+values[name])
			continue
		}
		args = append(args, "--"+name, values[name])
	}
	add(o.Depth != 8, "--depth", strconv.Itoa(o.Depth))
	add(o.Format == "jpeg" && o.Quality != newStylizeOptions().JPEG, "--jpeg-quality", strconv.Itoa(o.Quality))
	add(o.Format == "webp" && o.Quality > 0, "--webp-quality", strconv.Itoa(o.Quality))
	add(o.Dither, "--dither")
	add(o.DPI > 0, "--dpi", strconv.Itoa(o.DPI))
	add(o.EXIF, "--keep-exif")
	add(o.GPS, "--keep-gps")
	return commandLine(args)
}

func fromPointer(in *metadata.Input) metadata.Input {
	if in == nil {
		return metadata.Input{}
	}
	return *in
}

// nameOr is an input's name, as an argument, or what stands for one that has none.
func nameOr(in metadata.Input, other string) string {
	switch name := in.FileName(); {
	case name == "":
		return other
	case strings.HasPrefix(name, "-"):
		return "./" + name
	default:
		return name
	}
}

// neededFlags are the names of the settings that a command line has to give for all of them
// to become those of s, in the order of the table. Settings that aren't given follow from
// others.
func neededFlags(s settings.Stylization) []string {
	want := s.Values()
	var needed []string
	for {
		given := func(name string) bool { return slices.Contains(needed, name) }
		tried := settings.Default()
		for _, name := range needed {
			if setAnew(&tried, name, want[name]) != nil {
				return needed // which can't be, since s has the value
			}
		}
		_ = tried.Settle(given) // settings that contradict each other are told by whoever uses them
		got, table := tried.Values(), tried.Table()
		next := slices.IndexFunc(table, func(row settings.Setting) bool { return got[row.Name] != want[row.Name] && !given(row.Name) })
		if next < 0 {
			break
		}
		needed = append(needed, table[next].Name) // from which others may follow
	}
	var ordered []string
	for _, row := range s.Table() {
		if slices.Contains(needed, row.Name) {
			ordered = append(ordered, row.Name)
		}
	}
	return ordered
}
