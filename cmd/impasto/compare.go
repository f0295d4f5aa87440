package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"impasto/internal/compare"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/losses"
	"impasto/model"
)

// compareOptions are the settings of impasto compare: those of every picture,
// and what varies between them.
type compareOptions struct {
	settings.Stylization
	sources   settingsSources
	Output    string   // a folder
	LossNames []string // shorthand for a dimension
	Vary      []compare.Dimension
	Seeds     []uint64 // that each of what varies is painted under; none for one picture each
	Seconds   float64  // for each picture; 0 counts iterations instead
	Also      []string
	ScoreSize int
	// NoMetadata leaves out of the pictures' files how they were made.
	NoMetadata bool

	cluster clusterOptions
}

func newCompareOptions() *compareOptions {
	return &compareOptions{Stylization: settings.Default(), ScoreSize: compare.DefaultScoreSize}
}

func (o *compareOptions) addFlags(f flagSet) {
	f.addTable(o.Table(), func() { o.addOwnFlags(f) })
}

func (o *compareOptions) addOwnFlags(f flagSet) {
	f.add(settings.Text(&o.Output, "FOLDER"), "output", "o", "where everything goes; made if it isn't there")
	f.add(settings.Names(&o.LossNames, "loss", losses.Names()), "losses", "", "losses to compare, with commas between them; all where nothing is varied")
	f.add(dimensions{&o.Vary}, "vary", "", "another setting to vary, as in tv-weight=0,2,8: the preset or any of the flags below it; may be repeated; semicolons part values that have commas")
	f.add(seedList{&o.Seeds}, "seeds", "", "paint each under all of these seeds, as in 0..4 or 0,3,7, and give means and standard deviations; where nothing is random, one picture is painted")
	f.add(settings.Real(&o.Seconds, 0, 1e6, "SECONDS"), "seconds", "", "equal time for each picture, instead of equal iterations, which then only say how scales share it; L-BFGS may find sooner that no more would help; 0 counts iterations")
	f.add(pathList{&o.Also}, "also", "", "a picture that another program made of the same, to be shown and scored too; may be repeated")
	f.add(settings.Whole(&o.ScoreSize, 1, model.MaxSize, "PIXELS"), "score-size", "", "longer side at which pictures are scored; some losses take time with its fourth power")
	f.add(settings.Switch(&o.NoMetadata), "no-metadata", "", "don't say in the pictures' files how they were made, which impasto info prints")
	o.cluster.addFlags(f, "have the pictures painted by the workers of a cluster: nats://HOST:PORT, or tls://HOST:PORT; see impasto cluster --help")
	o.sources.addFlags(f, o.varies)
}

// varies tells whether a setting varies between the pictures.
func (o *compareOptions) varies(name string) bool {
	return slices.ContainsFunc(o.Vary, func(d compare.Dimension) bool { return d.Name == name }) ||
		name == "seed" && len(o.Seeds) > 0 ||
		name == "loss" && (len(o.LossNames) > 0 || len(o.Vary) == 0 && !(len(o.Seeds) > 0 && o.sources.isTyped("loss")))
}

func newCompareCommand(global *globalOptions) *cobra.Command {
	o := newCompareOptions()
	cmd := &cobra.Command{
		Use:   "compare CONTENT STYLE[:WEIGHT]… -o FOLDER",
		Short: "Compare losses or other settings on the same pictures",
		Long: `Compare paints CONTENT in the style of the STYLE pictures several times, once for
every combination of the losses and settings that are varied, and shows the
results together. The folder gets

  index.html   a page with everything in it: the pictures side by side, a slider
               between any two, one zoom for all, loss curves, times, settings
  sheet.png    a contact sheet; here too, two settings that vary make a matrix
  scores.json  every picture, and the content, scored under every loss against
               the styles and against the content
  curves.json  how each came nearer, by iteration and by time
  curves.svg   the same, drawn, by what can be compared
  pictures/    the pictures, each with a record of what made it

and the scores are printed as a table. Scores are as the descent counts: 0 is
equality, 1 a difference of about the target's own size.

A picture that is there already, of the same settings, inputs and version, isn't
painted again: so the same command goes on where an interrupted one stopped. A
picture that fails is reported with its last good state, the others are made, and
the exit status is 1; the same command tries it again. All files are tried before
any work; a picture that can't be written in the end goes to another name, which
the report has.

With --seeds, each combination is painted under several seeds, and tables and page
have means and standard deviations; one in which nothing is random is painted once.

Where pictures descend on different losses, these can't be compared on their way. So all
are brought to the size of the scores now and then and measured alike, by gaussian, gram
and the content loss; the time for that isn't counted, but with --seconds, where it is one
part in fifty at most.

Before it starts, it says how long painting all that isn't there will take, and
how much memory the largest picture will.

With --cluster, pictures are painted by the workers of a cluster, on any number of
machines (impasto cluster --help), and scored here. With --seconds, each has the time
on whichever machine it is painted.

With --json, standard output gets an object for every picture, with the keys
event ("picture"), name, kind (content, style, made or also), file, settings (an
object: those that vary), reused, error (why the picture isn't finished, or not
there; missing where there is none), iterations, seconds, loss, remarks (what
there is to be said of it, as that it hardly changed; missing where there is
nothing), style and content (objects: the scores by loss, null for one that
failed), kept (the content loss; null where it isn't known) and problems (an
object: by loss, why a score is null); and one for every other file written, with
event ("written") and path. scores.json has these objects, without event and
reused, under the key pictures. Before all that comes an object with event
("planned"), pictures (how many are to be painted), reused (how many are there
already), device, memory (bytes, the most of any picture) and seconds (of all),
unless all are there. With --seeds, an object for every variant, of the pictures that
differ in nothing but the seed, comes in the end, with event ("variant") and what
docs/json.md says; scores.json has them under the key variants.`,
		Example: `  impasto compare photo.jpg painting.jpg --losses gram,gaussian -o compared
  impasto compare photo.jpg painting.jpg --vary tv-weight=0,2,8 --vary loss=gram,moments -o grid --seconds 60
  impasto compare photo.jpg painting.jpg --losses sliced,mmd --seeds 0..4 -o seeds`,
		ValidArgsFunction: pictures,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fmt.Errorf("want a content picture and at least one style, got %s", report.Count(len(args), "picture"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cells, err := o.cells(cmd.Flags().Changed)
			if err != nil {
				return err
			}
			return runCompare(cmd.Context(), *o, *global, cells, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.addFlags(flagsOf(cmd, "Comparison"))
	return cmd
}

// cells are the pictures that the flags ask for, after a check of those.
func (o *compareOptions) cells(given func(flag string) bool) ([]compare.Cell, error) {
	if o.Output == "" {
		return nil, usagef("compare: nowhere to write; name a folder with -o, as in -o compared")
	}
	if err := o.cluster.check("compare", false); err != nil {
		return nil, err
	}
	all := slices.Clone(o.Vary)
	// One loss under several seeds is a comparison too.
	single := len(o.Seeds) > 0 && len(o.LossNames) == 0 && len(all) == 0 && given("loss")
	switch {
	case single:
		o.LossNames = []string{o.Loss.Description().Name}
	case len(o.LossNames) == 0 && len(all) == 0:
		o.LossNames = losses.NamesOf(losses.Usable())
	}
	if len(o.LossNames) > 0 {
		if slices.ContainsFunc(all, func(d compare.Dimension) bool { return d.Name == "loss" }) {
			return nil, usagef("--losses and --vary loss= both vary the loss; give one of them")
		}
		all = append([]compare.Dimension{{Name: "loss", Values: o.LossNames}}, all...)
	}
	for _, d := range all {
		if given(d.Name) && !single {
			return nil, usagef("--%s is given and varied; give one of them", d.Name)
		}
		if d.Name == "seed" && len(o.Seeds) > 0 {
			return nil, usagef("--seeds and --vary seed= both vary the seed; give one of them")
		}
	}
	if len(o.Seeds) > 0 && given("seed") {
		return nil, usagef("--seed and --seeds are given; give one of them")
	}
	cells, err := compare.Grid(o.Stylization, all, given, o.sources.has)
	if err == nil && len(o.Seeds) > 0 {
		cells, err = compare.UnderSeeds(cells, o.Seeds)
	}
	return cells, usage(err)
}

// unseeded is what is said of variants in which nothing is random, or nothing.
func unseeded(cells []compare.Cell) string {
	var names []string
	for _, c := range cells {
		if !c.Seeded {
			names = append(names, quote.Name(c.Name()))
		}
	}
	if names == nil {
		return ""
	}
	return "nothing is random in " + strings.Join(names, "; ") + ": seeds make no difference, and " + report.Count(len(names), "picture") + " will do"
}

// runCompare does what the command says: args are the content and the styles.
func runCompare(ctx context.Context, o compareOptions, global globalOptions, cells []compare.Cell, args []string, stdout, stderr io.Writer) error {
	styles, err := parseStyles(args[1:])
	if err != nil {
		return err
	}
	for _, path := range append([]string{o.Output, args[0]}, o.Also...) {
		if err := checkFile(path); err != nil {
			return err
		}
	}
	view := &comparisonView{global: global, stdout: stdout, stderr: stderr}
	if text := understood(args[0], styles); text != "" {
		view.say("%s", text)
	}
	if len(o.Seeds) > 0 {
		if text := unseeded(cells); text != "" {
			view.say("%s", text)
		}
	}
	options := compare.Options{
		Content: args[0], Also: o.Also, Cells: cells, Seeds: o.Seeds, Base: o.Stylization, Seconds: o.Seconds, ScoreSize: o.ScoreSize,
		Folder: o.Output, Version: buildVersion(), Command: commandLine(),
		Announce: !global.Quiet || global.JSON, Progress: view.show,
	}
	for _, s := range styles {
		if err := checkFile(s.path); err != nil {
			return err
		}
		options.Styles = append(options.Styles, compare.Style{File: s.path, Weight: s.weight})
	}
	if !o.NoMetadata {
		options.Describe = cellDescriber(ctx, args[0], styles, o.Seconds, view.say)
	}
	group := ""
	if o.cluster.URL != "" {
		say := func(line string) { view.say("%s", line) }
		remote, err := connectRunner(ctx, o.cluster, "compare", say)
		if err != nil {
			return err
		}
		defer remote.Cluster.Close()
		options.Painter, options.Announce, group = remote, true, remote.Batch
	}
	c, err := compare.New(ctx, options)
	if err != nil {
		return compareError(err)
	}
	defer c.Close()
	if err := o.sources.save(append(slices.Clone(args), o.Also...)); err != nil {
		return err
	}
	view.painted = announceInterrupt(ctx, stderr, global.Quiet)
	defer view.painted()
	err = c.Run(ctx)
	view.endPicture()
	switch {
	case view.failed != nil:
		return fmt.Errorf("%w; what was made by then is in %s, and the same command goes on from there", view.failed, o.Output)
	case err != nil:
		return clusterError(compareError(err), o.cluster, group)
	}
	if err := view.summarise(c.Report()); err != nil {
		return err
	}
	return c.Failure()
}

// compareError turns those errors of a comparison that the program has its own words
// for into these.
func compareError(err error) error {
	var overwrite *compare.OverwriteError
	var interrupted *compare.InterruptedError
	switch {
	case errors.As(err, &overwrite):
		return replacesInput(overwrite.Output, overwrite.Input)
	case errors.As(err, &interrupted):
		return fmt.Errorf("%w after %d of %s; they are in %s, and the same command goes on from there",
			errInterrupted, interrupted.Done, report.Count(interrupted.Count, "picture"), interrupted.Folder)
	}
	return err
}

// comparisonView shows people and scripts what happens to a comparison.
type comparisonView struct {
	global         globalOptions
	stdout, stderr io.Writer
	picture        reporter // of the picture that is being painted; nil for none
	painted        func()   // to be called when there is none more to paint
	failed         error    // of standard output
}

// pictureEvent is written for every picture once it is scored. The keys are a
// promise to scripts.
type pictureEvent struct {
	Event string `json:"event"` // "picture"
	compare.Picture
	Reused bool `json:"reused"`
}

// variantEvent is written for every variant in the end, where there are several seeds.
type variantEvent struct {
	Event string `json:"event"` // "variant"
	compare.Variant
}

// summarise prints what is known in the end: tables for people, variants for scripts.
func (v *comparisonView) summarise(r compare.Report) error {
	if !v.global.JSON {
		return writeScoreTables(v.stdout, r)
	}
	for _, variant := range r.Variants {
		if err := v.write(variantEvent{"variant", variant}); err != nil {
			return err
		}
	}
	return nil
}

// plannedEvent is written before the first picture is painted.
type plannedEvent struct {
	Event    string  `json:"event"` // "planned"
	Pictures int     `json:"pictures"`
	Reused   int     `json:"reused"`
	Device   string  `json:"device"`
	Memory   int64   `json:"memory"` // bytes, the most of any picture
	Seconds  float64 `json:"seconds"`
}

// fileEvent is written for every other file.
type fileEvent struct {
	Event string `json:"event"` // "written"
	Path  string `json:"path"`
}

// show is called with every event.
func (v *comparisonView) show(e compare.Event) error {
	if e.Kind == compare.Iterated {
		v.picture.progress(e.Iteration)
		return nil
	}
	v.endPicture()
	where := fmt.Sprintf("%s (%d of %d)", quote.Name(e.Picture.Name), e.Number, e.Count)
	switch e.Kind {
	case compare.Remarked:
		v.say("%s: %s", e.Path, e.Remark)
	case compare.Planned:
		v.say("%s", announcementOf(e.Plan))
		return v.write(plannedEvent{"planned", e.Plan.Pictures, e.Plan.Reused, e.Plan.Device, e.Plan.Memory, e.Plan.Time.Seconds()})
	case compare.Reused:
		v.say("%s is there already", where)
	case compare.Painting:
		v.say("painting %s", where)
		v.picture = newReporter(v.stderr, v.global.Quiet, e.Settings.Options.TimeLimit > 0)
	case compare.Painted:
		v.say("wrote %s: %s in %s, loss %s", quote.Name(e.Path), report.Count(e.Picture.Iterations, "iteration"), report.Duration(e.Picture.Time()), significant(e.Picture.Loss))
		for _, remark := range e.Picture.Remarks {
			v.say("%s: %s", quote.Name(e.Picture.Name), remark)
		}
	case compare.Failed:
		v.say("%s failed: %s", where, e.Picture.Error)
	case compare.Scoring:
		v.painted()
		v.say("scoring %s", where)
	case compare.Unscored:
		v.say("no score of %s under %s: %s", quote.Name(e.Picture.Name), e.Loss, e.Picture.Problems[e.Loss])
	case compare.Complete:
		return v.write(pictureEvent{"picture", e.Picture, e.Picture.Reused})
	case compare.Written:
		v.say("wrote %s", quote.Name(e.Path))
		return v.write(fileEvent{"written", e.Path})
	}
	return nil
}

// announcementOf says in a line what all pictures of a plan take.
func announcementOf(p compare.Plan) string {
	there := ""
	if p.Reused > 0 {
		there = fmt.Sprintf(" (%d more there already)", p.Reused)
	}
	return fmt.Sprintf("%s to paint%s: about %s, and at most %s on %s", report.Count(p.Pictures, "picture"), there,
		report.Duration(p.Time), mebibytes(p.Memory), p.Device)
}

// endPicture ends what is shown of a picture that was being painted.
func (v *comparisonView) endPicture() {
	if v.picture != nil {
		v.picture.finish()
		v.picture = nil
	}
}

// say prints a line for people.
func (v *comparisonView) say(format string, values ...any) {
	if !v.global.Quiet {
		fmt.Fprintln(v.stderr, quote.Line(fmt.Sprintf(format, values...)))
	}
}

// write prints an object for scripts, where they asked for that.
func (v *comparisonView) write(object any) error {
	if v.global.JSON {
		v.failed = printJSON(v.stdout, object)
	}
	return v.failed
}

// scoredRow is a row of the tables of scores.
type scoredRow struct {
	name           string
	style, content map[string]*compare.Spread
	kept           *compare.Spread
}

// scoredRows are the pictures that were scored, or the variants with pictures beside them
// that weren't made here.
func scoredRows(r compare.Report) []scoredRow {
	each := func(scores map[string]*float64) map[string]*compare.Spread {
		all := map[string]*compare.Spread{}
		for loss, score := range scores {
			all[loss] = alone(score)
		}
		return all
	}
	var rows []scoredRow
	variants := r.Variants
	for _, p := range r.Pictures {
		switch {
		case p.Style == nil:
		case p.Kind != compare.KindMade || r.Variants == nil:
			rows = append(rows, scoredRow{rowName(p), each(p.Style), each(p.Content), alone(p.Kept)})
		}
		if len(variants) > 0 && p.Name == variants[0].Pictures[0] {
			v := variants[0]
			variants = variants[1:]
			if v.Loss == nil {
				continue
			}
			rows = append(rows, scoredRow{fmt.Sprintf("%s (n = %d)", quote.Name(v.Name), v.Loss.Count), v.Style, v.Content, v.Kept})
		}
	}
	return rows
}

// alone is a value without a deviation.
func alone(value *float64) *compare.Spread {
	if value == nil {
		return nil
	}
	return &compare.Spread{Mean: *value, Count: 1}
}

// writeScoreTables prints the scores against the styles, then against the
// content.
func writeScoreTables(out io.Writer, r compare.Report) error {
	rows := scoredRows(r)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	column := func(score func(scoredRow) *compare.Spread) []string {
		var means, deviations []float64
		for _, row := range rows {
			mean, deviation := math.NaN(), math.NaN()
			if s := score(row); s != nil {
				mean = s.Mean
				if s.Deviation != nil {
					deviation = *s.Deviation
				}
			}
			means, deviations = append(means, mean), append(deviations, deviation)
		}
		return report.SpreadColumn(means, deviations)
	}
	if r.Seeds != nil {
		fmt.Fprintln(out, "Means over n pictures under different seeds ± standard deviations.")
	}
	for k, heading := range []string{"from the styles", "from the content"} {
		if k > 0 {
			fmt.Fprint(table, "\n")
		}
		columns := [][]string{}
		for _, loss := range r.Losses {
			columns = append(columns, column(func(row scoredRow) *compare.Spread {
				if k == 1 {
					return row.content[loss]
				}
				return row.style[loss]
			}))
		}
		names := slices.Clone(r.Losses)
		if k == 1 {
			names, columns = append(names, "content loss"), append(columns, column(func(row scoredRow) *compare.Spread { return row.kept }))
		}
		fmt.Fprintf(table, "%s\t%s\t\n", heading, strings.Join(names, "\t"))
		for i, row := range rows {
			fmt.Fprintf(table, "%s\t", row.name)
			for _, texts := range columns {
				fmt.Fprintf(table, "%s\t", texts[i])
			}
			fmt.Fprintln(table)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// rowName is a picture's name in a table.
func rowName(p compare.Picture) string {
	if p.Error != "" {
		return quote.Name(p.Name) + " (failed)"
	}
	return quote.Name(p.Name)
}

// dimensions is a flag that takes NAME=VALUE,… and may be given several times.
// Values that have commas in them are parted by semicolons.
type dimensions struct{ target *[]compare.Dimension }

func (d dimensions) String() string { return "" }

func (d dimensions) Type() string { return "NAME=VALUE,…" }

func (d dimensions) Set(text string) error {
	name, list, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("want NAME=VALUE,…, such as tv-weight=0,2,8")
	}
	if slices.ContainsFunc(*d.target, func(other compare.Dimension) bool { return other.Name == name }) {
		return fmt.Errorf("%s is varied twice", name)
	}
	dimension, err := compare.NewDimension(name, list)
	if err != nil {
		return err
	}
	*d.target = append(*d.target, dimension)
	return nil
}

// pathList is a flag that takes one file each time it is given.
type pathList struct{ target *[]string }

func (l pathList) String() string { return "" }

func (l pathList) Type() string { return "FILE" }

func (l pathList) Set(path string) error {
	if path == "" {
		return errors.New("want the name of a file")
	}
	if slices.ContainsFunc(*l.target, func(other string) bool { return filepath.Clean(other) == filepath.Clean(path) }) {
		return errors.New("the file is named twice")
	}
	*l.target = append(*l.target, path)
	return nil
}

// seedList is a flag that takes seeds with commas between them, and ranges as in 0..4.
type seedList struct{ target *[]uint64 }

// mostSeeds is more than anyone paints.
const mostSeeds = 1000

func (l seedList) String() string {
	if l.target == nil {
		return ""
	}
	return compare.SeedsText(*l.target)
}

func (l seedList) Type() string { return "SEED,…" }

func (l seedList) Set(text string) error {
	wrong := errors.New("want whole numbers from 0 with commas between them, or ranges such as 0..4")
	var seeds []uint64
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "..")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 64)
		if err != nil {
			return wrong
		}
		to, err := strconv.ParseUint(last, 10, 64)
		if err != nil || to < from {
			return wrong
		}
		if to-from >= mostSeeds || len(seeds)+int(to-from) >= mostSeeds {
			return fmt.Errorf("want at most %d seeds", mostSeeds)
		}
		for n := uint64(0); n <= to-from; n++ {
			if slices.Contains(seeds, from+n) {
				return fmt.Errorf("seed %d is named twice", from+n)
			}
			seeds = append(seeds, from+n)
		}
	}
	*l.target = seeds
	return nil
}
