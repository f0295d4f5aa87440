package batch

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"impasto/internal/names"
	"impasto/internal/picture"
	"impasto/internal/quote"
)

// DefaultName is how results are named unless asked otherwise.
const DefaultName = "{content}-{style}.png"

// Keys of names beside those of settings, with what each stands for.
var nameKeys = []struct{ key, means string }{
	{"content", "the content's name without its extension"},
	{"style", "the style's, likewise"},
	{"extension", "that of the content, without the point"},
	{"folder", "the name of the folder that the content is in"},
	{"number", "of the pair, from 1, with as many digits as the last one has"},
}

// name is a text with keys in it, which stands for the names of results.
type name []namePart

// namePart is a text or, where that is empty, a key.
type namePart struct{ text, key string }

// parseName reads a text in which {key} stands for what the key does, and {{ and }} for
// braces. Settings are keys too.
func parseName(text string, settings map[string]string) (name, error) {
	if _, err := picture.FormatOf(text); err != nil {
		return nil, inputErrorf("--name %s: want a name that ends in .png, .jpg, .tif or .webp, such as %s", quote.Name(text), DefaultName)
	}
	var known []string
	for _, k := range nameKeys {
		known = append(known, k.key)
	}
	for setting := range settings {
		known = append(known, setting)
	}
	slices.Sort(known[len(nameKeys):])
	var parts name
	for rest := text; rest != ""; {
		at := strings.IndexAny(rest, "{}")
		switch {
		case at < 0:
			return append(parts, namePart{text: rest}), nil
		case at > 0:
			parts, rest = append(parts, namePart{text: rest[:at]}), rest[at:]
			continue
		case strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}"):
			parts, rest = append(parts, namePart{text: rest[:1]}), rest[2:]
			continue
		}
		end := strings.IndexByte(rest, '}')
		if end < 1 {
			return nil, inputErrorf("--name %s has a brace without its other one; {{ and }} stand for braces", quote.Name(text))
		}
		key := rest[1:end]
		if !slices.Contains(known, key) {
			hint := names.DidYouMean(key, known, "")
			if hint == "" {
				hint = fmt.Sprintf("; want %s or the name of a setting, such as loss or size", strings.Join(known[:len(nameKeys)], ", "))
			}
			return nil, inputErrorf("--name has {%s}, which stands for nothing%s", quote.Line(key), hint)
		}
		parts, rest = append(parts, namePart{key: key}), rest[end+1:]
	}
	return parts, nil
}

// of is the name for a pair, of a number among count, with slashes between folders. Values
// make no folders.
func (n name) of(p Pair, number, count int, settings map[string]string) string {
	var text strings.Builder
	for _, part := range n {
		value := part.text
		switch part.key {
		case "":
			text.WriteString(filepath.ToSlash(value))
			continue
		case "content":
			value = stem(p.Content)
		case "style":
			value = stem(p.Style)
		case "extension":
			value = strings.TrimPrefix(filepath.Ext(p.Content), ".")
		case "folder":
			value = folderName(p.Content)
		case "number":
			value = fmt.Sprintf("%0*d", len(fmt.Sprint(count)), number)
		default:
			value = settings[part.key]
		}
		for _, c := range []byte(value) { // which isn't UTF-8 for certain
			if c == '/' || c == '\\' || c < ' ' {
				c = '-'
			}
			text.WriteByte(c)
		}
	}
	return text.String()
}

// stem is a file's name without its extension, or all of it where that would be nothing.
func stem(path string) string {
	base := filepath.Base(path)
	if short := strings.TrimSuffix(base, filepath.Ext(base)); short != "" {
		return short
	}
	return base
}

// folderName is the name of the folder that a file is in.
func folderName(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		absolute = path
	}
	return filepath.Base(filepath.Dir(absolute))
}

// nameAll names the results of all pairs, and refuses names that lead out of the folder or
// that two pairs would have.
func (n name) nameAll(pairs []Pair, settings map[string]string) ([]string, error) {
	taken := map[string]int{}
	all := make([]string, len(pairs))
	for i, p := range pairs {
		text := n.of(p, i+1, len(pairs), settings)
		path := filepath.Clean(filepath.FromSlash(text))
		if !filepath.IsLocal(path) {
			return nil, inputErrorf("--name makes %s, which isn't in the folder of the results", quote.Name(text))
		}
		if first, _, _ := strings.Cut(filepath.ToSlash(path), "/"); first == recordFolder {
			return nil, inputErrorf("--name makes %s, in the folder that has the records; choose another", quote.Name(text))
		}
		key := path
		if runtime.GOOS == "windows" || runtime.GOOS == "darwin" { // where case makes no other file
			key = strings.ToLower(path)
		}
		if other, used := taken[key]; used {
			return nil, inputErrorf("%s and %s would both be %s; tell them apart by --name, as with {number}, {extension} or {folder}",
				pairs[other].text(), p.text(), quote.Name(path))
		}
		taken[key] = i
		all[i] = path
	}
	return all, nil
}

// text is how a pair is called among people.
func (p Pair) text() string { return quote.Name(p.Content) + " in " + quote.Name(p.Style) }
