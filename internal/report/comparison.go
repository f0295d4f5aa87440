package report

import (
	"image"
	"slices"
)

// Comparison is what a contact sheet and a page show: pictures made of the same
// content and styles in several ways.
type Comparison struct {
	Title   string
	Command string // the command line that made it
	// References are the content and the styles.
	References []Picture
	// Pictures are those to compare.
	Pictures []Picture
	// Losses are those of the scores, in the order of the columns.
	Losses []string
	// ScoreSize is the size that pictures were scored at, as 128×96.
	ScoreSize string
	// Common are the settings that all pictures share.
	Common []Setting
	// OneObjective tells whether all pictures descend on the same loss, so that heights of
	// their curves can be compared.
	OneObjective bool
	// Measures are the names of what can be compared along the way: "loss", which is that
	// of Picture.Curve, or those of Picture.Measured; none where nothing can.
	Measures []string
}

// Setting is the value of one setting.
type Setting struct{ Name, Value string }

// Picture is one that is shown.
type Picture struct {
	Name string
	// Note says what else there is to say in a few words: what a reference is, or
	// how a picture was made.
	Note  string
	Image image.Image // nil where there is none
	// Error says why there is none, or why it isn't finished.
	Error string

	// What follows is known of pictures that were made here. Of one that was painted under
	// several seeds, Image is the first one's, and numbers are means over the seeds.
	Settings   []Setting // those that differ between pictures, in the same order in each
	Iterations float64
	Seconds    float64
	Loss       float64
	Curve      []CurvePoint
	Measured   map[string][]CurvePoint // by measures that others have too

	Scores *Scores // nil where it wasn't scored

	// Seeds are the pictures under several seeds, Image among them; nil where there is but
	// one. Deviations are what goes with the means, nil of a single picture.
	Seeds      []Seeded
	Deviations *Deviations
}

// Seeded is a picture under one of several seeds.
type Seeded struct {
	Seed  uint64
	Name  string
	Image image.Image // nil where there is none
	Error string      // why there is none, or why it isn't finished
}

// Deviations are standard deviations over Count seeds.
type Deviations struct {
	Count         int
	Seconds, Loss float64
	Scores        Scores
}

// CurvePoint is a value after an iteration: a loss, or another measure. Of a mean over
// several seeds it has the least and the greatest, too; else these are 0.
type CurvePoint struct {
	Iteration      int
	Seconds, Value float64
	Low, High      float64
}

// Scores are those of model.Scores; a loss that is missing has no score.
type Scores struct {
	Style, Content map[string]float64
	Kept           float64 // NaN where it isn't known
}

// visible is the comparison with names that can be shown anywhere.
func (c Comparison) visible() Comparison {
	c.Title, c.Command = visible(c.Title), visible(c.Command)
	c.References, c.Pictures = visiblePictures(c.References), visiblePictures(c.Pictures)
	c.Common = visibleSettings(c.Common)
	return c
}

func visiblePictures(pictures []Picture) []Picture {
	pictures = slices.Clone(pictures)
	for i := range pictures {
		p := &pictures[i]
		p.Name, p.Note, p.Error, p.Settings = visible(p.Name), visible(p.Note), visible(p.Error), visibleSettings(p.Settings)
		p.Seeds = slices.Clone(p.Seeds)
		for k := range p.Seeds {
			p.Seeds[k].Name, p.Seeds[k].Error = visible(p.Seeds[k].Name), visible(p.Seeds[k].Error)
		}
	}
	return pictures
}

func visibleSettings(settings []Setting) []Setting {
	settings = slices.Clone(settings)
	for i, s := range settings {
		settings[i] = Setting{visible(s.Name), visible(s.Value)}
	}
	return settings
}
