package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/bench"
	"impasto/internal/picture"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/losses"
	"impasto/model"
)

// benchPictureOptions are the settings of impasto bench picture: those of the pictures that
// it paints, and what it compares.
type benchPictureOptions struct {
	settings.Stylization
	Compared        []losses.Loss
	Qualities       []string
	ContentDistance float64
	Label           string
	With            []string // files of earlier runs
	Plot            string   // a file; empty draws none
}

func newBenchPictureOptions() *benchPictureOptions {
	o := &benchPictureOptions{
		Stylization:     settings.Default(),
		Qualities:       []string{"draft", "good", "best"},
		ContentDistance: 0.73,
	}
	for _, name := range []string{"gram", "gaussian", "sliced"} {
		o.Compared = append(o.Compared, losses.Must(losses.Named(name)))
	}
	o.Options.Size = 256
	return o
}

// unbenched are settings of a stylisation that vary here, or under which pictures aren't to
// come near to the style as a whole.
var unbenched = []string{"strength", "loss", "quality", "mask", "protect", "keep-colors", "color-method"}

func (o *benchPictureOptions) addFlags(f flagSet) {
	f.add(settings.Losses(&o.Compared), "losses", "l", "losses to paint with, with commas between them; may be repeated")
	f.add(settings.Names(&o.Qualities, "quality", model.QualityNames()), "qualities", "", "qualities to paint in, likewise")
	f.add(settings.Real(&o.ContentDistance, 0.01, 2, "DISTANCE"), "content-distance", "", "how far from the content pictures are compared, 0 being the content itself")
	f.add(settings.Text(&o.Label, "NAME"), "label", "", "what to call these settings beside those of other runs")
	f.add(pathList{&o.With}, "with", "", "what an earlier run printed with --json, to be shown too; may be repeated")
	f.add(settings.Text(&o.Plot, "FILE"), "plot", "", "draw distance from the style over time: .png or .svg")
	for _, s := range o.Table() {
		switch {
		case slices.Contains(unbenched, s.Name):
			continue
		case s.Name == "content-weight":
			s.Usage = "what content counts in the first run, above 0; from there the wanted content distance is searched for"
		}
		f.addSettings(s)
	}
}

func newBenchPictureCommand(global *globalOptions) *cobra.Command {
	o := newBenchPictureOptions()
	cmd := &cobra.Command{
		Use:   "picture CONTENT STYLE [CONTENT STYLE]…",
		Short: "Weigh the time of whole pictures against their quality",
		Long: `Picture paints each CONTENT in the STYLE behind it, under every loss and in every
quality, and says how near to the style that comes and how long it takes, for
pictures that keep equally much of the content: each is painted a few times with
content weights that bring the content distance to either side of the wanted one,
and what is measured is taken to be straight in between. Where five runs don't get
there, it says so.

gram, gaussian and sliced are distances from the style, by these losses whatever a
picture was painted with: at each of relu1_1, relu2_1 … relu5_1 the root of the
normalised loss, as a share of that of the content picture, and their mean. So the
content has 1, and what can't be told from the style 0. distance is the mean of the
three. The content distance is the root of the content loss mse at relu4_2: |F−P|/|P|
with the features F of the picture and P of the content. Both are taken by the
default network and layers at --size, whatever the settings. Seconds are of the
clock, and processor seconds of all threads; measuring doesn't count.

Other settings are those of stylize, so that two methods can be compared:

  impasto bench picture a.jpg b.jpg --json > before.jsonl
  impasto bench picture a.jpg b.jpg --tv-weight 0 --label rough --with before.jsonl

A pair or a loss that fails is reported, the others are made, and the exit status is
1. Ctrl-C ends it at once; what there is by then is shown.

With --json it prints an object for each pair, loss and quality, as soon as that is
measured, with the keys event ("point"), pair, loss, quality, label, size, wanted (the
content distance), runs (a list of objects with the keys content_weight,
content_distance, gram, gaussian, sliced, distance, seconds and processor_seconds);
the same keys of what lies between the runs at the wanted content distance; and, where
these are missing, unreached or error (why). In the end it prints the means over the
pairs, those of --with too, with the keys event ("mean"), loss, quality, label, size,
wanted, pairs (a list: those that it is over) and those of the values.`,
		Example: `  impasto bench picture photo.jpg painting.jpg --plot frontier.svg
  impasto bench picture photo.jpg painting.jpg --losses gaussian --qualities draft,good --size 128`,
		ValidArgsFunction: pictures,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args)%2 != 0 {
				return fmt.Errorf("want pairs of a content and a style, got %s", report.Count(len(args), "picture"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			view := &benchPictureView{global: *global, options: *o, stdout: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr()}
			return runBenchPicture(cmd.Context(), *o, args, cmd.Flags().Changed, view)
		},
	}
	o.addFlags(flagsOf(cmd, "Benchmark"))
	return cmd
}

// check reports settings that are wrong whatever the pictures.
func (o *benchPictureOptions) check() error {
	if !(o.Options.ContentWeight > 0) {
		return usagef("--content-weight %g: want one above 0, from where the content distance can be searched for", o.Options.ContentWeight)
	}
	return checkPlotName(o.Plot)
}

// runBenchPicture does what the command says. All that can be checked is, before anything
// is painted.
func runBenchPicture(ctx context.Context, o benchPictureOptions, args []string, given func(flag string) bool, view *benchPictureView) error {
	names, err := pairNames(args)
	if err != nil {
		return err
	}
	methods, err := o.settled(given)
	if err != nil {
		return err
	}
	if err := o.checkPlot(args); err != nil {
		return err
	}
	if view.earlier, err = o.earlier(names); err != nil {
		return err
	}
	options := bench.PictureOptions{
		ContentDistance: o.ContentDistance, Label: o.Label, Size: o.Options.Size,
		Device: o.Options.Device, Threads: o.Options.Threads, Progress: view.progress,
	}
	for i, name := range names {
		pair := bench.PicturePair{Name: name}
		if pair.Content, err = view.open(ctx, args[2*i]); err != nil {
			return err
		}
		if pair.Style, err = view.open(ctx, args[2*i+1]); err != nil {
			return err
		}
		options.Pairs = append(options.Pairs, pair)
	}
	networks := settings.Networks(nil)
	if o.Weights != "" {
		networks = settings.Networks{}
	}
	for _, s := range methods {
		m := bench.PictureMethod{Loss: s.Loss.Description().Name, Quality: s.Quality}
		if m.Options, err = s.Open(ctx, networks); err != nil {
			return err
		}
		options.Methods = append(options.Methods, m)
	}
	view.pairs, view.wanted = len(options.Pairs), len(options.Pairs)*len(options.Methods)
	defer announceInterrupt(ctx, view.stderr, view.global.Quiet)()
	return view.finish(bench.Pictures(ctx, options, view.point))
}

// pairNames are what pairs are called: by the names of their files.
func pairNames(args []string) ([]string, error) {
	var names []string
	for i := 0; i < len(args); i += 2 {
		for _, path := range args[i : i+2] {
			if err := checkFile(path); err != nil {
				return nil, err
			}
		}
		base := func(path string) string { return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) }
		name := base(args[i]) + " × " + base(args[i+1])
		if slices.Contains(names, name) {
			return nil, usagef("the pair %s stands twice; give another, or rename a file", name)
		}
		names = append(names, name)
	}
	return names, nil
}

// settled are the settings under every loss in every quality, each fitted to what was
// given and checked.
func (o benchPictureOptions) settled(given func(flag string) bool) ([]settings.Stylization, error) {
	var all []settings.Stylization
	for _, loss := range o.Compared {
		for _, quality := range o.Qualities {
			s := o.Stylization
			s.Loss, s.Quality = loss, quality
			err := s.Settle(given)
			if err == nil {
				err = s.Check()
			}
			if err != nil {
				return nil, usage(err)
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// checkPlot reports a plot that can't be written, or would replace what is read.
func (o benchPictureOptions) checkPlot(args []string) error {
	if o.Plot == "" {
		return nil
	}
	if err := checkFlagNotInput("plot", o.Plot, slices.Concat(args, o.With, o.Files())); err != nil {
		return err
	}
	return picture.CheckFile(o.Plot)
}

// open opens a picture, and decodes it once to see that it can be.
func (v *benchPictureView) open(ctx context.Context, path string) (*picture.Source, error) {
	p, err := picture.OpenSource(ctx, path)
	if err != nil {
		return nil, err
	}
	p.LayOnWhite()
	printRemarks(v.stderr, v.global.Quiet, path, p)
	_, err = p.Picture(ctx)
	return p, err
}

// finish shows the means and draws the plot, of whatever there is. Err is that of the
// benchmark.
func (v *benchPictureView) finish(err error) error {
	v.endRun()
	interrupted := errors.Is(err, context.Canceled)
	if err != nil && !interrupted {
		return err
	}
	means := bench.PictureMeans(slices.Concat(v.earlier, v.points))
	if err := v.writeMeans(means); err != nil {
		return err
	}
	if err := v.plot(means); err != nil {
		return err
	}
	failed, first := 0, ""
	for _, p := range v.points {
		if p.Error != "" {
			if failed++; first == "" {
				first = fmt.Sprintf("%s: %s", nameOf(p), p.Error)
			}
		}
	}
	switch {
	case interrupted:
		return fmt.Errorf("%w after %d of %s", errInterrupted, len(v.points), report.Count(v.wanted, "point"))
	case failed > 0:
		return fmt.Errorf("bench picture: %d of %s failed; the first is %s", failed, report.Count(v.wanted, "point"), first)
	}
	return nil
}
