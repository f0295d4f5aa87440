package compare

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/records"
	"impasto/internal/report"
	"impasto/model"
)

// entry is a picture and all that is known of it.
type entry struct {
	Picture
	image  *picture.Source // nil where there is none
	digest string          // of the picture's file
	curve  []report.CurvePoint
	// measured is its way by common measures; nil where it wasn't measured as others are.
	measured []records.Measured
	made     picture.Made // what its file will say
}

// openPictures opens those pictures that there are, and makes the entries.
func (c *Comparison) openPictures(ctx context.Context) error {
	var err error
	if c.content, err = c.open(ctx, c.options.Content); err != nil {
		return err
	}
	for _, s := range c.options.Styles {
		p, err := c.open(ctx, s.File)
		if err != nil {
			return err
		}
		c.styles = append(c.styles, p)
	}
	c.entries = []*entry{{Picture: Picture{Name: "content", Kind: KindContent, File: c.options.Content}, image: c.content}}
	for _, cell := range c.options.Cells {
		e := &entry{Picture: Picture{Name: cell.Name(), Kind: KindMade, File: pictureFolder + "/" + cell.file() + ".png", Settings: map[string]string{}}}
		for _, s := range cell.Varied {
			e.Settings[s.Name] = s.Value
		}
		if cell.Seeded {
			e.Settings["seed"] = fmt.Sprint(cell.Settings.Options.Seed)
		}
		c.entries = append(c.entries, e)
	}
	for _, path := range c.options.Also {
		p, err := c.open(ctx, path)
		if err != nil {
			return err
		}
		// One that can't be decoded is refused before any work; the others are decoded for
		// the scorer.
		if _, err := resized(ctx, p, 1, 1); err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if slices.ContainsFunc(c.entries, func(e *entry) bool { return e.Name == name }) {
			name = path
		}
		c.entries = append(c.entries, &entry{Picture: Picture{Name: name, Kind: KindAlso, File: path}, image: p})
	}
	return nil
}

// open opens a picture that the options name, tells what is to be remarked, and has it
// laid on white where it is transparent, as the sheet and the page show it.
func (c *Comparison) open(ctx context.Context, path string) (*picture.Source, error) {
	p, err := picture.OpenSource(ctx, path)
	if err != nil {
		return nil, err
	}
	p.LayOnWhite()
	p.Tell(func(remark string) {
		if c.refused == nil {
			c.refused = c.tell(Event{Kind: Remarked, Path: path, Remark: remark})
		}
	})
	return p, c.refused
}

// modelStyles are the styles as the library takes them.
func (c *Comparison) modelStyles() []model.Style {
	var styles []model.Style
	for i, p := range c.styles {
		styles = append(styles, model.Style{Image: p, Weight: c.options.Styles[i].Weight})
	}
	return styles
}

// digestInputs makes digests of all files that are read.
func (c *Comparison) digestInputs(ctx context.Context) error {
	paths := []string{c.options.Content}
	for _, s := range c.options.Styles {
		paths = append(paths, s.File)
	}
	paths = append(paths, c.options.Also...)
	for _, cell := range c.options.Cells {
		paths = append(paths, cell.Settings.Files()...)
	}
	c.digests = map[string]string{}
	for _, path := range append(paths, c.options.Base.Files()...) {
		if c.digests[path] != "" {
			continue
		}
		var err error
		if c.digests[path], err = records.FileDigest(ctx, path); err != nil {
			return fmt.Errorf("compare: %w", err)
		}
	}
	for _, e := range c.entries {
		if e.Kind != KindMade {
			e.digest = c.digests[e.File]
		}
	}
	return nil
}

// checkOutputs makes the folders, and reports what can't be written or would
// replace an input.
func (c *Comparison) checkOutputs() error {
	folder := c.options.Folder
	if err := os.MkdirAll(filepath.Join(folder, pictureFolder), 0o777); err != nil {
		return fmt.Errorf("compare: make the folder: %w", err)
	}
	outputs := []string{filepath.Join(folder, sheetFile), filepath.Join(folder, pageFile), filepath.Join(folder, scoresFile), filepath.Join(folder, curvesFile), filepath.Join(folder, plotFile)}
	for i, cell := range c.options.Cells {
		outputs = append(outputs, c.path(c.entries[1+i]), c.recordPath(cell))
	}
	inputs := slices.Sorted(maps.Keys(c.digests))
	for _, path := range outputs {
		if input, ok := atomicfile.Replaces(path, inputs); ok {
			return &OverwriteError{Output: path, Input: input}
		}
		if err := picture.CheckFile(path); err != nil {
			return err
		}
	}
	return nil
}

// path is that of a picture that is made here.
func (c *Comparison) path(e *entry) string {
	return filepath.Join(c.options.Folder, filepath.FromSlash(e.File))
}
