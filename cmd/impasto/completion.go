package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/picture"
	"impasto/internal/settings"
)

// completionOf tells a shell what can be typed for a flag's value: what the value
// knows, besides files and folders where it names them.
func completionOf(value settings.Value) cobra.CompletionFunc {
	directive := cobra.ShellCompDirectiveNoFileComp
	switch value.Type() {
	case "FILE", "START":
		directive = cobra.ShellCompDirectiveDefault
	case "FOLDER":
		return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
	}
	completer, ok := value.(settings.Completer)
	if !ok {
		return cobra.FixedCompletions(nil, directive)
	}
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		offered, more := completions(completer.Complete(typed))
		return offered, directive | more
	}
}

// completions are candidates as the shell gets them. More keeps it from putting a
// space after one that isn't a whole value.
func completions(candidates []settings.Candidate) (offered []cobra.Completion, more cobra.ShellCompDirective) {
	for _, c := range candidates {
		offered = append(offered, cobra.CompletionWithDesc(c.Text, c.Help))
		if c.More {
			more = cobra.ShellCompDirectiveNoSpace
		}
	}
	return offered, more
}

// Complete implements settings.Completer: a setting that can be varied, and then
// its values.
func (d dimensions) Complete(typed string) []settings.Candidate {
	own, preset := settings.Default(), ""
	name, values, ok := strings.Cut(typed, "=")
	var all []settings.Candidate
	presets := settings.Setting{Name: "preset", Usage: settings.PresetUsage(), Value: settings.PresetName(&preset)}
	for _, s := range append([]settings.Setting{presets}, own.Table()...) {
		if !ok && strings.HasPrefix(s.Name, typed) {
			all = append(all, settings.Candidate{Text: s.Name + "=", Help: s.Usage, More: true})
		}
		completer, knows := s.Value.(settings.Completer)
		if !ok || s.Name != name || !knows {
			continue
		}
		separator := byte(',')
		if strings.Contains(values, ";") {
			separator = ';'
		}
		before := name + "=" + values[:strings.LastIndexByte(values, separator)+1]
		for _, c := range completer.Complete(typed[len(before):]) {
			c.Text = before + c.Text
			all = append(all, c)
		}
	}
	return all
}

// pictureExtensions are those of files that are read as pictures, in small and in
// capital letters, as some cameras write them.
var pictureExtensions = bothCases(picture.Extensions()...)

// pictures completes arguments that are pictures.
func pictures(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return pictureExtensions, cobra.ShellCompDirectiveFilterFileExt
}

// weightFile completes the first argument as a weight file or the name of a
// fetched one, and others as any file.
func weightFile(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	fetched := settings.FetchedWeights()
	return slices.DeleteFunc(fetched, func(name string) bool { return !strings.HasPrefix(name, typed) }), cobra.ShellCompDirectiveDefault
}

// subcommands completes the arguments of help.
func subcommands(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var offered []cobra.Completion
	if parent, _, err := cmd.Root().Find(args); err == nil {
		for _, child := range parent.Commands() {
			if child.IsAvailableCommand() && strings.HasPrefix(child.Name(), typed) {
				offered = append(offered, cobra.CompletionWithDesc(child.Name(), child.Short))
			}
		}
	}
	return offered, cobra.ShellCompDirectiveNoFileComp
}

// bothCases are extensions in small and in capital letters.
func bothCases(extensions ...string) []cobra.Completion {
	var all []cobra.Completion
	for _, e := range extensions {
		all = append(all, e, strings.ToUpper(e))
	}
	return all
}
