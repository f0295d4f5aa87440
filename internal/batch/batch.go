// Package batch paints many contents in many styles, each pair once, into a folder: the
// pictures, a record of what made each, and a page that shows all. What the records show
// to be there already isn't made again.
//
// The work is a list of jobs, which are plain values, and a Runner carries them out.
package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"impasto/internal/panics"
	"impasto/internal/picture"
	"impasto/internal/progress"
	"impasto/internal/quote"
	"impasto/internal/records"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/model"
)

// Options say what is made and where it goes.
type Options struct {
	Pairs    []Pair // as Inputs.Pairs gives them
	Settings settings.Stylization
	Depth    int // bits a channel of the files, 8 or 16
	Quality  int // of those that are JPEG, 1–100

	Folder string // where everything goes; made where it isn't there
	Name   string // of the results; see DefaultName
	// Also are files beside pictures and those of the settings that may not be replaced.
	Also    []string
	Version string // of the program: a picture of another one is made again
	Command string // that the page shows; may be empty

	DryRun bool // New makes no folder, and only Plan may be called
	// Announce has Run tell, before it paints, what that will take, which it finds out in
	// some tenths of a second for each shape of pictures.
	Announce bool
	// Progress, unless nil, is told what happens, on the goroutine that calls Run. An
	// error of it ends Run.
	Progress func(Event) error
	Runner   Runner // nil stands for NewLocal
}

// State is what has become of a job.
type State string

// The states of jobs.
const (
	Waiting     State = "waiting"     // its turn hasn't come
	Reused      State = "reused"      // its picture was there already
	Made        State = "made"        // its picture is finished
	Failed      State = "failed"      // its picture isn't there, or isn't finished
	Interrupted State = "interrupted" // its picture isn't finished since the batch was stopped
)

// Status is what is known of a job.
type Status struct {
	Job    Job
	State  State
	Error  string // why it failed, in one line; of one that was stopped, "interrupted" and how far it came
	Result Result // zero where there is no picture

	// Expected, Memory (in bytes), Width and Height are what Plan found of a job that
	// waits; 0 where nothing is known.
	Expected      time.Duration
	Memory        int64
	Width, Height int
}

// Event is something that happened to a batch.
type Event struct {
	Kind   EventKind
	Status Status // of the job that it happened to; not of PlannedAll and Written
	Count  int    // of jobs

	Plan      Plan           // of PlannedAll
	Iteration model.Progress // of Iterated
	Share     float64        // of all work that is done, 0 to 1; of Iterated
	Left      time.Duration  // to the end of all, negative while nothing tells; of Iterated
	Path      string         // of Written
}

// EventKind says what happened.
type EventKind string

// What happens. Each job whose picture is there, or which can't be done, is Settled first.
// Then what is left is PlannedAll, where the options ask for that. Each job that is left is
// Begun, Iterated after each iteration, and Settled. In the end the page is Written.
const (
	PlannedAll EventKind = "planned"
	Begun      EventKind = "begun"
	Iterated   EventKind = "iterated"
	Settled    EventKind = "settled"
	Written    EventKind = "written"
)

// Batch is one that is under way.
type Batch struct {
	options Options
	jobs    []*Status
	inputs  map[string]*input // by path
	several *progress.Several
	// thumbnails are those that the page needs, by file, as far as they are made.
	thumbnails map[string]report.Thumbnail
}

// New reads all inputs, and checks that everything that is written can be, before any
// work. A picture that can't be read is left to its jobs, which fail. Where the options
// can't be carried out as they are, or an input would be replaced, the error is an
// *InputError.
func New(ctx context.Context, o Options) (*Batch, error) {
	if len(o.Pairs) == 0 {
		return nil, errors.New("batch: got no pairs, want one at least")
	}
	if o.Runner == nil {
		o.Runner = NewLocal()
	}
	b := &Batch{options: o, inputs: map[string]*input{}, thumbnails: map[string]report.Thumbnail{}}
	if err := b.makeJobs(); err != nil {
		return nil, err
	}
	if err := b.readInputs(ctx); err != nil {
		return nil, err
	}
	if err := b.checkOutputs(); err != nil {
		return nil, err
	}
	return b, nil
}

// makeJobs makes a job of each pair.
func (b *Batch) makeJobs() error {
	o := b.options
	values := o.Settings.Values()
	template, err := parseName(o.Name, values)
	if err != nil {
		return err
	}
	if format, _ := picture.FormatOf(o.Name); picture.IsShallow(format) && o.Depth == 16 {
		return inputErrorf("--depth 16: a %s has 8 bits a channel; end --name in .png or .tif, or leave --depth out", picture.Title(format))
	}
	outputs, err := template.nameAll(o.Pairs, values)
	if err != nil {
		return err
	}
	for i, p := range o.Pairs {
		b.jobs = append(b.jobs, &Status{State: Waiting, Job: Job{
			Number: i + 1, Content: p.Content, Style: p.Style, Output: b.inFolder(outputs[i]),
			Settings: values, Depth: o.Depth, Quality: o.Quality,
		}})
	}
	return nil
}

// Statuses are what is known of the jobs by now, in their order.
func (b *Batch) Statuses() []Status {
	var all []Status
	for _, s := range b.jobs {
		all = append(all, *s)
	}
	return all
}

// Run makes the pictures that aren't there, and writes the page that shows all. A picture
// that fails doesn't end it; see Failure. Where ctx ends it, the picture under way is
// saved as it is, the page is written all the same, the error is an *InterruptedError, and
// another Run, or one of a batch with the same options, goes on from there.
func (b *Batch) Run(ctx context.Context) error {
	err := b.settle(ctx)
	if err == nil {
		err = b.announce(ctx)
	}
	if err == nil {
		err = b.paintAll(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	if pageErr := b.writePage(ctx); err == nil {
		err = pageErr
	}
	if ctx.Err() != nil {
		return b.interrupted(ctx)
	}
	return err
}

// settle finds the jobs with which nothing is left to be done.
func (b *Batch) settle(ctx context.Context) error {
	for _, s := range b.jobs {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.look(ctx, s)
		if s.State == Waiting {
			continue
		}
		if err := b.tell(Event{Kind: Settled, Status: *s}); err != nil {
			return err
		}
	}
	return nil
}

// look tells a job that can't be done, or whose picture is there.
func (b *Batch) look(ctx context.Context, s *Status) {
	digests, err := b.digestsOf(s.Job)
	if err == nil {
		s.Job.Key, err = s.Job.key(b.options.Version, digests)
	}
	if err != nil {
		s.State, s.Error = Failed, failureText(err)
		return
	}
	record, image := records.Find(ctx, b.recordPath(s.Job), s.Job.Output, s.Job.Key)
	if record == nil {
		s.State, s.Error, s.Result = Waiting, "", Result{}
		return
	}
	size := image.Bounds().Size()
	s.State, s.Error = Reused, ""
	s.Result = Result{
		Picture: record.Picture, Width: size.X, Height: size.Y,
		Iterations: record.Iterations, Seconds: record.Seconds, Loss: record.Loss, Remarks: record.Remarks,
	}
}

// paintAll makes the pictures that wait, as many at a time as the runner has seats.
func (b *Batch) paintAll(ctx context.Context) error {
	var expected []time.Duration
	for _, s := range b.jobs {
		expected = append(expected, s.Expected)
	}
	seats := b.seats()
	b.several = progress.NewSeveral(expected, b.hands())
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	var waiting []int
	for i, s := range b.jobs {
		if s.State == Waiting {
			waiting = append(waiting, i)
		} else {
			b.several.Skip(i)
		}
	}
	// Seats send what happens to this goroutine, which alone changes the batch. What a seat
	// sends is taken before it goes on.
	happened := make(chan seatEvent)
	under := 0
	begin := func(seat int) error {
		if len(waiting) == 0 || running.Err() != nil {
			return nil
		}
		i := waiting[0]
		waiting = waiting[1:]
		b.several.Begin(i)
		if err := b.tell(Event{Kind: Begun, Status: *b.jobs[i]}); err != nil {
			return err
		}
		under++
		go b.paint(running, seat, i, b.jobs[i].Job, happened)
		return nil
	}
	var refused error
	var panicked *panics.Panic
	refuse := func(err error) {
		if err != nil && refused == nil {
			refused = err
			cancel()
		}
	}
	for seat := range seats {
		refuse(begin(seat))
	}
	for under > 0 {
		e := <-happened
		s := b.jobs[e.index]
		if e.ended == nil {
			told := Event{Kind: Iterated, Status: *s, Iteration: e.progress}
			told.Share, told.Left = b.several.Whole(e.index, e.progress)
			if refused == nil {
				refuse(b.tell(told))
			}
			continue
		}
		under--
		if e.ended.panic != nil {
			panicked = e.ended.panic
			cancel()
			continue
		}
		b.several.End(e.index, e.ended.took)
		b.settleOne(ctx, s, running.Err() != nil, *e.ended, refused == nil)
		if refused == nil {
			refuse(b.tell(Event{Kind: Settled, Status: *s}))
		}
		refuse(begin(e.seat))
	}
	if panicked != nil {
		panic(panicked)
	}
	if refused != nil {
		return refused
	}
	return ctx.Err()
}

func (b *Batch) seats() int { return max(1, b.options.Runner.Seats(b.options.Settings.Values())) }

// hands is how many jobs are under way at a time.
func (b *Batch) hands() int {
	if crowd, ok := b.options.Runner.(Crowd); ok {
		return max(1, crowd.Hands())
	}
	return b.seats()
}

// seatEvent is something that happened to the job of a seat: progress, or its end.
type seatEvent struct {
	seat, index int
	progress    model.Progress
	ended       *ending
}

// ending is what a job came to.
type ending struct {
	result Result
	err    error
	took   time.Duration
	panic  *panics.Panic // nil unless the runner panicked
}

// paint makes one picture, and tells of it.
func (b *Batch) paint(ctx context.Context, seat, index int, job Job, happened chan<- seatEvent) {
	defer func() {
		if cause := recover(); cause != nil {
			happened <- seatEvent{seat: seat, index: index, ended: &ending{panic: panics.New(cause)}}
		}
	}()
	began := time.Now()
	result, err := b.options.Runner.Run(ctx, seat, job, func(p model.Progress) {
		happened <- seatEvent{seat: seat, index: index, progress: p}
	})
	happened <- seatEvent{seat: seat, index: index, ended: &ending{result: result, err: err, took: time.Since(began)}}
}

// settleOne takes over what a job came to, and writes its record and, unless nobody looks
// at them any more, its thumbnail.
func (b *Batch) settleOne(ctx context.Context, s *Status, stopped bool, e ending, looked bool) {
	s.State, s.Result, s.Error = Made, e.result, failureText(e.err)
	switch {
	case stopped && e.err != nil:
		s.State = Interrupted
	case e.err != nil:
		s.State = Failed
	}
	if e.result.Picture == "" {
		return
	}
	if err := b.record(s); err != nil && s.State == Made {
		s.State, s.Error = Failed, failureText(err)
	}
	if looked {
		// At once, so that the page of a batch that is stopped later has it without delay.
		b.thumbnail(context.WithoutCancel(ctx), s.Job.Output)
	}
}

// record writes what made a picture.
func (b *Batch) record(s *Status) error {
	r := s.Result
	return records.Write(b.recordPath(s.Job), records.Record{
		Key: s.Job.Key, Name: s.Job.Name(), Version: b.options.Version, Settings: s.Job.Settings, Error: s.Error, Picture: r.Picture,
		Iterations: r.Iterations, Seconds: r.Seconds, Loss: r.Loss, Remarks: r.Remarks,
	})
}

// tell passes an event on.
func (b *Batch) tell(e Event) error {
	if b.options.Progress == nil {
		return nil
	}
	e.Count = len(b.jobs)
	return b.options.Progress(e)
}

// Failure is an error that names the jobs that failed and why, or nil.
func (b *Batch) Failure() error {
	const most = 3 // to name; all are told as they fail
	var failed []string
	for _, s := range b.jobs {
		if s.State == Failed {
			failed = append(failed, fmt.Sprintf("%s (%s)", Pair{s.Job.Content, s.Job.Style}.text(), s.Error))
		}
	}
	if failed == nil {
		return nil
	}
	more := ""
	if len(failed) > most {
		more = fmt.Sprintf("; and %d more", len(failed)-most)
	}
	return fmt.Errorf("batch: %d of %s failed: %s%s", len(failed), report.Count(len(b.jobs), "picture"), strings.Join(failed[:min(most, len(failed))], "; "), more)
}

// InterruptedError says how far a batch came before its context ended.
type InterruptedError struct {
	Done, Count int     // pictures that are there, and all
	Partial     *Status // of the picture that isn't finished but was saved, or nil
	Folder      string
	cause       error
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("batch: interrupted after %d of %s in %s", e.Done, report.Count(e.Count, "picture"), e.Folder)
}

// Unwrap returns the context's error.
func (e *InterruptedError) Unwrap() error { return e.cause }

// interrupted is the error of a batch whose context has ended.
func (b *Batch) interrupted(ctx context.Context) error {
	e := &InterruptedError{Count: len(b.jobs), Folder: b.options.Folder, cause: ctx.Err()}
	for _, s := range b.jobs {
		switch {
		case s.State == Made, s.State == Reused:
			e.Done++
		case s.State == Interrupted && s.Result.Picture != "":
			e.Partial = s
		}
	}
	return e
}

// failureText is what is shown of an error, in one line; nothing for none.
func failureText(err error) string {
	if err == nil {
		return ""
	}
	text := strings.TrimPrefix(err.Error(), "model: ")
	return quote.Line(strings.Replace(text, context.Canceled.Error(), "interrupted", 1))
}
