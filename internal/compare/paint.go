package compare

import (
	"context"
	"errors"
	"fmt"
	"image"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/records"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/model"
)

// paintAll makes the pictures that aren't there yet.
func (c *Comparison) paintAll(ctx context.Context) error {
	for i, cell := range c.options.Cells {
		e := c.entries[1+i]
		if ctx.Err() != nil {
			return c.interrupted(ctx, i)
		}
		record, image, key, err := c.find(ctx, cell, e)
		if err != nil {
			return err
		}
		event := Event{Number: i + 1, Count: len(c.options.Cells)}
		if record != nil {
			c.take(e, record, image)
			e.Reused = true
			event.Kind, event.Picture = Reused, e.Picture
			if err := c.tell(event); err != nil {
				return err
			}
			continue
		}
		failure, err := c.paint(ctx, cell, e, key, event)
		switch {
		case ctx.Err() != nil:
			return c.interrupted(ctx, i)
		case err != nil:
			return err
		case failure != nil:
			e.Error = failureText(failure)
			event.Kind, event.Picture = Failed, e.Picture
			if err := c.tell(event); err != nil {
				return err
			}
		}
	}
	return nil
}

// paint makes one picture and its record, and tells of it with the event's number.
// Of a run that failed on its way it keeps the last good picture. Failure is why
// the picture isn't finished; err ends the comparison.
func (c *Comparison) paint(ctx context.Context, cell Cell, e *entry, key string, event Event) (failure, err error) {
	event.Kind, event.Picture, event.Settings = Painting, e.Picture, cell.Settings
	if err := c.tell(event); err != nil {
		return nil, err
	}
	o, err := cell.Settings.Open(ctx, c.networks)
	if err != nil {
		return err, nil
	}
	styles, err := cell.Settings.Guide(ctx, c.content, c.modelStyles(), &o, nil)
	if err != nil {
		return err, nil
	}
	track, err := c.ruler.begin(ctx, c.content, o.TimeLimit > 0)
	if err != nil {
		return err, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var refused, unmeasured error // refused by who is told
	o.Progress = func(p model.Progress) {
		if unmeasured == nil {
			unmeasured = track.add(ctx, p)
		}
		event.Kind, event.Iteration = Iterated, p
		if err := c.tell(event); err != nil {
			refused = err
			cancel()
		}
	}
	made := Made{cell, settings.Making{Content: c.content, Styles: styles, Start: o.StartImage}}
	o.Begin = func(l model.Level) { made.Computation = l.Computation }
	if keep := c.watch.Checkpoint; keep != nil {
		o.Checkpoint = func(m model.Moment) { keep(m, track.state()) }
	}
	if o.Resume = c.watch.Resume; o.Resume != nil {
		track.restore(o.Resume.Attachment())
	}
	result, err := model.Stylize(ctx, c.content, made.Styles, o)
	if refused != nil {
		return nil, refused
	}
	if err != nil && (ctx.Err() != nil || result == nil || result.Last.Done == 0) {
		return err, nil
	}
	r := &records.Record{
		Key: key, Name: cell.Name(), Version: c.options.Version, Settings: cell.Settings.Values(), Error: failureText(err),
		Iterations: result.Last.Done, Seconds: track.without(result.Last.Done, result.Last.Elapsed).Seconds(), Loss: result.Last.Loss,
		Curve: thin(result.Curve, track), Remarks: result.Remarks,
	}
	if unmeasured == nil && track != nil {
		unmeasured = track.end(ctx, result, r)
	}
	if unmeasured != nil {
		r.Remarks = append(r.Remarks, "it couldn't be measured on its way: "+failureText(unmeasured))
	}
	if c.options.Describe != nil {
		made.Last, made.Unfinished = result.Last, err != nil
		e.made = c.options.Describe(made)
	}
	if saveErr := c.keep(context.WithoutCancel(ctx), cell, e, r, result.Image); saveErr != nil {
		return errors.Join(err, saveErr), nil
	}
	if err != nil {
		failure = fmt.Errorf("%w; the picture after %d of %s is kept", err, result.Last.Done, report.Count(result.Last.Total, "iteration"))
	}
	event.Kind, event.Picture, event.Path = Painted, e.Picture, c.path(e)
	return failure, c.tell(event)
}

// keep writes a picture and its record, and shows what was written in the entry. A
// picture that can't be written goes elsewhere, and the error says where.
func (c *Comparison) keep(ctx context.Context, cell Cell, e *entry, r *records.Record, img image.Image) error {
	path := c.path(e)
	save := func(path string) error { return picture.Save(path, img, picture.SaveOptions{Made: e.made}) }
	err := save(path)
	if err != nil {
		if rescued, failed := atomicfile.Rescue(path, save); failed == nil {
			err = fmt.Errorf("%w; the picture is in %s", err, quote.Name(rescued))
		}
		return err
	}
	if r.Picture, err = records.FileDigest(ctx, path); err != nil {
		return err
	}
	saved, err := picture.OpenSource(ctx, path)
	if err != nil {
		return err
	}
	if err := writeJSON(c.recordPath(cell), r); err != nil {
		return err
	}
	c.take(e, r, saved)
	return nil
}
