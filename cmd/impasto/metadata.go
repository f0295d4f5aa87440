package main

import (
	"context"
	"fmt"
	"image"
	"slices"

	"impasto/internal/batch"
	"impasto/internal/compare"
	"impasto/internal/made"
	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
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
func (o *stylizeOptions) inputsOf(ctx context.Context, job stylizeJob, of settings.Making) (m made.Inputs, err error) {
	if m.Content, err = inputOf(job.content, of.Content); err != nil {
		return m, err
	}
	for i, s := range job.styles {
		in, err := inputOf(s.path, of.Styles[i].Image)
		if err != nil {
			return m, err
		}
		m.Styles = append(m.Styles, metadata.Style{Input: in, Weight: s.weight})
	}
	if of.Start != nil {
		_, path := o.StartFile()
		in, err := inputOf(path, of.Start)
		if err != nil {
			return m, err
		}
		m.Start = &in
	}
	return m, m.AddFiles(ctx, o.Stylization)
}

// document says how the options make a picture of inputs, but for what only a run tells.
func (o *stylizeOptions) document(m made.Inputs) metadata.Document {
	out := metadata.Output{Format: o.Format, Depth: o.Depth, Dither: o.Dither, DPI: o.DPI, EXIF: o.KeepEXIF, GPS: o.KeepGPS}
	switch o.Format {
	case "jpeg":
		out.Quality = o.JPEG
	case "webp":
		out.Quality = o.WebP
	}
	d := made.Document(o.Stylization, m, out)
	d.Settings["memory"] = o.memory()
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
	if path == standardStream {
		path = ""
	}
	return made.Picture(path, img)
}

// cellDescriber returns what says of the pictures of a comparison how they were made, in
// seconds that each was given, or 0. It says by say where that can't be told.
func cellDescriber(ctx context.Context, content string, styles []styleArgument, seconds float64, say func(string, ...any)) func(compare.Made) picture.Made {
	job := stylizeJob{content: content, styles: styles}
	return func(made compare.Made) picture.Made {
		cell := newStylizeOptions()
		cell.Stylization, cell.Format = made.Cell.Settings, "png"
		return cell.madeOf(ctx, job, made.Making, seconds, say)
	}
}

// describeJob says of the picture of a batch how it was made.
func describeJob(ctx context.Context, made batch.Making) (text picture.Made, remarks []string) {
	say := func(format string, values ...any) { remarks = append(remarks, fmt.Sprintf(format, values...)) }
	one := newStylizeOptions()
	var err error
	if one.Stylization, err = made.Job.Stylization(); err != nil { // which was checked before any work
		say("the picture's file doesn't say how it was made: %s", err)
		return text, remarks
	}
	one.Depth, one.JPEG = made.Job.Depth, made.Job.Quality
	one.Format, _ = picture.FormatOf(made.Job.Output) // likewise
	job := stylizeJob{content: made.Job.Content, styles: []styleArgument{{made.Job.Style, 1}}}
	return one.madeOf(ctx, job, made.Making, 0, say), remarks
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
	return made.Text(d.document, made.Ended{Computation: d.computation, Last: last, Unfinished: d.unfinished, Seconds: d.seconds})
}
