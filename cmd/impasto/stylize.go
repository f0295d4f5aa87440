package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"impasto/internal/picture"
	"impasto/losses"
	"impasto/model"
	"impasto/weights"
)

// Bounds of what the flags accept. A weight beyond them only overflows or
// vanishes in float32 beside the others.
const (
	minLayerWeight = 1e-6
	maxWeight      = 1e6
	maxSide        = 16384
	maxIterations  = 1_000_000
)

// stylizeOptions are the settings of impasto stylize: the library's, and where
// the program reads and writes.
type stylizeOptions struct {
	model.Options
	Output  string
	Depth   int    // bits a channel
	JPEG    int    // quality, 1–100
	Quality string // a preset of how long to descend
	// SaveEvery writes an intermediate picture every so many iterations; 0 never.
	SaveEvery int
	// Start is content, style, grey, noise or a file.
	Start string
	// Weights is a file; empty uses the embedded ones.
	Weights string
}

func newStylizeOptions() *stylizeOptions {
	o := &stylizeOptions{Options: model.DefaultOptions(), Depth: 8, JPEG: 95, Quality: "good"}
	o.Start = string(o.Options.Start)
	return o
}

func (o *stylizeOptions) addFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	o.addOutputFlags(flagSet{flags, "Output"})
	o.addPictureFlags(flags)
}

func (o *stylizeOptions) addOutputFlags(f flagSet) {
	f.add(freeText{&o.Output, "FILE"}, "output", "o", "where to write the picture: .png, .jpg or .tif")
	f.add(wholeNumber{&o.Depth, 8, 16, "BITS"}, "depth", "", "bits a channel, 8 or 16; 16 in PNG and TIFF only")
	f.add(wholeNumber{&o.JPEG, 1, 100, "PERCENT"}, "jpeg-quality", "", "quality of a JPEG, 1 to 100")
	f.add(wholeNumber{&o.SaveEvery, 0, maxIterations, "N"}, "save-every", "", "also write the picture after every `N` iterations, as FILE-00100.png and so on; 0 never")
}

// addPictureFlags adds those that make the picture what it is.
func (o *stylizeOptions) addPictureFlags(flags *pflag.FlagSet) {
	f := flagSet{flags, "Size"}
	f.add(wholeNumber{&o.Size, 1, maxSide, "PIXELS"}, "size", "s", "longer side of the output, 1 to 16384; time and memory grow with its square")
	f.add(wholeNumber{&o.MinSize, 1, maxSide, "PIXELS"}, "min-size", "", "longer side at the first scale; scales grow by √2 from there to --size")
	f.add(wholeNumber{&o.StyleSize, 0, maxSide, "PIXELS"}, "style-size", "", "longer side of the styles at every scale; 0 leaves it to --style-scale")
	f.add(realNumber{&o.StyleScale, 1. / 64, 64, "FACTOR"}, "style-scale", "", "size of the styles beside the output's at each scale, 1/64 to 64; larger gives larger brush strokes")

	f.heading = "Style and content"
	f.add(choice{&o.Loss, "loss", losses.Names()}, "loss", "l", "how features are compared with the styles': "+strings.Join(losses.Names(), ", "))
	f.add(layerLosses{&o.LayerLoss}, "layer-loss", "", "another loss for one style layer, as in relu1_1=gram; may be repeated")
	f.add(wholeNumber{&o.Samples, 0, 1 << 20, "N"}, "samples", "", "positions of a layer that sinkhorn, relaxed and mmd look at in one evaluation, 16 or more; time goes with the square; 0 leaves it to the loss")
	f.add(layerWeights{&o.StyleLayers}, "style-layers", "", "layers whose features carry style, each with its weight; only their proportions count")
	f.add(layerWeights{&o.ContentLayers}, "content-layers", "", "layers whose features carry content, likewise")
	f.add(realNumber{&o.ContentWeight, 0, maxWeight, "WEIGHT"}, "content-weight", "", "what content counts beside style, which counts 1; 0 makes a texture of the styles")
	f.add(choice{&o.ContentLoss, "content loss", losses.ContentNames()}, "content-loss", "", "scaled (squared difference over its absolute sum) or mse (mean squared difference)")
	f.add(realNumber{&o.TotalVariationWeight, 0, maxWeight, "WEIGHT"}, "tv-weight", "", "what smoothness counts; 0 leaves grain, 40 blurs")

	f.heading = "Optimisation"
	f.add(choice{&o.Quality, "quality", model.QualityNames()}, "quality", "", "how long to go on: draft (a look in a fraction of the time), good, best, or reference (Adam with 1000 and 500 iterations, the recipe of style-transfer-pytorch); the next three flags override it")
	f.add(choice{(*string)(&o.Optimizer), "optimizer", model.OptimizerNames()}, "optimizer", "", "adam or lbfgs")
	f.add(wholeNumber{&o.FirstIterations, 1, maxIterations, "N"}, "first-iterations", "", "iterations at the first scale")
	f.add(wholeNumber{&o.Iterations, 1, maxIterations, "N"}, "iterations", "n", "iterations at each other scale")
	f.add(freeText{&o.Start, "START"}, "start", "", "what to start from: content, style (noise in the styles' colours), grey, noise, or a FILE")
	f.add(realNumber{&o.StepSize, 1e-6, 1, "STEP"}, "step-size", "", "Adam's step, in units of the range from black to white")
	f.add(realNumber{&o.AverageDecay, 0, 0.9999, "DECAY"}, "average-decay", "", "decay of the average of Adam's iterates, which is the result; 0 takes the last")
	f.seed(&o.Seed)

	f.heading = "Network and machine"
	f.network(&o.Pooling, &o.Padding)
	f.boolean(&o.PlainPooling, "plain-pooling", "leave average and L2 pooling unscaled, as Gatys et al. do")
	f.weights(&o.Weights)
	f.machine(&o.Device, &o.Threads)
	f.precision(&o.Precision)
}

func newStylizeCommand(global *globalOptions) *cobra.Command {
	o := newStylizeOptions()
	cmd := &cobra.Command{
		Use:   "stylize CONTENT STYLE[:WEIGHT]… -o FILE",
		Short: "Paint a picture in the style of others",
		Long: `Stylize paints what CONTENT shows in the style of the STYLE pictures. Several
styles are blended by their weights, which are 1 unless given. Pictures are
read as PNG, JPEG, TIFF or WebP and written as PNG, JPEG or TIFF, by the name's
extension. The output appears whole or not at all, and never replaces an input.

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
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fmt.Errorf("want a content picture and at least one style, got %s", count(len(args), "picture"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.settle(cmd.Flags().Changed); err != nil {
				return err
			}
			if err := o.checkOutputFlags(); err != nil {
				return err
			}
			if err := o.checkPictureFlags(); err != nil {
				return err
			}
			return runStylize(cmd.Context(), *o, *global, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// setQuality sets what the preset sets and no flag has.
func (o *stylizeOptions) setQuality(changed func(flag string) bool) error {
	given := o.Options
	if err := o.SetQuality(o.Quality); err != nil {
		return err
	}
	if changed("optimizer") {
		o.Optimizer = given.Optimizer
	}
	if changed("first-iterations") {
		o.FirstIterations = given.FirstIterations
	}
	if changed("iterations") {
		o.Iterations = given.Iterations
	}
	for _, flag := range []string{"step-size", "average-decay"} {
		if changed(flag) && !o.Optimizer.Averages() {
			return usagef("--%s is Adam's; add --optimizer adam", flag)
		}
	}
	return nil
}

// settle fits what wasn't given to what was.
func (o *stylizeOptions) settle(changed func(flag string) bool) error {
	if !changed("min-size") {
		o.MinSize = min(o.MinSize, o.Size)
	}
	return o.setQuality(changed)
}

// checkOutputFlags reports flags that are right by themselves but not together.
func (o *stylizeOptions) checkOutputFlags() error {
	if o.Output == "" {
		return usagef("stylize: nowhere to write; name a file with -o, as in -o painted.png")
	}
	if o.Depth != 8 && o.Depth != 16 {
		return usagef("--depth \"%d\": want 8 or 16", o.Depth)
	}
	if extension := strings.ToLower(filepath.Ext(o.Output)); o.Depth == 16 && (extension == ".jpg" || extension == ".jpeg") {
		return usagef("--depth 16: a JPEG has 8 bits a channel; write a .png or .tif, or leave --depth out")
	}
	return nil
}

// checkPictureFlags does the same for those that make the picture what it is.
func (o *stylizeOptions) checkPictureFlags() error {
	if o.MinSize > o.Size {
		return usagef("--min-size %d is larger than --size %d", o.MinSize, o.Size)
	}
	for _, layer := range slices.Sorted(maps.Keys(o.LayerLoss)) {
		if !slices.ContainsFunc(o.StyleLayers, func(w model.LayerWeight) bool { return w.Layer == layer }) {
			return usagef("--layer-loss %s=%s: %s is no style layer; add it to --style-layers", layer, o.LayerLoss[layer], layer)
		}
	}
	if !slices.Contains(starts, o.Start) && !fileExists(o.Start) {
		return usagef("--start %q: neither content, style, grey or noise nor a file%s", o.Start, didYouMean(o.Start, starts, ""))
	}
	if err := o.Options.Check(); err != nil {
		return usagef("%s", strings.TrimPrefix(err.Error(), "model: "))
	}
	return nil
}

// starts are those that aren't files.
var starts = []string{"content", "style", "grey", "noise"}

// runStylize does what the command says: args are the content and the styles.
func runStylize(ctx context.Context, o stylizeOptions, global globalOptions, args []string, stdout, stderr io.Writer) error {
	styleArguments, err := parseStyles(args[1:])
	if err != nil {
		return err
	}
	inputs := []string{args[0]}
	for _, s := range styleArguments {
		inputs = append(inputs, s.path)
	}
	if err := o.checkOutput(inputs); err != nil {
		return err
	}
	content, styles, err := o.open(args[0], styleArguments)
	if err != nil {
		return err
	}
	if !global.Quiet && isTerminal(stderr) {
		stop := context.AfterFunc(ctx, func() {
			fmt.Fprintln(stderr, "\nstopping after this iteration; Ctrl-C again stops at once")
		})
		defer stop()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &stylization{
		options:  o,
		reporter: newReporter(stderr, global.Quiet, o.Options),
		cancel:   cancel,
		started:  time.Now(),
	}
	if global.JSON {
		s.events = stdout
	}
	o.Progress = s.progress
	if global.Verbose {
		o.Begin, s.verbose = s.begin, true
	}
	result, err := model.Stylize(ctx, content.Image(), styles, o.Options)
	s.reporter.finish()
	return s.finish(result, err, context.Cause(ctx))
}

// checkOutput reports, before any work, an output that can't be written or
// would replace an input.
func (o *stylizeOptions) checkOutput(inputs []string) error {
	for _, file := range []string{o.Start, o.Weights} {
		if file != "" {
			inputs = append(inputs, file)
		}
	}
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

// open reads the pictures and the weights.
func (o *stylizeOptions) open(contentPath string, arguments []styleArgument) (*picture.Picture, []model.Style, error) {
	content, err := picture.Open(contentPath)
	if err != nil {
		return nil, nil, err
	}
	var styles []model.Style
	for _, s := range arguments {
		style, err := picture.Open(s.path)
		if err != nil {
			return nil, nil, err
		}
		styles = append(styles, model.Style{Image: style.Image(), Weight: s.weight})
	}
	o.Options.Start = model.Start(o.Start)
	if !slices.Contains(starts, o.Start) {
		start, err := picture.Open(o.Start)
		if err != nil {
			return nil, nil, err
		}
		o.Options.Start, o.StartImage = model.StartFromImage, start.Image()
	}
	if o.Weights != "" {
		if o.Parameters, err = weights.Open(o.Weights); err != nil {
			return nil, nil, err
		}
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
	return fmt.Errorf("%w; the picture after %d of %s is in %s", err, result.Last.Done, count(result.Last.Total, "iteration"), s.options.Output)
}

// write saves a picture and says so.
func (s *stylization) write(path string, result *model.Result, final, interrupted bool) error {
	err := picture.Save(path, result.Image, picture.SaveOptions{Depth: s.options.Depth, Quality: s.options.JPEG})
	if err != nil {
		return err
	}
	size, took := result.Image.Bounds().Size(), time.Since(s.started)
	s.reporter.note(fmt.Sprintf("wrote %s: %d×%d, %s in %s, loss %s", path, size.X, size.Y,
		count(result.Last.Done, "iteration"), roundTime(took), significant(result.Last.Loss)))
	if s.events == nil {
		return nil
	}
	return printJSON(s.events, writtenEvent{
		Event: "written", Path: path, Final: final, Interrupted: interrupted, Width: size.X, Height: size.Y,
		Iterations: result.Last.Done, Loss: result.Last.Loss, Seconds: took.Seconds(),
	})
}
