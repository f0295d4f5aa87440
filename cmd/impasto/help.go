package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// groupAnnotation is the key under which a flag carries the heading that the
// help lists it under.
const groupAnnotation = "group"

const exitStatuses = `  0    done
  1    failed, for lack of memory too: the error is one line on standard error
  2    wrong usage: the command line can't be carried out as written
  130  interrupted, also by SIGTERM or SIGHUP (stylize and batch save the best
       picture so far first)
  131  stopped at once by SIGQUIT (Ctrl-\)
`

// printHelp writes a command's help: what it does, how it is used, examples,
// subcommands, flags under their headings, and exit statuses.
func printHelp(cmd *cobra.Command, _ []string) {
	out := cmd.OutOrStdout()
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	fmt.Fprintf(out, "%s\n\n", strings.TrimSpace(about))
	fmt.Fprintf(out, "Usage:\n  %s\n", usageLine(cmd))
	if cmd.Example != "" {
		fmt.Fprintf(out, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(out, "\nCommands:\n")
		for _, child := range cmd.Commands() {
			if child.IsAvailableCommand() {
				fmt.Fprintf(out, "  %-12s %s\n", child.Name(), child.Short)
			}
		}
	}
	width := helpWidth(out)
	for _, group := range flagGroups(cmd) {
		fmt.Fprintf(out, "\n%s:\n", group.heading)
		for _, flag := range group.flags {
			io.WriteString(out, describeFlag(flag, width))
		}
	}
	fmt.Fprintf(out, "\nExit status:\n%s", exitStatuses)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(out, "\n`%s COMMAND --help` explains a command.\n", cmd.CommandPath())
	}
}

// usageLine is how a command is typed.
func usageLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() && cmd.Use == cmd.Name() {
		return cmd.CommandPath() + " COMMAND"
	}
	return cmd.UseLine()
}

// flagGroup is a heading of the help and the flags below it.
type flagGroup struct {
	heading string
	flags   []*pflag.Flag
}

// flagGroups sorts a command's flags under their headings, in the order in
// which they were added; those that every command has come last.
func flagGroups(cmd *cobra.Command) []flagGroup {
	var groups []flagGroup
	add := func(heading string, flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		for i := range groups {
			if groups[i].heading == heading {
				groups[i].flags = append(groups[i].flags, flag)
				return
			}
		}
		groups = append(groups, flagGroup{heading, []*pflag.Flag{flag}})
	}
	common := "Flags of every command"
	if !cmd.HasParent() {
		common = "Flags"
	}
	local := cmd.LocalFlags()
	local.SortFlags = false
	local.VisitAll(func(f *pflag.Flag) {
		if heading := f.Annotations[groupAnnotation]; len(heading) == 1 {
			add(heading[0], f)
		} else if f.Name != "help" && f.Name != "version" {
			add("Flags", f)
		}
	})
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) { add(common, f) })
	for _, name := range []string{"help", "version"} {
		if flag := local.Lookup(name); flag != nil {
			add(common, flag)
		}
	}
	return groups
}

// describeFlag writes a flag on the left and what it does beside it, or below
// where the left is too long.
func describeFlag(f *pflag.Flag, width int) string {
	left := "      --" + f.Name
	if f.Shorthand != "" {
		left = "  -" + f.Shorthand + ", --" + f.Name
	}
	value, usage := flagUsage(f)
	if value != "" {
		left += " " + value
	}
	return beside(left, usage, 31, width)
}

// flagUsage is the word for a flag's value and what the flag does, with its default.
func flagUsage(f *pflag.Flag) (value, usage string) {
	value, usage = pflag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "0", "false":
	default:
		usage += " (default " + f.DefValue + ")"
	}
	return value, usage
}

// beside writes what is on the left, and from a column on the text beside it, or below
// where the left is too long.
func beside(left, beside string, column, width int) string {
	var text strings.Builder
	text.WriteString(left)
	if used := utf8.RuneCountInString(left); used < column-1 {
		text.WriteString(strings.Repeat(" ", column-used))
	} else {
		text.WriteString("\n" + strings.Repeat(" ", column))
	}
	at := column
	for i, word := range strings.Fields(beside) {
		length := utf8.RuneCountInString(word)
		if i > 0 && at+1+length > width {
			text.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		} else if i > 0 {
			text.WriteByte(' ')
			at++
		}
		text.WriteString(word)
		at += length
	}
	return text.String() + "\n"
}

// helpWidth is the width to wrap help at: the terminal's, within reason, or 80.
func helpWidth(out io.Writer) int {
	if file, ok := out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return min(max(width, 60), 100)
		}
	}
	return 80
}
