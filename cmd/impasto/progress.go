package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"impasto/internal/progress"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/model"
)

// lineInterval is how often progress is a line where it can't be a bar.
const lineInterval = 5 * time.Second

// reporter shows people how a stylisation gets on.
type reporter interface {
	progress(model.Progress)
	// note prints a line of its own.
	note(message string)
	// finish ends what is shown, so that other output can follow.
	finish()
}

// newReporter returns the reporter that suits where its output goes: a bar on a
// terminal, lines elsewhere, nothing where people asked for quiet. timed says that time is
// what ends the run, and not so many iterations.
func newReporter(out io.Writer, quiet, timed bool) reporter {
	switch {
	case quiet:
		return silence{}
	case isTerminal(out):
		fmt.Fprint(out, preparing)
		return &barReporter{out: out}
	default:
		return &lineReporter{out: out, timed: timed}
	}
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// announceInterrupt tells people at a terminal what happens once ctx ends, until
// stop is called.
func announceInterrupt(ctx context.Context, stderr io.Writer, quiet bool) (stop func()) {
	if quiet || !isTerminal(stderr) {
		return func() {}
	}
	end := context.AfterFunc(ctx, func() {
		fmt.Fprintln(stderr, "\nstopping; Ctrl-C again stops at once")
	})
	return func() { end() }
}

type silence struct{}

func (silence) progress(model.Progress) {}
func (silence) note(string)             {}
func (silence) finish()                 {}

// preparing stands on a terminal until the first iteration is done, which takes
// its time where pictures are large.
const preparing = "preparing the network and the styles"

// barReporter keeps one line of a terminal up to date.
type barReporter struct {
	out   io.Writer
	timer progress.Timer
	bar   *progressbar.ProgressBar
}

func (r *barReporter) progress(p model.Progress) {
	text := describe(p, r.timer.Rate(p), r.width())
	if r.bar == nil {
		r.clear()
		r.bar = progressbar.NewOptions(progress.Steps,
			progressbar.OptionSetWriter(r.out),
			progressbar.OptionSetDescription(text),
			progressbar.OptionFullWidth(),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "▕", BarEnd: "▏"}),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionThrottle(100*time.Millisecond))
	} else {
		r.bar.Describe(text)
	}
	_ = r.bar.Set(progress.Done(p))
}

// width is the terminal's, which may change at any time.
func (r *barReporter) width() int {
	if file, ok := r.out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return width
		}
	}
	return 80
}

// describe is what stands before the bar: as much as leaves room for a
// percentage and a short bar on a terminal of the width.
func describe(p model.Progress, rate float64, width int) string {
	const others = 14 // columns
	scale, size := fmt.Sprintf("%d/%d", p.Level, p.Levels), fmt.Sprintf("%d×%d", p.Width, p.Height)
	loss, remains := "loss "+significant(p.Loss), timeLeft(p)
	for _, parts := range [][]string{
		{scale, size, perSecond(rate), loss, remains},
		{scale, perSecond(rate), loss, remains},
		{perSecond(rate), remains},
	} {
		if text := strings.Join(parts, "  "); utf8.RuneCountInString(text)+others <= width {
			return text
		}
	}
	return remains
}

// timeLeft says how long the run still takes, where that can be told.
func timeLeft(p model.Progress) string {
	if p.Remaining < 0 {
		return "estimating the time left"
	}
	return report.Duration(p.Remaining) + " left"
}

// clear empties the line. Where the terminal fails there is nobody to tell.
func (r *barReporter) clear() {
	if r.bar != nil {
		_ = r.bar.Clear()
	} else {
		fmt.Fprintf(r.out, "\r%*s\r", len(preparing), "")
	}
}

func (r *barReporter) note(message string) {
	r.clear()
	fmt.Fprintln(r.out, quote.Line(message))
}

func (r *barReporter) finish() { r.clear() }

// lineReporter prints a line at the first and last iteration of every scale and
// every few seconds in between.
type lineReporter struct {
	out     io.Writer
	timed   bool
	timer   progress.Timer
	printed time.Duration // elapsed at the last line
}

func (r *lineReporter) progress(p model.Progress) {
	rate := r.timer.Rate(p)
	last := !r.timed && p.Iteration == p.Iterations
	if p.Iteration > 1 && !last && p.Elapsed-r.printed < lineInterval {
		return
	}
	r.printed = p.Elapsed
	iteration := fmt.Sprint(p.Iteration)
	if !r.timed {
		iteration += fmt.Sprintf("/%d", p.Iterations)
	}
	fmt.Fprintf(r.out, "scale %d/%d, %d×%d, iteration %s, loss %s, %s, %s\n", p.Level, p.Levels, p.Width, p.Height,
		iteration, significant(p.Loss), perSecond(rate), timeLeft(p))
}

func (r *lineReporter) note(message string) { fmt.Fprintln(r.out, quote.Line(message)) }
func (r *lineReporter) finish()             {}
