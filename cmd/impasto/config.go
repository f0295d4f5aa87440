package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"impasto/internal/atomicfile"
	"impasto/internal/quote"
	"impasto/internal/regular"
	"impasto/internal/settings"
)

// settingsSources are where settings come from besides flags, and a file that they go to.
// Settings of a preset are taken first, then those of the file, then flags: what counts
// more takes the place of what counts less, setting by setting.
type settingsSources struct {
	Preset     string
	Config     string // a file to read, or empty
	SaveConfig string // a file to write, or empty

	command *cobra.Command
	typed   []string          // settings of flags that were typed
	origins map[string]string // where other settings are from, for errors
	chosen  []byte            // what SaveConfig gets, as it was before settings were fitted to each other
}

// configStart is how files that --save-config writes begin.
const configStart = "# Settings of impasto"

// maxConfig is more than a file of settings takes.
const maxConfig = 1 << 20

// perRun are flags that aren't settings: they say what one run reads and writes, or where
// settings come from.
var perRun = []string{
	"output", "checkpoint", "resume", "log", "preview", "timelapse", "show", "dry-run", "config", "save-config",
	"vary", "seeds", "also", "style", "list", "pair", "out-dir", "name", "help", "version", "json", "quiet", "verbose",
}

// addFlags adds the flags, and has settings taken from where they say before the command
// runs. Varied tells which settings the command varies, so that no source need have them.
func (s *settingsSources) addFlags(f flagSet, varied func(name string) bool) {
	f.heading = "Many settings at once"
	f.add(settings.PresetName(&s.Preset), "preset", "", settings.PresetUsage())
	f.add(settings.Text(&s.Config, "FILE"), "config", "", "take settings from a TOML file, by the names of these flags; they count more than a preset's and less than flags")
	f.add(settings.Text(&s.SaveConfig, "FILE"), "save-config", "", "write the settings that were chosen to a TOML file for --config, before the work begins")
	s.command = f.command
	f.command.PreRunE = func(cmd *cobra.Command, _ []string) error { return s.take(varied) }
}

// settingsOf are a command's flags as settings. Those that may not stand in a file of
// settings have no value.
func settingsOf(cmd *cobra.Command) []settings.Setting {
	var all []settings.Setting
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		setting := settings.Setting{Name: f.Name, Usage: f.Usage, Heading: strings.Join(f.Annotations[groupAnnotation], "")}
		if !slices.Contains(perRun, f.Name) {
			setting.Value = f.Value
		}
		all = append(all, setting)
	})
	return all
}

// take sets flags that weren't typed to what the file and the preset say, as if they had
// been.
func (s *settingsSources) take(varied func(name string) bool) error {
	flags := s.command.Flags()
	s.origins = map[string]string{}
	flags.Visit(func(f *pflag.Flag) { s.typed = append(s.typed, f.Name) })
	given := func(name string) bool { return flags.Changed(name) || s.origins[name] != "" || varied(name) }
	if s.Config != "" {
		list, err := s.read()
		if err != nil {
			return err
		}
		if err := s.set(list, given, quote.Name(s.Config)); err != nil {
			return err
		}
	}
	if s.Preset != "" && !varied("preset") {
		preset, err := settings.PresetNamed(s.Preset)
		if err != nil {
			return usagef("--preset %q: %s", s.Preset, err)
		}
		if err := s.set(preset.Settings, given, "--preset "+s.Preset); err != nil {
			return err
		}
	}
	if s.SaveConfig == "" {
		return nil
	}
	var err error
	if s.chosen, err = s.text(); err != nil {
		return fmt.Errorf("--save-config %s: %w", s.SaveConfig, err)
	}
	return nil
}

// has tells whether the file or the preset has a setting, and no flag took its place.
func (s *settingsSources) has(name string) bool { return s.origins[name] != "" }

// isTyped tells whether a flag was typed.
func (s *settingsSources) isTyped(name string) bool { return slices.Contains(s.typed, name) }

// set sets flags that weren't given to what a source says.
func (s *settingsSources) set(list []settings.Assignment, given func(name string) bool, origin string) error {
	for _, a := range settings.Counting(list, given) {
		flag := s.command.Flags().Lookup(a.Name)
		if flag == nil {
			continue // another command's
		}
		if err := flag.Value.Set(a.Text); err != nil {
			return usagef("%s: %s %q: %s", origin, a.Name, a.Text, err)
		}
		flag.Changed = a.Chosen()
		s.origins[a.Name] = origin
	}
	return nil
}

// origin says where a setting is from that no flag gave, as in " of --preset gatys"; of
// others it is empty.
func (s *settingsSources) origin(name string) string {
	if from := s.origins[name]; from != "" {
		return " of " + from
	}
	return ""
}

// read reads the file of settings. Keys are checked by a command line of its own, whose
// other commands have keys too.
func (s *settingsSources) read() ([]settings.Assignment, error) {
	data, err := readConfigFile(s.Config)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	var known []settings.Setting
	root := newRootCommand()
	for _, cmd := range root.Commands() {
		if cmd.Flags().Lookup("config") == nil {
			continue
		}
		for _, setting := range settingsOf(cmd) {
			if !slices.ContainsFunc(known, func(k settings.Setting) bool { return k.Name == setting.Name }) {
				known = append(known, setting)
			}
		}
	}
	list, err := settings.ReadConfig(data, known)
	if err != nil {
		return nil, usagef("%s:%s", quote.Name(s.Config), err)
	}
	folder := filepath.Dir(s.Config)
	for i, a := range list {
		at := slices.IndexFunc(known, func(k settings.Setting) bool { return k.Name == a.Name })
		list[i].Text = settings.OnFile(known[at].Value, a.Text, func(path string) string {
			if filepath.IsAbs(path) {
				return path
			}
			return filepath.Join(folder, path)
		}, fileExists)
	}
	return list, nil
}

// readConfigFile reads a file that isn't too large to be one of settings.
func readConfigFile(path string) ([]byte, error) {
	file, size, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > maxConfig {
		return nil, usagef("--config %s: it has %s, too much for a file of settings", path, megabytes(size))
	}
	return io.ReadAll(io.LimitReader(file, maxConfig))
}

// save writes the file of settings that was asked for. Files are those that it mustn't
// replace.
func (s *settingsSources) save(files []string) error {
	path := s.SaveConfig
	if path == "" {
		return nil
	}
	if s.Config != "" {
		files = append(files, s.Config)
	}
	for _, file := range files {
		if file == "" {
			continue
		}
		if _, ok := atomicfile.Replaces(path, []string{file}); ok || filepath.Clean(path) == filepath.Clean(file) {
			return usagef("--save-config %s is the file %s; name another", path, file)
		}
	}
	if start, err := startOf(path, len(configStart)); err == nil && len(start) > 0 && !bytes.Equal(start, []byte(configStart)) {
		return usagef("--save-config %s: the file of that name is none that --save-config wrote; name another", path)
	}
	if err := atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(s.chosen)
		return err
	}); err != nil {
		return fmt.Errorf("--save-config %s: %w", path, err)
	}
	return nil
}

// text is the file of the settings that were chosen, by flags or otherwise.
func (s *settingsSources) text() ([]byte, error) {
	head := ""
	if s.Preset != "" {
		head = settings.Comment("They are those of the preset " + s.Preset + ", where nothing else was chosen.")
	}
	return s.textOf(head, func(name string) bool { return s.has(name) || s.isTyped(name) })
}

// textOf is a file of the values that flags have whose names are chosen.
func (s *settingsSources) textOf(head string, chosen func(name string) bool) ([]byte, error) {
	all := settingsOf(s.command)
	var list []settings.Assignment
	for _, setting := range all {
		if setting.Value == nil || setting.Name == "preset" || !chosen(setting.Name) {
			continue
		}
		text := onAbsolute(setting, setting.Value.String())
		list = append(list, settings.Assignment{Name: setting.Name, Text: text})
	}
	body, err := settings.WriteConfig(list, all)
	if err != nil {
		return nil, err
	}
	start := configStart + " for --config; names of files are relative to the folder of this one\n"
	return append([]byte(start+head), body...), nil
}
