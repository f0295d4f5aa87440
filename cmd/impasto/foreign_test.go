package main

import (
	"strings"
	"testing"
)

func TestOtherProgramsFlagsAreExplained(t *testing.T) {
	folder := t.TempDir()
	for _, test := range []struct{ flag, hint string }{
		{"--style-weight", "--content-weight"},
		{"--iters", "--iterations"},
		{"--gpu", "--device cuda"},
		{"--num_iterations", "--iterations"},
		{"--image-size", "--size"},
		{"--preserve-colors", "--keep-colors 1"},
		{"--content_weights", "did you mean --content-weight?"},
	} {
		for _, command := range []string{"stylize", "compare"} {
			impasto(t, folder, command, test.flag, "3").refused(t, statusUsage, "unknown flag "+test.flag, test.hint)
		}
	}
	impasto(t, folder, "measure", "--gpu").refused(t, statusUsage, "--device cuda")
	impasto(t, folder, "measure", "--iters", "3").refused(t, statusUsage, "unknown flag --iters; see `impasto measure --help`")
	impasto(t, folder, "stylize", "-V").refused(t, statusUsage, "did you mean --version?")
}

// TestHintsFitTheFlags keeps the table of foreign flags from going out of date.
func TestHintsFitTheFlags(t *testing.T) {
	flags := newStylizeCommand(&globalOptions{}).Flags()
	known := func(name string) bool {
		return flags.Lookup(name) != nil || newRootCommand().PersistentFlags().Lookup(name) != nil
	}
	seen := map[string]bool{}
	for _, f := range foreignFlags {
		for _, name := range f.names {
			if known(name) {
				t.Errorf("--%s is a flag of our own", name)
			}
			if seen[name] || name != flagSpelling(name) {
				t.Errorf("%s stands twice, or isn't spelled as names are", name)
			}
			seen[name] = true
		}
		for _, mention := range mentioned.FindAllString(f.hint, -1) {
			if !known(strings.TrimPrefix(mention, "--")) {
				t.Errorf("the hint for %q mentions %s, which isn't there", f.names, mention)
			}
		}
	}
}
