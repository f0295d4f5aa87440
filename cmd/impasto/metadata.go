package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"

	"impasto/internal/batch"
	"impasto/internal/compare"
	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/regular"
	"impasto/internal/settings"
	"impasto/model"
	"impasto/weights"
)

// written is how a picture's file is written, but for its format, and what it says besides
// the pixels.
type written struct {
	Dither     bool
	DPI        int // pixels an inch; 0 leaves it to the content's EXIF
	KeepEXIF   bool
	KeepGPS    bool // of the EXIF that is kept
	NoMetadata bool

	firstMemory string // the setting with which a run began that goes on; empty for this one's
	// recorded is what a picture says that is made again, or a run that goes on: inputs keep
	// the names that they had, whatever they are called now.
	recorded *metadata.Document
}

func (w *written) addFlags(f flagSet) {
	f.add(settings.Switch(&w.Dither), "dither", "", "spread what rounding to 8 bits loses, so that slow gradients have no steps; files grow by it; not for JPEG")
	f.add(settings.Whole(&w.DPI, 0, 65535, "N"), "dpi", "", "pixels an inch that the file says, to 65535; 0 says the content's with --keep-exif, or else none (72 in TIFF)")
	f.add(settings.Switch(&w.KeepEXIF), "keep-exif", "", "keep of the content's EXIF: title, artist, copyright, camera, lens, exposure and times, and its dpi; not its thumbnail, orientation (pixels are upright), serial numbers or place")
	f.add(settings.Switch(&w.KeepGPS), "keep-gps", "", "with --keep-exif, keep the place too")
	f.add(settings.Switch(&w.NoMetadata), "no-metadata", "", "don't say in the file how the picture was made")
}

func (w *written) check() error {
	if w.KeepGPS && !w.KeepEXIF {
		return usagef("--keep-gps adds to --keep-exif; give both")
	}
	return nil
}

// notOfPicture are the settings that a picture doesn't follow from.
var notOfPicture = []string{"device", "threads"}

// memory is the setting that the way of the computation follows from.
func (o *stylizeOptions) memory() string {
	if o.firstMemory != "" {
		return o.firstMemory
	}
	return o.Values()["memory"]
}

// description is what the files of a run's pictures say of them.
type description struct {
	document    metadata.Document
	exif        picture.EXIF
	dpi         float64
	off         bool // nothing is said of how they were made
	computation model.Computation
	unfinished  bool
	seconds     float64 // that the run was given, where it wasn't iterations
}

// describe reads what the run's pictures will say.
func (o *stylizeOptions) describe(ctx context.Context, job stylizeJob, content image.Image, styles []model.Style, options model.Options) (*description, error) {
	d := &description{off: o.NoMetadata, dpi: float64(o.DPI)}
	if source, ok := content.(*picture.Source); ok && o.KeepEXIF {
		d.exif = source.EXIF(o.KeepGPS)
		if o.DPI == 0 {
			d.dpi = source.Resolution()
		}
	}
	m, err := o.inputsOf(ctx, job, settings.Making{Content: content, Styles: styles, Start: options.StartImage})
	if err != nil {
		return nil, err
	}
	d.document = o.document(m)
	return d, nil
}

// inputsOf describes what a job's picture is made of, of which each is a *picture.Source.
func (o *stylizeOptions) inputsOf(ctx context.Context, job stylizeJob, of settings.Making) (m inputs, err error) {
	if m.content, err = inputOf(job.content, of.Content); err != nil {
		return m, err
	}
	for i, s := range job.styles {
		in, err := inputOf(s.path, of.Styles[i].Image)
		if err != nil {
			return m, err
		}
		m.styles = append(m.styles, metadata.Style{Input: in, Weight: s.weight})
	}
	if of.Start != nil {
		in, err := inputOf(o.Start, of.Start)
		if err != nil {
			return m, err
		}
		m.start = &in
	}
	if m.weights, err = weightsInput(ctx, o.Stylization); err != nil {
		return m, err
	}
	return m, m.addMasks(ctx, o.Stylization)
}

// addMasks describes the masks of the settings.
func (m *inputs) addMasks(ctx context.Context, s settings.Stylization) error {
	for _, mask := range s.Masks.Files {
		var of [3]metadata.Input
		for i, path := range mask.Files() {
			var err error
			if of[i], err = fileInput(ctx, path); err != nil {
				return err
			}
		}
		described := metadata.Mask{Region: of[0], Style: of[1]}
		if mask.StyleRegion != "" {
			described.StyleRegion = &of[2]
		}
		m.masks = append(m.masks, described)
	}
	if s.Protect == "" {
		return nil
	}
	protect, err := fileInput(ctx, s.Protect)
	m.protect = &protect
	return err
}

// inputs are the files that a picture is made of.
type inputs struct {
	content, weights metadata.Input
	styles           []metadata.Style
	start            *metadata.Input
	masks            []metadata.Mask
	protect          *metadata.Input
}

// document says how the options make a picture of inputs, but for what only a run tells.
func (o *stylizeOptions) document(m inputs) metadata.Document {
	v := readVersion()
	d := metadata.Document{
		Program: metadata.Program{Version: v.Version, Revision: v.Revision, Go: v.Go, Platform: v.Platform},
		Content: m.content, Styles: m.styles, Masks: m.masks, Protect: m.protect, Start: m.start, Weights: m.weights,
		Settings: metadata.Settings{},
		Output:   metadata.Output{Format: o.Format, Depth: o.Depth, Dither: o.Dither, DPI: o.DPI, EXIF: o.KeepEXIF, GPS: o.KeepGPS},
	}
	switch o.Format {
	case "jpeg":
		d.Output.Quality = o.JPEG
	case "webp":
		d.Output.Quality = o.WebP
	}
	if was := o.recorded; was != nil {
		d.Content, d.Weights = recordedName(d.Content, was.Content), recordedName(d.Weights, was.Weights)
		d.Styles = slices.Clone(d.Styles)
		for i, s := range was.Styles[:min(len(was.Styles), len(d.Styles))] {
			d.Styles[i].Input = recordedName(d.Styles[i].Input, s.Input)
		}
		d.Start, d.Protect = recordedOptional(d.Start, was.Start), recordedOptional(d.Protect, was.Protect)
		d.Masks = slices.Clone(d.Masks)
		for i, mask := range was.Masks[:min(len(was.Masks), len(d.Masks))] {
			now := &d.Masks[i]
			now.Region, now.Style = recordedName(now.Region, mask.Region), recordedName(now.Style, mask.Style)
			now.StyleRegion = recordedOptional(now.StyleRegion, mask.StyleRegion)
		}
	}
	for name, value := range o.Values() {
		isFile := name == "weights" || name == "protect" || name == "mask" && len(m.masks) > 0 || name == "start" && m.start != nil
		if value != "" && !isFile && !slices.Contains(notOfPicture, name) {
			d.Settings[name] = value
		}
	}
	d.Settings["memory"] = o.memory()
	return d
}

// recordedName is an input by the name that was recorded of it, if it is the same.
func recordedName(now, was metadata.Input) metadata.Input {
	if now.SHA256 == was.SHA256 && now.Bytes == was.Bytes {
		return was
	}
	return now
}

// recordedOptional is recordedName for an input that there may not be.
func recordedOptional(in, was *metadata.Input) *metadata.Input {
	if in == nil || was == nil {
		return in
	}
	named := recordedName(*in, *was)
	return &named
}

// inputOf describes a picture that was opened at a path.
func inputOf(path string, img image.Image) (metadata.Input, error) {
	source, ok := img.(*picture.Source)
	if !ok {
		return metadata.Input{}, errors.New("stylize: a picture that is from no file")
	}
	if path == standardStream {
		path = ""
	}
	sum, size := source.Digest()
	return metadata.NewInput(path, size, sum), nil
}

// weightsInput describes the network of the settings.
func weightsInput(ctx context.Context, s settings.Stylization) (metadata.Input, error) {
	if s.Weights == "" {
		return metadata.Input{SHA256: weights.EmbeddedSHA256}, nil
	}
	return fileInput(ctx, s.WeightsFile())
}

// fileInput describes a file.
func fileInput(ctx context.Context, path string) (metadata.Input, error) {
	file, size, err := regular.Open(path)
	if err != nil {
		return metadata.Input{}, err
	}
	defer file.Close()
	sum, err := regular.Digest(ctx, file)
	if err != nil {
		return metadata.Input{}, fmt.Errorf("read %s: %w", path, err)
	}
	return metadata.NewInput(path, size, sum), nil
}

// describer returns what says of the pictures of a comparison how they were made.
func (o *compareOptions) describer(ctx context.Context, content string, styles []styleArgument, view *comparisonView) func(compare.Made) picture.Made {
	job := stylizeJob{content: content, styles: styles}
	return func(made compare.Made) picture.Made {
		cell := newStylizeOptions()
		cell.Stylization, cell.Format = made.Cell.Settings, "png"
		return cell.madeOf(ctx, job, made.Making, o.Seconds, view.say)
	}
}

// describer returns what says of the pictures of a batch how they were made.
func (o *batchOptions) describer() func(context.Context, batch.Making) (picture.Made, []string) {
	return func(ctx context.Context, made batch.Making) (text picture.Made, remarks []string) {
		one := newStylizeOptions()
		one.Stylization, one.Depth, one.JPEG = o.Stylization, o.Depth, o.JPEG
		one.Format, _ = picture.FormatOf(made.Job.Output) // which was checked before any work
		job := stylizeJob{content: made.Job.Content, styles: []styleArgument{{made.Job.Style, 1}}}
		text = one.madeOf(ctx, job, made.Making, 0, func(format string, values ...any) {
			remarks = append(remarks, fmt.Sprintf(format, values...))
		})
		return text, remarks
	}
}

// madeOf is what a file says of how its picture was made, by the options, of a job's pictures
// and in seconds that the run was given, or 0. It says so where that can't be told, and then
// the file says nothing.
func (o *stylizeOptions) madeOf(ctx context.Context, job stylizeJob, how settings.Making, seconds float64, say func(string, ...any)) (text picture.Made) {
	m, err := o.inputsOf(ctx, job, how)
	if err == nil {
		d := description{document: o.document(m), computation: how.Computation, unfinished: how.Unfinished, seconds: seconds}
		text, err = d.made(how.Last)
	}
	if err != nil {
		say("the picture's file doesn't say how it was made: %s", err)
	}
	return text
}

// add has a picture's file say what there is to say of it, after the last progress that was
// made. The error is why it doesn't say how the picture was made.
func (d *description) add(o *picture.SaveOptions, last model.Progress) (err error) {
	o.EXIF, o.DPI = d.exif, d.dpi
	if !d.off {
		o.Made, err = d.made(last)
	}
	return err
}

// made is what a file says of how its picture was made.
func (d *description) made(last model.Progress) (picture.Made, error) {
	document := d.document
	document.Computation = metadata.Computation(d.computation)
	document.Painted = metadata.Painted{Width: last.Width, Height: last.Height, Iterations: last.Done, Seconds: d.seconds}
	if d.unfinished {
		document.Painted.Unfinished, document.Painted.Total = true, last.Total
	}
	text, err := document.Encode()
	if err != nil {
		return picture.Made{}, err
	}
	software := "impasto " + document.Program.String()
	return picture.Made{Software: software, Document: string(text), Packet: metadata.Packet(text, software)}, nil
}
