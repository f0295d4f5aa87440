package batch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
)

// Pair is a content and the style that it is to be painted in, both files.
type Pair struct{ Content, Style string }

// Inputs say which pictures are painted in which styles. Contents and Styles are files,
// folders and patterns: see Pairs.
type Inputs struct {
	Contents, Styles []string
	List             []Line // more contents, each a file or a folder
	// Paired paints each content in the style of the same number, instead of in all.
	Paired bool
	// Folder is that of the results: what an earlier batch made there is no input.
	Folder string
}

// InputError says that what was asked for can't be carried out as it is written.
type InputError struct{ message string }

func (e *InputError) Error() string { return "batch: " + e.message }

func inputErrorf(format string, values ...any) error {
	return &InputError{fmt.Sprintf(format, values...)}
}

// Pairs are the pairs that the inputs stand for, each once. A folder stands for the
// pictures right in it, by their extensions and in the order of their names; a pattern for
// the files that match it or, where it ends in ** or in a separator, for the pictures in the
// folders that do. Of what leads to no file the error is an *InputError, or that of the system
// where a file was named that isn't there; on a line of the list that is left to the
// painting. Notes say what was left out.
func (in Inputs) Pairs() (pairs []Pair, notes []string, err error) {
	f := finder{results: newResults(in.Folder)}
	contents, err := f.findAll(in.Contents)
	if err != nil {
		return nil, nil, err
	}
	styles, err := f.findAll(in.Styles)
	if err != nil {
		return nil, nil, err
	}
	var own []Pair // of lines with a style of their own
	for _, line := range in.List {
		found, err := f.findListed(line.Content)
		if err != nil {
			return nil, nil, err
		}
		if line.Style == "" {
			contents = append(contents, found...)
			continue
		}
		its, err := f.findListed(line.Style)
		if err != nil {
			return nil, nil, err
		}
		own = append(own, product(found, its)...)
	}
	switch {
	case len(contents)+len(own) == 0:
		return nil, nil, inputErrorf("no pictures to paint%s", f.leftOut(" but "))
	case len(contents) > 0 && len(styles) == 0:
		return nil, nil, inputErrorf("no style to paint %s in; name one with --style", quote.Name(contents[0]))
	case in.Paired && len(contents) != len(styles):
		return nil, nil, inputErrorf("--pair paints each content in the style of the same number, and there are %s and %s; give as many of both",
			report.Count(len(contents), "content"), report.Count(len(styles), "style"))
	case in.Paired:
		for i, content := range contents {
			pairs = append(pairs, Pair{content, styles[i]})
		}
	default:
		pairs = product(contents, styles)
	}
	pairs, twice := once(append(pairs, own...))
	if twice > 0 {
		notes = append(notes, fmt.Sprintf("left out %s named before", count(twice, "pair that was", "pairs that were")))
	}
	if text := f.leftOut(""); text != "" {
		notes = append(notes, "left out "+text)
	}
	return pairs, notes, nil
}

// product pairs each content with each style.
func product(contents, styles []string) []Pair {
	var pairs []Pair
	for _, content := range contents {
		for _, style := range styles {
			pairs = append(pairs, Pair{content, style})
		}
	}
	return pairs
}

// once leaves of equal pairs the first, and counts the others.
func once(pairs []Pair) (kept []Pair, twice int) {
	seen, names := map[Pair]bool{}, map[string]string{}
	name := func(path string) string {
		if _, known := names[path]; !known {
			names[path] = canonical(path)
		}
		return names[path]
	}
	for _, p := range pairs {
		key := Pair{name(p.Content), name(p.Style)}
		if seen[key] {
			twice++
			continue
		}
		seen[key] = true
		kept = append(kept, p)
	}
	return kept, twice
}

// canonical is a path that all paths to a file have in common, with the file's own last
// name: a link of another name is another picture.
func canonical(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(absolute)); err == nil {
		return filepath.Join(folder, filepath.Base(absolute))
	}
	return absolute
}

// finder finds the files that texts stand for.
type finder struct {
	results results
	left    []string // results of earlier batches, left out
}

// findAll is find for several.
func (f *finder) findAll(texts []string) ([]string, error) {
	var all []string
	for _, text := range texts {
		found, err := f.find(text)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// find returns the files that a file, folder or pattern stands for.
func (f *finder) find(text string) ([]string, error) {
	if _, err := os.Stat(text); err == nil || text == "" {
		return f.findListed(text)
	} else if !isPattern(text) {
		return nil, fmt.Errorf("batch: %w", err)
	}
	expanded, err := expand(text)
	if err != nil {
		return nil, inputErrorf("the pattern %s isn't one: %v", quote.Name(text), err)
	}
	var files []string
	for _, path := range expanded {
		if !isFolder(path) {
			files = append(files, path)
		} else if wantsFolders(text) {
			files = append(files, picturesIn(path)...)
		}
	}
	kept := f.keep(files)
	if len(kept) == 0 && len(files) == 0 {
		return nil, inputErrorf("no file matches %s", quote.Name(text))
	}
	return kept, nil
}

// findListed returns the files that a file or a folder stands for. A file that isn't
// there is one all the same.
func (f *finder) findListed(path string) ([]string, error) {
	if path == "" {
		return nil, inputErrorf("a picture has an empty name")
	}
	if !isFolder(path) {
		return f.keep([]string{path}), nil
	}
	files := picturesIn(path)
	if len(files) == 0 {
		return nil, inputErrorf("the folder %s has no pictures in it (by extension: %s)", quote.Name(path), strings.Join(picture.Extensions(), ", "))
	}
	return f.keep(files), nil
}

// keep leaves out what earlier batches made in the folder of the results.
func (f *finder) keep(files []string) []string {
	var kept []string
	for _, path := range files {
		if f.results.has(path) {
			f.left = append(f.left, path)
		} else {
			kept = append(kept, path)
		}
	}
	return kept
}

// leftOut names what was left out, after a text; it is empty where there is nothing.
func (f *finder) leftOut(before string) string {
	if len(f.left) == 0 {
		return ""
	}
	text := quote.Name(f.left[0])
	if len(f.left) > 1 {
		text += fmt.Sprintf(" and %d more", len(f.left)-1)
	}
	return before + text + ", which an earlier batch made there"
}

// picturesIn are the pictures right in a folder. A folder that can't be read has none.
func picturesIn(folder string) []string {
	files, _ := picture.FilesIn(folder)
	return files
}

// results are the files that have a record in the folder of a batch.
type results struct{ folder string }

func newResults(folder string) results {
	if _, err := os.Stat(filepath.Join(folder, recordFolder)); err != nil {
		return results{}
	}
	return results{canonical(filepath.Join(folder, recordFolder))}
}

// has tells whether a file is one of the results.
func (r results) has(path string) bool {
	if r.folder == "" {
		return false
	}
	relative, err := filepath.Rel(filepath.Dir(r.folder), canonical(path))
	if err != nil || !filepath.IsLocal(relative) {
		return false
	}
	_, err = os.Stat(filepath.Join(r.folder, relative+recordExtension))
	return err == nil
}

// count writes a number with a text for one and for others.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
