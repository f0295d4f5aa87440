package report

import (
	"image"
	"math"
	"strconv"
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

	// What follows is known of pictures that were made here.
	Settings   []Setting // those that differ between pictures
	Iterations int
	Seconds    float64
	Loss       float64
	Curve      []CurvePoint

	Scores *Scores // nil where it wasn't scored
}

// CurvePoint is the loss after an iteration.
type CurvePoint struct {
	Iteration     int
	Seconds, Loss float64
}

// Scores are those of model.Scores; a loss that is missing has no score.
type Scores struct {
	Style, Content map[string]float64
	Kept           float64 // NaN where it isn't known
}

// ScoreText writes a score for people: three digits, and what is as good as zero
// as 0.000. A score that isn't known, NaN, is a dash.
func ScoreText(value float64) string {
	switch {
	case math.IsNaN(value):
		return "–"
	case math.Abs(value) < 1e-4:
		return "0.000"
	}
	return strconv.FormatFloat(value, 'g', 3, 64)
}
