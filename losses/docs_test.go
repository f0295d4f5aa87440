package losses_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"impasto/internal/generated"
	"impasto/losses"
)

var update = flag.Bool("update", false, "write what is generated into docs/losses.md")

const (
	docs       = "../docs/losses.md"
	tableBegin = "<!-- generated from the descriptions in package losses: go test ./losses -run Docs -update -->\n"
)

// describe writes the descriptions as tables in Markdown.
func describe() string {
	var b strings.Builder
	row := func(cells ...string) {
		for _, cell := range cells {
			b.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	row("loss", "formula", "looks at", "blind to", "cost for C channels, N positions")
	row("---", "---", "---", "---", "---")
	for _, loss := range losses.All() {
		d := loss.Description()
		row("`"+d.Name+"`", d.Formula, d.Sees, d.Blind, d.Cost)
	}
	b.WriteString("\nX and Y are the features of the picture and of the style, x and y their points, of which there are N and M; μ, Σ and σ are means, covariances and deviations. The formulas are those of the plain losses, which `impasto measure` shows. Where they come from:\n\n")
	for _, loss := range losses.All() {
		d := loss.Description()
		fmt.Fprintf(&b, "- `%s`: %s\n", d.Name, d.Reference)
	}
	return b.String()
}

func TestDocsHaveTheDescriptions(t *testing.T) {
	want := "\n" + describe() + "\n"
	old, with, err := generated.In(docs, tableBegin, want)
	if err != nil {
		t.Fatal(err)
	}
	if old == want {
		return
	}
	if !*update {
		t.Fatalf("%s isn't what the descriptions say; write it by go test ./losses -run Docs -update", docs)
	}
	if err := os.WriteFile(docs, with, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDescriptionsAreWhole(t *testing.T) {
	names := losses.Names()
	for i, loss := range losses.All() {
		d := loss.Description()
		for what, text := range map[string]string{
			"name": d.Name, "help": d.Help, "formula": d.Formula, "reference": d.Reference, "what it sees": d.Sees,
			"what it is blind to": d.Blind, "cost": d.Cost,
		} {
			if text == "" || strings.ContainsAny(text, "\n") || strings.HasSuffix(text, ".") {
				t.Errorf("%s: %s is %q, want one line without a full stop", d.Name, what, text)
			}
		}
		if i > 0 && names[i-1] >= d.Name {
			t.Errorf("%s stands after %s, want losses in alphabetical order", d.Name, names[i-1])
		}
		if sampled, ok := loss.(losses.Sampled); ok && sampled.WithSample(100).Description().Name != d.Name {
			t.Errorf("%s has another name with a sample", d.Name)
		}
	}
	for _, form := range losses.ContentForms() {
		if form.Name == "" || form.Help == "" || form.Formula == "" {
			t.Errorf("content form %+v, want a name, a help and a formula", form)
		}
	}
}
