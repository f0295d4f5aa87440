package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"impasto/internal/settings"
)

// flagSet adds flags of a command under one heading of the help.
type flagSet struct {
	*pflag.FlagSet
	command *cobra.Command
	heading string
}

// flagsOf returns the flags of a command, in the order in which they are added.
func flagsOf(cmd *cobra.Command, heading string) flagSet {
	flags := cmd.Flags()
	flags.SortFlags = false
	return flagSet{flags, cmd, heading}
}

// add adds one flag.
func (f flagSet) add(value settings.Value, name, shorthand, usage string) {
	flag := f.VarPF(value, name, shorthand, usage)
	flag.Annotations = map[string][]string{groupAnnotation: {f.heading}}
	if value.Type() == "bool" {
		flag.NoOptDefVal = "true"
	}
	// It fails for a flag that isn't there, or has a completion already.
	_ = f.command.RegisterFlagCompletionFunc(name, completionOf(value))
}

// addTable adds the settings of a table around flags of the command's own: those of the
// first heading before them, since these are what to try first, and the others after them.
func (f flagSet) addTable(table []settings.Setting, own func()) {
	others := slices.IndexFunc(table, func(s settings.Setting) bool { return s.Heading != table[0].Heading })
	f.addSettings(table[:others]...)
	own()
	f.addSettings(table[others:]...)
}

// addSettings adds settings under their own headings, where they have any.
func (f flagSet) addSettings(list ...settings.Setting) {
	for _, s := range list {
		under := f
		if s.Heading != "" {
			under.heading = s.Heading
		}
		under.add(s.Value, s.Name, s.Shorthand, s.Usage)
	}
}
