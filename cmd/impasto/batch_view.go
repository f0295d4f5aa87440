package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"impasto/internal/batch"
	"impasto/internal/quote"
	"impasto/internal/report"
)

// batchView shows people and scripts what happens to a batch.
type batchView struct {
	global         globalOptions
	stdout, stderr io.Writer
	picture        reporter // while one is painted; nil for none
	failed         error    // of standard output
	handed         bool     // pictures are painted by others, and begun when these say so
}

// What happens to a batch is told as one JSON object a line. The keys are a promise to
// scripts.

// jobEvent is about one picture.
type jobEvent struct {
	Event   string `json:"event"`  // "painting", and below
	Number  int    `json:"number"` // from 1
	Content string `json:"content"`
	Style   string `json:"style"`
	Path    string `json:"path"` // where it goes
}

// batchPictureEvent is written for every picture once nothing more will become of it.
type batchPictureEvent struct {
	jobEvent             // "picture"
	State    batch.State `json:"state"`
	Error    string      `json:"error,omitempty"`
	// The rest is 0 where there is no picture.
	Width      int      `json:"width"`
	Height     int      `json:"height"`
	Iterations int      `json:"iterations"`
	Seconds    float64  `json:"seconds"`
	Loss       float64  `json:"loss"`
	Remarks    []string `json:"remarks,omitempty"`
}

// batchIterationEvent is written after every iteration.
type batchIterationEvent struct {
	iterationEvent
	Number    int      `json:"number"`     // of the picture, from 1
	BatchWork float64  `json:"batch_work"` // the share of all work that is done
	BatchLeft *float64 `json:"batch_remaining_seconds,omitempty"`
}

// batchPlannedEvent is written before the first picture is painted.
type batchPlannedEvent struct {
	plannedEvent
	Failed int `json:"failed"`
}

// plannedJobEvent is written for every picture of a dry run.
type plannedJobEvent struct {
	jobEvent             // "job"
	State    batch.State `json:"state"`
	Error    string      `json:"error,omitempty"`
	Width    int         `json:"width"` // this and what follows is 0 where it isn't known
	Height   int         `json:"height"`
	Memory   int64       `json:"memory"` // bytes
	Seconds  float64     `json:"seconds"`
}

// summaryEvent is written in the end.
type summaryEvent struct {
	Event    string `json:"event"` // "summary"
	Pictures int    `json:"pictures"`
	Made     int    `json:"made"`
	Reused   int    `json:"reused"`
	Failed   int    `json:"failed"`
	Left     int    `json:"left"` // not finished, or not begun
}

func eventOf(event string, j batch.Job) jobEvent {
	return jobEvent{event, j.Number, j.Content, j.Style, j.Output}
}

func newJobEvent(s batch.Status) plannedJobEvent {
	return plannedJobEvent{eventOf("job", s.Job), s.State, s.Error, s.Width, s.Height, s.Memory, s.Expected.Seconds()}
}

func newBatchPlannedEvent(p batch.Plan) batchPlannedEvent {
	return batchPlannedEvent{plannedEvent{"planned", p.Pictures, p.Reused, p.Device, p.Memory, p.Time.Seconds()}, p.Failed}
}

// show is called with every event.
func (v *batchView) show(e batch.Event) error {
	if e.Kind == batch.Iterated {
		return v.iterated(e)
	}
	v.endPicture()
	s := e.Status
	where := fmt.Sprintf("%s (%d of %d)", quote.Name(s.Job.Name()), s.Job.Number, e.Count)
	switch e.Kind {
	case batch.PlannedAll:
		v.say("%s", batchSummaryOf(e.Plan))
		return v.write(newBatchPlannedEvent(e.Plan))
	case batch.Begun:
		if !v.handed {
			v.say("painting %s", where)
			v.picture = newReporter(v.stderr, v.global.Quiet, false)
		}
		return v.write(eventOf("painting", s.Job))
	case batch.Settled:
		v.settled(s, where)
		r := s.Result
		return v.write(batchPictureEvent{eventOf("picture", s.Job), s.State, s.Error, r.Width, r.Height, r.Iterations, r.Seconds, r.Loss, r.Remarks})
	case batch.Written:
		v.say("wrote %s", quote.Name(e.Path))
		return v.write(fileEvent{"written", e.Path})
	}
	return nil
}

// iterated shows an iteration: of the bar and the time left, those of the whole batch.
func (v *batchView) iterated(e batch.Event) error {
	if v.global.JSON {
		event := batchIterationEvent{iterationEvent: newIterationEvent(e.Iteration), Number: e.Status.Job.Number, BatchWork: e.Share}
		if left := e.Left.Seconds(); left >= 0 {
			event.BatchLeft = &left
		}
		if err := v.write(event); err != nil {
			return err
		}
	}
	if v.picture == nil { // another one, which was painted beside this one, has ended
		v.picture = newReporter(v.stderr, v.global.Quiet, false)
	}
	p := e.Iteration
	p.Work, p.TotalWork, p.Remaining = e.Share, 1, e.Left
	v.picture.progress(p)
	return nil
}

// settled tells people what became of a picture. Those that are there already are only
// counted.
func (v *batchView) settled(s batch.Status, where string) {
	switch s.State {
	case batch.Made:
		v.say("wrote %s: %d×%d, %s in %s, loss %s", quote.Name(s.Job.Output), s.Result.Width, s.Result.Height,
			report.Count(s.Result.Iterations, "iteration"), report.Duration(s.Result.Time()), significant(s.Result.Loss))
		for _, remark := range s.Result.Remarks {
			v.say("%s: %s", quote.Name(s.Job.Output), remark)
		}
	case batch.Failed:
		v.say("%s failed: %s", where, s.Error)
	case batch.Interrupted:
		v.say("%s %s", where, s.Error)
	}
}

// finish tells what became of all.
func (v *batchView) finish(b *batch.Batch) error {
	statuses := b.Statuses()
	if v.global.JSON {
		e := summaryEvent{Event: "summary", Pictures: len(statuses)}
		for _, s := range statuses {
			switch s.State {
			case batch.Made:
				e.Made++
			case batch.Reused:
				e.Reused++
			case batch.Failed:
				e.Failed++
			default:
				e.Left++
			}
		}
		return v.write(e)
	}
	if v.global.Quiet {
		return nil
	}
	if err := writeBatchTable(v.stdout, statuses); err != nil {
		return err
	}
	_, err := fmt.Fprintln(v.stdout, b.Summary())
	return err
}

// endPicture ends what is shown of a picture that was being painted.
func (v *batchView) endPicture() {
	if v.picture != nil {
		v.picture.finish()
		v.picture = nil
	}
}

// say prints a line for people.
func (v *batchView) say(format string, values ...any) {
	if !v.global.Quiet {
		fmt.Fprintln(v.stderr, quote.Line(fmt.Sprintf(format, values...)))
	}
}

// write prints an object for scripts, where they asked for that.
func (v *batchView) write(object any) error {
	if v.global.JSON {
		v.failed = printJSON(v.stdout, object)
	}
	return v.failed
}

// batchSummaryOf says in a line what all pictures of a plan take.
func batchSummaryOf(p batch.Plan) string {
	others := ""
	if p.Reused > 0 {
		others = fmt.Sprintf(" (%d more there already)", p.Reused)
	}
	if p.Device == "" {
		return fmt.Sprintf("%s to paint%s", report.Count(p.Pictures, "picture"), others)
	}
	return fmt.Sprintf("%s to paint%s: about %s, and at most %s on %s", report.Count(p.Pictures, "picture"), others,
		report.Duration(p.Time), mebibytes(p.Memory), p.Device)
}

// writeBatchTable writes a row for every picture.
func writeBatchTable(out io.Writer, statuses []batch.Status) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "picture\tsize\titerations\ttime, s\tloss\tstate\t\n")
	for _, s := range statuses {
		name, r := quote.Name(s.Job.Name()), s.Result
		if r.Picture == "" {
			fmt.Fprintf(table, "%s\t–\t–\t–\t–\t%s\t\n", name, s.State)
			continue
		}
		fmt.Fprintf(table, "%s\t%d×%d\t%d\t%.1f\t%s\t%s\t\n", name, r.Width, r.Height, r.Iterations, r.Seconds, significant(r.Loss), s.State)
	}
	return table.Flush()
}

// writeBatchPlan writes a row for every picture, and what all take.
func writeBatchPlan(out io.Writer, statuses []batch.Status, p batch.Plan) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "picture\tsize\tmemory\ttime\tstate\toutput\t\n")
	for _, s := range statuses {
		size, memory, time := "–", "–", "–"
		if s.Width > 0 {
			size, memory, time = fmt.Sprintf("%d×%d", s.Width, s.Height), mebibytes(s.Memory), report.Duration(s.Expected)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t\n", quote.Name(s.Job.Name()), size, memory, time, s.State, quote.Name(s.Job.Output))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, batchSummaryOf(p))
	return err
}
