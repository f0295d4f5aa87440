package batch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"impasto/device"
	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/records"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/model"
)

// Job is one picture to be made: all that whoever makes it has to know. It is a plain
// value that JSON carries, but for names that aren't UTF-8.
type Job struct {
	Number  int    `json:"number"` // from 1
	Content string `json:"content"`
	Style   string `json:"style"`
	Output  string `json:"output"` // where the picture goes
	// Settings are those of package settings, by name.
	Settings map[string]string `json:"settings"`
	Depth    int               `json:"depth"`   // bits a channel of the picture's file
	Quality  int               `json:"quality"` // of a JPEG
	Memory   int64             `json:"memory"`  // bytes that it is planned to take; 0 where it wasn't planned
	Key      string            `json:"key"`     // of all that the picture follows from
}

// Name is how a job is called among people.
func (j Job) Name() string { return stem(j.Content) + " in " + stem(j.Style) }

// Result is what became of a job. It is a plain value that JSON carries, too.
type Result struct {
	Picture    string   `json:"picture"` // the SHA-256 of its file
	Width      int      `json:"width"`
	Height     int      `json:"height"`
	Iterations int      `json:"iterations"`
	Seconds    float64  `json:"seconds"`
	Loss       float64  `json:"loss"`
	Remarks    []string `json:"remarks,omitempty"`
}

// Time is how long it took.
func (r Result) Time() time.Duration { return time.Duration(r.Seconds * float64(time.Second)) }

// Runner makes the pictures of jobs. Local does so in this program, and that of package
// internal/cluster/painters has other machines do it.
type Runner interface {
	// Plan says what a job will take, without doing it.
	Plan(ctx context.Context, job Job) (model.Plan, error)
	// Seats is how many jobs of these settings are to be run at a time, 1 or more.
	Seats(settings map[string]string) int
	// Run makes the picture of a job and saves it. Each job under way has a seat of its
	// own, from 0 on. It tells progress on the goroutine that called it. Of a job that fails
	// on its way, or that the end of ctx stops, it saves the best picture so far, which the
	// result then is of, beside the error; where there is none, the result has no picture.
	Run(ctx context.Context, seat int, job Job, progress func(model.Progress)) (Result, error)
}

// Crowd is a Runner that is given more jobs at a time than are really under way, since others
// wait elsewhere for their turn.
type Crowd interface {
	Runner
	// Hands is how many are under way at a time, 1 or more.
	Hands() int
}

// Local makes pictures in this program, one at a time on each device.
type Local struct {
	// Describe, unless nil, returns what the file of a picture says of how it was made, and
	// remarks on that. It is called on the goroutines that call Run.
	Describe func(context.Context, Making) (picture.Made, []string)

	opening  sync.Mutex // of networks
	networks settings.Networks
}

// Making is how the picture of a job was made.
type Making struct {
	Job Job
	settings.Making
}

// NewLocal returns one that reads each file of weights once.
func NewLocal() *Local { return &Local{networks: settings.Networks{}} }

// Plan implements Runner.
func (l *Local) Plan(ctx context.Context, job Job) (model.Plan, error) {
	o, err := l.open(ctx, job)
	if err != nil {
		return model.Plan{}, err
	}
	o.options.Device = o.options.Device.Each()[0]
	return model.MakePlan(ctx, o.content, o.styles, o.options)
}

// Seats implements Runner: one on each device.
func (l *Local) Seats(settings map[string]string) int {
	return len(device.Name(settings["device"]).Each())
}

// Run implements Runner.
func (l *Local) Run(ctx context.Context, seat int, job Job, progress func(model.Progress)) (Result, error) {
	return l.Make(ctx, seat, job, Watch{Progress: progress})
}

// Watch is how a job is watched and gone on with; see the fields of the same names of
// model.Options.
type Watch struct {
	Progress   func(model.Progress)
	Checkpoint func(model.Moment)
	Resume     *model.Checkpoint
}

// Make is Run for those who keep checkpoints.
func (l *Local) Make(ctx context.Context, seat int, job Job, watch Watch) (Result, error) {
	o, err := l.open(ctx, job)
	if err != nil {
		return Result{}, err
	}
	o.options.Device = o.options.Device.Each()[seat]
	o.options.Progress, o.options.Checkpoint, o.options.Resume = watch.Progress, watch.Checkpoint, watch.Resume
	how := Making{job, settings.Making{Content: o.content, Styles: o.styles, Start: o.options.StartImage}}
	o.options.Begin = func(level model.Level) { how.Computation = level.Computation }
	made, err := model.Stylize(ctx, o.content, o.styles, o.options)
	if made == nil || err != nil && made.Last.Done == 0 {
		return Result{}, err
	}
	ctx = context.WithoutCancel(ctx) // what was made is kept
	options := picture.SaveOptions{Depth: job.Depth, Quality: job.Quality}
	if l.Describe != nil {
		how.Last, how.Unfinished = made.Last, err != nil
		var remarks []string
		options.Made, remarks = l.Describe(ctx, how)
		made.Remarks = append(made.Remarks, remarks...)
	}
	result, saveErr := save(ctx, job, made, options)
	if saveErr != nil {
		return Result{}, errors.Join(err, saveErr)
	}
	result.Remarks = append(o.remarks(), result.Remarks...)
	if err != nil {
		err = fmt.Errorf("%w; the picture after %d of %s is kept", err, made.Last.Done, report.Count(made.Last.Total, "iteration"))
	}
	return result, err
}

// save writes the picture of a job. One that can't be written goes elsewhere, and the error
// says where.
func save(ctx context.Context, job Job, made *model.Result, options picture.SaveOptions) (Result, error) {
	write := func(path string) error { return picture.Save(path, made.Image, options) }
	if err := write(job.Output); err != nil {
		if rescued, failed := atomicfile.Rescue(job.Output, write); failed == nil {
			err = fmt.Errorf("%w; the picture is in %s", err, quote.Name(rescued))
		}
		return Result{}, err
	}
	size := made.Image.Bounds().Size()
	result := Result{
		Width: size.X, Height: size.Y, Iterations: made.Last.Done, Seconds: made.Last.Elapsed.Seconds(), Loss: made.Last.Loss, Remarks: made.Remarks,
	}
	if picture.Flattens(job.Output, made.Image, options) {
		result.Remarks = append(result.Remarks, "the picture is transparent in part, which a JPEG can't be: it is laid on white")
	}
	var err error
	result.Picture, err = records.FileDigest(ctx, job.Output)
	return result, err
}

// opened are the pictures and options of a job.
type opened struct {
	content, style *picture.Source
	styles         []model.Style // that and those of masks
	options        model.Options
}

// remarks are what there is to be said of how the files were read.
func (o opened) remarks() []string {
	var all []string
	for _, remark := range o.content.Remarks() {
		all = append(all, "content: "+remark)
	}
	for _, remark := range o.style.Remarks() {
		all = append(all, "style: "+remark)
	}
	return all
}

// Stylization is the job's settings, read.
func (j Job) Stylization() (settings.Stylization, error) {
	s, err := settings.Read(j.Settings)
	if err != nil {
		return s, fmt.Errorf("batch: %w", err)
	}
	return s, nil
}

func (l *Local) open(ctx context.Context, job Job) (o opened, err error) {
	s, err := job.Stylization()
	if err != nil {
		return o, err
	}
	if o.content, err = picture.OpenSource(ctx, job.Content); err != nil {
		return o, err
	}
	if o.style, err = picture.OpenSource(ctx, job.Style); err != nil {
		return o, err
	}
	networks := l.networks
	if s.Weights == "" {
		networks = nil // the library keeps less of the embedded one
	}
	l.opening.Lock()
	o.options, err = s.Open(ctx, networks)
	l.opening.Unlock()
	if err != nil {
		return o, err
	}
	o.styles, err = s.Guide(ctx, o.content, []model.Style{{Image: o.style, Weight: 1}}, &o.options, nil)
	return o, err
}

// key identifies all that makes a job's picture what it is. It is of the JSON of this
// struct, so another field, or another name of one, makes all pictures anew. The number of
// threads makes no other picture, and that of GPUs neither.
func (j Job) key(version string, digests []string) (string, error) {
	made := struct {
		Version, Format string
		Settings        map[string]string
		Depth, Quality  int
		Inputs          []string // digests of the content, the style and the files of the settings
	}{version, filepath.Ext(j.Output), map[string]string{}, j.Depth, j.Quality, digests}
	for name, value := range j.Settings {
		if name != "threads" {
			made.Settings[name] = value
		}
	}
	if name, given := j.Settings["device"]; given {
		made.Settings["device"] = string(device.Name(name).Each()[0])
	}
	return records.Key(made)
}
