package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/made"
	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/model"
)

func newInfoCommand(global *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "info FILE…",
		Short: "Say how a picture was made",
		Long: `Info prints what the files of pictures say: format, size, colours and resolution;
and of those that impasto painted, the build that did, the kind of processor, the
names and SHA-256 of what they were made of, the settings, and the command line that
makes them again. --verbose prints all settings, and not only those that were chosen.
Of a checkpoint, it prints the run that it goes on with. "impasto redo FILE" makes a
picture again.

What a file says may have been changed by anyone. A document that isn't as impasto
writes it is told as such, and the exit status is 1.

With --json it prints an object for every file, with the keys file, format, width,
height, bits (of a channel; 0 where that isn't known), bytes, profile, dpi (0 where the
file says none), software, artist, copyright (missing where there is none), made (the
document in the file, which docs/metadata.md describes; missing where there is none),
command (that makes the picture again; missing with made) and problem (why the document
can't be used; missing where it can). Of a checkpoint they are file, format
("checkpoint"), version, content, styles, output, settings (an object), scale, scales,
done, total (iterations) and command.`,
		Example: `  impasto info painted.png
  impasto info --json *.tif`,
		ValidArgsFunction: pictures,
		Args:              cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runInfo(cmd.Context(), *global, args, cmd.OutOrStdout())
		},
	}
}

// runInfo describes files. Those after one that can't be read are described all the same.
func runInfo(ctx context.Context, global globalOptions, paths []string, stdout io.Writer) error {
	var failed error
	for i, path := range paths {
		if err := checkFile(path); err != nil {
			return err
		}
		if i > 0 && !global.JSON {
			fmt.Fprintln(stdout)
		}
		err := describeFile(ctx, global, path, stdout)
		if ctx.Err() != nil {
			return err
		}
		if err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

func describeFile(ctx context.Context, global globalOptions, path string, stdout io.Writer) error {
	if start, err := startOf(path, len(checkpointStart)); err == nil && string(start) == checkpointStart {
		return describeCheckpoint(global, path, stdout)
	}
	source, err := picture.OpenSource(ctx, path)
	if err != nil {
		return err
	}
	info := pictureInfoOf(path, source.Embedded())
	if global.JSON {
		err = printJSON(stdout, info)
	} else {
		err = info.print(stdout, global.Verbose)
	}
	if err == nil && info.Problem != "" {
		err = fmt.Errorf("%s: what the file says of how it was made can't be used: %s", path, info.Problem)
	}
	return err
}

// pictureInfo is what info prints of a picture. The keys are a promise to scripts.
type pictureInfo struct {
	File      string             `json:"file"`
	Format    string             `json:"format"`
	Width     int                `json:"width"`
	Height    int                `json:"height"`
	Bits      int                `json:"bits"`
	Bytes     int64              `json:"bytes"`
	Profile   string             `json:"profile"`
	DPI       float64            `json:"dpi"`
	Software  string             `json:"software,omitempty"`
	Artist    string             `json:"artist,omitempty"`
	Copyright string             `json:"copyright,omitempty"`
	Made      *metadata.Document `json:"made,omitempty"`
	Command   string             `json:"command,omitempty"`
	Problem   string             `json:"problem,omitempty"`
}

func pictureInfoOf(path string, e picture.Embedded) pictureInfo {
	info := pictureInfo{
		File: path, Format: e.Format, Width: e.Width, Height: e.Height, Bits: e.Bits, Bytes: e.Bytes, Profile: e.Profile,
		DPI: e.Resolution, Software: e.Software, Artist: e.Artist, Copyright: e.Copyright,
	}
	document, err := made.Read(e)
	if err == nil && document != nil {
		info.Command, err = made.Command(document, "OUT"+extensions[document.Output.Format])
	}
	if err != nil {
		info.Problem = quote.Line(strings.TrimPrefix(err.Error(), "metadata: "))
	} else {
		info.Made = document
	}
	return info
}

// print writes the information for people.
func (p pictureInfo) print(out io.Writer, verbose bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d×%d pixels", quote.Name(p.File), p.Format, p.Width, p.Height)
	if p.Bits > 0 {
		fmt.Fprintf(&b, " of %d bits a channel", p.Bits)
	}
	fmt.Fprintf(&b, ", %s\n", megabytes(p.Bytes))
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", name, value)
		}
	}
	row("profile", p.Profile)
	if p.DPI > 0 {
		row("resolution", fmt.Sprintf("%.4g dpi", p.DPI))
	}
	row("artist", quote.Name(p.Artist))
	row("copyright", quote.Name(p.Copyright))
	if p.Made == nil {
		row("software", quote.Name(p.Software))
		if p.Problem == "" {
			row("made", "the file doesn't say how it was made")
		}
		_, err := io.WriteString(out, b.String())
		return err
	}
	d := p.Made
	row("made by", quote.Line(fmt.Sprintf("impasto %s, %s, %s, on %s", d.Program, d.Program.Go, d.Program.Platform,
		strings.Join(d.Computation.Arithmetic, ", then "))))
	row("content", inputText(d.Content, "from standard input"))
	for _, s := range d.Styles {
		row("style", fmt.Sprintf("%s, weight %g", inputText(s.Input, "from standard input"), s.Weight))
	}
	for _, m := range d.Masks {
		row("mask", inputText(m.Region, "")+", for a style of its own")
		row("style", inputText(m.Style, "")+", there")
		if m.StyleRegion != nil {
			row("", "")
			row("mask", inputText(*m.StyleRegion, "")+", of that style")
		}
	}
	if d.Protect != nil {
		row("protected", inputText(*d.Protect, ""))
	}
	if d.Start != nil {
		what := ""
		if made.StartOf(d) == model.StartFromResult {
			what = ", a smaller result"
		}
		row("start", inputText(*d.Start, "")+what)
	}
	row("weights", inputText(d.Weights, "embedded"))
	row("seed", d.Settings["seed"])
	done := report.Count(d.Painted.Iterations, "iteration")
	if d.Painted.Unfinished {
		done = fmt.Sprintf("%d of %d iterations; the run hadn't come to its end", d.Painted.Iterations, d.Painted.Total)
	}
	if d.Painted.Seconds > 0 {
		done += fmt.Sprintf(" in %g seconds, which the run was given", d.Painted.Seconds)
	}
	row("painted", fmt.Sprintf("at %d×%d pixels, after %s", d.Painted.Width, d.Painted.Height, done))
	if verbose {
		printSettings(&b, d.Settings)
	}
	row("again by", made.Line([]string{"redo", p.File})+", or")
	row("", "")
	fmt.Fprintf(&b, "  %-10s %s\n", "", p.Command)
	_, err := io.WriteString(out, b.String())
	return err
}

// printSettings writes settings as flags, a line each.
func printSettings(b *strings.Builder, values map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(b, "  %-10s --%s %s\n", "", quote.Name(name), quote.Name(values[name]))
	}
}

// inputText names an input; unnamed stands for a name.
func inputText(in metadata.Input, unnamed string) string {
	name := unnamed
	if in.FileName() != "" {
		name = quote.Name(in.FileName())
	}
	return fmt.Sprintf("%s, SHA-256 %s", name, in.SHA256)
}

// checkpointInfo is what info prints of a checkpoint. The keys are a promise to scripts.
type checkpointInfo struct {
	File     string            `json:"file"`
	Format   string            `json:"format"` // "checkpoint"
	Version  string            `json:"version"`
	Content  string            `json:"content"`
	Styles   []string          `json:"styles"`
	Output   string            `json:"output"`
	Settings map[string]string `json:"settings"`
	Scale    int               `json:"scale"` // from 1
	Scales   int               `json:"scales"`
	Done     int               `json:"done"` // iterations
	Total    int               `json:"total"`
	Command  string            `json:"command"`
}

// describeCheckpoint describes the run that a checkpoint is of.
func describeCheckpoint(global globalOptions, path string, stdout io.Writer) error {
	c, err := model.OpenCheckpoint(checkpointFile(path))
	if err != nil {
		return fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "model: "))
	}
	var note commandNote
	if err := json.Unmarshal(c.Attachment(), &note); err != nil || len(note.Content) == 0 {
		return fmt.Errorf("%s: the checkpoint has no command; another program wrote it", path)
	}
	last := c.Last()
	info := checkpointInfo{
		File: path, Format: "checkpoint", Version: versionName(note.Version, note.Revision), Content: string(note.Content),
		Output: string(note.Output), Settings: map[string]string{}, Scale: last.Level, Scales: last.Levels, Done: last.Done, Total: last.Total,
		Command: made.Line([]string{"stylize", "--resume", path}),
	}
	for _, s := range note.Styles {
		info.Styles = append(info.Styles, string(s.Path))
	}
	for name, value := range note.Settings {
		if len(value) > 0 {
			info.Settings[name] = string(value)
		}
	}
	if global.JSON {
		return printJSON(stdout, info)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: a checkpoint of impasto %s, after %d of %d iterations, at scale %d of %d\n",
		quote.Name(path), quote.Name(info.Version), info.Done, info.Total, info.Scale, info.Scales)
	fmt.Fprintf(&b, "  %-10s %s\n", "content", quote.Name(info.Content))
	for i, s := range info.Styles {
		fmt.Fprintf(&b, "  %-10s %s, weight %g\n", "style", quote.Name(s), note.Styles[i].Weight)
	}
	fmt.Fprintf(&b, "  %-10s %s\n", "output", quote.Name(info.Output))
	if global.Verbose {
		printSettings(&b, info.Settings)
	}
	fmt.Fprintf(&b, "  %-10s %s\n", "goes on by", info.Command)
	_, err = io.WriteString(stdout, b.String())
	return err
}
