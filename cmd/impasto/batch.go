package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"impasto/internal/batch"
	"impasto/internal/made"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/internal/settings"
)

// batchOptions are the settings of impasto batch: those of every picture, and which there
// are.
type batchOptions struct {
	settings.Stylization
	sources settingsSources

	Styles []string // files, folders and patterns
	List   string   // a file, or standardStream; empty for none
	Paired bool
	Folder string // where everything goes
	Name   string // of the pictures; see batch.DefaultName
	Depth  int    // bits a channel
	JPEG   int    // quality, 1–100
	DryRun bool

	cluster clusterOptions
}

func newBatchOptions() *batchOptions {
	return &batchOptions{Stylization: settings.Default(), Name: batch.DefaultName, Depth: 8, JPEG: made.DefaultJPEGQuality}
}

func (o *batchOptions) addFlags(f flagSet) {
	f.addTable(o.Table(), func() { o.addOwnFlags(f) })
}

func (o *batchOptions) addOwnFlags(f flagSet) {
	f.add(fileTexts{&o.Styles}, "style", "", "a style picture, a folder or a pattern of such; may be repeated: each content is painted in each style")
	f.add(settings.Text(&o.List, "FILE"), "list", "", "a list of more contents, one a line, and with a tab behind it a style for that one alone; - is standard input")
	f.add(settings.Switch(&o.Paired), "pair", "", "paint the first content in the first style, the second in the second and so on, instead of each in each")
	f.add(settings.Text(&o.Folder, "FOLDER"), "out-dir", "o", "where everything goes; made if it isn't there")
	f.add(settings.Text(&o.Name, "NAME"), "name", "", "what the pictures are called, with keys in braces, as listed above; .png, .jpg, .tif or .webp (of which nothing is lost) at its end is the format")
	f.add(settings.Whole(&o.Depth, 8, 16, "BITS"), "depth", "", "bits a channel, 8 or 16; 16 in PNG and TIFF only")
	f.add(settings.Whole(&o.JPEG, 1, 100, "PERCENT"), "jpeg-quality", "", "quality of a JPEG, 1 to 100; from 90 on colours are kept at every pixel, below it four pixels share theirs")
	f.add(settings.Switch(&o.DryRun), "dry-run", "", "check everything, say what would be painted, and what time and memory that would take, and stop")
	o.cluster.addFlags(f, "have the pictures painted by the workers of a cluster: nats://HOST:PORT, or tls://HOST:PORT; see impasto cluster --help")
	o.sources.addFlags(f, func(string) bool { return false })
}

func newBatchCommand(global *globalOptions) *cobra.Command {
	o := newBatchOptions()
	cmd := &cobra.Command{
		Use:   "batch CONTENT… --style STYLE… --out-dir FOLDER",
		Short: "Paint many pictures in one or more styles",
		Long: `Batch paints each CONTENT in each STYLE, or with --pair in the one of the same
number. Both are files, folders, which stand for the pictures right in them, or
patterns, which may be quoted: * and ? stand for letters of a name, [a-z] for one
of some, {jpg,png} for either, and ** for folders in folders. What an earlier
batch made in the folder of the results is never taken as an input.

A list has a content a line, a file or a folder, and where a tab follows the style
for this one alone. Empty lines and those that begin with # are left out; entries
may be parted by NUL bytes instead, as "find -print0" does. Names are relative to
the current folder.

The folder gets the pictures, index.html, a page that shows all and links to them,
and records/, with what made each. These keys in --name stand for

  {content}    the content's name without its extension
  {style}      the style's, likewise
  {extension}  that of the content
  {folder}     the name of the folder that the content is in
  {number}     the number of the pair, from 1
  {loss}       and {size}, {quality} and so on, the value of the setting

and {{ and }} for braces; / makes a folder, as in --name '{style}/{content}.jpg'.
Two pictures of one name are refused before any work, and so is one that would
replace an input.

A picture that is there already, unaltered, of the same inputs, settings and
version, isn't painted again: so the same command goes on where an interrupted one
stopped, and does only what is new. After Ctrl-C, SIGTERM or SIGHUP the picture
under way is written as it was after the last whole iteration; it doesn't count as
finished. A file that can't be read or painted is reported, the others are made,
and the exit status is 1; the same command tries it again. In the end a table says
what became of each.

With --cluster, pictures are painted by the workers of a cluster, on any number of
machines (impasto cluster --help): some hundreds are handed over at a time, and fetched
as they are done. After Ctrl-C what was handed over is painted all the same, and the
same command fetches it. Nothing is painted here.

With --json, standard output gets an object for every picture once it is made,
found, failed or stopped, with the keys event ("picture"), number, content, style,
path, state ("made", "reused", "failed" or "interrupted"), error (missing where
there is none), width, height, iterations, seconds, loss (0 where there is no
picture) and remarks (missing where there are none); one before it is painted,
or handed over to a cluster, with event ("painting"), number, content, style and path; one for each iteration,
with the keys that stylize gives it, and number, batch_work (the share of all work
that is done) and batch_remaining_seconds (missing while nothing tells); before
all that, unless nothing is to be painted, one with event ("planned"), pictures
(how many are to be painted), reused (how many are there), failed, device, memory
(bytes, the most of any picture) and seconds (of all); and in the end one with
event ("written") and path (of the page), and one with event ("summary"),
pictures, made, reused, failed and left (how many aren't finished or begun).
--dry-run gives an object for every picture, with event ("job"), number, content,
style, path, state ("waiting", "reused" or "failed"), error, width, height, memory
and seconds, and then the one with event ("planned").`,
		Example: `  impasto batch 'photos/*.jpg' --style painting.jpg --out-dir painted
  impasto batch photos --style paintings --out-dir painted --name '{style}/{content}.jpg' --size 1024
  find . -name '*.jpg' -print0 | impasto batch --list - --style painting.jpg --out-dir painted`,
		ValidArgsFunction: pictures,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && o.List == "" {
				return errors.New("want at least one content: a file, a folder or a pattern, or a --list of such")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd.Flags().Changed); err != nil {
				return err
			}
			return runBatch(cmd.Context(), *o, *global, args, streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Batch"))
	return cmd
}

// check reports flags that are right by themselves but not together, and fits settings that
// weren't given to those that were.
func (o *batchOptions) check(given func(flag string) bool) error {
	if o.Folder == "" {
		return usagef("batch: nowhere to write; name a folder with --out-dir, as in --out-dir painted")
	}
	if err := checkDepthOf(o.Depth, ""); err != nil {
		return err
	}
	if err := o.cluster.check("batch", false); err != nil {
		return err
	}
	if err := o.Settle(given); err != nil {
		return usage(err)
	}
	return usage(o.Stylization.Check())
}

// runBatch does what the command says.
func runBatch(ctx context.Context, o batchOptions, global globalOptions, contents []string, std streams) error {
	for _, path := range append(append([]string{o.Folder}, contents...), o.Styles...) {
		if err := checkFile(path); err != nil {
			return err
		}
	}
	view := &batchView{global: global, stdout: std.out, stderr: std.err}
	lines, err := o.readList(ctx, std)
	if err != nil {
		return batchError(err)
	}
	inputs := batch.Inputs{Contents: contents, Styles: o.Styles, List: lines, Paired: o.Paired, Folder: o.Folder}
	pairs, notes, err := inputs.Pairs()
	if err != nil {
		return batchError(err)
	}
	for _, note := range notes {
		view.say("%s", note)
	}
	runner, group, end, err := o.runner(ctx, view)
	if err != nil {
		return err
	}
	defer end()
	options := batch.Options{
		Runner: runner,
		Pairs:  pairs, Settings: o.Stylization, Depth: o.Depth, Quality: o.JPEG, Folder: o.Folder, Name: o.Name,
		Version: buildVersion(), Command: commandLine(), DryRun: o.DryRun,
		Announce: !global.Quiet || global.JSON || o.cluster.URL != "", Progress: view.show,
	}
	if o.List != "" && o.List != standardStream {
		options.Also = []string{o.List}
	}
	b, err := batch.New(ctx, options)
	if err != nil {
		return batchError(err)
	}
	if err := o.sources.save(append(slices.Concat(contents, o.Styles), o.List)); err != nil {
		return err
	}
	if o.DryRun {
		return printBatchPlan(ctx, b, global, std.out)
	}
	defer announceInterrupt(ctx, std.err, global.Quiet)()
	err = b.Run(ctx)
	view.endPicture()
	if view.failed != nil {
		return fmt.Errorf("%w; what was made by then is in %s, and the same command goes on from there", view.failed, quote.Name(o.Folder))
	}
	if told := view.finish(b); told != nil {
		return told
	}
	failure := b.Failure()
	switch {
	case err == nil:
		return failure
	case failure != nil && ctx.Err() == nil:
		return fmt.Errorf("%w; %w", failure, err)
	}
	return clusterError(batchError(err), o.cluster, group)
}

// runner is who paints, what jobs are called together that are handed over, and what is to be
// called in the end.
func (o *batchOptions) runner(ctx context.Context, view *batchView) (runner batch.Runner, group string, end func(), err error) {
	if o.cluster.URL == "" || o.DryRun {
		local := batch.NewLocal()
		local.Describe = describeJob
		return local, "", func() {}, nil
	}
	say := func(line string) { view.say("%s", line) }
	remote, err := connectRunner(ctx, o.cluster, "batch", say)
	if err != nil {
		return nil, "", nil, err
	}
	view.handed = true
	return remote, remote.Batch, remote.Cluster.Close, nil
}

// printBatchPlan does what --dry-run says.
func printBatchPlan(ctx context.Context, b *batch.Batch, global globalOptions, stdout io.Writer) error {
	plan, err := b.Plan(ctx)
	if err != nil {
		return batchError(err)
	}
	if global.JSON {
		for _, s := range b.Statuses() {
			if err := printJSON(stdout, newJobEvent(s)); err != nil {
				return err
			}
		}
		if err := printJSON(stdout, newBatchPlannedEvent(plan)); err != nil {
			return err
		}
	} else if err := writeBatchPlan(stdout, b.Statuses(), plan); err != nil {
		return err
	}
	return b.Failure()
}

// maxList is how many bytes a list may have.
const maxList = 1 << 26

// readList reads the list, where there is one. It ends with ctx even where the list is a
// pipe that stays silent; then a goroutine goes on waiting for that.
func (o *batchOptions) readList(ctx context.Context, std streams) ([]batch.Line, error) {
	if o.List == "" {
		return nil, nil
	}
	in, name := std.in, "standard input"
	if o.List != standardStream {
		name = quote.Name(o.List)
		if isFolder(o.List) {
			return nil, usagef("--list %s is a folder; name it without --list, or a file with the names of pictures", name)
		}
		file, err := os.Open(o.List)
		if err != nil {
			return nil, fmt.Errorf("batch: read the list: %w", err)
		}
		defer file.Close()
		in = file
	} else if isTerminal(in) {
		return nil, usagef("--list -: standard input is a terminal; pipe a list into it, or name a file")
	}
	type read struct {
		data []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(in, maxList+1))
		done <- read{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		if r.err == nil && len(r.data) > maxList {
			r.err = fmt.Errorf("it has more than %d bytes", maxList)
		}
		if r.err != nil {
			return nil, fmt.Errorf("batch: read the list from %s: %w", name, r.err)
		}
		lines, err := batch.ParseList(r.data)
		if err == nil && len(lines) == 0 {
			err = usagef("the list from %s has no pictures in it", name)
		}
		return lines, err
	}
}

// batchError turns those errors of a batch that the program has its own words for into
// these.
func batchError(err error) error {
	var input *batch.InputError
	var interrupted *batch.InterruptedError
	switch {
	case errors.As(err, &input):
		return usage(err)
	case errors.As(err, &interrupted):
		partial := ""
		if p := interrupted.Partial; p != nil {
			partial = fmt.Sprintf("; %s is as it was when it was stopped", quote.Name(p.Job.Output))
		}
		return fmt.Errorf("%w after %d of %s; they are in %s, and the same command goes on from there%s", errInterrupted,
			interrupted.Done, report.Count(interrupted.Count, "picture"), quote.Name(interrupted.Folder), partial)
	}
	return err
}

// fileTexts is a flag that takes a file, a folder or a pattern each time it is given.
type fileTexts struct{ target *[]string }

func (l fileTexts) String() string { return "" }

func (l fileTexts) Type() string { return "FILE" }

func (l fileTexts) Set(text string) error {
	if text == "" {
		return errors.New("want the name of a file, a folder or a pattern")
	}
	*l.target = append(*l.target, text)
	return nil
}
