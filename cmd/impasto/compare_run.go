package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"impasto/internal/picture"
	"impasto/internal/report"
	"impasto/model"
)

// comparison is one that is under way.
type comparison struct {
	options        compareOptions
	cells          []cell
	contentPath    string
	styleArguments []styleArgument
	content        *picture.Picture
	styles         []*picture.Picture
	parameters     parameterSet
	digests        map[string]string // of the files that are read, by path
	entries        []*entry          // the content, a cell each, and the others
	scorer         *model.Scorer

	global         globalOptions
	stdout, stderr io.Writer
}

// entry is a picture and all that is known of it.
type entry struct {
	pictureReport
	image  image.Image // nil where there is none
	digest string      // of the picture's file
	curve  []report.CurvePoint
	reused bool
}

// The kinds of entries.
const (
	kindContent = "content"
	kindMade    = "made"
	kindAlso    = "also"
)

// The names in the folder.
const (
	pictureFolder = "pictures"
	sheetFile     = "sheet.png"
	pageFile      = "index.html"
	scoresFile    = "scores.json"
)

// newComparison reads everything that is read and checks that everything that
// is written can be, before any work.
func newComparison(o compareOptions, cells []cell, args []string) (*comparison, error) {
	c := &comparison{options: o, cells: cells, contentPath: args[0], digests: map[string]string{}, parameters: parameterSet{}}
	var err error
	if c.styleArguments, err = parseStyles(args[1:]); err != nil {
		return nil, err
	}
	if c.content, err = picture.Open(c.contentPath); err != nil {
		return nil, err
	}
	var styles []model.Style
	for _, s := range c.styleArguments {
		p, err := picture.Open(s.path)
		if err != nil {
			return nil, err
		}
		c.styles = append(c.styles, p)
		styles = append(styles, model.Style{Image: p.Image(), Weight: s.weight})
	}
	if err := c.listEntries(); err != nil {
		return nil, err
	}
	if err := c.digestInputs(); err != nil {
		return nil, err
	}
	if err := c.checkOutputs(); err != nil {
		return nil, err
	}
	scored := c.scoreOptions()
	if scored.Parameters, err = c.parameters.open(o.Weights); err != nil {
		return nil, err
	}
	c.scorer, err = model.NewScorer(c.content.Image(), styles, comparedLosses(), scored)
	if err != nil {
		return nil, fmt.Errorf("compare: scores at --score-size %d: %s", scored.Size, strings.TrimPrefix(err.Error(), "model: "))
	}
	return c, nil
}

// listEntries makes the entries and opens those pictures that there are.
func (c *comparison) listEntries() error {
	c.entries = []*entry{{pictureReport: pictureReport{Name: "content", Kind: kindContent, File: c.contentPath}, image: c.content.Image()}}
	for _, cell := range c.cells {
		e := &entry{pictureReport: pictureReport{
			Name: cell.name(), Kind: kindMade, File: filepath.ToSlash(filepath.Join(pictureFolder, cell.file()+".png")), Settings: map[string]string{}}}
		for _, s := range cell.settings {
			e.Settings[s.Name] = s.Value
		}
		c.entries = append(c.entries, e)
	}
	for _, path := range c.options.Also {
		p, err := picture.Open(path)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if slices.ContainsFunc(c.entries, func(e *entry) bool { return e.Name == name }) {
			name = path
		}
		c.entries = append(c.entries, &entry{pictureReport: pictureReport{Name: name, Kind: kindAlso, File: path}, image: p.Image()})
	}
	return nil
}

// inputs are the files that are read, other than weights and starts.
func (c *comparison) inputs() []string {
	paths := []string{c.contentPath}
	for _, s := range c.styleArguments {
		paths = append(paths, s.path)
	}
	return append(paths, c.options.Also...)
}

func (c *comparison) digestInputs() error {
	paths := c.inputs()
	for _, cell := range c.cells {
		paths = append(paths, cell.options.files()...)
	}
	for _, path := range append(paths, c.options.files()...) {
		if c.digests[path] != "" {
			continue
		}
		var err error
		if c.digests[path], err = fileDigest(path); err != nil {
			return fmt.Errorf("compare: %w", err)
		}
	}
	for _, e := range c.entries {
		if e.Kind != kindMade {
			e.digest = c.digests[e.File]
		}
	}
	return nil
}

// files are those that settings name.
func (o *stylizeOptions) files() []string {
	var files []string
	if !slices.Contains(starts, o.Start) {
		files = append(files, o.Start)
	}
	if o.Weights != "" {
		files = append(files, o.Weights)
	}
	return files
}

// fileDigest is the SHA-256 of a file's bytes.
func fileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// checkOutputs makes the folders, and reports what would replace an input.
func (c *comparison) checkOutputs() error {
	folder := c.options.Output
	if err := os.MkdirAll(filepath.Join(folder, pictureFolder), 0o777); err != nil {
		return fmt.Errorf("compare: make the folder: %w", err)
	}
	var inputs []string
	for path := range c.digests {
		inputs = append(inputs, path)
	}
	slices.Sort(inputs)
	for _, name := range []string{sheetFile, pageFile, scoresFile} {
		path := filepath.Join(folder, name)
		if err := checkNotInput(path, inputs); err != nil {
			return err
		}
		if err := picture.CheckFile(path); err != nil {
			return err
		}
	}
	for _, e := range c.entries {
		if e.Kind != kindMade {
			continue
		}
		path := filepath.Join(folder, filepath.FromSlash(e.File))
		if err := checkNotInput(path, inputs); err != nil {
			return err
		}
		if err := picture.CheckFile(path); err != nil {
			return err
		}
	}
	return nil
}

// say prints a line for people.
func (c *comparison) say(format string, values ...any) {
	if !c.global.Quiet {
		fmt.Fprintf(c.stderr, format+"\n", values...)
	}
}

// paintAll makes the pictures that aren't there yet.
func (c *comparison) paintAll(ctx context.Context) error {
	if !c.global.Quiet && isTerminal(c.stderr) {
		stop := context.AfterFunc(ctx, func() {
			fmt.Fprintln(c.stderr, "\nstopping after this iteration; Ctrl-C again stops at once")
		})
		defer stop()
	}
	for i, cell := range c.cells {
		e := c.entries[1+i]
		if ctx.Err() != nil {
			return c.interrupted(i)
		}
		where := fmt.Sprintf("%s (%d of %d)", cell.name(), i+1, len(c.cells))
		record, key, err := c.find(cell)
		if err != nil {
			return err
		}
		if record != nil {
			c.say("%s is there already", where)
			e.take(record)
			e.reused = true
			continue
		}
		c.say("painting %s", where)
		err = c.paint(ctx, cell, e, key)
		switch {
		case ctx.Err() != nil:
			return c.interrupted(i)
		case err != nil:
			e.Error = failureText(err)
			c.say("%s failed: %s", where, e.Error)
		}
	}
	return nil
}

func (c *comparison) interrupted(done int) error {
	return fmt.Errorf("%w after %d of %s; they are in %s, and the same command goes on from there",
		errInterrupted, done, count(len(c.cells), "picture"), c.options.Output)
}

// paint makes one picture and its record. Of a run that failed on its way it keeps
// the last good picture.
func (c *comparison) paint(ctx context.Context, cell cell, e *entry, key string) error {
	o := cell.options
	content, styles, err := o.open(c.contentPath, c.styleArguments)
	if err != nil {
		return err
	}
	if o.Parameters, err = c.parameters.open(o.Weights); err != nil {
		return err
	}
	reporter := newReporter(c.stderr, c.global.Quiet, o.Options)
	var curve []report.CurvePoint
	o.Progress = func(p model.Progress) {
		reporter.progress(p)
		curve = append(curve, report.CurvePoint{Iteration: p.Done, Seconds: p.Elapsed.Seconds(), Loss: p.Loss})
	}
	result, err := model.Stylize(ctx, content.Image(), styles, o.Options)
	reporter.finish()
	if err != nil && (ctx.Err() != nil || result == nil || result.Last.Done == 0) {
		return err
	}
	r := &record{
		Key: key, Name: cell.name(), Version: buildVersion(), Settings: cell.options.settings(), Error: failureText(err),
		Iterations: result.Last.Done, Seconds: result.Last.Elapsed.Seconds(), Loss: result.Last.Loss, Curve: thin(curve),
	}
	if saveErr := c.keep(cell, e, r, result.Image); saveErr != nil {
		return errors.Join(err, saveErr)
	}
	if err != nil {
		return fmt.Errorf("%w; the picture after %d of %s is kept", err, result.Last.Done, count(result.Last.Total, "iteration"))
	}
	return nil
}

// keep writes a picture and its record, and shows what was written in the entry.
func (c *comparison) keep(cell cell, e *entry, r *record, img image.Image) error {
	path := filepath.Join(c.options.Output, filepath.FromSlash(e.File))
	err := picture.Save(path, img, picture.SaveOptions{})
	if err != nil {
		return err
	}
	if r.Picture, err = fileDigest(path); err != nil {
		return err
	}
	saved, err := picture.Open(path)
	if err != nil {
		return err
	}
	r.image = saved.Image()
	if err := writeJSON(c.recordPath(cell.file()), r); err != nil {
		return err
	}
	e.take(r)
	took := time.Duration(r.Seconds * float64(time.Second))
	c.say("wrote %s: %s in %s, loss %s", path, count(r.Iterations, "iteration"), roundTime(took), significant(r.Loss))
	return nil
}

// failureText is what is shown of an error, in one line; nothing for none.
func failureText(err error) string {
	if err == nil {
		return ""
	}
	return oneLine(strings.TrimPrefix(err.Error(), "model: "))
}

// take fills an entry from a record.
func (e *entry) take(r *record) {
	e.image, e.digest = r.image, r.Picture
	e.Iterations, e.Seconds, e.Loss = r.Iterations, r.Seconds, r.Loss
	e.curve = e.curve[:0]
	for _, p := range r.Curve {
		e.curve = append(e.curve, report.CurvePoint{Iteration: int(p[0]), Seconds: p[1], Loss: p[2]})
	}
}

// failure is the error of a comparison in which pictures failed.
func (c *comparison) failure() error {
	var failed []string
	for _, e := range c.entries {
		if e.Error != "" {
			failed = append(failed, fmt.Sprintf("%s (%s)", e.Name, e.Error))
		}
	}
	if failed == nil {
		return nil
	}
	return fmt.Errorf("compare: %d of %s failed: %s", len(failed), count(len(c.cells), "picture"), strings.Join(failed, "; "))
}
