package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestEveryCommandHasAManualPage(t *testing.T) {
	folder := t.TempDir()
	impasto(t, folder, "man", "pages").done(t)
	macros := regexp.MustCompile(`^\.(TH .+|SH ".+"|SS ".+"|TP|PP|nf|fi|nh|ad l)$`)
	everyCommand(t, func(t *testing.T, cmd *cobra.Command) {
		data, err := os.ReadFile(filepath.Join(folder, "pages", manualName(cmd)+".1"))
		if err != nil {
			t.Fatal(err)
		}
		page := string(data)
		for line := range strings.Lines(page) {
			if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, ".") && !macros.MatchString(line) {
				t.Errorf("line %q would be taken for a macro", line)
			}
			if strings.HasPrefix(line, "'") {
				t.Errorf("line %q would be taken for a request", line)
			}
		}
		for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "SEE ALSO"} {
			if !strings.Contains(page, ".SH \""+section+"\"\n") {
				t.Errorf("no section %s", section)
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, `\-\-`+strings.ReplaceAll(f.Name, "-", `\-`)+`\fR`) {
				t.Errorf("--%s isn't explained", f.Name)
			}
		})
	})
	impasto(t, folder, "man", "pages/impasto.1").refused(t, statusFailed, "pages/impasto.1")
}

func TestManualsKeepTextAsItIsTyped(t *testing.T) {
	var page roff
	page.prose("A `path\\to` isn't--it.\n.hidden\n\n  list  of\n  things")
	want := "A \\(gapath\\eto\\(ga isn\\(aqt\\-\\-it.\n\\&.hidden\n.PP\n.nf\n  list  of\n  things\n.fi\n"
	if got := page.text.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
