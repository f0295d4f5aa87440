package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/made"
	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/regular"
	"impasto/internal/settings"
)

// redoOptions are the settings of impasto redo: those of stylize, and where inputs are.
type redoOptions struct {
	*stylizeOptions
	Content string
	Styles  []string
	Inputs  []string // folders
}

func newRedoOptions() *redoOptions {
	o := &redoOptions{stylizeOptions: newStylizeOptions()}
	o.resumes = false
	return o
}

func newRedoCommand(global *globalOptions) *cobra.Command {
	o := newRedoOptions()
	cmd := &cobra.Command{
		Use:   "redo FILE [-o FILE|FOLDER|-]",
		Short: "Make a picture again from what its file says",
		Long: `Redo reads from a picture that impasto painted how it was made (see "impasto info")
and makes it again: of the same files, with the same settings and the same seed. The
result goes to -o, or beside FILE, as painted-redone.png. It is the same file, byte for
byte, if version, kind of processor and weights are the same; then redo says so, and else
what is different. It can't be the same where the run was stopped before its end or was
given a time instead of iterations, and may not be where there is less memory.

Files are looked for where --content and --style say; by the names that the picture has of
them, beside it and in the working folder; and in folders that --inputs names, whatever they
are called there. Each has to have the SHA-256 that the picture says.

Settings may be given as for stylize, by flags, --config and --preset, and take the place
of the picture's; so "impasto redo painted.png --size 2048" makes it larger, which isn't the
same picture any more. The picture's count least: where one that is given decides others, as
--quality does the optimizer and the iterations, the picture's don't count (docs/presets.md).
--save-config writes all that the picture is made with; with --dry-run nothing else is done.
What the picture says is held to the same bounds as flags, names only files to be read, and
no folders. What redo doesn't know in it, it refuses.

With --json, standard output gets what stylize prints, and then an object with event
("redone"), path, identical (whether the files are the same) and differences (a list: why
not; may be missing). The exit status is 1 where the files are different and nothing says
why.`,
		Example: `  impasto redo painted.png
  impasto redo painted.png --inputs ~/Pictures -o larger.png --size 2048
  impasto redo painted.png --preset broad -o broader.png
  impasto redo painted.png --save-config mine.toml --dry-run`,
		ValidArgsFunction: pictures,
		Args:              cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRedo(cmd.Context(), o, *global, args[0], cmd.Flags().Changed, streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Inputs"))
	return cmd
}

func (o *redoOptions) addFlags(f flagSet) {
	f.add(settings.Text(&o.Content, "FILE"), "content", "", "the content, where it isn't beside the picture under its name")
	f.add(pathList{&o.Styles}, "style", "", "a style likewise; may be repeated")
	f.add(folderList{pathList{&o.Inputs}}, "inputs", "", "a folder to look for all files in, with those below it, by their SHA-256; may be repeated")
	f.heading = "Output"
	o.stylizeOptions.addFlags(f)
}

// folderList is a pathList of folders.
type folderList struct{ pathList }

func (folderList) Type() string { return "FOLDER" }

// runRedo does what the command says.
func runRedo(ctx context.Context, o *redoOptions, global globalOptions, path string, given func(string) bool, std streams) error {
	document, err := readDocument(ctx, path)
	if err != nil {
		return err
	}
	stylize := *o.stylizeOptions
	stylize.recorded = document
	if stylize.Stylization, err = overridden(document, o.Stylization, given, o.sources.has); err != nil {
		return err
	}
	stylize.writeAs(document.Output, path, given)
	finder := &finder{ctx: ctx, picture: path, folders: o.Inputs}
	job, err := finder.job(document, o, &stylize, given)
	if err != nil {
		return err
	}
	if err := stylize.check(); err != nil {
		return err
	}
	if err := o.rememberAll(&stylize); err != nil {
		return err
	}
	if err := stylize.settleOutput(job.content, global.JSON, std); err != nil {
		return err
	}
	if err := checkNotInput(stylize.Output, []string{path}); err != nil {
		return err
	}
	if o.DryRun {
		return runDry(ctx, stylize, global, job, std)
	}
	say := func(format string, values ...any) {
		if !global.Quiet {
			fmt.Fprintln(std.err, quote.Line(fmt.Sprintf(format, values...)))
		}
	}
	expected, err := stylize.expected(ctx, document)
	if err != nil {
		return err
	}
	reasons := differences(document, expected, stylize.NoMetadata)
	if len(reasons) > 0 {
		say("the picture won't be the same as %s: %s", path, strings.Join(reasons, "; "))
	}
	if err := runStylize(ctx, stylize, global, job, std); err != nil || stylize.Output == standardStream {
		return err
	}
	return compareRedone(ctx, path, document, stylize, reasons, global, std, say)
}

// compareRedone tells whether a picture that was made again is the one that there was.
func compareRedone(ctx context.Context, path string, document *metadata.Document, o stylizeOptions, reasons []string,
	global globalOptions, std streams, say func(string, ...any)) error {
	same, err := sameFiles(path, o.Output)
	if err != nil {
		return err
	}
	event := redoneEvent{Event: "redone", Path: o.Output, Identical: same}
	if !same {
		if now, err := readDocument(ctx, o.Output); err == nil {
			reasons = differences(document, now, o.NoMetadata)
		}
		event.Differences = reasons
	}
	switch {
	case same:
		say("%s is the same file as %s, byte for byte", o.Output, path)
	case len(reasons) > 0:
		say("%s isn't the same file as %s: %s", o.Output, path, strings.Join(reasons, "; "))
	}
	if global.JSON {
		if err := printJSON(std.out, event); err != nil {
			return err
		}
	}
	if !same && len(reasons) == 0 {
		return fmt.Errorf("redo: %s isn't the same file as %s, and nothing says why; %s was changed after it was painted, or what it says was", o.Output, path, path)
	}
	return nil
}

// redoneEvent is written once a picture was made again. The keys are a promise to scripts.
type redoneEvent struct {
	Event       string   `json:"event"` // "redone"
	Path        string   `json:"path"`
	Identical   bool     `json:"identical"`
	Differences []string `json:"differences,omitempty"`
}

// differences say why a picture can't be the same.
func differences(then, now *metadata.Document, silent bool) []string {
	all := metadata.Differences(then, now)
	if silent {
		all = append(all, "--no-metadata leaves out how it was made")
	}
	return all
}

// readDocument reads what a picture says of how it was made.
func readDocument(ctx context.Context, path string) (*metadata.Document, error) {
	if err := checkFile(path); err != nil {
		return nil, err
	}
	source, err := picture.OpenSource(ctx, path)
	if err != nil {
		return nil, err
	}
	document, err := made.Read(source.Embedded())
	if err != nil {
		return nil, fmt.Errorf("redo %s: what the file says of how it was made can't be used: %s", path, strings.TrimPrefix(err.Error(), "metadata: "))
	}
	if document == nil {
		return nil, fmt.Errorf("redo %s: the file doesn't say how it was made: impasto didn't paint it, or with --no-metadata, or another program took that out", path)
	}
	return document, nil
}

// overridden are the settings of a document beneath those that were given by flags, a file
// or a preset, which count as docs/presets.md says. Placed are those of the file or the
// preset, also where they fit themselves to others.
func overridden(d *metadata.Document, flags settings.Stylization, given, placed func(string) bool) (settings.Stylization, error) {
	s, err := made.Settings(d)
	if err != nil {
		return s, fmt.Errorf("redo: %w", err)
	}
	anew := func(name string) bool { return given(name) || placed(name) }
	values := flags.Values()
	for _, row := range flags.Table() {
		// What a setting given anew decides is as if the document didn't have it.
		if counts := len(settings.Counting([]settings.Assignment{{Name: row.Name}}, anew)) > 0; counts {
			continue
		}
		if err := made.Set(&s, row.Name, values[row.Name]); err != nil {
			return s, usage(err)
		}
	}
	if given("content-weight") && !given("strength") {
		s.DropStrength()
	}
	if err := s.SettleStrength(given); err != nil {
		return s, usage(err)
	}
	if given("quality") {
		return s, usage(s.Settle(func(name string) bool {
			return given(name) || name == "min-size" && !placed(name) && s.Options.MinSize <= s.Options.Size
		}))
	}
	if !given("min-size") {
		s.Options.MinSize = min(s.Options.MinSize, s.Options.Size)
	}
	if given("iterations") && !given("middle-iterations") {
		s.Options.MiddleIterations = s.Options.Iterations
	}
	if given("iterations") && !given("least-iterations") {
		s.Options.LeastIterations = s.Options.Iterations
	}
	if s.Options.Optimizer.Averages() {
		s.Options.LeastIterations = s.Options.Iterations
	}
	for _, name := range []string{"step-size", "average-decay"} {
		if given(name) && !s.Options.Optimizer.Averages() {
			return s, usagef("--%s is Adam's; add --optimizer adam", name)
		}
	}
	if given("style-size") && given("style-scale") && s.Options.StyleSize > 0 {
		return s, usagef("--style-size %d and --style-scale %g both size the styles; give one of them", s.Options.StyleSize, s.Options.StyleScale)
	}
	return s, nil
}

// rememberAll has --save-config write all settings that a picture is made again with, and
// not only those that were given anew.
func (o *redoOptions) rememberAll(as *stylizeOptions) error {
	if o.sources.SaveConfig == "" {
		return nil
	}
	for name, value := range as.Values() {
		if err := made.Set(&o.Stylization, name, value); err != nil {
			return err
		}
	}
	o.Depth, o.JPEG, o.WebP, o.written = as.Depth, as.JPEG, as.WebP, as.written
	needed, usual := made.Needed(as.Stylization), newStylizeOptions()
	for name, differs := range map[string]bool{
		"depth": o.Depth != usual.Depth, "jpeg-quality": o.JPEG != usual.JPEG, "webp-quality": o.WebP != usual.WebP,
		"dither": o.Dither, "dpi": o.DPI != 0, "keep-exif": o.KeepEXIF, "keep-gps": o.KeepGPS,
	} {
		if differs {
			needed = append(needed, name)
		}
	}
	var err error
	as.sources.chosen, err = o.sources.textOf("", func(name string) bool {
		return slices.Contains(needed, name) || o.sources.has(name) || o.sources.isTyped(name)
	})
	return err
}

// writeAs takes from a document what wasn't given of how to write, and from the picture's
// own path where to.
func (o *stylizeOptions) writeAs(was metadata.Output, path string, given func(string) bool) {
	if o.Output == "" {
		base := strings.TrimSuffix(path, filepath.Ext(path)) + "-redone"
		o.Output = base + extensions[was.Format]
		if format, err := picture.FormatOf(path); err == nil && format == was.Format && !given("format") {
			o.Output = base + filepath.Ext(path)
		}
		if given("format") {
			o.Output = base + extensions[o.Format]
		}
	}
	named, err := picture.FormatOf(o.Output)
	if !given("format") && err != nil {
		o.Format = was.Format
		named = was.Format
	}
	if o.Format != "" {
		named = o.Format
	}
	if !given("depth") && !picture.IsShallow(named) {
		o.Depth = was.Depth
	}
	if !given("jpeg-quality") && was.Format == "jpeg" {
		o.JPEG = was.Quality
	}
	if !given("webp-quality") && was.Format == "webp" {
		o.WebP = was.Quality
	}
	if !given("dither") {
		o.Dither = was.Dither && named != "jpeg" && o.Depth == 8
	}
	if !given("dpi") {
		o.DPI = was.DPI
	}
	if !given("keep-exif") {
		o.KeepEXIF = was.EXIF
	}
	if !given("keep-gps") {
		o.KeepGPS = was.GPS && o.KeepEXIF
	}
}

// expected is the document of the picture that will be made, as far as it is known before.
func (o *stylizeOptions) expected(ctx context.Context, d *metadata.Document) (*metadata.Document, error) {
	m := made.Inputs{Content: d.Content, Styles: d.Styles}
	if err := m.AddFiles(ctx, o.Stylization); err != nil {
		return nil, err
	}
	if start, path := o.StartFile(); start.IsPicture() {
		input, err := made.File(ctx, path)
		if err != nil {
			return nil, err
		}
		m.Start = &input
	}
	document := o.document(m)
	return &document, nil
}

// finder finds the files that a picture was made of.
type finder struct {
	ctx     context.Context
	picture string   // its path
	folders []string // to search, with those below them
}

// job finds all inputs, and sets those that settings name and that flags don't.
func (f *finder) job(d *metadata.Document, o *redoOptions, to *stylizeOptions, given func(string) bool) (job stylizeJob, err error) {
	var missing []string
	find := func(what string, in metadata.Input, named ...string) string {
		path, err := f.find(what, in, named)
		if err != nil {
			missing = append(missing, err.Error())
		}
		return path
	}
	job.content = find("content", d.Content, slices.DeleteFunc([]string{o.Content}, func(name string) bool { return name == "" })...)
	for _, s := range d.Styles {
		job.styles = append(job.styles, styleArgument{find("style", s.Input, o.Styles...), s.Weight})
	}
	if !given("mask") {
		for _, mask := range d.Masks {
			found := settings.Mask{Region: find("mask", mask.Region), Style: find("style", mask.Style, o.Styles...)}
			if mask.StyleRegion != nil {
				found.StyleRegion = find("mask", *mask.StyleRegion)
			}
			to.Masks.Files = append(to.Masks.Files, found)
		}
	}
	if d.Protect != nil && !given("protect") {
		to.Protect = find("protected region", *d.Protect)
	}
	if d.Start != nil && !given("start") {
		to.Start = settings.StartFrom(made.StartOf(d), find("start", *d.Start))
	}
	if d.Weights.FileName() != "" && !given("weights") {
		fetched := settings.Stylization{Weights: d.Weights.FileName()}
		to.Weights = find("weights", d.Weights, fetched.WeightsFile())
	}
	if f.ctx.Err() != nil {
		return job, context.Cause(f.ctx)
	}
	if len(missing) > 0 {
		return job, errors.New("redo: " + strings.Join(missing, "; "))
	}
	return job, nil
}

// find returns the path of an input: a file that was named, one of its name beside the
// picture or in the working folder, or one in the folders. The error says what there is
// instead.
func (f *finder) find(what string, in metadata.Input, named []string) (string, error) {
	name := in.FileName()
	candidates := named
	if name != "" {
		candidates = append(slices.Clone(named), filepath.Join(filepath.Dir(f.picture), name), name)
	}
	var others []string
	for _, path := range candidates {
		has, err := f.has(path, in)
		if has {
			return path, nil
		}
		isStyle := slices.Contains(named, path) && len(named) > 1 && filepath.Base(path) != name // another one
		if err == nil && !isStyle && !slices.Contains(others, filepath.Clean(path)) {
			others = append(others, filepath.Clean(path))
		}
	}
	for _, folder := range f.folders {
		if path := f.search(folder, in); path != "" {
			return path, nil
		}
	}
	if name == "" {
		name = "from standard input"
	}
	wanted := fmt.Sprintf("%s %s (%d bytes, SHA-256 %s)", what, quote.Name(name), in.Bytes, in.SHA256)
	if len(others) > 0 {
		return "", fmt.Errorf("%s isn't the %s", strings.Join(quote.Names(others), ", nor "), wanted)
	}
	return "", fmt.Errorf("there is no %s; name it, or a folder with --inputs", wanted)
}

// has tells whether a file is an input. It is an error where there is none that can be read.
func (f *finder) has(path string, in metadata.Input) (bool, error) {
	file, size, err := regular.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	if size != in.Bytes {
		return false, nil
	}
	sum, err := regular.Digest(f.ctx, file)
	return err == nil && sum == in.SHA256, err
}

// searched is how many entries of a folder and those below it are looked at.
const searched = 100_000

// search looks for an input in a folder and those below it, in their order by name. Only
// files of its size are read.
func (f *finder) search(folder string, in metadata.Input) string {
	found, left := "", searched
	_ = filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if left--; left < 0 || f.ctx.Err() != nil {
			return filepath.SkipAll
		}
		if err != nil || !entry.Type().IsRegular() {
			return nil // what can't be read isn't it
		}
		if has, err := f.has(path, in); err == nil && has {
			found = path
			return filepath.SkipAll
		}
		return nil
	})
	return found
}

// sameFiles tells whether two files have the same bytes.
func sameFiles(a, b string) (bool, error) {
	first, size, err := regular.Open(a)
	if err != nil {
		return false, err
	}
	defer first.Close()
	second, other, err := regular.Open(b)
	if err != nil {
		return false, err
	}
	defer second.Close()
	if size != other {
		return false, nil
	}
	one, two := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		n, err := io.ReadFull(first, one)
		m, failed := io.ReadFull(second, two)
		if !bytes.Equal(one[:n], two[:m]) {
			return false, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return true, nil
		}
		if err := errors.Join(err, failed); err != nil {
			return false, err
		}
	}
}
