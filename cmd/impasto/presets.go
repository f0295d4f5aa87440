package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/settings"
)

func newPresetsCommand(global *globalOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "presets [show PRESET]",
		Short: "List settings by one name, for --preset",
		Long: `Presets lists the names that --preset takes: settings of papers and of other
programs, and settings that change how a picture looks whatever its style. Flags
and --config count more than a preset, setting by setting.

With --json it prints an object for each, with the keys name, kind ("original" for
those of papers and programs, or "look"), help, source (where the settings come
from; missing for a look), settings (an object: what differs from the defaults, as
text) and deviations (a list: how results differ from the source's, or what a look
is for).`,
		Example: `  impasto presets
  impasto presets show gatys`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runPresets(*global, cmd.OutOrStdout())
		},
	}
	cmd.AddCommand(newPresetsShowCommand(global))
	return cmd
}

func newPresetsShowCommand(global *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "show PRESET",
		Short: "Print the settings of a preset",
		Long: `Show prints what a preset sets, as a file of settings that --config reads, with
comments of what each setting means, where the preset comes from, and how results
differ from those of its source.

With --json it prints the object that "impasto presets --json" prints of it.`,
		Example: `  impasto presets show gatys
  impasto presets show gatys > mine.toml`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var name string
			offered, _ := completions(settings.PresetName(&name).(settings.Completer).Complete(typed))
			return offered, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := settings.PresetNamed(args[0])
			if err != nil {
				return usagef("presets show %q: %s", args[0], err)
			}
			return showPreset(p, *global, cmd.OutOrStdout())
		},
	}
}

// presetReport is what presets prints of one as JSON. The keys are a promise to scripts.
type presetReport struct {
	Name       string            `json:"name"`
	Kind       string            `json:"kind"` // "original" or "look"
	Help       string            `json:"help"`
	Source     string            `json:"source,omitempty"`
	Settings   map[string]string `json:"settings"`
	Deviations []string          `json:"deviations"`
}

func newPresetReport(p settings.Preset) presetReport {
	r := presetReport{Name: p.Name, Kind: "look", Help: p.Help, Source: p.Source, Settings: map[string]string{}, Deviations: p.Deviations}
	if p.Original() {
		r.Kind = "original"
	}
	for _, a := range p.Settings {
		r.Settings[a.Name] = a.Text
	}
	return r
}

// runPresets does what the command says.
func runPresets(global globalOptions, stdout io.Writer) error {
	heading := ""
	for _, p := range settings.Presets() {
		if global.JSON {
			if err := printJSON(stdout, newPresetReport(p)); err != nil {
				return err
			}
			continue
		}
		under, before := "Looks, with any style:", "\n"
		if p.Original() {
			under, before = "Of papers and programs:", ""
		}
		line := fmt.Sprintf("  %-16s %s\n", p.Name, p.Help)
		if under != heading {
			heading = under
			line = before + heading + "\n" + line
		}
		if _, err := io.WriteString(stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// showPreset prints a preset as a file of settings.
func showPreset(p settings.Preset, global globalOptions, stdout io.Writer) error {
	if global.JSON {
		return printJSON(stdout, newPresetReport(p))
	}
	defaults := settings.Default()
	file, err := settings.WriteConfig(p.Settings, defaults.Table())
	if err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString(settings.Comment(p.Name + ": " + p.Help))
	deviations := "What to know of it:"
	if p.Original() {
		text.WriteString(settings.Comment("Source: " + p.Source))
		deviations = "Otherwise than there:"
	}
	text.Write(file)
	if len(p.Deviations) > 0 {
		text.WriteString("\n" + settings.Comment(deviations))
	}
	for _, line := range p.Deviations {
		text.WriteString("# - " + line + "\n")
	}
	_, err = io.WriteString(stdout, text.String())
	return err
}
