package video

import (
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"impasto/internal/flow"
	"impasto/internal/picture"
	"impasto/model"
)

// Method is how frames are tied to each other.
type Method string

// The methods, each of which does more than the one before.
const (
	Independent Method = "independent" // every frame is painted by itself
	Warped      Method = "warped"      // it begins with the frame before, warped
	Consistent  Method = "consistent"  // and differing from that costs
)

// Methods are all of them, with a line of help, the default first.
func Methods() []struct {
	Name Method
	Help string
} {
	return []struct {
		Name Method
		Help string
	}{
		{Consistent, "frames begin with the one before, warped along the optical flow, and are held to it"},
		{Warped, "frames begin with the one before, warped, and go their own way"},
		{Independent, "every frame is painted by itself, and flickers"},
	}
}

// Consistency says how frames agree with those before them.
type Consistency struct {
	Method Method
	// Weight is that of the difference from frames before; see model.Prior.
	Weight float64
	// Reach are how many frames back to look for what the nearer ones hide, ascending from 1.
	Reach []int
	// Passes is how often the film is gone through, forward and backward in turn. Each pass
	// begins with the results of the one before, and what a frame shows for the first time
	// then goes back to those before it, too.
	Passes int
	// Iterations are made at the last scale of frames that begin with one before, and
	// MiddleIterations at the one below it, with which they begin unless they show something
	// new: then also at smaller ones, and three times as many at the first.
	Iterations, MiddleIterations int
}

// DefaultConsistency makes films that don't flicker.
func DefaultConsistency() Consistency {
	return Consistency{Method: Consistent, Weight: 30, Reach: []int{1, 2, 4}, Passes: 1, Iterations: 6, MiddleIterations: 5}
}

// Check reports what is out of range.
func (c Consistency) Check() error {
	last := 0
	for _, back := range c.Reach {
		if back <= last || back > MaxReach {
			return fmt.Errorf("video: frames back are %v, want ascending numbers from 1 to %d", c.Reach, MaxReach)
		}
		last = back
	}
	switch {
	case len(c.Reach) == 0 || c.Reach[0] != 1:
		return fmt.Errorf("video: frames back are %v, want 1 as the first", c.Reach)
	case c.Passes < 1 || c.Passes > MaxPasses:
		return fmt.Errorf("video: %d passes, want 1 to %d", c.Passes, MaxPasses)
	case c.Iterations < 1 || c.MiddleIterations < 1:
		return fmt.Errorf("video: %d and %d iterations of a frame, want 1 at least", c.Iterations, c.MiddleIterations)
	case !(c.Weight >= 0 && c.Weight <= model.MaxWeight):
		return fmt.Errorf("video: weight %v, want 0 to %v", c.Weight, model.MaxWeight)
	case c.Passes > 1 && c.Method == Independent:
		return errors.New("video: several passes of independent frames come to the same as one")
	}
	for _, m := range Methods() {
		if m.Name == c.Method {
			return nil
		}
	}
	return fmt.Errorf("video: no method is named %q", c.Method)
}

// How many frames back there are to look at, and how many passes to make, at most.
const MaxReach, MaxPasses = 64, 20

// cutShare is the share of a frame below which it has so little of those before it that a new shot
// begins.
const cutShare = 0.25

// Options say what to make of a film.
type Options struct {
	Frames      []string // files of pictures of one size, in order
	Styles      []model.Style
	Stylization model.Options // of a shot's first frame; Size may be no more than that of frames
	Consistency Consistency
	Folder      string // of what is made on the way, and kept; made if it isn't there
	Key         string // of all that the result follows from besides frames and Consistency
	// Finished, unless nil, takes the file of each frame of the last pass once it is finished,
	// in the order in which they are, which is backward where Passes is even.
	Finished func(index int, file string) error
	// Progress, unless nil, is told what happens, on the goroutine that calls Paint. An error
	// ends the film.
	Progress func(Event) error
}

// Event is something that happened to a film.
type Event struct {
	Kind         EventKind
	Frame        int // from 1
	Frames       int
	Pass, Passes int // from 1
	// Report is what became of the frame, if it is finished.
	Report Report
	// Iteration is the progress of a frame that is painted.
	Iteration model.Progress
	// Work is the share of all frames and passes that is done, 0 to 1, and Remaining what the
	// rest will take by the frames so far; 0 while nothing tells.
	Work      float64
	Remaining time.Duration
}

// EventKind says what happened.
type EventKind string

// What happens to a frame.
const (
	Iterated EventKind = "iteration" // an iteration was made
	Painted  EventKind = "painted"   // it is finished
	Reused   EventKind = "reused"    // it was there already
)

// Report is what is known of a finished frame.
type Report struct {
	Frame int `json:"frame"` // from 1
	// Cut tells that a shot begins with the frame, and Tied that the pass came to it from one of
	// the same shot: from the one after it where the pass is backward.
	Cut  bool `json:"cut"`
	Tied bool `json:"tied"`
	// Trusted is the share of the frame that frames before it show, and Still that of pixels
	// that stayed as they were; both 0 to 1.
	Trusted float64 `json:"trusted"`
	Still   float64 `json:"still"`
	// Flicker is by how much the result differs from the frame that the pass came from, warped,
	// outside occlusions, and Source the same of what the frames show: root mean squares in
	// levels of 8 bits. They are 0 where it isn't tied.
	Flicker    float64 `json:"flicker"`
	Source     float64 `json:"source_flicker"`
	Iterations int     `json:"iterations"`
	Loss       float64 `json:"loss"`
	Seconds    float64 `json:"seconds"`
}

// Film is one that is being painted.
type Film struct {
	options Options
	size    image.Point // of results
	series  *model.Series
	flow    *flow.Estimator
	cuts    []bool // that the first pass found
	reports []Report
	clock   clock
}

// New prepares a film whose frames show pictures of a size.
func New(size image.Point, o Options) (*Film, error) {
	if len(o.Frames) == 0 {
		return nil, errors.New("video: there are no frames")
	}
	if err := o.Consistency.Check(); err != nil {
		return nil, err
	}
	width, height := model.OutputSize(size.X, size.Y, o.Stylization)
	of := flow.DefaultOptions()
	of.Threads = o.Stylization.Threads
	estimator, err := flow.NewEstimator(width, height, of)
	if err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	series, err := model.NewSeries(o.Styles, o.Stylization)
	if err != nil {
		return nil, err
	}
	return &Film{options: o, size: image.Pt(width, height), series: series, flow: estimator, cuts: make([]bool, len(o.Frames)), reports: make([]Report, len(o.Frames))}, nil
}

// Close frees what the film holds.
func (f *Film) Close() error { return f.series.Close() }

// Size is that of the results.
func (f *Film) Size() image.Point { return f.size }

// Reports are those of all frames, as of the last pass that reached them.
func (f *Film) Reports() []Report { return f.reports }

// Paint makes what isn't there of all frames, and returns the files of the last pass. Where
// ctx ends, the frame under way is given up, and another Paint, or one of a film with the same
// options, goes on with it.
func (f *Film) Paint(ctx context.Context) (files []string, err error) {
	f.clock = clock{total: f.options.Consistency.Passes * len(f.options.Frames)}
	for number := 1; number <= f.options.Consistency.Passes; number++ {
		p, err := f.newPass(number)
		if err != nil {
			return nil, err
		}
		if err := p.paint(ctx); err != nil {
			return nil, err
		}
	}
	for i := range f.options.Frames {
		files = append(files, f.result(f.options.Consistency.Passes, i))
	}
	return files, nil
}

// tell tells of something that happened in a pass.
func (f *Film) tell(e Event) error {
	if f.options.Progress == nil {
		return nil
	}
	e.Frames, e.Passes = len(f.options.Frames), f.options.Consistency.Passes
	e.Work, e.Remaining = f.clock.work(), f.clock.remaining()
	return f.options.Progress(e)
}

// open reads what a frame shows, at the size of the results.
func (f *Film) open(ctx context.Context, index int) (view, error) {
	path := f.options.Frames[index]
	source, err := picture.OpenSource(ctx, path)
	if err != nil {
		return view{}, err
	}
	p, err := picture.ResizedTo(ctx, source, picture.ResizeOptions{Filter: picture.Lanczos, OnWhite: true}, f.size.X, f.size.Y)
	if err != nil {
		return view{}, fmt.Errorf("video: frame %d: %w", index+1, err)
	}
	return newView(f.flow, p)
}

// clock tells how long frames take. Those that a shot begins with take longer than others, so
// they count only as long as there are no others.
type clock struct {
	total, done         int
	first, tied         int     // that were painted
	firstTook, tiedTook float64 // seconds
}

// add counts a frame, and the time that it took if it was painted.
func (c *clock) add(r Report, painted bool) {
	c.done++
	switch {
	case !painted:
	case r.Tied:
		c.tied, c.tiedTook = c.tied+1, c.tiedTook+r.Seconds
	default:
		c.first, c.firstTook = c.first+1, c.firstTook+r.Seconds
	}
}

func (c *clock) work() float64 { return float64(c.done) / float64(c.total) }

func (c *clock) remaining() time.Duration {
	mean := c.firstTook / float64(max(1, c.first))
	if c.tied > 0 {
		mean = c.tiedTook / float64(c.tied)
	}
	return time.Duration(mean * float64(c.total-c.done) * float64(time.Second))
}
