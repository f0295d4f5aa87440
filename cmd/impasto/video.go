package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/atomicfile"
	"impasto/internal/cluster/painters"
	"impasto/internal/ffmpeg"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/records"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/internal/video"
	"impasto/model"
)

// videoOptions are the settings of impasto video: those of frames, and how these agree with
// each other.
type videoOptions struct {
	settings.Stylization
	sources settingsSources
	video.Consistency
	excerpt video.Excerpt

	Output string // a film, or a folder of frames
	Folder string // of what is made on the way; empty for one beside the output
	Keep   bool   // that folder

	cluster clusterOptions
	memory  int64  // that a frame takes, where it is painted by a cluster
	group   string // what the jobs are called together that were handed over
}

// videoSize is the longer side of films, unless they are smaller or a size is given.
const videoSize = 640

func newVideoOptions() *videoOptions {
	o := &videoOptions{Stylization: settings.Default(), Consistency: video.DefaultConsistency()}
	o.Options.Size = videoSize
	return o
}

func (o *videoOptions) addFlags(f flagSet) {
	f.addTable(o.Table(), func() { o.addOwnFlags(f) })
}

func (o *videoOptions) addOwnFlags(f flagSet) {
	f.add(settings.Text(&o.Output, "FILE"), "output", "o", "where to write the film: "+strings.Join(video.Extensions(), ", ")+"; or a folder, which gets a PNG for each frame")
	f.add(settings.Interval(&o.excerpt.From), "from", "", "leave out what is before that time, as in 1m30s")
	f.add(settings.Interval(&o.excerpt.To), "to", "", "leave out what is after that time; 0s for nothing")
	f.add(settings.Text(&o.Folder, "FOLDER"), "frames-dir", "", "where frames are kept while the film is made, and afterwards (default a folder beside the film, which is removed in the end)")
	f.add(settings.Switch(&o.Keep), "keep-frames", "", "keep the folder with the frames")
	f.heading = "Frames beside each other"
	var methods []string
	for _, m := range video.Methods() {
		methods = append(methods, string(m.Name))
	}
	f.add(settings.Choice(&o.Method, "method", methods), "method", "", describeMethods())
	f.add(settings.Real(&o.Weight, 0, model.MaxWeight, "WEIGHT"), "temporal-weight", "", "how much it costs to differ from the frame before, warped along the optical flow, where that can be trusted")
	f.add(wholeNumbers{&o.Reach, 1, video.MaxReach, "N"}, "look-back", "", "how many frames back to look for what nearer ones hide, such as 1,2,4")
	f.add(settings.Whole(&o.Passes, 1, video.MaxPasses, "N"), "passes", "", "how often to go through the film, forward and backward in turn")
	f.add(settings.Whole(&o.Consistency.Iterations, 1, model.MaxIterations, "N"), "frame-iterations", "", "iterations at the last scale of frames that begin with the one before")
	f.add(settings.Whole(&o.MiddleIterations, 1, model.MaxIterations, "N"), "frame-middle-iterations", "", "iterations at the scale below, and at smaller ones where a frame shows something new")
	o.cluster.addFlags(f, "have the shots painted by the workers of a cluster: nats://HOST:PORT, or tls://HOST:PORT; see impasto cluster --help")
	o.sources.addFlags(f, func(string) bool { return false })
}

// describeMethods explains the values of --method.
func describeMethods() string {
	var all []string
	for _, m := range video.Methods() {
		all = append(all, fmt.Sprintf("%s: %s", m.Name, m.Help))
	}
	return strings.Join(all, "; ")
}

func newVideoCommand(global *globalOptions) *cobra.Command {
	o := newVideoOptions()
	cmd := &cobra.Command{
		Use:   "video FILM|FOLDER STYLE[:WEIGHT]… -o FILM|FOLDER",
		Short: "Paint a film without flicker",
		Long: `Video paints the frames of a film in the style of the STYLE pictures so that they
agree with each other. Each frame begins with the one before, warped along the optical
flow, and is held to it where the flow can be trusted; what nothing moves in stays as
it is. Where little of a frame is known from those before, a new shot begins.

Films are read and written by ffmpeg, which has to be installed, with their rate,
sound and colours. A FOLDER of pictures, in the order of their names, needs nothing;
written to a folder, frames keep their names, as PNGs. The longer side of what is
painted is 640 pixels, or the film's own where that is less, unless --size says
otherwise. Masks are of the frame and stay where they are.

Frames are kept as they are finished, in the folder that --frames-dir names, or else
in one beside the film, which is removed once that is written. The same command goes on
where an interrupted one stopped, and comes to the same film.

With --cluster, shots are found here and painted by the workers of a cluster, on any
number of machines (impasto cluster --help), to the same film. After Ctrl-C they are
painted all the same, and the same command fetches them.

With --json, standard output gets an object for every frame, with the keys event
("frame"), frame and frames, pass and passes, state ("painted" or "reused"), cut (a shot
begins with it), trusted and still (the shares of the frame that frames before it show,
and of pixels that stayed as they were), flicker (by how much it differs from the frame
before, warped, outside occlusions: root mean square in levels of 8 bits),
source_flicker (the same of the film itself), iterations, loss, seconds, work (the share
of all that is done) and remaining_seconds (missing while nothing tells); one for each
iteration, as stylize gives it, with frame and pass; one with event ("written") and path;
and one with event ("summary"), frames, shots, painted, reused, flicker and source_flicker
(root mean squares over all frames) and seconds (the mean of painted frames after the
first of their shots).`,
		Example: `  impasto video holiday.mp4 painting.jpg -o painted.mp4
  impasto video holiday.mp4 painting.jpg -o painted.mp4 --from 10s --to 15s --size 960
  impasto video frames wave.jpg -o painted-frames`,
		ValidArgsFunction: pictures,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) == 1 && len(o.Masks.Files) == 0 && o.sources.Config == "" {
				return fmt.Errorf("want a film and at least one style, got %s", report.Count(len(args), "name"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			given := cmd.Flags().Changed
			if err := o.check(given); err != nil {
				return err
			}
			styles, err := parseStyles(args[1:])
			if err != nil {
				return err
			}
			if err := o.CheckStyles(len(styles)); err != nil {
				return usage(err)
			}
			return runVideo(cmd.Context(), *o, *global, args[0], styles, given("size"), streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Film"))
	return cmd
}

// check reports flags that are right by themselves but not together, and fits settings that
// weren't given to those that were.
func (o *videoOptions) check(given func(flag string) bool) error {
	if o.Output == "" {
		return usagef("video: nowhere to write; name a film or a folder with -o, as in -o painted.mp4")
	}
	if err := o.Settle(given); err != nil {
		return usage(err)
	}
	if err := o.Stylization.Check(); err != nil {
		return usage(err)
	}
	if o.excerpt.To > 0 && o.excerpt.To <= o.excerpt.From {
		return usagef("--to %v is before --from %v", o.excerpt.To, o.excerpt.From)
	}
	if o.Options.TimeLimit > 0 {
		return usagef("--time-limit is for single pictures: what it leaves undone differs from frame to frame; use --quality or --frame-iterations")
	}
	if start, _ := o.StartFile(); start == model.StartFromResult {
		return usagef("--start result: is for single pictures")
	}
	if err := o.cluster.check("video", false); err != nil {
		return err
	}
	if o.cluster.URL != "" && o.Masks.Auto > 0 {
		return usagef("--mask auto:%d finds regions of the first frame, and with --cluster each shot has its own; write them with impasto masks, and name the files", o.Masks.Auto)
	}
	return usage(o.Consistency.Check())
}

// settle settles where things go, and reports what can't be, before any work.
func (o *videoOptions) settle(inputs []string) error {
	if err := checkFile(o.Output); err != nil {
		return err
	}
	if err := checkNotInput(o.Output, inputs); err != nil {
		return err
	}
	film := video.IsFilm(o.Output)
	if !film && filepath.Ext(o.Output) != "" && !isFolder(o.Output) {
		return usagef("output %s: want one of %s, or a folder", quote.Name(o.Output), strings.Join(video.Extensions(), ", "))
	}
	if o.Folder == "" {
		o.Folder = strings.TrimRight(o.Output, `/\`) + ".frames"
	} else {
		o.Keep = true
	}
	if _, same := atomicfile.Replaces(o.Folder, inputs); same {
		return usagef("--frames-dir %s is an input", o.Folder)
	}
	if !film {
		if err := os.MkdirAll(o.Output, 0o777); err != nil {
			return fmt.Errorf("video: %w", err)
		}
	} else if err := video.CheckOutput(o.Output); err != nil {
		return err
	} else if err := ffmpeg.Find(); err != nil {
		return fmt.Errorf("video: write %s: %w", quote.Name(o.Output), err)
	}
	if err := os.MkdirAll(o.Folder, 0o777); err != nil {
		return fmt.Errorf("video: %w", err)
	}
	return nil
}

// runVideo does what the command says.
func runVideo(ctx context.Context, o videoOptions, global globalOptions, input string, styles []styleArgument, sized bool, std streams) error {
	inputs := append(inputsOf(input, styles), o.Files()...)
	for _, path := range inputs {
		if err := checkFile(path); err != nil {
			return err
		}
	}
	source, err := video.OpenSource(ctx, input, o.excerpt)
	if err != nil {
		return err
	}
	if err := o.settle(inputs); err != nil {
		return err
	}
	if own := max(source.Size.X, source.Size.Y); !sized && own < o.Options.Size {
		o.Options.Size, o.Options.MinSize = own, min(o.Options.MinSize, own)
	}
	if err := o.sources.save(append(inputs, o.Output)); err != nil {
		return err
	}
	defer announceInterrupt(ctx, std.err, global.Quiet)()
	view := &videoView{global: global, stdout: std.out, stderr: std.err}
	var film *video.Film
	err = func() error {
		if film, err = o.open(ctx, source, styles, view, std); err != nil {
			return err
		}
		defer film.Close()
		files, err := o.paint(ctx, film, styles, view)
		if err == nil && video.IsFilm(o.Output) {
			err = video.Assemble(ctx, o.Output, files, source, o.Folder)
		}
		return err
	}()
	view.end()
	if err != nil {
		return o.explain(err, view)
	}
	if err := view.finish(o.Output, film.Reports()); err != nil {
		return err
	}
	if o.Keep {
		return nil
	}
	return os.RemoveAll(o.Folder)
}

// paint paints the film, here or by a cluster, and returns the files of its frames.
func (o *videoOptions) paint(ctx context.Context, film *video.Film, styles []styleArgument, view *videoView) ([]string, error) {
	if o.cluster.URL == "" {
		return film.Paint(ctx)
	}
	runner, err := connectRunner(ctx, o.cluster, "video", func(line string) { view.say("%s", line) })
	if err != nil {
		return nil, err
	}
	defer runner.Cluster.Close()
	order := painters.ShotOrder{Settings: o.Values(), Consistency: o.Consistency, Name: filepath.Base(o.Output), Memory: o.memory}
	for _, s := range styles {
		order.Styles, order.Weights = append(order.Styles, s.path), append(order.Weights, s.weight)
	}
	view.say("looking for shots")
	files, err := film.PaintShots(ctx, runner.AtOnce(), func(ctx context.Context, shot video.Shot) ([]video.Report, error) {
		return runner.Shot(ctx, order, shot, o.Folder)
	})
	o.group = runner.Batch
	return files, err
}

// open opens all that the film is made of.
func (o *videoOptions) open(ctx context.Context, source video.Source, arguments []styleArgument, view *videoView, std streams) (*video.Film, error) {
	options, err := o.Open(ctx, nil)
	if err != nil {
		return nil, err
	}
	width, height := model.OutputSize(source.Size.X, source.Size.Y, options)
	if source.Film != nil {
		view.say("taking the frames of %s", quote.Name(source.Path))
	}
	frames, err := source.Frames(ctx, filepath.Join(o.Folder, "frames"), image.Pt(width, height))
	if err != nil {
		return nil, err
	}
	var styles []model.Style
	for _, s := range arguments {
		style, err := std.open(ctx, s.path, view.global.Quiet)
		if err != nil {
			return nil, err
		}
		styles = append(styles, model.Style{Image: style, Weight: s.weight})
	}
	first, err := picture.OpenSource(ctx, frames[0])
	if err != nil {
		return nil, err
	}
	if styles, err = o.Guide(ctx, first, styles, &options, nil); err != nil {
		return nil, err
	}
	key, err := o.key(ctx, arguments)
	if err != nil {
		return nil, err
	}
	if o.cluster.URL != "" {
		plan, err := model.MakePlan(ctx, first, styles, options)
		if err != nil {
			return nil, err
		}
		o.memory = plan.Memory
	}
	if !view.global.Quiet {
		options.Planned = func(plan model.Plan) {
			view.say("%s of %d×%d; the first: %s", report.Count(len(frames), "frame"), width, height, summaryOf(plan))
		}
	}
	return video.New(source.Size, video.Options{
		Frames: frames, Styles: styles, Stylization: options, Consistency: o.Consistency, Folder: o.Folder, Key: key,
		Finished: o.publish(frames), Progress: view.show,
	})
}

// key is that of all that results follow from besides frames.
func (o *videoOptions) key(ctx context.Context, styles []styleArgument) (string, error) {
	made := struct {
		Version  string
		Settings map[string]string
		Files    []string
		Weights  []float64
	}{Version: buildVersion(), Settings: o.Values()}
	delete(made.Settings, "threads")
	paths := o.Files()
	for _, s := range styles {
		paths, made.Weights = append(paths, s.path), append(made.Weights, s.weight)
	}
	for _, path := range paths {
		digest, err := records.FileDigest(ctx, path)
		if err != nil {
			return "", err
		}
		made.Files = append(made.Files, digest)
	}
	return records.Key(made)
}

// publish copies finished frames to the folder that is the output; it is nil where that is a
// film.
func (o *videoOptions) publish(frames []string) func(int, string) error {
	if video.IsFilm(o.Output) {
		return nil
	}
	return func(index int, file string) error {
		name := filepath.Base(frames[index])
		return atomicfile.Copy(filepath.Join(o.Output, strings.TrimSuffix(name, filepath.Ext(name))+".png"), file)
	}
}

// explain says how to go on.
func (o *videoOptions) explain(err error, view *videoView) error {
	done := fmt.Sprintf("after %s, which are in %s; the same command goes on from there", report.Count(view.finished, "frame"), quote.Name(o.Folder))
	switch {
	case errors.Is(err, context.Canceled):
		err = fmt.Errorf("%w %s", errInterrupted, done)
		if o.group != "" {
			return clusterError(err, o.cluster, o.group)
		}
		return err
	case view.finished > 0:
		return fmt.Errorf("%w %s", err, done)
	}
	return err
}
