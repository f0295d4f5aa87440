package made

import (
	"slices"

	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
)

// notOfPicture are the settings that a picture doesn't follow from.
var notOfPicture = []string{"device", "threads"}

// Document says how settings make a picture of inputs, and how its file is written, but for
// what only a run tells; see Ended. Settings that name files stand for the inputs, and may
// as well be empty, but for what kind of picture is started from.
func Document(s settings.Stylization, in Inputs, out metadata.Output) metadata.Document {
	d := metadata.Document{
		Program: Program(),
		Content: in.Content, Styles: in.Styles, Masks: in.Masks, Protect: in.Protect, Start: in.Start, Weights: in.Weights,
		Settings: metadata.Settings{}, Output: out,
	}
	for name, value := range s.Values() {
		isFile := name == "weights" || name == "protect" || name == "mask" && len(in.Masks) > 0 || name == "start" && in.Start != nil
		if value != "" && !isFile && !slices.Contains(notOfPicture, name) {
			d.Settings[name] = value
		}
	}
	if start, _ := s.StartFile(); in.Start != nil && start == model.StartFromResult {
		d.Settings["start"] = string(start)
	}
	return d
}

// Ended is what only a run tells.
type Ended struct {
	Computation model.Computation
	Last        model.Progress // the last that was made
	Unfinished  bool           // the run ended before its time, or goes on
	Seconds     float64        // that it was given, where it wasn't iterations; else 0
}

// Text is what a file says of how its picture was made: by a document, which stays as it is,
// and what a run tells.
func Text(d metadata.Document, e Ended) (picture.Made, error) {
	d.Computation = metadata.Computation(e.Computation)
	d.Painted = metadata.Painted{Width: e.Last.Width, Height: e.Last.Height, Iterations: e.Last.Done, Seconds: e.Seconds}
	if e.Unfinished {
		d.Painted.Unfinished, d.Painted.Total = true, e.Last.Total
	}
	text, err := d.Encode()
	if err != nil {
		return picture.Made{}, err
	}
	software := "impasto " + d.Program.String()
	return picture.Made{Software: software, Document: string(text), Packet: metadata.Packet(text, software)}, nil
}
