package batch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// expand returns the files and folders that a pattern stands for, in the order of their
// names. * and ? stand for letters of a name, [a-z] for one of some, ** for any folders
// one in the other, none too, and {a,b} for each of the texts. As in a shell, names that
// begin with a point are meant only where the pattern has that. What ends in a separator or
// in ** stands for folders alone. Folders that can't be read have nothing in them.
func expand(pattern string) ([]string, error) {
	var all []string
	for _, plain := range alternatives(pattern) {
		root := ""
		if volume := filepath.VolumeName(plain); volume != "" || len(plain) > 0 && os.IsPathSeparator(plain[0]) {
			root = volume + string(filepath.Separator)
			plain = plain[len(volume):]
		}
		parts := strings.FieldsFunc(plain, func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) })
		for _, part := range parts {
			if _, err := filepath.Match(part, ""); err != nil {
				return nil, err
			}
		}
		found := matches(root, parts)
		if wantsFolders(plain) {
			found = slices.DeleteFunc(found, func(path string) bool { return !isFolder(path) })
		}
		all = append(all, found...)
	}
	return all, nil
}

// wantsFolders tells whether a pattern is for folders only: it ends in a separator or in **.
func wantsFolders(pattern string) bool {
	return strings.HasSuffix(pattern, "**") || pattern != "" && os.IsPathSeparator(pattern[len(pattern)-1])
}

// alternatives are the patterns that one with {a,b} stands for.
func alternatives(pattern string) []string {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}
	}
	length := strings.IndexByte(pattern[open:], '}')
	if length < 0 || !strings.Contains(pattern[open:open+length], ",") {
		return []string{pattern}
	}
	var all []string
	for text := range strings.SplitSeq(pattern[open+1:open+length], ",") {
		all = append(all, alternatives(pattern[:open]+text+pattern[open+length+1:])...)
	}
	return all
}

// matches are the paths below a folder, empty for the current one, whose parts match.
func matches(folder string, parts []string) []string {
	if len(parts) == 0 {
		return []string{folder}
	}
	part, rest := parts[0], parts[1:]
	if part != "**" && !isPattern(part) {
		path := filepath.Join(folder, part)
		if _, err := os.Lstat(path); err != nil {
			return nil
		}
		return matches(path, rest)
	}
	var all []string
	if part == "**" && (len(rest) > 0 || folder != "") {
		all = matches(folder, rest)
	}
	shown := folder
	if folder == "" {
		shown = "."
	}
	entries, _ := os.ReadDir(shown)
	for _, entry := range entries {
		name := entry.Name()
		if name[0] == '.' && part[0] != '.' {
			continue
		}
		path := filepath.Join(folder, name)
		if part == "**" {
			if entry.IsDir() { // and no link, which may lead in a circle
				all = append(all, matches(path, parts)...)
			}
			continue
		}
		if matched, _ := filepath.Match(part, name); matched && (len(rest) == 0 || isFolder(path)) {
			all = append(all, matches(path, rest)...)
		}
	}
	return all
}

// isPattern tells whether a text stands for others.
func isPattern(text string) bool { return strings.ContainsAny(text, "*?[{") }

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
