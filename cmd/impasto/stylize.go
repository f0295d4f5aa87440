package main

import (
	"context"
	"fmt"
	"image"
	"time"

	"github.com/spf13/cobra"

	"impasto/internal/made"
	"impasto/internal/picture"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/internal/terminalgraphics"
	"impasto/losses"
	"impasto/model"
)

// stylizeOptions are the settings of impasto stylize: those of the picture, and
// where and how it is written.
type stylizeOptions struct {
	settings.Stylization
	sources settingsSources
	Output  string // a file, a folder or standardStream
	Format  string // one of picture.Written, or empty: the name says it
	Depth   int    // bits a channel
	JPEG    int    // quality, 1–100
	WebP    int    // quality, 1–100, or 0 for all of it
	written
	// SaveEvery writes an intermediate picture every so many iterations; 0 never.
	SaveEvery int
	// Checkpoint is a file, noCheckpoint, or empty for one in the state folder.
	Checkpoint      string
	CheckpointEvery time.Duration
	Resume          string // a checkpoint to go on from, or empty
	Log             string // a file with a line for every iteration, or empty
	Watch           watchOptions
	resumes         bool // there is a flag for that
	DryRun          bool
	folderMissing   bool // that Output is in, which a dry run doesn't make
}

func newStylizeOptions() *stylizeOptions {
	return &stylizeOptions{Stylization: settings.Default(), Depth: 8, JPEG: made.DefaultJPEGQuality, resumes: true, CheckpointEvery: 2 * time.Minute, Watch: newWatchOptions()}
}

func (o *stylizeOptions) addFlags(f flagSet) {
	f.addTable(o.Table(), func() { o.addOwnFlags(f) })
}

func (o *stylizeOptions) addOwnFlags(f flagSet) {
	f.add(settings.Text(&o.Output, "FILE"), "output", "o", "where to write the picture: .png, .jpg, .tif or .webp; in a folder it gets the content's name; - is standard output")
	f.add(settings.Choice(&o.Format, "format", picture.Written[:]), "format", "", "png, jpeg, tiff or webp, for standard output (png unless given) and for names that don't say")
	f.add(settings.Whole(&o.Depth, 8, 16, "BITS"), "depth", "", "bits a channel, 8 or 16; 16 in PNG and TIFF only")
	f.add(settings.Whole(&o.JPEG, 1, 100, "PERCENT"), "jpeg-quality", "", "quality of a JPEG, 1 to 100; from 90 on colours are kept at every pixel, below it four pixels share theirs")
	f.add(settings.Whole(&o.WebP, 0, 100, "PERCENT"), "webp-quality", "", "quality of a WebP, 1 to 100, in which four pixels share their colours; 0 loses nothing")
	o.written.addFlags(f)
	f.add(settings.Whole(&o.SaveEvery, 0, model.MaxIterations, "N"), "save-every", "", "also write the picture after every N iterations, as FILE-00100.png and so on; those of an earlier run are replaced; 0 never")
	f.add(settings.Text(&o.Checkpoint, "FILE"), "checkpoint", "", "where to keep what --resume goes on from, or none (default a file in the state folder, for runs of more than some minutes)")
	f.add(settings.Interval(&o.CheckpointEvery), "checkpoint-every", "", "how often to write the checkpoint, which a larger scale's beginning does too")
	if o.resumes {
		f.add(settings.Text(&o.Resume, "FILE"), "resume", "", "go on from a checkpoint: pictures, settings and output are those of its run")
	}
	f.add(settings.Text(&o.Log, "FILE"), "log", "", "write the loss with its terms after every iteration: .csv, or .jsonl for an object a line")
	f.add(settings.Text(&o.Watch.Preview, "FILE"), "preview", "", fmt.Sprintf("write the picture as it grows to a file of its own, every few seconds and always at one size, %d pixels at most", previewSide))
	f.add(settings.Text(&o.Watch.Timelapse, "FILE"), "timelapse", "", "make a film of how the picture was painted: .gif, .png (animated), or by ffmpeg .mp4 and .webm")
	f.add(settings.Whole(&o.Watch.TimelapseFrames, 2, 10000, "N"), "timelapse-frames", "", "frames of the film, evenly spaced in what is done; 25 are shown a second, and the last for two")
	f.add(settings.Whole(&o.Watch.TimelapseSize, 16, model.MaxSize, "PIXELS"), "timelapse-size", "", "longer side of the film, no more than the picture's")
	f.add(settings.Choice(&o.Watch.Show, "protocol", append([]string{showNever, showAuto}, terminalgraphics.Protocols()...)), "show", "", "show the picture on the terminal at each scale's end: never, auto, kitty, iterm2 or sixel; auto asks the terminal")
	f.add(settings.Switch(&o.DryRun), "dry-run", "", "check everything as for a run, say what it would take, as impasto plan does, and stop")
	o.sources.addFlags(f, func(string) bool { return false })
}

func newStylizeCommand(global *globalOptions) *cobra.Command {
	o := newStylizeOptions()
	cmd := &cobra.Command{
		Use:   "stylize CONTENT STYLE[:WEIGHT]… -o FILE|FOLDER|-",
		Short: "Paint a picture in the style of others",
		Long: `Stylize paints what CONTENT shows in the style of the STYLE pictures. Several
styles are blended by their weights, which are 1 unless given, or with --mask have
regions of CONTENT each. Pictures are read as ` + picture.Formats() + `, and written as PNG,
JPEG, TIFF or WebP, by the name's extension. CONTENT or one STYLE may be -, which is
standard input.

The output appears whole or not at all, and never replaces an input, a
write-protected file, or what isn't a regular file. One that is there keeps its
permissions; a symbolic link is followed. What can't be written is told before
any work. If writing fails in the end, the picture goes to another name beside
it (as in painted-rescued.png) or to the folder for temporary files, the error
says where, and the exit status is 1.

The first Ctrl-C gives up the current iteration and writes the picture as it was
before, scaled up to the size asked for; a second one stops at once. SIGTERM does
the same, and so does the end of the terminal (SIGHUP). Where standard output fails
with --json, the run ends and the picture so far is written too.

A run of more than some minutes keeps a checkpoint, and says where: every two
minutes, at each scale's end, and when it is stopped. "impasto stylize --resume
FILE" goes on from it to the same picture, bit by bit, as if nothing had happened;
on another processor the last bits may differ, which is said. --device, --threads,
-o and how to write may be given anew, and CONTENT and STYLEs where they have moved;
what else is given has to be as it was. The checkpoint is removed when the picture
is written, or, in the state folder, after 30 days. That folder is
$XDG_STATE_HOME/impasto, or ~/.local/state/impasto (macOS: ~/Library/Application
Support/impasto, Windows: %LocalAppData%\impasto\state).

The picture's file says how it was made: settings, names and SHA-256 of the files it
was made of, version and kind of processor, but no folders. "impasto info FILE" prints
that, and "impasto redo FILE" makes the picture again. --no-metadata leaves it out.

With --dry-run, settings, pictures and output are checked as for a run, and what it
would take is printed as "impasto plan" prints it. Nothing is painted or written,
but for what --save-config asks for.

--preset takes the settings of a paper, another program or a look, which "impasto
presets" lists, and --config those of a TOML file:

  preset = "gatys"
  size = 768
  style-layers = { relu1_1 = 4, relu2_1 = 2 }   # or "relu1_1=4,relu2_1=2"

Keys are the names of flags. Flags count more than the file, and the file more than
the preset, setting by setting. docs/presets.md has more.

--mask sky.png=wave.jpg has CONTENT take the style of wave.jpg where sky.png is white,
in part where it is grey, and STYLE elsewhere; without STYLE the rest stays as it is.
Masks are stretched to CONTENT; of one that is transparent in part its opacity counts.
Where masks overlap, styles share. --mask auto:3 finds three regions by their colours:
with three STYLEs, from dark to light, and with one STYLE, parts of it likewise. "impasto
masks" writes them. docs/masks.md has more.

The losses, which docs/losses.md shows side by side, compare of the features:

` + describeLosses(func(d losses.Description) string { return d.Help }) + `
With --log FILE.csv or FILE.jsonl, FILE gets a line for every iteration while the run
goes on: log (the version of these keys, 1), scale, scales, width, height, iteration,
iterations, done, total, seconds, loss and gradient_norm, as below, and the terms, in
CSV a column each under their names. A run that goes on from a checkpoint goes on with
its log.

With --json, standard output gets an object for every iteration, with the keys
event ("iteration"), scale, scales, width, height, iteration, iterations (at
this scale), done, total (over all scales), loss, terms (an object: the loss by
its parts), gradient_norm, seconds, work (the share that is done, 0 to 1, by the
time that it takes) and remaining_seconds (missing while nothing tells); and one
for every picture written, with event ("written"), path (where the picture is),
final, interrupted, width, height, painted_width and painted_height (those of the
scale that was reached, from which it was scaled up), iterations, loss, seconds,
error (why it isn't where it was to go; missing where it is), checkpoint (where
there is one to go on from) and remarks (where there is something to be said of
it, as that it hardly changed).`,
		Example: `  impasto stylize photo.jpg painting.jpg -o painted.png
  impasto stylize photo.jpg wave.jpg:2 scream.jpg:1 -o blend.jpg --size 1024`,
		ValidArgsFunction: pictures,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && o.Resume != "" {
				return nil
			}
			return o.checkCount(args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			job, err := o.plan(cmd.Flags().Changed, args)
			if err != nil {
				return err
			}
			if o.DryRun {
				return runDry(cmd.Context(), *o, *global, job, streamsOf(cmd))
			}
			return runStylize(cmd.Context(), *o, *global, job, streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Output"))
	return cmd
}

// contentAndStyles reports too few pictures.
func contentAndStyles(_ *cobra.Command, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want a content picture and at least one style, got %s", report.Count(len(args), "picture"))
	}
	return nil
}

// checkCount is contentAndStyles where masks may name all styles, also those of a file of
// settings, which hasn't been read yet.
func (o *stylizeOptions) checkCount(args []string) error {
	if len(args) == 1 && (len(o.Masks.Files) > 0 || o.sources.Config != "") {
		return nil
	}
	return contentAndStyles(nil, args)
}

// check reports flags that are right by themselves but not together.
func (o *stylizeOptions) check() error {
	if o.Output == "" {
		return usagef("stylize: nowhere to write; name a file with -o, as in -o painted.png")
	}
	if err := checkDepthOf(o.Depth, ""); err != nil {
		return err
	}
	if err := o.written.check(); err != nil {
		return err
	}
	return usage(o.Stylization.Check())
}

// checkSettings reports settings that are right by themselves but not together, and fits
// those that weren't given to those that were.
func (o *stylizeOptions) checkSettings(given func(flag string) bool) error {
	if err := o.Settle(given); err != nil {
		return usage(err)
	}
	return usage(o.Stylization.Check())
}

// inputsOf are the paths of the pictures that are read.
func inputsOf(content string, styles []styleArgument) []string {
	inputs := []string{content}
	for _, s := range styles {
		inputs = append(inputs, s.path)
	}
	return inputs
}

// runStylize does what the command says.
func runStylize(ctx context.Context, o stylizeOptions, global globalOptions, job stylizeJob, std streams) error {
	remark, err := o.prepare(job, global, std)
	if err != nil {
		return err
	}
	if text := understood(job.content, job.styles); text != "" && !global.Quiet {
		fmt.Fprintln(std.err, text)
	}
	content, painted, err := openPictures(ctx, job.content, job.styles, std, global.Quiet)
	if err != nil {
		return err
	}
	if err := o.checkSize(content); err != nil {
		return err
	}
	options, err := o.Open(ctx, nil)
	if err != nil {
		return err
	}
	if start, ok := options.StartImage.(*picture.Source); ok {
		_, path := o.StartFile()
		printRemarks(std.err, global.Quiet, path, start)
	}
	if painted, err = o.guide(ctx, content, painted, &options, std, global.Quiet); err != nil {
		return err
	}
	defer announceInterrupt(ctx, std.err, global.Quiet)()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &stylization{
		options:  o,
		reporter: newReporter(std.err, global.Quiet, options.TimeLimit > 0),
		stdout:   std.out,
		json:     global.JSON,
		cancel:   cancel,
		started:  time.Now(),
	}
	if s.description, err = o.describe(ctx, job, content, painted, options); err != nil {
		return err
	}
	o.recorded = &s.description.document
	if s.checkpointer, err = o.newCheckpointer(job, s.reporter); err != nil {
		return err
	}
	if o.Log != "" {
		s.log = &runLog{path: o.Log, goesOn: job.from != nil, tell: s.reporter.note}
		defer s.log.close()
	}
	if remark != "" {
		s.reporter.note(remark)
	}
	size := content.Bounds().Size()
	width, height := model.OutputSize(size.X, size.Y, options)
	if s.watcher, err = newWatcher(o.Watch, image.Pt(width, height), std.err, s.reporter.note); err != nil {
		return err
	}
	defer s.watcher.close()
	options.AsksForPictures = o.SaveEvery > 0 || o.Watch.asksForPictures()
	options.Progress, options.Checkpoint, options.Resume = s.progress, s.checkpointer.moment(), job.from
	if !global.Quiet {
		options.Planned = s.planned
	}
	options.Begin, s.verbose = s.begin, global.Verbose
	result, err := model.Stylize(ctx, content, painted, options)
	s.reporter.finish()
	err = s.finish(result, err, context.Cause(ctx))
	if result != nil && result.Last.Done > 0 {
		s.watcher.finish(result.Image)
	}
	return err
}

// guide adds the styles of masks, and says of their files what there is to say.
func (o *stylizeOptions) guide(ctx context.Context, content image.Image, styles []model.Style, options *model.Options, std streams, quiet bool) ([]model.Style, error) {
	return o.Guide(ctx, content, styles, options, func(path string) (*picture.Source, error) {
		p, err := picture.OpenSource(ctx, path)
		if err == nil {
			printRemarks(std.err, quiet, path, p)
		}
		return p, err
	})
}

// prepare settles and checks, before any work, what is read and written. The remark is
// what else to tell.
func (o *stylizeOptions) prepare(job stylizeJob, global globalOptions, std streams) (remark string, err error) {
	inputs := inputsOf(job.content, job.styles)
	if err := std.checkInputs(inputs); err != nil {
		return "", err
	}
	if err := o.settleOutput(job.content, global.JSON, std); err != nil {
		return "", err
	}
	inputs = append(inputs, o.Files()...)
	if err := o.checkCheckpoint(inputs); err != nil {
		return "", err
	}
	if err := o.checkLog(inputs); err != nil {
		return "", err
	}
	if err := o.Watch.check(o.Output, inputs, std.err); err != nil {
		return "", err
	}
	if o.Resume != "" {
		inputs = append(inputs, o.Resume)
	}
	if remark, err = o.checkOutput(inputs); err != nil {
		return "", err
	}
	return remark, o.sources.save(append(inputs, o.Output, o.Log, o.Checkpoint))
}

// openPictures opens the content and the styles.
func openPictures(ctx context.Context, contentPath string, arguments []styleArgument, std streams, quiet bool) (image.Image, []model.Style, error) {
	content, err := std.open(ctx, contentPath, quiet)
	if err != nil {
		return nil, nil, err
	}
	var styles []model.Style
	for _, s := range arguments {
		style, err := std.open(ctx, s.path, quiet)
		if err != nil {
			return nil, nil, err
		}
		styles = append(styles, model.Style{Image: style, Weight: s.weight})
	}
	return content, styles, nil
}
