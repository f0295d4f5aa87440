// Package compare paints the same pictures in several ways, scores the results
// under every loss, and shows them together in a folder: the pictures, each with a
// record of what made it, a contact sheet, a page and a file of scores. What the
// records show to be there already isn't made again.
//
// Settings are those of package settings, and errors name them as it does.
package compare

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/losses"
	"impasto/model"
)

// DefaultScoreSize is the longer side, in pixels, that pictures are scored at.
const DefaultScoreSize = 128

// Options say what is compared and where it goes.
type Options struct {
	Content string // a file
	Styles  []Style
	// Also are files with pictures that other programs made of the same, which are
	// shown and scored too.
	Also []string

	// Cells are the pictures to make, as Grid makes them of Base and, for several Seeds,
	// UnderSeeds of those.
	Cells []Cell
	// Seeds are those that variants are painted under, and of which means are taken; none
	// leaves each cell by itself.
	Seeds []uint64
	// Base has the layers and the network that pictures are scored with, and shows
	// what doesn't vary.
	Base settings.Stylization
	// Seconds is the time for each picture; 0 leaves it to the iterations.
	Seconds float64

	// Losses are those that pictures are scored under, of different names; none stand
	// for losses.Usable. Records tell losses by their names, so another loss wants
	// another name.
	Losses []losses.Loss
	// ScoreSize is the longer side, in pixels, that pictures are scored at, and no
	// more than that of the largest cell; 0 means DefaultScoreSize. Some losses take
	// time with its fourth power.
	ScoreSize int

	Folder  string // where everything goes; made where it isn't there
	Version string // of the program: a picture of another one is made again
	Command string // that the page shows; may be empty

	// Describe, unless nil, returns what the file of a picture says of how it was made.
	Describe func(Made) picture.Made

	// Painter, unless nil, paints the cells, of which it doesn't tell that they are Painting
	// or Iterated.
	Painter Painter

	// Announce has Run tell, before it paints, what that will take, which it finds out in
	// some tenths of a second for each picture.
	Announce bool
	// Progress, unless nil, is told what happens, on the goroutine that calls Run. An
	// error of it ends Run.
	Progress func(Event) error
}

// Made is how a picture of a cell was made.
type Made struct {
	Cell Cell
	settings.Making
}

// Style is one style picture.
type Style struct {
	File   string  `json:"file"`
	Weight float64 `json:"weight"` // beside the others', above 0
}

// Kind is where a picture of a comparison comes from.
type Kind string

// The kinds of pictures.
const (
	KindContent Kind = "content"
	KindMade    Kind = "made" // here, of a cell
	KindAlso    Kind = "also" // by another program
)

// Picture is what is known of one. The keys of its JSON are a promise to scripts.
type Picture struct {
	Name       string            `json:"name"`
	Kind       Kind              `json:"kind"`
	File       string            `json:"file"`               // one that was made: in the folder, with slashes
	Settings   map[string]string `json:"settings,omitempty"` // those that vary
	Error      string            `json:"error,omitempty"`    // why it isn't finished, or not there
	Iterations int               `json:"iterations"`
	Seconds    float64           `json:"seconds"`
	Loss       float64           `json:"loss"` // at the end
	// Remarks say in what it may not be what was asked for.
	Remarks []string `json:"remarks,omitempty"`
	// Style and Content are the scores against the styles and the content, by loss,
	// and Kept is the content loss, as in model.Scores; nil where there is none, and
	// both maps where the picture isn't there.
	Style    map[string]*float64 `json:"style,omitempty"`
	Content  map[string]*float64 `json:"content,omitempty"`
	Kept     *float64            `json:"kept"`
	Problems map[string]string   `json:"problems,omitempty"` // by loss, why there is no score
	Reused   bool                `json:"-"`                  // it was there already
}

// Time is how long it took.
func (p Picture) Time() time.Duration { return time.Duration(p.Seconds * float64(time.Second)) }

// Report is all that is known of a comparison, as scores.json has it.
type Report struct {
	Content   string    `json:"content"`
	Styles    []Style   `json:"styles"`
	Losses    []string  `json:"losses"`
	ScoreSize [2]int    `json:"score_size"` // width and height
	Pictures  []Picture `json:"pictures"`
	// With several seeds: these, and what is known of the pictures that differ in nothing
	// else.
	Seeds    []uint64  `json:"seeds,omitempty"`
	Variants []Variant `json:"variants,omitempty"`
}

// Comparison is one that is under way.
type Comparison struct {
	options  Options
	content  *picture.Source
	styles   []*picture.Source
	networks settings.Networks
	digests  map[string]string // of the files that are read, by path
	entries  []*entry          // the content, a cell each, and the others
	scorer   *model.Scorer
	ruler    *ruler  // nil where pictures descend on one loss, which needs no other measure
	refused  error   // by who is told of remarks
	memory   []int64 // that cells are planned to take, in bytes
	watch    Watch   // of a cell that is painted for somebody else
	most     int     // the longer side of the largest cell of those that it is one of
}

// New reads everything that is read and checks that everything that is written can
// be, before any work. Where an input would be replaced, the error is an
// *OverwriteError. Close the comparison in the end.
func New(ctx context.Context, o Options) (*Comparison, error) {
	if len(o.Cells) == 0 || len(o.Styles) == 0 {
		return nil, fmt.Errorf("compare: got %s and %s, want one of each at least", report.Count(len(o.Cells), "cell"), report.Count(len(o.Styles), "style"))
	}
	if len(o.Losses) == 0 {
		o.Losses = losses.Usable()
	}
	if err := losses.CheckNames(o.Losses); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	if o.ScoreSize == 0 {
		o.ScoreSize = DefaultScoreSize
	}
	o.Cells = timed(o.Cells, o.Seconds)
	c := &Comparison{options: o, networks: settings.Networks{}, memory: make([]int64, len(o.Cells))}
	for _, step := range []func() error{
		func() error { return c.openPictures(ctx) },
		func() error { return c.digestInputs(ctx) },
		c.checkOutputs,
		func() error { return c.openScorer(ctx) },
		func() error { return c.openRuler(ctx) },
	} {
		if err := step(); err != nil {
			if c.scorer != nil {
				err = errors.Join(err, c.Close())
			}
			return nil, err
		}
	}
	return c, nil
}

// Close frees the devices that scores are computed on.
func (c *Comparison) Close() error { return errors.Join(c.scorer.Close(), c.ruler.close()) }

// Run makes the pictures that aren't there, scores all, and writes the files that
// show them. A picture that fails doesn't end it; see Failure. Where ctx ends it,
// the error is an *InterruptedError, and another Run, or one of a comparison with
// the same options, goes on from there.
func (c *Comparison) Run(ctx context.Context) error {
	if err := c.announce(ctx); err != nil {
		return err
	}
	paint := c.paintAll
	if c.options.Painter != nil {
		paint = c.orderAll
	}
	if err := paint(ctx); err != nil {
		return err
	}
	if err := c.scoreAll(ctx); err != nil {
		return err
	}
	return c.write(ctx)
}

// Report is what is known by now.
func (c *Comparison) Report() Report {
	r := Report{Content: c.options.Content, Styles: c.options.Styles, Losses: losses.NamesOf(c.options.Losses)}
	r.ScoreSize[0], r.ScoreSize[1] = c.scorer.Size()
	for _, e := range c.entries {
		r.Pictures = append(r.Pictures, e.Picture)
	}
	r.Seeds, r.Variants = c.options.Seeds, c.variants()
	return r
}

// Failure is an error that names the pictures that failed and why, or nil.
func (c *Comparison) Failure() error {
	var failed []string
	for _, e := range c.entries {
		if e.Error != "" {
			failed = append(failed, fmt.Sprintf("%s (%s)", e.Name, e.Error))
		}
	}
	if failed == nil {
		return nil
	}
	return fmt.Errorf("compare: %d of %s failed: %s", len(failed), report.Count(len(c.options.Cells), "picture"), strings.Join(failed, "; "))
}

// OverwriteError says that a file of the comparison would replace one that it reads.
type OverwriteError struct{ Output, Input string }

func (e *OverwriteError) Error() string {
	return fmt.Sprintf("compare: output %s is the input %s, want another folder", e.Output, e.Input)
}

// InterruptedError says how far a comparison came before its context ended.
type InterruptedError struct {
	Done, Count int // pictures made, and to be made
	Folder      string
	cause       error
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("compare: interrupted after %d of %s in %s", e.Done, report.Count(e.Count, "picture"), e.Folder)
}

// Unwrap returns the context's error.
func (e *InterruptedError) Unwrap() error { return e.cause }

// interrupted is the error of a comparison whose context has ended.
func (c *Comparison) interrupted(ctx context.Context, done int) error {
	return &InterruptedError{Done: done, Count: len(c.options.Cells), Folder: c.options.Folder, cause: ctx.Err()}
}

// failureText is what is shown of an error, in one line; nothing for none.
func failureText(err error) string {
	if err == nil {
		return ""
	}
	return quote.Line(strings.TrimPrefix(err.Error(), "model: "))
}
