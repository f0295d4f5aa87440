package main

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
)

// extensions are those of files that get their name here, by format.
var extensions = map[string]string{"png": ".png", "jpeg": ".jpg", "tiff": ".tif", "webp": ".webp"}

func (o *stylizeOptions) saveOptions() picture.SaveOptions {
	return picture.SaveOptions{Depth: o.Depth, Quality: o.JPEG, WebPQuality: o.WebP, Format: o.Format, Dither: o.Dither, Seed: o.Options.Seed}
}

// settleOutput makes Output a file or standardStream, and Format that of the picture.
// A folder is made where it isn't there, but for a dry run.
func (o *stylizeOptions) settleOutput(content string, json bool, std streams) error {
	if o.Output == standardStream {
		return o.settleStream(json, std)
	}
	if o.Output == "/dev/stdout" {
		return usagef("-o /dev/stdout would replace a file; -o - writes to standard output")
	}
	folder := ""
	if last := o.Output[len(o.Output)-1]; os.IsPathSeparator(last) || isFolder(o.Output) {
		folder = o.Output
		o.Output = filepath.Join(folder, o.nameOf(content))
	}
	format, err := picture.FormatOf(o.Output)
	switch {
	case o.Format == "" && err != nil && filepath.Ext(o.Output) == "":
		return usagef("%s, or say --format", err)
	case o.Format == "" && err != nil:
		return usage(err)
	case o.Format == "":
		o.Format = format
	case err == nil && format != o.Format:
		return usagef("--format %s: %s is the name of a %s; change one of them", o.Format, quote.Name(o.Output), strings.ToUpper(format))
	}
	if err := o.checkDepth(); err != nil || folder == "" {
		return err
	}
	if err := o.makeFolder(folder); err != nil {
		return fmt.Errorf("stylize: make the folder: %w", err)
	}
	return nil
}

// makeFolder makes the output's folder. In a dry run it only looks whether that could be
// done.
func (o *stylizeOptions) makeFolder(folder string) error {
	if !o.DryRun {
		return os.MkdirAll(folder, 0o777)
	}
	o.folderMissing = !isFolder(folder)
	return atomicfile.CheckFolder(folder)
}

// settleStream is settleOutput for standard output.
func (o *stylizeOptions) settleStream(json bool, std streams) error {
	switch {
	case json:
		return usagef("-o - and --json both write to standard output; give one of them")
	case o.SaveEvery > 0:
		return usagef("--save-every names its pictures after the output; name a file with -o instead of -")
	case isTerminal(std.out):
		return usagef("-o -: standard output is a terminal, which can't show a picture; pipe it into a program or a file")
	}
	if o.Format == "" {
		o.Format = picture.Written[0]
	}
	return o.checkDepth()
}

func (o *stylizeOptions) checkDepth() error {
	if err := checkDepthOf(o.Depth, o.Format); err != nil {
		return err
	}
	if o.Dither && o.Format == "jpeg" {
		return usagef("--dither: a JPEG is made of values that aren't rounded; write a .png or .tif, or leave --dither out")
	}
	if o.Dither && o.Depth == 16 {
		return usagef("--dither is for 8 bits a channel; leave it or --depth 16 out")
	}
	return nil
}

// checkDepthOf reports a depth that there isn't, or that a format doesn't have; an empty one
// isn't known yet.
func checkDepthOf(depth int, format string) error {
	if depth != 8 && depth != 16 {
		return usagef("--depth \"%d\": want 8 or 16", depth)
	}
	if depth == 16 && picture.IsShallow(format) {
		return usagef("--depth 16: a %s has 8 bits a channel; write a .png or .tif, or leave --depth out", picture.Title(format))
	}
	return nil
}

// checkSize reports, before any work, a picture of a size that can't be written.
func (o *stylizeOptions) checkSize(content image.Image) error {
	size := content.Bounds().Size()
	size.X, size.Y = picture.FitSize(size.X, size.Y, o.Options.Size)
	return picture.CheckSize(size, o.Output, o.saveOptions())
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// nameOf is the name that a picture gets in a folder: the content's, with its
// extension where that is one of the format, or of any where none was asked for.
func (o *stylizeOptions) nameOf(content string) string {
	name := filepath.Base(content)
	if content == standardStream {
		name = "painted"
	}
	format, err := picture.FormatOf(name)
	switch {
	case err == nil && o.Format == "" && (!picture.IsShallow(format) || o.Depth == 8), err == nil && format == o.Format:
		return name
	case o.Format != "":
		format = o.Format
	default:
		format = picture.Written[0]
	}
	return strings.TrimSuffix(name, filepath.Ext(name)) + extensions[format]
}

// checkOutput reports, before any work, an output that can't be written or would
// replace an input. The remark is what else to tell.
func (o *stylizeOptions) checkOutput(inputs []string) (remark string, err error) {
	if o.Output == standardStream {
		return "", nil
	}
	if err := checkNotInput(o.Output, inputs); err != nil {
		return "", err
	}
	if o.folderMissing {
		return "", nil // so that there is nothing to replace
	}
	if err := picture.CheckFile(o.Output); err != nil {
		return "", err
	}
	if o.SaveEvery > 0 {
		return o.checkSnapshots(inputs)
	}
	return "", nil
}

// snapshotPath is where the intermediate picture after some iterations goes:
// beside the output, as painted-00100.png for painted.png.
func snapshotPath(output string, iterations int) string {
	extension := filepath.Ext(output)
	return fmt.Sprintf("%s-%05d%s", strings.TrimSuffix(output, extension), iterations, extension)
}

// checkSnapshots reports an intermediate picture that can't be written, would replace
// an input, or would replace a file that no earlier run made: those of one lie beside
// its output. The remark names what will be replaced.
func (o *stylizeOptions) checkSnapshots(inputs []string) (remark string, err error) {
	extension := filepath.Ext(o.Output)
	pattern := regexp.MustCompile("^" + regexp.QuoteMeta(strings.TrimSuffix(filepath.Base(o.Output), extension)) +
		`-(\d{5,})` + regexp.QuoteMeta(extension) + "$")
	if err := checkNoSnapshot(pattern, o.Output, inputs); err != nil {
		return "", err
	}
	if err := picture.CheckFile(snapshotPath(o.Output, o.mostIterations())); err != nil {
		return "", fmt.Errorf("--save-every: %w", err)
	}
	there := o.snapshotsThere(pattern)
	if len(there) == 0 {
		return "", nil
	}
	for _, path := range there {
		if err := checkNotInput(path, inputs); err != nil { // by a link
			return "", err
		}
		if err := picture.CheckFile(path); err != nil {
			return "", fmt.Errorf("--save-every: %w", err)
		}
	}
	first := quote.Name(there[0])
	if len(there) > 1 {
		first += fmt.Sprintf(" and %d more", len(there)-1)
	}
	if _, err := os.Stat(o.Output); errors.Is(err, fs.ErrNotExist) {
		return "", usagef("--save-every would replace %s, and there is no %s that an earlier run made with it; remove it, or choose another output with -o",
			first, quote.Name(o.Output))
	}
	return fmt.Sprintf("--save-every replaces %s of an earlier run", first), nil
}

// mostIterations is no less than the iterations of the whole run, whose scales grow by
// √2.
func (o *stylizeOptions) mostIterations() int {
	scales := 2 * bits.Len(uint(o.Options.Size/o.Options.MinSize))
	return o.Options.FirstIterations + scales*max(o.Options.MiddleIterations, o.Options.Iterations)
}

// snapshotsThere are the files that intermediate pictures would replace.
func (o *stylizeOptions) snapshotsThere(pattern *regexp.Regexp) (there []string) {
	folder, _ := filepath.Split(o.Output)
	entries, _ := os.ReadDir(filepath.Dir(o.Output)) // an error is told by the check of the output
	for _, entry := range entries {
		match := pattern.FindStringSubmatch(entry.Name())
		if match == nil {
			continue
		}
		n, err := strconv.Atoi(match[1])
		if err == nil && n > 0 && n%o.SaveEvery == 0 && n < o.mostIterations() && snapshotPath(o.Output, n) == folder+entry.Name() {
			there = append(there, folder+entry.Name())
		}
	}
	return there
}

// checkNoSnapshot reports an input that an intermediate picture would replace.
func checkNoSnapshot(pattern *regexp.Regexp, output string, inputs []string) error {
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
