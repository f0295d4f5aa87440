package made

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
)

// Read reads the document in a picture's file; nil where there is none.
func Read(e picture.Embedded) (*metadata.Document, error) {
	text := e.Document
	if text == nil {
		text = metadata.FromPacket(e.Packet)
	}
	if text == nil {
		return nil, nil
	}
	return metadata.Decode(text)
}

// Settings are those of a document, each held to what its flag takes, but for files and for
// those that a picture doesn't follow from.
func Settings(d *metadata.Document) (settings.Stylization, error) {
	s := settings.Default()
	table := s.Table()
	for _, name := range slices.Sorted(maps.Keys(d.Settings)) {
		known := slices.ContainsFunc(table, func(row settings.Setting) bool { return row.Name == name })
		if !known || name == "weights" || name == "protect" || slices.Contains(notOfPicture, name) {
			return s, fmt.Errorf("setting %q: this version of impasto knows none of that name that a picture follows from", name)
		}
		if name == "start" && d.Start != nil && StartOf(d) == model.StartFromResult {
			continue // which says what kind of picture the start's file is
		}
		if err := Set(&s, name, d.Settings[name]); err != nil {
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
	if err := checkStart(d); err != nil {
		return s, err
	}
	for _, style := range d.Styles {
		if style.Weight > model.MaxWeight {
			return s, fmt.Errorf("the weight %g of a style; want %g at most", style.Weight, float64(model.MaxWeight))
		}
	}
	return s, nil
}

// StartOf says what a document's picture was started from; empty where it doesn't say.
func StartOf(d *metadata.Document) model.Start {
	start := model.Start(d.Settings["start"])
	if d.Start != nil && start == "" {
		return model.StartFromImage
	}
	return start
}

func checkStart(d *metadata.Document) error {
	start := StartOf(d)
	switch {
	case d.Start != nil && !start.IsPicture():
		return errors.New("two settings of what to start from")
	case d.Start == nil && start != "" && (start.IsPicture() || !slices.Contains(model.StartNames(), string(start))):
		return fmt.Errorf("setting start %q: want one of the names that there are; files have an entry of their own", start)
	}
	return nil
}

// none tells of no setting that it was given.
func none(string) bool { return false }

// Set sets a setting in place of what it was, as Set of a Stylization doesn't where values
// add up.
func Set(s *settings.Stylization, name, value string) error {
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

// Needed are the names of the settings that a command line has to give for all of them to
// become those of s, in the order of the table. Settings that aren't given follow from
// others.
func Needed(s settings.Stylization) []string {
	want := s.Values()
	var needed []string
	for {
		given := func(name string) bool { return slices.Contains(needed, name) }
		tried := settings.Default()
		for _, name := range needed {
			if Set(&tried, name, want[name]) != nil {
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
