package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"impasto/internal/picture"
	"impasto/internal/records"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/losses"
	"impasto/model"
)

// Order is a cell for others to paint: a plain value that JSON carries.
type Order struct {
	Name    string    `json:"name"`
	Weights []float64 `json:"weights"` // of the styles
	// Settings are the cell's, by name.
	Settings map[string]string `json:"settings,omitempty"`
	Seconds  float64           `json:"seconds,omitempty"` // for it; 0 leaves it to the iterations
	Version  string            `json:"version"`           // of the program
	Bare     bool              `json:"bare,omitempty"`    // its file doesn't say how it was made
	Memory   int64             `json:"-"`                 // bytes that it is planned to take; 0 where it wasn't planned
	// Measure is how the picture is measured on its way; nil where it isn't.
	Measure *Measure `json:"measure,omitempty"`
}

// Measure is how pictures of a comparison are measured on their way.
type Measure struct {
	Losses    []string          `json:"losses"`
	Settings  map[string]string `json:"settings,omitempty"` // those that the comparison's pictures are scored by
	ScoreSize int               `json:"score_size"`
	Largest   int               `json:"largest"` // the longer side of the largest of the pictures
}

// Painter paints cells elsewhere.
type Painter interface {
	// AtOnce is how many cells it is given at a time, 1 or more.
	AtOnce() int
	// Paint writes the picture of a cell and its record, as FillOrder makes them.
	Paint(ctx context.Context, order Order, content string, styles []string, picture, record string) error
}

// order is the order of a cell.
func (c *Comparison) order(i int) Order {
	cell := c.options.Cells[i]
	o := Order{
		Name: cell.Name(), Settings: cell.Settings.Values(), Seconds: c.options.Seconds, Version: c.options.Version,
		Bare: c.options.Describe == nil, Memory: c.memory[i],
	}
	for _, s := range c.options.Styles {
		o.Weights = append(o.Weights, s.Weight)
	}
	if c.ruler != nil {
		o.Measure = &Measure{losses.NamesOf(c.ruler.losses), c.options.Base.Values(), c.options.ScoreSize, c.largest()}
	}
	return o
}

// orderAll has others paint the cells that aren't there yet.
func (c *Comparison) orderAll(ctx context.Context) error {
	type ended struct {
		index int
		key   string
		err   error
	}
	var left []ended
	done := 0
	for i, cell := range c.options.Cells {
		record, image, key, err := c.find(ctx, cell, c.entries[1+i])
		if err != nil {
			return err
		}
		if record == nil {
			left = append(left, ended{index: i, key: key})
			continue
		}
		done++
		c.take(c.entries[1+i], record, image)
		c.entries[1+i].Reused = true
		if err := c.tell(Event{Kind: Reused, Picture: c.entries[1+i].Picture, Number: i + 1, Count: len(c.options.Cells)}); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	waiting, ends := make(chan ended), make(chan ended)
	var all sync.WaitGroup
	defer func() { // nobody takes what comes after an error
		cancel()
		go func() { all.Wait(); close(ends) }()
		for range ends {
		}
	}()
	var styles []string
	for _, s := range c.options.Styles {
		styles = append(styles, s.File)
	}
	for range min(max(1, c.options.Painter.AtOnce()), len(left)) {
		all.Go(func() {
			for next := range waiting {
				next.err = c.options.Painter.Paint(ctx, c.order(next.index), c.options.Content, styles, c.path(c.entries[1+next.index]), c.recordPath(c.options.Cells[next.index]))
				ends <- next
			}
		})
	}
	all.Go(func() {
		defer close(waiting)
		for _, next := range left {
			select {
			case waiting <- next:
			case <-ctx.Done():
				return
			}
		}
	})
	for range left {
		select {
		case <-ctx.Done():
			return c.interrupted(ctx, done)
		case e := <-ends:
			if ctx.Err() != nil {
				return c.interrupted(ctx, done)
			}
			if err := c.delivered(ctx, e.index, e.key, e.err); err != nil {
				return err
			}
			done++
		}
	}
	return nil
}

// delivered takes in a cell that was painted elsewhere: its record gets the key that it has
// here, where files have other paths.
func (c *Comparison) delivered(ctx context.Context, i int, key string, failure error) error {
	cell, e := c.options.Cells[i], c.entries[1+i]
	event := Event{Number: i + 1, Count: len(c.options.Cells)}
	var r records.Record
	if failure == nil {
		failure = records.Read(c.recordPath(cell), &r)
	}
	var image *picture.Source
	if failure == nil {
		r.Key, r.Name, r.Settings = key, cell.Name(), cell.Settings.Values()
		if c.ruler != nil {
			r.MeasuredKey = c.ruler.key
		}
		if failure = writeJSON(c.recordPath(cell), r); failure == nil {
			image, failure = picture.OpenSource(ctx, c.path(e))
		}
	}
	if failure == nil {
		c.take(e, &r, image)
		event.Kind, event.Picture, event.Path = Painted, e.Picture, c.path(e)
		if err := c.tell(event); err != nil {
			return err
		}
		if r.Error == "" {
			return nil
		}
		failure = errors.New(r.Error)
	}
	e.Error = failureText(failure)
	event.Kind, event.Picture, event.Path = Failed, e.Picture, ""
	return c.tell(event)
}

// Watch is how a cell is watched that is painted for somebody else.
type Watch struct {
	Progress func(model.Progress)
	// Checkpoint is as in model.Options; what it writes gets the attachment.
	Checkpoint func(moment model.Moment, attachment []byte)
	Resume     *model.Checkpoint
	// Describe, unless nil, returns what the picture's file says of how it was made.
	Describe func(Made) picture.Made
}

// FillOrder paints the cell of an order from files, whose paths its settings have, into a
// folder, and returns the paths of the picture and of its record. Of a run that fails on its
// way it keeps the last good picture, whose record says why it isn't finished.
func FillOrder(ctx context.Context, order Order, content string, styles []string, folder string, watch Watch) (picturePath, recordPath string, err error) {
	cell := Cell{Varied: []report.Setting{{Name: "loss", Value: "cell"}}}
	if cell.Settings, err = stylizationOf(order.Settings); err != nil {
		return "", "", err
	}
	o := Options{Content: content, Seconds: order.Seconds, Folder: folder, Version: order.Version, Describe: watch.Describe, Base: cell.Settings}
	if len(styles) != len(order.Weights) {
		return "", "", fmt.Errorf("compare: got %d styles and %d weights, want as many", len(styles), len(order.Weights))
	}
	for i, file := range styles {
		o.Styles = append(o.Styles, Style{file, order.Weights[i]})
	}
	o.Cells = timed([]Cell{cell}, order.Seconds)
	c := &Comparison{options: o, networks: settings.Networks{}, watch: watch}
	if err := c.openFor(ctx, order.Measure); err != nil {
		return "", "", err
	}
	defer c.ruler.close()
	c.options.Progress = func(e Event) error {
		if e.Kind == Iterated && watch.Progress != nil {
			watch.Progress(e.Iteration)
		}
		return nil
	}
	picturePath, recordPath = c.path(c.entries[1]), c.recordPath(cell)
	failure, err := c.paint(ctx, c.options.Cells[0], c.entries[1], "", Event{})
	if err != nil || ctx.Err() != nil {
		return "", "", errors.Join(err, ctx.Err())
	}
	if _, missing := os.Stat(recordPath); failure != nil && missing != nil {
		return "", "", failure
	}
	return picturePath, recordPath, nil
}

// openFor opens what a single cell is painted of, and measured by.
func (c *Comparison) openFor(ctx context.Context, by *Measure) (err error) {
	if err := c.openPictures(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(c.options.Folder, pictureFolder), 0o777); err != nil {
		return fmt.Errorf("compare: make the folder: %w", err)
	}
	if by != nil {
		if c.options.Base, err = stylizationOf(by.Settings); err != nil {
			return err
		}
		c.options.ScoreSize, c.most = by.ScoreSize, by.Largest
		for _, loss := range losses.All() {
			if slices.Contains(by.Losses, loss.Description().Name) {
				c.options.Losses = append(c.options.Losses, loss)
			}
		}
	}
	if err := c.digestInputs(ctx); err != nil || by == nil {
		return err
	}
	return c.makeRuler(ctx)
}

// stylizationOf are settings by name, read.
func stylizationOf(values map[string]string) (settings.Stylization, error) {
	s, err := settings.Read(values)
	if err != nil {
		return s, fmt.Errorf("compare: %w", err)
	}
	return s, nil
}

// trackState is a track in a checkpoint.
type trackState struct {
	Points []records.Measured `json:"points"`
	Spent  []spent            `json:"spent"`
	Next   int                `json:"next"`
}

// state is what a track goes on from.
func (t *track) state() []byte {
	if t == nil {
		return nil
	}
	data, err := json.Marshal(trackState{t.points, t.spent, t.next})
	if err != nil { // which can't be of numbers
		return nil
	}
	return data
}

// restore has a new track go on from a state. What can't be read is measured from there on.
func (t *track) restore(data []byte) {
	var s trackState
	if t == nil || json.Unmarshal(data, &s) != nil {
		return
	}
	t.points, t.spent, t.next = s.Points, s.Spent, s.Next
}
