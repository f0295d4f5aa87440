package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/regular"
	"impasto/internal/settings"
	"impasto/model"
)

// commandNote is the command that a checkpoint is of, as its attachment has it. Names of
// files are bytes, which JSON has in base64, and absolute.
type commandNote struct {
	Version  string            `json:"version"`
	Revision string            `json:"revision"`
	Content  []byte            `json:"content"`
	Styles   []styleNote       `json:"styles"`
	Settings map[string][]byte `json:"settings"`
	Output   []byte            `json:"output"`
	Format   string            `json:"format"`
	Depth    int               `json:"depth"`
	JPEG     int               `json:"jpeg"`
	Every    int               `json:"save_every"`
	Log      []byte            `json:"log"`
	// Dither and the rest of how the picture is written.
	WebP       int  `json:"webp"`
	Dither     bool `json:"dither"`
	DPI        int  `json:"dpi"`
	KeepEXIF   bool `json:"keep_exif"`
	KeepGPS    bool `json:"keep_gps"`
	NoMetadata bool `json:"no_metadata"`
	// FirstMemory is the setting with which the run began, that the computation follows from.
	FirstMemory string `json:"first_memory"`
	// Document is what the run's pictures say, with the names that its inputs had first.
	Document *metadata.Document `json:"document"`
}

type styleNote struct {
	Path   []byte  `json:"path"`
	Weight float64 `json:"weight"`
}

// absolute makes a name one that holds in every folder. Standard streams stay.
func absolute(name string) []byte {
	if path, err := filepath.Abs(name); err == nil && name != standardStream {
		return []byte(path)
	}
	return []byte(name)
}

// note is the command for its checkpoints.
func (o *stylizeOptions) note(content string, styles []styleArgument) ([]byte, error) {
	v := readVersion()
	note := commandNote{
		Version: v.Version, Revision: v.Revision, Content: absolute(content), Settings: map[string][]byte{},
		Output: absolute(o.Output), Format: o.Format, Depth: o.Depth, JPEG: o.JPEG, Every: o.SaveEvery,
		WebP: o.WebP, Dither: o.Dither, DPI: o.DPI, KeepEXIF: o.KeepEXIF, KeepGPS: o.KeepGPS, NoMetadata: o.NoMetadata, FirstMemory: o.memory(), Document: o.recorded,
	}
	if o.Log != "" {
		note.Log = absolute(o.Log)
	}
	for _, s := range styles {
		note.Styles = append(note.Styles, styleNote{absolute(s.path), s.weight})
	}
	for _, s := range o.Table() {
		note.Settings[s.Name] = []byte(onAbsolute(s, s.Value.String()))
	}
	if o.Weights != "" {
		note.Settings["weights"] = absolute(o.WeightsFile())
	}
	return json.Marshal(note)
}

// onAbsolute is the text of a setting with names of files that hold in every folder.
func onAbsolute(s settings.Setting, text string) string {
	return settings.OnFile(s.Value, text, func(path string) string { return string(absolute(path)) }, fileExists)
}

// loosely are the settings that may be others where a run goes on.
var loosely = []string{"device", "threads", "memory"}

// resume makes the options those of the checkpoint that they name, with what may be
// another taken from the flags that were given. Pictures of the command line stand for
// those of the checkpoint, whose SHA-256 they need to have.
func (o *stylizeOptions) resume(given func(flag string) bool, args []string) (c *model.Checkpoint, content string, styles []styleArgument, err error) {
	c, err = openCheckpoint(o.Resume)
	if err != nil {
		return nil, "", nil, err
	}
	var note commandNote
	if err := json.Unmarshal(c.Attachment(), &note); err != nil || len(note.Content) == 0 {
		return nil, "", nil, fmt.Errorf("--resume %s: the checkpoint has no command; another program wrote it", o.Resume)
	}
	if v := readVersion(); note.Version != v.Version || note.Revision != v.Revision {
		return nil, "", nil, fmt.Errorf("--resume %s: the checkpoint is of impasto %s and this is %s, which may paint otherwise; go on with that version",
			o.Resume, versionName(note.Version, note.Revision), versionName(v.Version, v.Revision))
	}
	if err := o.takeSettings(note, given); err != nil {
		return nil, "", nil, err
	}
	o.takeOutput(note, given)
	content = string(note.Content)
	for _, s := range note.Styles {
		styles = append(styles, styleArgument{string(s.Path), s.Weight})
	}
	if len(args) > 0 {
		content = args[0]
		if styles, err = parseStyles(args[1:]); err != nil {
			return nil, "", nil, err
		}
	}
	return c, content, styles, nil
}

// openCheckpoint checks a checkpoint, whose file is read again when the run goes on.
func openCheckpoint(path string) (*model.Checkpoint, error) {
	file, _, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--resume: %w", err)
	}
	file.Close()
	c, err := model.OpenCheckpoint(checkpointFile(path))
	if err != nil {
		return nil, fmt.Errorf("--resume %s: %s", path, strings.TrimPrefix(err.Error(), "model: "))
	}
	return c, nil
}

// checkpointFile is a file that is open only while it is read from: on Windows no other
// can take the place of an open one, as the run's next checkpoint does.
type checkpointFile string

// ReadAt implements io.ReaderAt.
func (path checkpointFile) ReadAt(data []byte, offset int64) (int, error) {
	file, _, err := regular.Open(string(path))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return file.ReadAt(data, offset)
}

func versionName(version, revision string) string {
	if revision == "" {
		return version
	}
	return version + " (" + revision + ")"
}

// takeSettings makes the settings those of a checkpoint, and reports those that were given
// and are others.
func (o *stylizeOptions) takeSettings(note commandNote, given func(flag string) bool) error {
	was := settings.Default()
	for name, value := range note.Settings {
		if given(name) && slices.Contains(loosely, name) {
			value = []byte(o.Values()[name])
		}
		if string(value) == was.Values()[name] {
			continue
		}
		if err := was.Set(name, string(value)); err != nil {
			return fmt.Errorf("--resume %s: %w", o.Resume, err)
		}
	}
	before, now := was.Values(), o.Values()
	for _, s := range o.Table() {
		if given(s.Name) && before[s.Name] != now[s.Name] && !samePath(before[s.Name], now[s.Name]) && onAbsolute(s, before[s.Name]) != onAbsolute(s, now[s.Name]) {
			with := "with " + quote.Name(before[s.Name])
			if before[s.Name] == "" {
				with = "without one"
			}
			return usagef("--%s %s%s: the checkpoint was made %s; leave it out, or start afresh",
				s.Name, quote.Name(now[s.Name]), o.sources.origin(s.Name), with)
		}
	}
	o.Stylization = was
	return nil
}

func samePath(a, b string) bool {
	return a != "" && b != "" && string(absolute(a)) == string(absolute(b))
}

// takeOutput takes from a checkpoint what wasn't given of where and how to write.
func (o *stylizeOptions) takeOutput(note commandNote, given func(flag string) bool) {
	if !given("output") {
		o.Output = string(note.Output)
	}
	if _, err := picture.FormatOf(o.Output); !given("format") && (!given("output") || err != nil) {
		o.Format = note.Format
	}
	if !given("depth") && (!picture.IsShallow(o.Format) || note.Depth == 8) {
		o.Depth = note.Depth
	}
	if !given("jpeg-quality") {
		o.JPEG = note.JPEG
	}
	if !given("save-every") {
		o.SaveEvery = note.Every
	}
	if !given("log") {
		o.Log = string(note.Log)
	}
	if !given("webp-quality") {
		o.WebP = note.WebP
	}
	if !given("dither") {
		o.Dither = note.Dither && o.Format != "jpeg" && o.Depth == 8
	}
	if !given("dpi") {
		o.DPI = note.DPI
	}
	if !given("keep-exif") {
		o.KeepEXIF = note.KeepEXIF
	}
	if !given("keep-gps") {
		o.KeepGPS = note.KeepGPS && o.KeepEXIF
	}
	if !given("no-metadata") {
		o.NoMetadata = note.NoMetadata
	}
	o.firstMemory, o.recorded = note.FirstMemory, note.Document
}

// plan settles the options by the flags that were given, and tells what to paint of what.
func (o *stylizeOptions) plan(given func(flag string) bool, args []string) (job stylizeJob, err error) {
	if o.sources.SaveConfig != "" && o.Resume != "" {
		return job, usagef("--save-config %s and --resume %s exclude each other: settings are those of the checkpoint", o.sources.SaveConfig, o.Resume)
	}
	if o.Resume == "" {
		if err := o.Settle(given); err != nil {
			return job, usage(err)
		}
		job.content = args[0]
		job.styles, err = parseStyles(args[1:])
	} else {
		job.from, job.content, job.styles, err = o.resume(given, args)
	}
	if err != nil {
		return job, err
	}
	if err := o.CheckStyles(len(job.styles)); err != nil {
		return job, usage(err)
	}
	return job, o.check()
}

// stylizeJob is what to paint.
type stylizeJob struct {
	content string
	styles  []styleArgument
	from    *model.Checkpoint // where to go on from, or nil
}
