package main

import (
	"fmt"
	"io"
	"slices"

	"impasto/internal/bench"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/model"
)

// benchPictureView shows people and scripts what comes of a benchmark of pictures.
type benchPictureView struct {
	global         globalOptions
	options        benchPictureOptions
	stdout, stderr io.Writer

	pairs, wanted int                  // how many pairs there are, and points
	earlier       []bench.PicturePoint // of --with
	points        []bench.PicturePoint // so far
	run           reporter             // of the picture that is being painted; nil for none
}

// picturePointEvent is written for every pair, loss and quality. The keys are a promise to
// scripts.
type picturePointEvent struct {
	Event string `json:"event"` // "point"
	bench.PicturePoint
}

// pictureMeanEvent is written for every loss and quality in the end.
type pictureMeanEvent struct {
	Event string `json:"event"` // "mean"
	bench.PictureMean
}

// nameOf says in words which point it is.
func nameOf(p bench.PicturePoint) string {
	return fmt.Sprintf("%s, %s, %s", p.Pair, p.Loss, p.Quality)
}

func (v *benchPictureView) say(format string, values ...any) {
	if !v.global.Quiet {
		fmt.Fprintln(v.stderr, quote.Line(fmt.Sprintf(format, values...)))
	}
}

// progress shows how a run gets on.
func (v *benchPictureView) progress(p bench.PictureProgress) {
	switch {
	case p.Measured != nil:
		v.endRun()
		v.say("%.3f from the content, %.3f from the style, in %.2f s", p.Measured.ContentDistance, p.Measured.Distance, p.Measured.Seconds)
	case p.Iteration.Done > 0:
		v.run.progress(p.Iteration)
	default:
		v.endRun()
		v.say("painting %s, %s, %s: run %d, content weight %.3g", p.Pair, p.Loss, p.Quality, p.Run, p.ContentWeight)
		v.run = newReporter(v.stderr, v.global.Quiet, false)
	}
}

// endRun ends what is shown of a picture that was being painted.
func (v *benchPictureView) endRun() {
	if v.run != nil {
		v.run.finish()
		v.run = nil
	}
}

// point shows a point.
func (v *benchPictureView) point(p bench.PicturePoint) error {
	v.endRun()
	v.points = append(v.points, p)
	if p.Error != "" {
		v.say("%s failed: %s", nameOf(p), p.Error)
	}
	if v.global.JSON {
		return printJSON(v.stdout, picturePointEvent{"point", p})
	}
	heading := ""
	if before := len(v.points) - 2; before < 0 || v.points[before].Pair != p.Pair {
		if before >= 0 {
			heading = "\n"
		}
		heading += fmt.Sprintf("%s at %d pixels, where the content distance is %g\n  %-17s %-9s", quote.Line(p.Pair), p.Size, p.Wanted, "loss", "quality") +
			valueHeadings + fmt.Sprintf(" %8s %4s\n", "weight", "runs")
	}
	_, err := io.WriteString(v.stdout, heading+pointRow(p))
	return err
}

// valueHeadings are those of valueColumns.
var valueHeadings = fmt.Sprintf(" %6s %8s %6s %8s %9s %9s", "gram", "gaussian", "sliced", "distance", "time, s", "CPU, s")

func valueColumns(p bench.PictureValues) string {
	return fmt.Sprintf(" %6.3f %8.3f %6.3f %8.3f %9.2f %9.2f", p.Gram, p.Gaussian, p.Sliced, p.Distance, p.Seconds, p.ProcessorSeconds)
}

func pointRow(p bench.PicturePoint) string {
	row := fmt.Sprintf("  %-17s %-9s", p.Loss, p.Quality)
	switch {
	case p.Error != "":
		return row + " failed:\n    " + quote.Line(p.Error) + "\n"
	case p.PictureValues == nil:
		return row + " not reached:\n    " + p.Unreached + "\n"
	}
	return row + valueColumns(*p.PictureValues) + fmt.Sprintf(" %8.3g %4d\n", p.ContentWeight, len(p.Runs))
}

// writeMeans shows the means over the pairs; in the table only where they say something new.
func (v *benchPictureView) writeMeans(means []bench.PictureMean) error {
	if v.global.JSON {
		for _, m := range means {
			if err := printJSON(v.stdout, pictureMeanEvent{"mean", m}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(means) == 0 || v.pairs == 1 && len(v.earlier) == 0 {
		return nil
	}
	table := fmt.Sprintf("\nmeans over %s\n  %-27s %-9s", report.Count(v.pairs, "pair"), "loss", "quality") + valueHeadings + fmt.Sprintf(" %5s\n", "pairs")
	for _, m := range means {
		table += fmt.Sprintf("  %-27s %-9s", lossAndLabel(m.Loss, m.Label), m.Quality) + valueColumns(m.PictureValues) + fmt.Sprintf(" %5d\n", len(m.Pairs))
	}
	_, err := io.WriteString(v.stdout, table)
	return err
}

// lossAndLabel is what a row or a curve is called.
func lossAndLabel(loss, label string) string {
	if label == "" {
		return loss
	}
	return loss + ", " + quote.Line(label)
}

// plot draws the means, if it was asked for and there are any.
func (v *benchPictureView) plot(means []bench.PictureMean) error {
	path := v.options.Plot
	if path == "" || len(means) == 0 {
		return nil
	}
	format, err := report.FormatOf(path)
	if err != nil {
		return err
	}
	figure := v.frontier(means)
	if err := picture.SaveWith(path, func(w io.Writer) error { return figure.Draw(w, format) }); err != nil {
		return err
	}
	v.say("wrote %s", quote.Name(path))
	return nil
}

// frontier is the figure of means: a curve for each loss and label through its qualities,
// from the quickest on.
func (v *benchPictureView) frontier(means []bench.PictureMean) report.Frontier {
	figure := report.Frontier{
		Title: fmt.Sprintf("What time buys, at %d pixels and a content distance of %g; %s",
			v.options.Options.Size, v.options.ContentDistance, report.Count(v.pairs, "pair")),
		XLabel: "seconds", YLabel: "distance from the style",
	}
	means = slices.Clone(means)
	slices.SortStableFunc(means, func(a, b bench.PictureMean) int {
		return slices.Index(model.QualityNames(), a.Quality) - slices.Index(model.QualityNames(), b.Quality)
	})
	for _, m := range means {
		i := slices.IndexFunc(figure.Curves, func(c report.FrontierCurve) bool { return c.Loss == m.Loss && c.Label == m.Label })
		if i < 0 {
			i = len(figure.Curves)
			figure.Curves = append(figure.Curves, report.FrontierCurve{Loss: m.Loss, Label: m.Label})
		}
		c := &figure.Curves[i]
		c.Points = append(c.Points, report.FrontierPoint{Quality: m.Quality, Seconds: m.Seconds, Distance: m.Distance})
	}
	return figure
}
