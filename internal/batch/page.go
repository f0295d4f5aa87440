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

// writePage makes the page that shows everything. Once ctx has ended, it shows of what is
// there without a thumbnail the name alone.
func (b *Batch) writePage(ctx context.Context) error {
	path := b.inFolder(pageFile)
	if err := atomicfile.Write(path, b.index(ctx).Page); err != nil {
		return fmt.Errorf("batch: save %s: %w", path, err)
	}
	return b.tell(Event{Kind: Written, Path: path})
}

// index is the page. Pictures whose turn hasn't come are only counted.
func (b *Batch) index(ctx context.Context) report.Index {
	x := report.Index{Title: b.title(), Summary: b.Summary(), Command: b.options.Command}
	values := b.options.Settings.Values()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if value := values[name]; value != "" {
			x.Common = append(x.Common, report.Setting{Name: name, Value: quote.Name(value)})
		}
	}
	for _, style := range b.styles() {
		t := b.thumbnail(ctx, style)
		t.Name, t.Note = quote.Name(stem(style)), quote.Name(filepath.Base(style))
		x.References = append(x.References, t)
	}
	for _, s := range b.jobs {
		if s.State != Waiting {
			x.Pictures = append(x.Pictures, b.indexed(ctx, s))
		}
	}
	return x
}

// indexed is a job as the page shows it.
func (b *Batch) indexed(ctx context.Context, s *Status) report.IndexedPicture {
	p := report.IndexedPicture{State: string(s.State), Error: s.Error}
	if s.State == Failed {
		p.Error = "failed: " + s.Error
	}
	if r := s.Result; r.Picture != "" {
		p.Thumbnail = b.thumbnail(ctx, s.Job.Output)
		p.Size, p.Iterations, p.Seconds, p.Loss = fmt.Sprintf("%d×%d", r.Width, r.Height), r.Iterations, r.Seconds, r.Loss
		p.Note = fmt.Sprintf("%s, %s in %s", p.Size, report.Count(r.Iterations, "iteration"), report.Duration(r.Time()))
		p.File = b.relative(s.Job.Output)
	}
	p.Name = quote.Name(s.Job.Name())
	return p
}

// thumbnail is that of a file, without a name. Of a file that can't be read, or once ctx has
// ended, it is empty.
func (b *Batch) thumbnail(ctx context.Context, path string) report.Thumbnail {
	if made, ok := b.thumbnails[path]; ok {
		return made
	}
	made, err := newThumbnail(ctx, path)
	if err == nil {
		b.thumbnails[path] = made
	}
	return made
}

func newThumbnail(ctx context.Context, path string) (report.Thumbnail, error) {
	p, err := picture.OpenSource(ctx, path)
	if err != nil {
		return report.Thumbnail{}, err
	}
	p.LayOnWhite()
	size := p.Bounds().Size()
	size = scaled(size, min(report.ThumbnailSide, max(size.X, size.Y)))
	resized, err := picture.ResizedTo(ctx, p, picture.ResizeOptions{Filter: picture.Lanczos}, size.X, size.Y)
	if err != nil {
		return report.Thumbnail{}, err
	}
	return report.NewThumbnail(resized)
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
