package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"impasto/losses"
)

// compareOptions are the settings of impasto compare: those of every picture,
// and what varies between them.
type compareOptions struct {
	stylizeOptions
	Losses    []string // shorthand for a dimension
	Vary      []dimension
	Seconds   float64 // for each picture; 0 counts iterations instead
	Also      []string
	ScoreSize int
}

func newCompareOptions() *compareOptions {
	return &compareOptions{stylizeOptions: *newStylizeOptions(), ScoreSize: 128}
}

func (o *compareOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	f := flagSet{flags, "Comparison"}
	f.add(freeText{&o.Output, "FOLDER"}, "output", "o", "where everything goes; made if it isn't there")
	f.add(newNameList(&o.Losses, "loss", losses.Names()), "losses", "", "losses to compare, with commas between them; all where nothing is varied")
	f.add(dimensions{&o.Vary}, "vary", "", "another setting to vary, as in tv-weight=0,2,8: any of the flags below; may be repeated; semicolons part values that have commas")
	f.add(realNumber{&o.Seconds, 0, 1e6, "SECONDS"}, "seconds", "", "equal time for each picture, instead of equal iterations, which then only say how scales share it; L-BFGS may find sooner that no more would help; 0 counts iterations")
	f.add(pathList{&o.Also}, "also", "", "a picture that another program made of the same, to be shown and scored too; may be repeated")
	f.add(wholeNumber{&o.ScoreSize, 1, maxSide, "PIXELS"}, "score-size", "", "longer side at which pictures are scored; some losses take time with its fourth power")
	o.addPictureFlags(flags)
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
  sheet.png    a contact sheet
  scores.json  every picture, and the content, scored under every loss against
               the styles and against the content
  pictures/    the pictures, each with a record of what made it

and the scores are printed as a table. Scores are as the descent counts: 0 is
equality, 1 a difference of about the target's own size.

A picture that is there already, of the same settings, inputs and version, isn't
painted again: so the same command goes on where an interrupted one stopped. A
picture that fails is reported with its last good state, the others are made, and
the exit status is 1; the same command tries it again.

With --json, standard output gets an object for every picture, with the keys
event ("picture"), name, kind (content, style, made or also), file, settings (an
object: those that vary), reused, error (why the picture isn't finished, or not
there; missing where there is none),
iterations, seconds, loss, style and content (objects: the scores by loss, null
for one that failed), kept (the content loss; null where it isn't known) and
problems (an object: by loss, why a score is null); and one for every other file
written, with event ("written") and path. scores.json has these objects, without
event and reused, under the key pictures.`,
		Example: `  impasto compare photo.jpg painting.jpg --losses gram,gaussian -o compared
  impasto compare photo.jpg painting.jpg --vary tv-weight=0,2,8 --vary loss=gram,moments -o grid --seconds 60`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fmt.Errorf("want a content picture and at least one style, got %s", count(len(args), "picture"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cells, err := o.cells(cmd)
			if err != nil {
				return err
			}
			return runCompare(cmd.Context(), *o, *global, cells, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.addFlags(cmd)
	return cmd
}

// cells are the pictures that the flags ask for.
func (o *compareOptions) cells(cmd *cobra.Command) ([]cell, error) {
	if o.Output == "" {
		return nil, usagef("compare: nowhere to write; name a folder with -o, as in -o compared")
	}
	all := slices.Clone(o.Vary)
	if len(o.Losses) == 0 && len(all) == 0 {
		o.Losses = comparedLosses()
	}
	if len(o.Losses) > 0 {
		var first []dimension
		if err := addDimension(&first, "loss", strings.Join(o.Losses, ",")); err != nil {
			return nil, usagef("--losses: %s", err)
		}
		if slices.ContainsFunc(all, func(d dimension) bool { return d.name == "loss" }) {
			return nil, usagef("--losses and --vary loss= both vary the loss; give one of them")
		}
		all = append(first, all...)
	}
	for _, d := range all {
		if cmd.Flags().Changed(d.name) {
			return nil, usagef("--%s is given and varied; give one of them", d.name)
		}
	}
	o.TimeLimit = time.Duration(o.Seconds * float64(time.Second))
	cells, err := grid(o.stylizeOptions, all, cmd.Flags())
	if err != nil {
		return nil, err
	}
	return cells, nil
}

// runCompare does what the command says: args are the content and the styles.
func runCompare(ctx context.Context, o compareOptions, global globalOptions, cells []cell, args []string, stdout, stderr io.Writer) error {
	c, err := newComparison(o, cells, args)
	if err != nil {
		return err
	}
	defer c.scorer.Close()
	c.global, c.stdout, c.stderr = global, stdout, stderr
	if err := c.paintAll(ctx); err != nil {
		return err
	}
	if err := c.scoreAll(ctx); err != nil {
		return err
	}
	if err := c.write(); err != nil {
		return err
	}
	return c.failure()
}

// pathList is a flag that takes one file each time it is given.
type pathList struct{ target *[]string }

func (l pathList) String() string { return "" }

func (l pathList) Type() string { return "FILE" }

func (l pathList) Set(path string) error {
	if path == "" {
		return fmt.Errorf("want the name of a file")
	}
	if slices.ContainsFunc(*l.target, func(other string) bool { return filepath.Clean(other) == filepath.Clean(path) }) {
		return fmt.Errorf("the file is named twice")
	}
	*l.target = append(*l.target, path)
	return nil
}
