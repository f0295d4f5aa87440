package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

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
// terminal, lines elsewhere, nothing where people asked for quiet.
func newReporter(out io.Writer, quiet bool, o model.Options) reporter {
	switch {
	case quiet:
		return silence{}
	case isTerminal(out):
		fmt.Fprint(out, preparing)
		return &barReporter{out: out, timer: timer{options: o}}
	default:
		return &lineReporter{out: out, timer: timer{options: o}}
	}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
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
	timer timer
	bar   *progressbar.ProgressBar
}

func (r *barReporter) progress(p model.Progress) {
	if r.bar == nil {
		r.clear()
		r.bar = progressbar.NewOptions(r.timer.steps(p.Total),
			progressbar.OptionSetWriter(r.out),
			progressbar.OptionFullWidth(),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "▕", BarEnd: "▏"}),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	rate, left := r.timer.update(p)
	r.bar.Describe(describe(p, rate, left, r.width()))
	_ = r.bar.Set(r.timer.done(p))
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
func describe(p model.Progress, rate float64, left time.Duration, width int) string {
	const others = 14 // columns
	scale, size := fmt.Sprintf("%d/%d", p.Level, p.Levels), fmt.Sprintf("%d×%d", p.Width, p.Height)
	loss, remains := "loss "+significant(p.Loss), roundTime(left)+" left"
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
	fmt.Fprintln(r.out, message)
}

func (r *barReporter) finish() { r.clear() }

// lineReporter prints a line at the first and last iteration of every scale and
// every few seconds in between.
type lineReporter struct {
	out     io.Writer
	timer   timer
	printed time.Duration // elapsed at the last line
}

func (r *lineReporter) progress(p model.Progress) {
	rate, left := r.timer.update(p)
	last := r.timer.options.TimeLimit == 0 && p.Iteration == p.Iterations
	if p.Iteration > 1 && !last && p.Elapsed-r.printed < lineInterval {
		return
	}
	r.printed = p.Elapsed
	iteration := fmt.Sprint(p.Iteration)
	if r.timer.options.TimeLimit == 0 {
		iteration += fmt.Sprintf("/%d", p.Iterations)
	}
	fmt.Fprintf(r.out, "scale %d/%d, %d×%d, iteration %s, loss %s, %s, %s left\n", p.Level, p.Levels, p.Width, p.Height,
		iteration, significant(p.Loss), perSecond(rate), roundTime(left))
}

func (r *lineReporter) note(message string) { fmt.Fprintln(r.out, message) }
func (r *lineReporter) finish()             {}

// timer measures the speed at the current scale and foretells the time left.
// Iterations slow down as pictures grow, so a mean over all would promise too
// much.
type timer struct {
	options model.Options
	scale   int
	started time.Duration // elapsed when the first iteration of the scale was done
	before  time.Duration // elapsed when the last iteration of the scale before was done
	latest  time.Duration
}

// steps is what a bar counts to: the iterations, or tenths of a second where time
// is what ends the run.
func (t *timer) steps(total int) int {
	if limit := t.options.TimeLimit; limit > 0 {
		return int(limit/(100*time.Millisecond)) + 1
	}
	return total
}

// done is how far a bar is.
func (t *timer) done(p model.Progress) int {
	if limit := t.options.TimeLimit; limit > 0 {
		return int(min(p.Elapsed, limit) / (100 * time.Millisecond))
	}
	return p.Done
}

// update returns the iterations a second at this scale and the time left over
// all scales.
func (t *timer) update(p model.Progress) (rate float64, left time.Duration) {
	if p.Level != t.scale {
		t.scale, t.before, t.started = p.Level, t.latest, p.Elapsed
	}
	t.latest = p.Elapsed
	// The first iteration of a scale pays for setting it up, so it counts only
	// while there is no other.
	spent, iterations := p.Elapsed-t.started, p.Iteration-1
	if iterations < 1 {
		spent, iterations = p.Elapsed-t.before, 1
	}
	each := spent.Seconds() / float64(iterations)
	if each <= 0 {
		return 0, 0
	}
	left = time.Duration(each * t.remaining(p) * float64(time.Second))
	if limit := t.options.TimeLimit; limit > 0 {
		left = max(limit-p.Elapsed, 0)
	}
	return 1 / each, left
}

// remaining is the work left in iterations of the current scale: an iteration
// takes time in proportion to its pixels.
func (t *timer) remaining(p model.Progress) float64 {
	work := float64(p.Iterations - p.Iteration)
	now := float64(max(p.Width, p.Height))
	for scale := p.Level + 1; scale <= p.Levels; scale++ {
		side := float64(t.options.Size)
		if scale < p.Levels {
			side = min(side, now*math.Pow(math.Sqrt2, float64(scale-p.Level)))
		}
		work += float64(t.options.Iterations) * side * side / (now * now)
	}
	return work
}

// perSecond writes a rate for people, the other way round where it is slow.
func perSecond(rate float64) string {
	switch {
	case rate <= 0:
		return "– it/s"
	case rate < 0.1:
		return fmt.Sprintf("%.1f s/it", 1/rate)
	case rate < 10:
		return fmt.Sprintf("%.2f it/s", rate)
	default:
		return fmt.Sprintf("%.0f it/s", rate)
	}
}

// count writes a number of things, of which there may be one.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// significant writes a loss with four digits.
func significant(loss float64) string { return fmt.Sprintf("%.4g", loss) }

// roundTime writes a duration no finer than people care for.
func roundTime(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	default:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
}
