package studio

import (
	"cmp"
	"fmt"
	"image"
	"net/http"
	"slices"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
)

// enlargeRun answers POST /runs/{id}/enlarge.
func (s *Studio) enlargeRun(w http.ResponseWriter, r *http.Request) error {
	var q struct {
		Size int    `json:"size"`
		Name string `json:"name"`
	}
	if err := readJSON(w, r, &q); err != nil {
		return err
	}
	s.mutex.Lock()
	one, err := s.found(r.PathValue("id"))
	if err != nil {
		s.mutex.Unlock()
		return err
	}
	was := one.record
	s.mutex.Unlock()
	if was.State != finished && was.State != stopped || was.Saved == 0 {
		return problemf(http.StatusConflict, "the run is %s and has no result to enlarge", was.State)
	}
	side := max(was.Progress.Width, was.Progress.Height)
	if q.Size <= side || q.Size > model.MaxSize {
		return invalid("size", "size %d: want more than the %d pixels that the picture was painted at, to %d", q.Size, side, model.MaxSize)
	}
	of, err := was.Recipe.sized(q.Size)
	if err != nil {
		return err
	}
	larger := &record{
		Name: cmp.Or(cleanName(q.Name), was.Name), Group: was.Group, Recipe: of, Enlarges: was.ID,
		From: &from{File: startFile(0), Larger: true},
	}
	return s.addRun(w, larger, func(r *run) error {
		return s.shrink(s.store.run(r.ID, r.From.File), s.store.run(was.ID, resultFile), size{was.Progress.Width, was.Progress.Height})
	})
}

// sized is a recipe for another size, with levels from the same one on.
func (of recipe) sized(size int) (recipe, error) {
	before, err := settled(of.Settings)
	if err != nil {
		return of, err
	}
	list, err := values{"size": value(fmt.Sprint(size)), "min-size": value(fmt.Sprint(before.Options.MinSize))}.assignments()
	if err != nil {
		return of, err
	}
	of.Settings = append(list, slices.DeleteFunc(slices.Clone(of.Settings), func(a settings.Assignment) bool { return a.Name == "size" || a.Name == "min-size" })...)
	return of, of.check()
}

// shrink makes a file of a run's picture as it was painted, before it was scaled up where the
// run was stopped.
func (s *Studio) shrink(to, from string, painted size) error {
	source, err := picture.OpenSource(s.context, from)
	if err != nil {
		return err
	}
	if source.Bounds().Size() == image.Pt(painted.Width, painted.Height) {
		return atomicfile.Copy(to, from)
	}
	small, err := picture.ResizedTo(s.context, source, picture.ResizeOptions{Filter: picture.Lanczos}, painted.Width, painted.Height)
	if err != nil {
		return err
	}
	return picture.Save(to, small, picture.SaveOptions{Depth: 16, Format: "png"})
}
