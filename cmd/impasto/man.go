package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"impasto/internal/picture"
)

// newManCommand is hidden: it is for those who package the program.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write the manual pages",
		Hidden: true,
		Long: `Man writes a manual page for every command into FOLDER, which is made if it isn't
there: impasto.1, impasto-stylize.1 and so on. They say what --help does.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeManuals(cmd.Root(), args[0])
		},
	}
}

// writeManuals writes the page of a command, and of all below it, into a folder.
func writeManuals(cmd *cobra.Command, folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fmt.Errorf("man: %w", err)
	}
	path := filepath.Join(folder, manualName(cmd)+".1")
	if err := picture.SaveWith(path, func(w io.Writer) error {
		_, err := w.Write(manual(cmd))
		return err
	}); err != nil {
		return err
	}
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			if err := writeManuals(child, folder); err != nil {
				return err
			}
		}
	}
	return nil
}

// manualName is a command's path with hyphens, as manual pages are named.
func manualName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manual is a command's page for man(7) macros. It holds what printHelp prints.
func manual(cmd *cobra.Command) []byte {
	var page roff
	fmt.Fprintf(&page.text, ".TH %q 1 \"\" %q \"impasto\"\n", strings.ToUpper(manualName(cmd)), "impasto "+readVersion().Version)
	// Neither hyphens at the ends of lines nor spread words: names could be misread.
	page.text.WriteString(".nh\n.ad l\n")
	page.macro(".SH", "NAME")
	page.line(manualName(cmd) + ` \- ` + roffEscape(cmd.Short))
	page.macro(".SH", "SYNOPSIS")
	page.line(`\fB` + roffEscape(usageLine(cmd)) + `\fR`)
	page.macro(".SH", "DESCRIPTION")
	page.prose(cmd.Long)
	if cmd.HasAvailableSubCommands() {
		page.macro(".SH", "COMMANDS")
		for _, child := range cmd.Commands() {
			if child.IsAvailableCommand() {
				page.item(`\fB`+child.Name()+`\fR`, child.Short)
			}
		}
	}
	page.macro(".SH", "OPTIONS")
	for _, group := range flagGroups(cmd) {
		page.macro(".SS", group.heading)
		for _, flag := range group.flags {
			page.flag(flag)
		}
	}
	if cmd.Example != "" {
		page.macro(".SH", "EXAMPLES")
		page.asItStands(cmd.Example)
	}
	page.macro(".SH", "EXIT STATUS")
	page.asItStands(exitStatuses)
	page.seeAlso(cmd)
	return page.text.Bytes()
}

// roff is the text of a manual page.
type roff struct{ text bytes.Buffer }

// line adds a line that is escaped already.
func (r *roff) line(text string) {
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		r.text.WriteString(`\&`)
	}
	r.text.WriteString(text + "\n")
}

// macro adds a macro with one argument.
func (r *roff) macro(name, argument string) {
	fmt.Fprintf(&r.text, "%s %q\n", name, argument)
}

// prose adds paragraphs, which empty lines part. One with an indented line, as lists
// and formulas have, keeps its lines.
func (r *roff) prose(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(paragraph, "  ") || strings.Contains(paragraph, "\n  ") {
			r.asItStands(paragraph)
			continue
		}
		if i > 0 {
			r.text.WriteString(".PP\n")
		}
		for line := range strings.Lines(paragraph) {
			r.line(roffEscape(strings.TrimSpace(line)))
		}
	}
}

// asItStands adds lines that aren't filled.
func (r *roff) asItStands(text string) {
	r.text.WriteString(".PP\n.nf\n")
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		r.line(roffEscape(strings.TrimRight(line, "\n")))
	}
	r.text.WriteString(".fi\n")
}

// item adds an indented text under a head, which is escaped already.
func (r *roff) item(head, text string) {
	r.text.WriteString(".TP\n")
	r.line(head)
	r.line(roffEscape(text))
}

// flag adds a flag, as describeFlag does to a help.
func (r *roff) flag(f *pflag.Flag) {
	head := `\fB\-\-` + roffEscape(f.Name) + `\fR`
	if f.Shorthand != "" {
		head = `\fB\-` + f.Shorthand + `\fR, ` + head
	}
	value, usage := flagUsage(f)
	if value != "" {
		head += ` \fI` + roffEscape(value) + `\fR`
	}
	r.item(head, usage)
}

// seeAlso adds the pages next to a command's: the one above and those below.
func (r *roff) seeAlso(cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, manualName(cmd.Parent()))
	}
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			pages = append(pages, manualName(child))
		}
	}
	for i, page := range pages {
		pages[i] = `\fB` + roffEscape(page) + `\fR(1)`
	}
	if len(pages) > 0 {
		r.macro(".SH", "SEE ALSO")
		r.line(strings.Join(pages, ", "))
	}
}

// roffEscape keeps backslashes, hyphens and quotes as they are; man would make
// typographic ones of them, which can't be copied into a shell.
var roffEscape = strings.NewReplacer(`\`, `\e`, `-`, `\-`, "`", `\(ga`, `'`, `\(aq`, `^`, `\(ha`, `~`, `\(ti`).Replace
