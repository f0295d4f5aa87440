package batch

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
)

// thumbnailSide is the longer side, in pixels, that pictures are resized to for the page.
const thumbnailSide = 400

// writePage makes the page that shows everything.
func (b *Batch) writePage(ctx context.Context) error {
	index, err := b.index(ctx)
	if err != nil {
		return err
	}
	path := b.inFolder(pageFile)
	if err := atomicfile.Write(path, index.Page); err != nil {
		return fmt.Errorf("batch: save %s: %w", path, err)
	}
	return b.tell(Event{Kind: Written, Path: path})
}

// index is the page. Pictures whose turn hasn't come are only counted.
func (b *Batch) index(ctx context.Context) (report.Index, error) {
	x := report.Index{Title: b.title(), Summary: b.Summary(), Command: b.options.Command}
	values := b.options.Settings.Values()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if value := values[name]; value != "" {
			x.Common = append(x.Common, report.Setting{Name: name, Value: quote.Name(value)})
		}
	}
	for _, style := range b.styles() {
		t, err := thumbnail(ctx, style, quote.Name(stem(style)), quote.Name(style))
		if err != nil {
			return x, err
		}
		x.References = append(x.References, t)
	}
	for _, s := range b.jobs {
		if s.State == Waiting {
			continue
		}
		p, err := b.indexed(ctx, s)
		if err != nil {
			return x, err
		}
		x.Pictures = append(x.Pictures, p)
	}
	return x, nil
}

// indexed is a job as the page shows it.
func (b *Batch) indexed(ctx context.Context, s *Status) (report.IndexedPicture, error) {
	p := report.IndexedPicture{State: string(s.State), Error: s.Error}
	p.Name = quote.Name(s.Job.Name())
	if s.Result.Picture == "" {
		return p, nil
	}
	r := s.Result
	note := fmt.Sprintf("%d×%d, %s in %s", r.Width, r.Height, report.Count(r.Iterations, "iteration"), report.Duration(r.Time()))
	var err error
	if p.Thumbnail, err = thumbnail(ctx, s.Job.Output, p.Name, note); err != nil {
		return p, err
	}
	p.Size, p.Iterations, p.Seconds, p.Loss = fmt.Sprintf("%d×%d", r.Width, r.Height), r.Iterations, r.Seconds, r.Loss
	p.File, err = filepath.Rel(filepath.Clean(b.options.Folder), s.Job.Output)
	return p, err
}

// thumbnail is that of a file; of one that can't be read it is without a picture.
func thumbnail(ctx context.Context, path, name, note string) (report.Thumbnail, error) {
	none := report.Thumbnail{Name: name, Note: note}
	p, err := picture.OpenSource(ctx, path)
	if err != nil {
		return none, ctx.Err()
	}
	p.LayOnWhite()
	small := scaled(p.Bounds().Size(), min(thumbnailSide, max(p.Bounds().Dx(), p.Bounds().Dy())))
	resized, err := picture.Resized(ctx, p, picture.ResizeOptions{Filter: picture.Lanczos}, small)
	if err != nil {
		return none, ctx.Err()
	}
	return report.NewThumbnail(name, note, resized[0])
}

// styles are the files of all styles, each once.
func (b *Batch) styles() []string {
	var all []string
	for _, s := range b.jobs {
		if !slices.Contains(all, s.Job.Style) {
			all = append(all, s.Job.Style)
		}
	}
	return all
}

func (b *Batch) title() string {
	styles := b.styles()
	if len(styles) == 1 {
		return fmt.Sprintf("%s in the style of %s", report.Count(len(b.jobs), "picture"), quote.Name(stem(styles[0])))
	}
	return fmt.Sprintf("%s in %d styles", report.Count(len(b.jobs), "picture"), len(styles))
}

// Summary says in a few words what has become of the jobs.
func (b *Batch) Summary() string {
	counts := map[State]int{}
	for _, s := range b.jobs {
		counts[s.State]++
	}
	text := fmt.Sprintf("%d of %s there: %d made now", counts[Made]+counts[Reused], report.Count(len(b.jobs), "picture"), counts[Made])
	for _, part := range []struct {
		state State
		words string
	}{{Reused, "before"}, {Failed, "failed"}, {Interrupted, "interrupted"}, {Waiting, "not begun"}} {
		if n := counts[part.state]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, part.words)
		}
	}
	return text
}
