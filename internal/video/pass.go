package video

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/records"
	"impasto/model"
)

// pass is one time that a film is gone through, forward or backward.
type pass struct {
	*Film
	number  int   // from 1
	order   []int // indices of frames
	journal *journal
	tracker tracker
	key     string // of the frame before in order
	behind  bool   // the tracker doesn't know the frames before
	lookOf  struct {
		index   int
		content *picture.Picture
	}
}

func (f *Film) newPass(number int) (*pass, error) {
	p := &pass{Film: f, number: number, tracker: tracker{reach: f.options.Consistency.Reach}}
	for i := range f.options.Frames {
		if number%2 == 0 { // backward
			i = len(f.options.Frames) - 1 - i
		}
		p.order = append(p.order, i)
	}
	for _, of := range []string{"results", "ages"} {
		if err := os.MkdirAll(filepath.Dir(f.file(of, number, 0)), 0o777); err != nil {
			return nil, fmt.Errorf("video: %w", err)
		}
	}
	var err error
	p.journal, err = openJournal(filepath.Join(f.options.Folder, fmt.Sprintf("pass-%d", number), "frames.jsonl"))
	return p, err
}

// file is where something of a frame is kept.
func (f *Film) file(what string, pass, index int) string {
	return filepath.Join(f.options.Folder, fmt.Sprintf("pass-%d", pass), what, fmt.Sprintf("%06d.png", index+1))
}

func (f *Film) result(pass, index int) string { return f.file("results", pass, index) }

// paint makes what isn't there of the pass.
func (p *pass) paint(ctx context.Context) error {
	defer p.journal.close()
	for at, index := range p.order {
		key, err := p.keyOf(ctx, index)
		if err != nil {
			return err
		}
		kind := Reused
		entry, found := p.journal.find(ctx, index, key, p.result(p.number, index))
		if found {
			p.behind = true
		} else {
			if p.behind {
				if err := p.catchUp(ctx, at); err != nil {
					return err
				}
			}
			if entry, err = p.paintFrame(ctx, at, key); err != nil {
				return err
			}
			if err := p.journal.add(entry); err != nil {
				return err
			}
			kind = Painted
		}
		p.key = key
		if err := p.finish(kind, index, entry.Report); err != nil {
			return err
		}
	}
	return nil
}

// finish takes in a finished frame, and tells of it.
func (p *pass) finish(kind EventKind, index int, r Report) error {
	if p.number == 1 {
		p.cuts[index] = r.Cut
	}
	p.reports[index] = r
	p.clock.add(r, kind == Painted)
	if p.number == p.options.Consistency.Passes && p.options.Finished != nil {
		if err := p.options.Finished(index, p.result(p.number, index)); err != nil {
			return err
		}
	}
	return p.tell(Event{Kind: kind, Frame: index + 1, Report: r})
}

func (p *pass) tell(e Event) error {
	e.Pass = p.number
	return p.Film.tell(e)
}

// keyOf is that of all that a frame's result follows from: what it shows, the frames before it,
// and the pass before.
func (p *pass) keyOf(ctx context.Context, index int) (string, error) {
	content, err := records.FileDigest(ctx, p.options.Frames[index])
	if err != nil {
		return "", fmt.Errorf("video: frame %d: %w", index+1, err)
	}
	earlier := ""
	if p.number > 1 {
		if earlier, err = records.FileDigest(ctx, p.result(p.number-1, index)); err != nil {
			return "", fmt.Errorf("video: frame %d of pass %d: %w", index+1, p.number-1, err)
		}
	}
	c := p.options.Consistency
	c.Passes = 0 // more passes leave those before as they are
	return records.Key(struct {
		All             string
		Consistency     Consistency
		Pass, Place     int
		Before, Content string
		Earlier         string
	}{p.options.Key, c, p.number, index, p.key, content, earlier})
}

// beginsShot tells whether a pass after the first comes to another shot at a place in order.
func (p *pass) beginsShot(at int) bool {
	if p.number%2 == 0 {
		return p.cuts[p.order[at-1]]
	}
	return p.cuts[p.order[at]]
}

// before is what a frame has of those before it in order; nil where a shot begins.
func (p *pass) before(ctx context.Context, at int, now view) (*prior, error) {
	if len(p.tracker.past) == 0 || p.number > 1 && p.beginsShot(at) {
		return nil, nil
	}
	before, err := p.tracker.prior(ctx, now)
	if err != nil || p.number == 1 && share(before.trusted) < cutShare {
		return nil, err
	}
	if p.options.Consistency.Method != Consistent {
		clear(before.still)
	}
	return before, nil
}

// paintFrame paints the frame at a place in order.
func (p *pass) paintFrame(ctx context.Context, at int, key string) (entry, error) {
	began, index := time.Now(), p.order[at]
	made := entry{Key: key, Report: Report{Frame: index + 1}}
	now, err := p.open(ctx, index)
	if err != nil {
		return made, err
	}
	before, err := p.before(ctx, at, now)
	if err != nil {
		return made, fmt.Errorf("video: frame %d: %w", index+1, err)
	}
	file := p.result(p.number, index)
	if before != nil && share(before.still) == 1 { // it shows what the one before shows
		err = atomicfile.Copy(file, p.result(p.number, p.order[at-1]))
	} else {
		err = p.stylize(ctx, index, now, before, &made.Report)
	}
	if err != nil {
		return made, withContext(fmt.Sprintf("video: frame %d", index+1), err)
	}
	// As it will be read if the film is gone on with later.
	result, err := picture.Open(ctx, file)
	if err != nil {
		return made, err
	}
	if err := p.take(index, now, before, result, &made.Report); err != nil {
		return made, fmt.Errorf("video: frame %d: %w", index+1, err)
	}
	made.Seconds = time.Since(began).Seconds()
	made.Picture, err = records.FileDigest(ctx, file)
	return made, err
}

// take takes in a frame that was painted, and measures it.
func (p *pass) take(index int, now view, before *prior, result *picture.Picture, r *Report) (err error) {
	r.Cut, r.Tied = before == nil, before != nil
	if p.number > 1 {
		r.Cut = p.cuts[index]
	}
	if before != nil {
		r.Trusted, r.Still = share(before.trusted), share(before.still)
		last := p.tracker.last()
		if r.Flicker, err = before.last.flicker(result, last.result); err != nil {
			return err
		}
		if r.Source, err = before.last.flicker(now.content, last.content); err != nil {
			return err
		}
	}
	stayed, ages := p.tracker.take(before, now, result)
	return p.keepAges(index, stayed, ages)
}

// stylize paints a frame to its file.
func (p *pass) stylize(ctx context.Context, index int, now view, before *prior, r *Report) error {
	frame, err := p.frame(ctx, index, now, before)
	if err != nil {
		return err
	}
	var told error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	frame.Progress = func(of model.Progress) {
		if told = p.tell(Event{Kind: Iterated, Frame: index + 1, Iteration: of}); told != nil {
			cancel()
		}
	}
	made, err := p.series.Stylize(ctx, frame)
	if told != nil {
		return told
	}
	if err != nil {
		return err
	}
	r.Iterations, r.Loss = made.Last.Done, made.Last.Loss
	return picture.Save(p.result(p.number, index), made.Image, picture.SaveOptions{})
}

// frame says what a frame begins with, and what it is to agree with.
func (p *pass) frame(ctx context.Context, index int, now view, before *prior) (model.Frame, error) {
	c, longer := p.options.Consistency, max(p.size.X, p.size.Y)
	frame := model.Frame{Content: now.content}
	if p.options.Stylization.KeepColours > 0 {
		var err error
		if frame.Look, err = p.look(ctx, index, before == nil, now); err != nil {
			return frame, err
		}
	}
	tied := before != nil && c.Method != Independent
	if tied || p.number > 1 {
		frame.FirstIterations, frame.MiddleIterations, frame.Iterations = c.MiddleIterations, c.MiddleIterations, c.Iterations
		smallest := belowLast
		if tied && before.news() > littleNew {
			smallest, frame.FirstIterations = belowNew, firstOfNew*c.MiddleIterations
		}
		frame.LevelsPerOctave, frame.MinSize = 1, max(int(smallest*float64(longer)), leastSize(p.options.Stylization, longer))
		noise := min(tiedNoise, p.options.Stylization.Noise)
		frame.Noise = &noise
		if 2*frame.MinSize > longer+1 { // there is but one scale
			frame.FirstIterations = c.Iterations
		}
	}
	agree := before
	if p.number > 1 {
		earlier, err := picture.Open(ctx, p.result(p.number-1, index))
		if err != nil {
			return frame, err
		}
		frame.Start, frame.MinSize, frame.FirstIterations = earlier, longer, c.Iterations
		if tied {
			agree = before.halfway(earlier)
		}
	} else if tied {
		frame.Start = before.filled(now.content)
	}
	if tied {
		weight := c.Weight
		if c.Method == Warped {
			weight = 0
		}
		frame.Prior = agree.model(weight)
	}
	return frame, nil
}

// leastSize is the least size of scales of a frame that begins with another: that of other
// pictures, or half the frame's where that is less, so that small frames have two scales, too, if
// the layers see enough of them.
func leastSize(o model.Options, longer int) int {
	halved := o
	halved.MinSize = min(o.MinSize, longer/2)
	if o.MinSize >= longer || halved.Check() != nil {
		return o.MinSize
	}
	return halved.MinSize
}

// look is what the first frame of a frame's shot shows, in whose colours the shot is painted.
func (p *pass) look(ctx context.Context, index int, begins bool, now view) (image.Image, error) {
	first := index
	if p.number > 1 || !begins {
		for first > 0 && !p.cuts[first] {
			first--
		}
	}
	if first == p.lookOf.index && p.lookOf.content != nil {
		return p.lookOf.content, nil
	}
	p.lookOf.index, p.lookOf.content = first, now.content
	if first != index {
		of, err := p.open(ctx, first)
		if err != nil {
			return nil, err
		}
		p.lookOf.content = of.content
	}
	return p.lookOf.content, nil
}

// A frame that begins with another has scales that double in size: of more, those between took a
// fifth of the time and made no difference. belowLast is the share of the size from which on there
// are two. Where more than littleNew of a frame is new, there are those from belowNew on, since
// strokes are made at small scales; with firstOfNew times the iterations at the first, which costs
// least.
const (
	belowLast, belowNew = 0.4, 0.2
	littleNew           = 0.001
	firstOfNew          = 3
)

// tiedNoise is the most noise that scales of a frame begin with which begins with another: their
// iterations are too few to make strokes of more.
const tiedNoise = 0.05

// catchUp has the tracker know the frames before a place in order, which were there already.
func (p *pass) catchUp(ctx context.Context, at int) error {
	begin := at - 1
	for begin > 0 && !p.startedShot(begin) {
		begin--
	}
	p.tracker = tracker{reach: p.tracker.reach}
	for _, index := range p.order[max(begin, 0):at] {
		now, err := p.open(ctx, index)
		if err != nil {
			return err
		}
		result, err := picture.Open(ctx, p.result(p.number, index))
		if err != nil {
			return err
		}
		stayed, ages, err := p.readAges(index)
		if err != nil {
			return err
		}
		p.tracker.add(painted{now, result, ages}, stayed)
	}
	p.behind = false
	return nil
}

// startedShot tells whether a shot began at a place in order, at 1 or above, that was gone
// through.
func (p *pass) startedShot(at int) bool {
	if p.number == 1 {
		return p.cuts[p.order[at]]
	}
	return p.beginsShot(at)
}

// stood is kept in the place of the age of a pixel that stayed as it was.
const stood = 255

// keepAges keeps the ages of a frame's pixels, and which of them stayed as they were.
func (p *pass) keepAges(index int, stayed []bool, ages []uint8) error {
	return atomicfile.Write(p.file("ages", p.number, index), func(w io.Writer) error {
		img := &image.Gray{Pix: slices.Clone(ages), Stride: p.size.X, Rect: image.Rectangle{Max: p.size}}
		for i, v := range stayed {
			if v {
				img.Pix[i] = stood
			}
		}
		return png.Encode(w, img)
	})
}

// readAges reads what keepAges keeps.
func (p *pass) readAges(index int) (stayed []bool, ages []uint8, err error) {
	file := p.file("ages", p.number, index)
	data, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer data.Close()
	img, err := png.Decode(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	kept, ok := img.(*image.Gray)
	if !ok || kept.Rect.Size() != p.size {
		return nil, nil, fmt.Errorf("%s isn't what was kept of a frame of %d×%d; remove the folder to begin anew", file, p.size.X, p.size.Y)
	}
	stayed, ages = make([]bool, len(kept.Pix)), kept.Pix
	for i, v := range ages {
		if v == stood {
			stayed[i], ages[i] = true, settled
		}
	}
	return stayed, ages, nil
}

// withContext says where an error happened, unless it is the end of the context.
func withContext(where string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%s: %w", where, err)
}
