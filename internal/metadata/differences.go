package metadata

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"impasto/internal/quote"
)

// Differences say, a line each, in what a picture was made otherwise than it is now, as far
// as the picture follows from it. Files count by what is in them and not by their names.
func Differences(then, now *Document) []string {
	var all []string
	differ := func(what, was, is string) {
		if was != is {
			all = append(all, fmt.Sprintf("%s: %s then, %s now", what, shown(was), shown(is)))
		}
	}
	differ("version of impasto", then.Program.String(), now.Program.String())
	differ("Go", then.Program.Go, now.Program.Go)
	differ("platform", then.Program.Platform, now.Program.Platform)
	differ("content", then.Content.SHA256, now.Content.SHA256)
	differ("styles", styles(then), styles(now))
	differ("masks", masks(then), masks(now))
	differ("protected region", sumOf(then.Protect), sumOf(now.Protect))
	differ("start", sumOf(then.Start), sumOf(now.Start))
	differ("weights", then.Weights.SHA256, now.Weights.SHA256)
	names := maps.Clone(then.Settings)
	maps.Copy(names, now.Settings)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		differ("--"+name, then.Settings[name], now.Settings[name])
	}
	was, is := then.Output, now.Output
	differ("--format", was.Format, is.Format)
	differ("--depth", fmt.Sprint(was.Depth), fmt.Sprint(is.Depth))
	differ("quality of the file", fmt.Sprint(was.Quality), fmt.Sprint(is.Quality))
	differ("--dither", fmt.Sprint(was.Dither), fmt.Sprint(is.Dither))
	differ("--dpi", fmt.Sprint(was.DPI), fmt.Sprint(is.DPI))
	differ("--keep-exif", fmt.Sprint(was.EXIF), fmt.Sprint(is.EXIF))
	differ("--keep-gps", fmt.Sprint(was.GPS), fmt.Sprint(is.GPS))
	if len(then.Computation.Arithmetic) > 0 && len(now.Computation.Arithmetic) > 0 { // they are known
		differ("processor", strings.Join(then.Computation.Arithmetic, ", then "), strings.Join(now.Computation.Arithmetic, ", then "))
		differ("scales", strings.Join(then.Computation.Levels, ", "), strings.Join(now.Computation.Levels, ", "))
		differ("form of the optimizer", fmt.Sprint(then.Computation.Variant), fmt.Sprint(now.Computation.Variant))
	}
	switch p := then.Painted; {
	case p.Seconds > 0:
		all = append(all, fmt.Sprintf("the run was given %g seconds, and not a number of iterations", p.Seconds))
	case p.Unfinished && p != now.Painted:
		all = append(all, fmt.Sprintf("the picture is as it was after %d of %d iterations", p.Iterations, p.Total))
	}
	return all
}

// String names the build.
func (p Program) String() string {
	if p.Revision == "" {
		return p.Version
	}
	return p.Version + " (" + p.Revision + ")"
}

// shown is a value in a message.
func shown(value string) string {
	if value == "" {
		return "none"
	}
	return quote.Name(value)
}

func styles(d *Document) string {
	var all []string
	for _, s := range d.Styles {
		all = append(all, fmt.Sprintf("%s at %g", s.SHA256, s.Weight))
	}
	return strings.Join(all, ", ")
}

func masks(d *Document) string {
	var all []string
	for _, m := range d.Masks {
		var sums []string
		for _, in := range m.Inputs() {
			sums = append(sums, in.SHA256)
		}
		all = append(all, strings.Join(sums, "="))
	}
	return strings.Join(all, ", ")
}

func sumOf(in *Input) string {
	if in == nil {
		return ""
	}
	return in.SHA256
}
