package batch

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/records"
)

// The names in the folder.
const (
	recordFolder    = "records"
	recordExtension = ".json"
	pageFile        = "index.html"
)

// input is what is known of a file that is read.
type input struct {
	digest string
	size   image.Point // of a picture
	err    error       // why it can't be read
}

// readInputs looks into all files that are read.
func (b *Batch) readInputs(ctx context.Context) error {
	for _, s := range b.jobs {
		for _, path := range []string{s.Job.Content, s.Job.Style} {
			if err := b.readInput(ctx, path, true); err != nil {
				return err
			}
		}
	}
	for _, path := range b.options.Settings.Files() {
		if err := b.readInput(ctx, path, false); err != nil {
			return err
		}
		if err := b.inputs[path].err; err != nil {
			return fmt.Errorf("batch: %w", err)
		}
	}
	return nil
}

// readInput looks into a file once. The error is that of the context.
func (b *Batch) readInput(ctx context.Context, path string, isPicture bool) error {
	if b.inputs[path] != nil {
		return nil
	}
	i := &input{}
	b.inputs[path] = i
	if isPicture {
		p, err := picture.OpenSource(ctx, path)
		if err != nil {
			i.err = err
			return ctx.Err()
		}
		i.size = p.Bounds().Size()
	}
	i.digest, i.err = records.FileDigest(ctx, path)
	return ctx.Err()
}

// digestsOf are those of all files that a job reads.
func (b *Batch) digestsOf(j Job) ([]string, error) {
	var digests []string
	for _, path := range append([]string{j.Content, j.Style}, b.options.Settings.Files()...) {
		i := b.inputs[path]
		if i.err != nil {
			return nil, i.err
		}
		digests = append(digests, i.digest)
	}
	return digests, nil
}

func (b *Batch) inFolder(name string) string { return filepath.Join(b.options.Folder, name) }

// recordPath is that of the record of a job: below the folder of records as the picture is
// below the folder of the results.
func (b *Batch) recordPath(j Job) string {
	return filepath.Join(b.options.Folder, recordFolder, b.relative(j.Output)+recordExtension)
}

// relative is the path of a file in the folder as seen from there.
func (b *Batch) relative(path string) string {
	relative, err := filepath.Rel(filepath.Clean(b.options.Folder), path)
	if err != nil { // which can't be of a file in the folder
		return filepath.Base(path)
	}
	return relative
}

// checkOutputs makes the folders, and reports what can't be written or would replace an
// input. A dry run makes none, and checks what can be without.
func (b *Batch) checkOutputs() error {
	outputs := []string{b.inFolder(pageFile)}
	for _, s := range b.jobs {
		outputs = append(outputs, s.Job.Output, b.recordPath(s.Job))
	}
	if err := b.checkReplaced(outputs); err != nil {
		return err
	}
	checked := map[string]bool{} // folders
	for _, path := range outputs {
		folder := filepath.Dir(path)
		if !checked[folder] {
			checked[folder] = true
			if err := b.makeFolder(folder); err != nil {
				return fmt.Errorf("batch: make the folder %s: %w", quote.Name(folder), atomicfile.WithoutPath(err))
			}
		}
		if b.options.DryRun && !isFolder(folder) {
			continue
		}
		if err := picture.CheckFile(path); err != nil {
			return err
		}
	}
	return nil
}

// makeFolder makes a folder. In a dry run it only looks whether that could be done.
func (b *Batch) makeFolder(folder string) error {
	if !b.options.DryRun {
		return os.MkdirAll(folder, 0o777)
	}
	return atomicfile.CheckFolder(folder)
}

// checkReplaced reports an output that would replace an input.
func (b *Batch) checkReplaced(outputs []string) error {
	type file struct {
		path string
		info fs.FileInfo
	}
	var inputs []file
	add := func(path string) {
		if info, err := os.Stat(path); err == nil {
			inputs = append(inputs, file{path, info})
		}
	}
	for path := range b.inputs {
		add(path)
	}
	for _, path := range b.options.Also {
		add(path)
	}
	for _, path := range outputs {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || err != nil {
			continue // what is wrong with it, its check will tell
		}
		for _, in := range inputs {
			if os.SameFile(info, in.info) {
				return inputErrorf("output %s is the input %s; name another folder with --out-dir, or other names with --name", quote.Name(path), quote.Name(in.path))
			}
		}
	}
	return nil
}
