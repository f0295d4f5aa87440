package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/losses"
	"impasto/model"
)

// stylizeOptions are the settings of impasto stylize: those of the picture, and
// where and how it is written.
type stylizeOptions struct {
	settings.Stylization
	Output string
	Depth  int // bits a channel
	JPEG   int // quality, 1–100
	// SaveEvery writes an intermediate picture every so many iterations; 0 never.
	SaveEvery int
}

func newStylizeOptions() *stylizeOptions {
	return &stylizeOptions{Stylization: settings.Default(), Depth: 8, JPEG: 95}
}

func (o *stylizeOptions) addFlags(f flagSet) {
	f.add(settings.Text(&o.Output, "FILE"), "output", "o", "where to write the picture: .png, .jpg or .tif")
	f.add(settings.Whole(&o.Depth, 8, 16, "BITS"), "depth", "", "bits a channel, 8 or 16; 16 in PNG and TIFF only")
	f.add(settings.Whole(&o.JPEG, 1, 100, "PERCENT"), "jpeg-quality", "", "quality of a JPEG, 1 to 100; from 90 on colours are kept at every pixel, below it four pixels share theirs")
	f.add(settings.Whole(&o.SaveEvery, 0, model.MaxIterations, "N"), "save-every", "", "also write the picture after every N iterations, as FILE-00100.png and so on; 0 never")
	f.addSettings(o.Table()...)
}

func newStylizeCommand(global *globalOptions) *cobra.Command {
	o := newStylizeOptions()
	cmd := &cobra.Command{
		Use:   "stylize CONTENT STYLE[:WEIGHT]… -o FILE",
		Short: "Paint a picture in the style of others",
		Long: `Stylize paints what CONTENT shows in the style of the STYLE pictures. Several
styles are blended by their weights, which are 1 unless given. Pictures are
read as ` + picture.Formats() + `, and written as PNG,
JPEG or TIFF, by the name's extension. The output appears whole or not at all,
and never replaces an input.

The first Ctrl-C stops after the current iteration and writes the best picture
so far; a second one stops at once.

The losses, which docs/losses.md shows side by side, compare of the features:

` + describeLosses(func(d losses.Description) string { return d.Help }) + `
With --json, standard output gets an object for every iteration, with the keys
event ("iteration"), scale, scales, width, height, iteration, iterations (at
this scale), done, total (over all scales), loss, terms (an object: the loss by
its parts), gradient_norm and seconds; and one for every picture written, with
event ("written"), path, final, interrupted, width, height, iterations, loss
and seconds.`,
		Example: `  impasto stylize photo.jpg painting.jpg -o painted.png
  impasto stylize photo.jpg wave.jpg:2 scream.jpg:1 -o blend.jpg --size 1024`,
		ValidArgsFunction: pictures,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fmt.Errorf("want a content picture and at least one style, got %s", report.Count(len(args), "picture"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd.Flags().Changed); err != nil {
				return err
			}
			return runStylize(cmd.Context(), *o, *global, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.addFlags(flagsOf(cmd, "Output"))
	return cmd
}

// check reports flags that are right by themselves but not together, and fits
// those that weren't given to those that were.
func (o *stylizeOptions) check(given func(flag string) bool) error {
	if err := o.Settle(given); err != nil {
		return usage(err)
	}
	if o.Output == "" {
		return usagef("stylize: nowhere to write; name a file with -o, as in -o painted.png")
	}
	if o.Depth != 8 && o.Depth != 16 {
		return usagef("--depth \"%d\": want 8 or 16", o.Depth)
	}
	if extension := strings.ToLower(filepath.Ext(o.Output)); o.Depth == 16 && (extension == ".jpg" || extension == ".jpeg") {
		return usagef("--depth 16: a JPEG has 8 bits a channel; write a .png or .tif, or leave --depth out")
	}
	return usage(o.Stylization.Check())
}

// runStylize does what the command says: args are the content and the styles.
func runStylize(ctx context.Context, o stylizeOptions, global globalOptions, args []string, stdout, stderr io.Writer) error {
	styles, err := parseStyles(args[1:])
	if err != nil {
		return err
	}
	if err := o.checkOutput(args[0], styles); err != nil {
		return err
	}
	content, painted, err := openPictures(ctx, args[0], styles, func(path string, p *picture.Picture) { printRemarks(stderr, global.Quiet, path, p) })
	if err != nil {
		return err
	}
	options, err := o.Open(ctx, nil)
	if err != nil {
		return err
	}
	defer announceInterrupt(ctx, stderr, global.Quiet)()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &stylization{
		options:  o,
		reporter: newReporter(stderr, global.Quiet, options),
		cancel:   cancel,
		started:  time.Now(),
	}
	if global.JSON {
		s.events = stdout
	}
	options.Progress = s.progress
	if global.Verbose {
		options.Begin, s.verbose = s.begin, true
	}
	result, err := model.Stylize(ctx, content, painted, options)
	s.reporter.finish()
	return s.finish(result, err, context.Cause(ctx))
}

// checkOutput reports, before any work, an output that can't be written or
// would replace an input.
func (o *stylizeOptions) checkOutput(content string, styles []styleArgument) error {
	inputs := []string{content}
	for _, s := range styles {
		inputs = append(inputs, s.path)
	}
	inputs = append(inputs, o.Files()...)
	if err := checkNotInput(o.Output, inputs); err != nil {
		return err
	}
	if o.SaveEvery > 0 {
		if err := checkNoSnapshot(o.Output, inputs); err != nil {
			return err
		}
	}
	return picture.CheckOutput(o.Output)
}

// openPictures reads the content and the styles, and hands each to opened.
func openPictures(ctx context.Context, contentPath string, arguments []styleArgument, opened func(path string, p *picture.Picture)) (image.Image, []model.Style, error) {
	content, err := picture.Open(ctx, contentPath)
	if err != nil {
		return nil, nil, err
	}
	opened(contentPath, content)
	var styles []model.Style
	for _, s := range arguments {
		style, err := picture.Open(ctx, s.path)
		if err != nil {
			return nil, nil, err
		}
		opened(s.path, style)
		styles = append(styles, model.Style{Image: style, Weight: s.weight})
	}
	return content, styles, nil
}

// stylization is one that is under way.
type stylization struct {
	options  stylizeOptions
	reporter reporter
	events   io.Writer // nil unless --json
	cancel   context.CancelCauseFunc
	started  time.Time
	verbose  bool
	remark   string // the last one that was told
}

// begin tells what a level takes.
func (s *stylization) begin(level model.Level) {
	s.reporter.note(fmt.Sprintf("scale %d/%d, %d×%d, takes %s on %s",
		level.Number, level.Levels, level.Width, level.Height, mebibytes(level.Memory), level.Device))
}

// progress shows and writes what is asked for after an iteration. What fails
// stops the run; the picture so far is written all the same.
func (s *stylization) progress(p model.Progress) {
	if s.verbose && p.Remark != "" && p.Remark != s.remark {
		s.remark = p.Remark
		s.reporter.note(p.Remark)
	}
	s.reporter.progress(p)
	if s.events != nil {
		if err := printJSON(s.events, newIterationEvent(p)); err != nil {
			s.cancel(err)
		}
	}
	if every := s.options.SaveEvery; every > 0 && p.Done%every == 0 && p.Done < p.Total {
		if err := s.snapshot(p); err != nil {
			s.cancel(err)
		}
	}
}

func (s *stylization) snapshot(p model.Progress) error {
	img, err := p.Picture()
	if err != nil {
		return err
	}
	return s.write(snapshotPath(s.options.Output, p.Done), &model.Result{Image: img, Last: p}, false, false)
}

// finish writes the result. Where the run ended early, by cause or by err of
// its own, the picture so far is written all the same.
func (s *stylization) finish(result *model.Result, err, cause error) error {
	if errors.Is(cause, context.Canceled) {
		cause = errInterrupted
	}
	if cause != nil {
		err = cause
	}
	switch {
	case err == nil:
		return s.write(s.options.Output, result, true, false)
	case result == nil || result.Last.Done == 0:
		return fmt.Errorf("%w; nothing was written", err)
	}
	if failed := s.write(s.options.Output, result, true, true); failed != nil {
		return fmt.Errorf("%w; the picture so far could not be written: %w", err, failed)
	}
	return fmt.Errorf("%w; the picture after %d of %s is in %s", err, result.Last.Done, report.Count(result.Last.Total, "iteration"), s.options.Output)
}

// write saves a picture and says so.
func (s *stylization) write(path string, result *model.Result, final, interrupted bool) error {
	err := picture.Save(path, result.Image, picture.SaveOptions{Depth: s.options.Depth, Quality: s.options.JPEG})
	if err != nil {
		return err
	}
	if final && picture.Flattens(path, result.Image) {
		s.reporter.note("the picture is transparent in part, which a JPEG can't be: it is laid on white; write a .png or .tif to keep that")
	}
	size, took := result.Image.Bounds().Size(), time.Since(s.started)
	s.reporter.note(fmt.Sprintf("wrote %s: %d×%d, %s in %s, loss %s", quote.Name(path), size.X, size.Y,
		report.Count(result.Last.Done, "iteration"), report.Duration(took), significant(result.Last.Loss)))
	if s.events == nil {
		return nil
	}
	return printJSON(s.events, writtenEvent{
		Event: "written", Path: path, Final: final, Interrupted: interrupted, Width: size.X, Height: size.Y,
		Iterations: result.Last.Done, Loss: result.Last.Loss, Seconds: took.Seconds(),
	})
}

// snapshotPath is where the intermediate picture after some iterations goes:
// beside the output, as painted-00100.png for painted.png.
func snapshotPath(output string, iterations int) string {
	extension := filepath.Ext(output)
	return fmt.Sprintf("%s-%05d%s", strings.TrimSuffix(output, extension), iterations, extension)
}

// checkNoSnapshot reports an input that an intermediate picture would replace.
func checkNoSnapshot(output string, inputs []string) error {
	extension := filepath.Ext(output)
	pattern := regexp.MustCompile("^" + regexp.QuoteMeta(strings.TrimSuffix(filepath.Base(output), extension)) +
		`-\d{5,}` + regexp.QuoteMeta(extension) + "$")
	folder, _ := os.Stat(filepath.Dir(output))
	for _, input := range inputs {
		if !pattern.MatchString(filepath.Base(input)) {
			continue
		}
		if other, err := os.Stat(filepath.Dir(input)); err == nil && folder != nil && os.SameFile(folder, other) {
			return usagef("--save-every: an intermediate picture might replace the input %s; choose another output with -o", input)
		}
	}
	return nil
}

// What happens to a stylisation is told as one JSON object a line. The keys are a
// promise to scripts.

// iterationEvent is written after every iteration.
type iterationEvent struct {
	Event        string             `json:"event"` // "iteration"
	Scale        int                `json:"scale"` // from 1
	Scales       int                `json:"scales"`
	Width        int                `json:"width"` // of the picture at this scale, in pixels
	Height       int                `json:"height"`
	Iteration    int                `json:"iteration"` // at this scale, from 1
	Iterations   int                `json:"iterations"`
	Done         int                `json:"done"` // over all scales
	Total        int                `json:"total"`
	Loss         float64            `json:"loss"`
	Terms        map[string]float64 `json:"terms"` // the loss by its parts, which sum to it
	GradientNorm float64            `json:"gradient_norm"`
	Seconds      float64            `json:"seconds"` // since the start
}

// writtenEvent is written after a picture was.
type writtenEvent struct {
	Event       string  `json:"event"` // "written"
	Path        string  `json:"path"`
	Final       bool    `json:"final"`       // false for an intermediate picture
	Interrupted bool    `json:"interrupted"` // the final picture isn't the finished one
	Width       int     `json:"width"`
	Height      int     `json:"height"`
	Iterations  int     `json:"iterations"`
	Loss        float64 `json:"loss"`
	Seconds     float64 `json:"seconds"`
}

func newIterationEvent(p model.Progress) iterationEvent {
	terms := make(map[string]float64, len(p.Terms))
	for _, t := range p.Terms {
		terms[t.Name] = t.Value
	}
	return iterationEvent{
		Event: "iteration", Scale: p.Level, Scales: p.Levels, Width: p.Width, Height: p.Height,
		Iteration: p.Iteration, Iterations: p.Iterations, Done: p.Done, Total: p.Total,
		Loss: p.Loss, Terms: terms, GradientNorm: p.GradientNorm, Seconds: p.Elapsed.Seconds(),
	}
}
