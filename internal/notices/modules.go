package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// module is one that is linked into the program.
type module struct {
	path, version string // the version is empty for Go itself
	folder        string
	packages      []string // the folders of those that are linked
	files         []file   // its licences
}

// file is a licence, or what belongs to one.
type file struct {
	name string // in the module, with slashes
	text string
}

// builds are those of the program that make links.
var builds = []struct{ system, processor, tags string }{
	{"linux", "amd64", ""}, {"linux", "arm64", ""}, {"linux", "amd64", "gpu"}, {"linux", "arm64", "gpu"},
	{"darwin", "amd64", ""}, {"darwin", "arm64", ""}, {"windows", "amd64", ""}, {"windows", "arm64", ""},
}

// linked returns the modules of all builds, Go's own library first, then by their path,
// and the components.
func linked() ([]*module, error) {
	byPath := map[string]*module{}
	for _, b := range builds {
		cgo := "0"
		if b.tags != "" {
			cgo = "1"
		}
		command := exec.Command("go", "list", "-deps", "-tags", b.tags, "-json=Dir,Standard,Module", "./cmd/impasto")
		command.Env = append(os.Environ(), "GOOS="+b.system, "GOARCH="+b.processor, "CGO_ENABLED="+cgo)
		command.Stderr = os.Stderr
		out, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("listing the packages for %s/%s: %w", b.system, b.processor, err)
		}
		if err := collect(byPath, out); err != nil {
			return nil, err
		}
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("asking for GOROOT: %w", err)
	}
	all := []*module{{path: "Go's standard library and runtime", folder: strings.TrimSpace(string(root))}}
	var rest []*module
	for _, m := range byPath {
		rest = append(rest, m)
	}
	slices.SortFunc(rest, func(a, b *module) int { return strings.Compare(a.path, b.path) })
	all = append(all, rest...)
	for _, m := range all {
		if m.files, err = m.licences(); err != nil {
			return nil, err
		}
	}
	parts, err := readComponents()
	return append(all, parts...), err
}

// readComponents returns the components as modules are.
func readComponents() ([]*module, error) {
	var parts []*module
	for _, c := range components {
		m := &module{path: c.name, folder: c.folder}
		for _, name := range c.licences {
			files, err := m.read(filepath.Join(c.folder, name))
			if err != nil {
				return nil, err
			}
			m.files = append(m.files, files...)
		}
		parts = append(parts, m)
	}
	return parts, nil
}

// collect adds the modules in what `go list -json` prints.
func collect(byPath map[string]*module, listing []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(listing))
	for {
		var p struct {
			Dir      string
			Standard bool
			Module   *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p.Standard || p.Module == nil || p.Module.Main {
			continue
		}
		m := byPath[p.Module.Path]
		if m == nil {
			m = &module{path: p.Module.Path, version: p.Module.Version, folder: p.Module.Dir}
			byPath[m.path] = m
		}
		if !slices.Contains(m.packages, p.Dir) {
			m.packages = append(m.packages, p.Dir)
		}
	}
}

var (
	licenceName   = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|patents|unlicense|ofl)\b`)
	licenceFolder = regexp.MustCompile(`(?i)^(licen[sc]es|third_party_licenses|lib)$`)
	sourceName    = regexp.MustCompile(`\.(go|c|h|s|py)$`)
)

// licences reads the licences of a module: those in its folder, in the folders of the
// packages that are linked and above these, and in folders for licences or for libraries
// of other languages beside them. Where there is a choice of licences, only those of the
// one chosen.
func (m *module) licences() ([]file, error) {
	folders := []string{m.folder}
	for _, folder := range m.packages {
		for ; len(folder) > len(m.folder); folder = filepath.Dir(folder) {
			if !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	slices.Sort(folders)
	var found []file
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			at := filepath.Join(folder, e.Name())
			var more []file
			switch {
			case e.IsDir() && licenceFolder.MatchString(e.Name()) && m.version != "":
				more, err = m.readAll(at, strings.ToLower(e.Name()) != "lib")
			case !e.IsDir() && licenceName.MatchString(e.Name()) && !sourceName.MatchString(e.Name()):
				more, err = m.read(at)
			}
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
	}
	if chosen := choices[m.path].files; chosen != nil {
		found = slices.DeleteFunc(found, func(f file) bool { return !slices.Contains(chosen, f.name) })
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s %s has no file with a licence", m.path, m.version)
	}
	return found, nil
}

// readAll reads the files of a folder, all or those with the name of a licence.
func (m *module) readAll(folder string, all bool) ([]file, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []file
	for _, e := range entries {
		if e.IsDir() || sourceName.MatchString(e.Name()) || !all && !licenceName.MatchString(e.Name()) {
			continue
		}
		more, err := m.read(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// read reads one file, in UTF-8 or ISO 8859-1. Line ends become line feeds, and white space at the ends of lines
// and of the text is dropped.
func (m *module) read(path string) ([]file, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Rel(m.folder, path)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(data) { // ISO 8859-1, then
		var decoded []byte
		for _, c := range data {
			decoded = utf8.AppendRune(decoded, rune(c))
		}
		data = decoded
	}
	lines := strings.Split(strings.ReplaceAll(string(data), "\f", ""), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
	}
	return []file{{filepath.ToSlash(name), strings.Trim(strings.Join(lines, "\n"), "\n")}}, nil
}
