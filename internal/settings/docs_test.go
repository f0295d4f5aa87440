package settings

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"impasto/internal/generated"
)

var update = flag.Bool("update", false, "write what is generated into docs/presets.md")

const (
	docs       = "../../docs/presets.md"
	partsBegin = "<!-- generated from the presets in internal/settings: go test ./internal/settings -run Docs -update -->\n"
)

// describe writes the presets in Markdown, with those pictures of them that there are.
func describe() string {
	var b strings.Builder
	for _, p := range Presets() {
		fmt.Fprintf(&b, "### `%s`\n\n%s.\n\n", p.Name, p.Help)
		picture := "images/presets/" + p.Name + ".jpg"
		if _, err := os.Stat(filepath.Join(filepath.Dir(docs), picture)); err == nil {
			fmt.Fprintf(&b, "![The harbour in the style of the whirl by the preset %s](%s)\n\n", p.Name, picture)
		}
		if p.Original() {
			fmt.Fprintf(&b, "From %s.\n\n", p.Source)
		}
		b.WriteString("```sh\n")
		for _, a := range p.Settings {
			fmt.Fprintf(&b, "--%s %s\n", a.Name, a.Text)
		}
		b.WriteString("```\n\n")
		for _, line := range p.Deviations {
			fmt.Fprintf(&b, "- %s\n", line)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// What the document shows as a file of settings is one.
func TestDocsShowFilesOfSettings(t *testing.T) {
	raw, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(raw), "```toml\n")[1:]
	if len(blocks) == 0 {
		t.Error("no file is shown")
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		var depth int
		known := append([]Setting{{Name: "depth", Value: Whole(&depth, 8, 16, "BITS")}}, fileSettings()...)
		if list, err := ReadConfig([]byte(text), known); err != nil || len(list) == 0 {
			t.Errorf("%v:\n%s", err, text)
		}
	}
}

func TestDocsHaveThePresets(t *testing.T) {
	want := "\n" + describe()
	old, with, err := generated.In(docs, partsBegin, want)
	if err != nil {
		t.Fatal(err)
	}
	if old == want {
		return
	}
	if !*update {
		t.Fatalf("%s isn't what the presets say; write it by go test ./internal/settings -run Docs -update", docs)
	}
	if err := os.WriteFile(docs, with, 0o644); err != nil {
		t.Fatal(err)
	}
}
