package studio

import (
	"context"
	"fmt"
	"net/http"

	"impasto/internal/made"
	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
)

// document says how a run's picture is made, under its present settings, but for what it
// began with where that is a picture. It is called with the mutex locked.
func (s *Studio) document(of recipe, out metadata.Output) (metadata.Document, settings.Stylization, error) {
	set, err := settled(of.Settings)
	if err != nil {
		return metadata.Document{}, set, err
	}
	input := func(id string) metadata.Input {
		info := s.pictures[id]
		return metadata.NewInput(info.Name, info.Bytes, info.ID)
	}
	in := made.Inputs{Content: input(of.Content), Weights: made.EmbeddedWeights()}
	for _, one := range of.Styles {
		if one.Mask == "" {
			in.Styles = append(in.Styles, metadata.Style{Input: input(one.Picture), Weight: one.Weight})
			continue
		}
		mask := metadata.Mask{Region: input(one.Mask), Style: input(one.Picture)}
		if one.StyleMask != "" {
			part := input(one.StyleMask)
			mask.StyleRegion = &part
		}
		in.Masks = append(in.Masks, mask)
	}
	if of.Protect != "" {
		protect := input(of.Protect)
		in.Protect = &protect
	}
	return made.Document(set, in, out), set, nil
}

// beginning adds to a document the picture that a run began with.
func beginning(d *metadata.Document, of from, start metadata.Input, side int) {
	d.Start = &start
	delete(d.Settings, "start")
	if of.Larger {
		d.Settings["start"] = string(model.StartFromResult)
	} else {
		d.Settings["min-size"] = fmt.Sprint(side)
	}
}

// madeOf is what a file of a run's picture says of how it was made.
func (s *Studio) madeOf(ctx context.Context, of shot, want imageQuery) (picture.Made, error) {
	out := metadata.Output{Format: want.format, Depth: want.depth}
	if want.format == "jpeg" {
		out.Quality = made.DefaultJPEGQuality
	}
	s.mutex.Lock()
	r, err := s.found(of.id)
	if err != nil {
		s.mutex.Unlock()
		return picture.Made{}, err
	}
	was := r.record
	d, set, err := s.document(was.Recipe, out)
	s.mutex.Unlock()
	if err != nil {
		return picture.Made{}, err
	}
	if was.From != nil {
		start, err := made.File(ctx, s.store.run(was.ID, was.From.File))
		if err != nil {
			return picture.Made{}, err
		}
		beginning(&d, *was.From, start, min(was.From.Side, set.Options.Size))
	}
	ended := made.Ended{Unfinished: was.State != finished, Last: model.Progress{
		Width: was.Progress.Width, Height: was.Progress.Height, Done: was.Progress.Done - was.Before.Done, Total: was.Progress.Total - was.Before.Done,
	}}
	if was.Computation != nil {
		ended.Computation = *was.Computation
	}
	return made.Text(d, ended)
}

// commandAnswer is the command line of a run.
type commandAnswer struct {
	Command string   `json:"command"`
	Remarks []string `json:"remarks"`
}

// runCommand answers GET /runs/{id}/command.
func (s *Studio) runCommand(w http.ResponseWriter, r *http.Request) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	one, err := s.found(r.PathValue("id"))
	if err != nil {
		return err
	}
	of := one.recipe()
	d, _, err := s.document(of, metadata.Output{Format: "png", Depth: 8})
	if err != nil {
		return err
	}
	answer := commandAnswer{Remarks: []string{}}
	remark := func(format string, values ...any) {
		answer.Remarks = append(answer.Remarks, fmt.Sprintf(format, values...))
	}
	if one.From != nil && one.From.Larger {
		start := metadata.NewInput(fileName(one.Name+" small.png"), 0, "")
		beginning(&d, *one.From, start, 0)
		remark("it goes on from the picture of another run, which has to be saved first, as a PNG of 16 bits named %q", start.FileName())
	}
	if len(one.Changes) > 0 {
		remark("the settings were changed while it was made; the command has the last ones from the beginning, so that its picture will be another")
	}
	named, told := map[string]string{}, map[string]bool{}
	for _, id := range of.ids() {
		info := s.pictures[id]
		if other, taken := named[info.Name]; taken && other != id && !told[info.Name] {
			told[info.Name] = true
			remark("two of its pictures are named %q; give one of them another name, here and there", info.Name)
		}
		if info.Bundled && !told[id] {
			told[id] = true
			remark("%s is one of the program's own pictures; save it beside the others first", info.Name)
		}
		named[info.Name] = id
	}
	for _, style := range of.Styles {
		if style.Mask != "" && style.Weight != 1 {
			remark("the command line has no weights for styles with masks: %s has the weight %g, which counts where masks overlap", s.pictures[style.Picture].Name, style.Weight)
		}
	}
	if answer.Command, err = made.Command(&d, fileName(one.Name+".png")); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}
