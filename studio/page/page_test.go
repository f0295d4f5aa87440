package page

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"impasto/internal/web"
)

// modules are the page's modules by the paths that others name them by.
func modules(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for prefix, files := range map[string]fs.FS{"": Files, "web/": web.Files} {
		names, err := fs.Glob(files, "*.js")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			all[prefix+name] = string(data)
		}
	}
	return all
}

// A browser would say so only where the module is loaded.
func TestModulesImportWhatOthersExport(t *testing.T) {
	all := modules(t)
	exported := regexp.MustCompile(`(?m)^export (?:async )?(?:const|let|function|class) (\w+)`)
	imports := regexp.MustCompile(`(?m)^import (?:\{([^}]*)\}|\* as (\w+)) from "([^"]+)";`)
	used := map[string]bool{"main.js": true}
	for name, text := range all {
		for _, match := range imports.FindAllStringSubmatch(text, -1) {
			from := path.Join(path.Dir(name), match[3])
			other, there := all[from]
			if !there {
				t.Errorf("%s imports %s, which isn't there", name, match[3])
				continue
			}
			used[from] = true
			var exports []string
			for _, found := range exported.FindAllStringSubmatch(other, -1) {
				exports = append(exports, found[1])
			}
			names := strings.Split(match[1], ",")
			if match[2] != "" {
				names = nil
				for _, found := range regexp.MustCompile(`\b`+match[2]+`\.(\w+)`).FindAllStringSubmatch(imports.ReplaceAllString(text, ""), -1) {
					names = append(names, found[1])
				}
			}
			for _, one := range names {
				if one = strings.TrimSpace(one); !slices.Contains(exports, one) {
					t.Errorf("%s wants %s of %s, which exports %v", name, one, from, exports)
				}
			}
		}
	}
	for name := range all {
		if !used[name] {
			t.Errorf("nothing imports %s", name)
		}
	}
}

func TestWordsAreThoseThatAreUsed(t *testing.T) {
	all := modules(t)
	var defined []string
	for _, match := range regexp.MustCompile(`(?m)^  (\w+):`).FindAllStringSubmatch(all["strings.js"], -1) {
		defined = append(defined, match[1])
	}
	used := map[string]bool{}
	for name, text := range all {
		if name == "strings.js" {
			continue
		}
		for _, match := range regexp.MustCompile(`\btext\.(\w+)`).FindAllStringSubmatch(text, -1) {
			used[match[1]] = true
			if !slices.Contains(defined, match[1]) {
				t.Errorf("%s says text.%s, which strings.js doesn't have", name, match[1])
			}
		}
	}
	if len(defined) < 100 {
		t.Fatalf("strings.js has only %v", defined)
	}
	for _, name := range defined {
		if !used[name] && name != "units" { // which format.js takes apart
			t.Errorf("strings.js has %s, which nothing says", name)
		}
	}
}

// What the policy forbids would not work, and what makes markup of text would be a hole.
func TestNothingIsInlineAndNoTextBecomesMarkup(t *testing.T) {
	html, err := Files.ReadFile("index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{`<style`, `\sstyle=`, `\son[a-z]+=`, `<script(?:\s[^>]*)?>[^<]`, `(?:src|href)="(?:https?:)?//`} {
		if found := regexp.MustCompile(wrong).Find(html); found != nil {
			t.Errorf("index.html has %s", found)
		}
	}
	for name, text := range modules(t) {
		for _, wrong := range []string{`\.(?:inner|outer)HTML\b`, `insertAdjacentHTML`, `document\.write`, `\beval\(`, `new Function`, `cssText`, `setAttribute\("style"`, `https?://[a-z]+\.[a-z]`} {
			if found := regexp.MustCompile(wrong).FindString(strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "")); found != "" {
				t.Errorf("%s has %s", name, found)
			}
		}
	}
}
