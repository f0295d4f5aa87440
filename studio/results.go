package studio

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"impasto/internal/picture"
	"impasto/internal/timelapse"
)

// shot is what a run shows at a time.
type shot struct {
	view          // without img where the picture is in the run's folder
	id, name      string
	painted, size size // of the last level made, and of the run's output
	over          bool // the run is finished
}

// shotOf is what the run that a request names shows now.
func (s *Studio) shotOf(r *http.Request) (shot, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	one, err := s.found(r.PathValue("id"))
	if err != nil {
		return shot{}, err
	}
	one.asked = time.Now()
	of := shot{
		id: one.ID, name: one.Name, over: one.State == finished || one.State == stopped,
		painted: size{one.Progress.Width, one.Progress.Height}, size: s.sizeOf(one.Recipe),
	}
	switch {
	case one.current != nil:
		of.view = *one.current
	case one.Saved > 0:
		of.version = one.Saved
	default:
		return of, problemf(http.StatusNotFound, "there is no picture of the run yet")
	}
	return of, nil
}

// openShot opens the picture.
func (s *Studio) openShot(ctx context.Context, of shot) (image.Image, error) {
	if of.img != nil {
		return of.img, nil
	}
	file, err := os.Open(s.store.run(of.id, resultFile))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return picture.ReadSource(ctx, file, "the result")
}

// runPicture answers GET /runs/{id}/picture.
func (s *Studio) runPicture(w http.ResponseWriter, r *http.Request) error {
	of, err := s.shotOf(r)
	if err != nil {
		return err
	}
	want, err := readImageQuery(r.URL.Query(), "jpeg")
	if err != nil {
		return err
	}
	if side := max(of.painted.Width, of.painted.Height); !of.over && (want.size == 0 || want.size > side) {
		want.size = side
	}
	key := fmt.Sprintf("run %s %d %s", of.id, of.version, want.key())
	data, err := s.encodings.get(key, func() ([]byte, error) {
		ctx := context.WithoutCancel(r.Context())
		// Who watches a run doesn't wait for files.
		turn := s.files
		if of.img != nil {
			turn = s.views
		}
		release, err := turn.wait(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
		began := time.Now()
		if of.cost != nil {
			defer func() { of.cost.Add(int64(time.Since(began))) }()
		}
		img, err := s.openShot(ctx, of)
		if err != nil {
			return nil, err
		}
		var o picture.SaveOptions
		if want.download {
			if o.Made, err = s.madeOf(ctx, of, want); err != nil {
				return nil, err
			}
		}
		return encode(ctx, img, want, o)
	})
	if err != nil {
		return err
	}
	asked := r.URL.Query().Get("version")
	forGood := asked == fmt.Sprint(of.version)
	return want.serve(w, r, data, fmt.Sprintf(`"%d-%s"`, of.version, want.key()), forGood, of.name)
}

// runCurve answers GET /runs/{id}/curve.
func (s *Studio) runCurve(w http.ResponseWriter, r *http.Request) error {
	answer := struct {
		Points []point `json:"points"`
	}{[]point{}}
	s.mutex.Lock()
	one, err := s.found(r.PathValue("id"))
	if err != nil {
		s.mutex.Unlock()
		return err
	}
	answer.Points = append(answer.Points, one.curve.points...)
	id := one.ID
	s.mutex.Unlock()
	if len(answer.Points) == 0 {
		kept, err := loadCurve(s.store.run(id, curveFile))
		if err != nil {
			return err
		}
		answer.Points = append(answer.Points, kept.points...)
	}
	return writeJSON(w, http.StatusOK, answer)
}

// runFilm answers GET /runs/{id}/film.
func (s *Studio) runFilm(w http.ResponseWriter, r *http.Request) error {
	of, err := s.shotOf(r)
	if err != nil {
		return err
	}
	data, err := s.encodings.get(fmt.Sprintf("film %s %d", of.id, of.version), func() ([]byte, error) {
		return s.makeFilm(context.WithoutCancel(r.Context()), of)
	})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/gif")
	h.Set("Content-Disposition", contentDisposition(of.name+".gif"))
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", fmt.Sprintf(`"film-%d"`, of.version))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

// makeFilm makes a film of the frames that there are and of the picture as it is.
func (s *Studio) makeFilm(ctx context.Context, of shot) ([]byte, error) {
	release, err := s.files.wait(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	folder, err := os.MkdirTemp(s.store.uploads(), "film-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	frames := s.store.run(of.id, framesFolder)
	names := frameNames(frames)
	width, height := imageQuery{size: filmSide}.fitted(image.Pt(of.size.Width, of.size.Height))
	path := filepath.Join(folder, "film.gif")
	recorder, err := timelapse.New(timelapse.Options{Path: path, Frames: len(names) + 2, Width: width, Height: height})
	if err != nil {
		return nil, err
	}
	defer recorder.Close()
	for _, name := range names {
		if frame, err := picture.OpenSource(ctx, filepath.Join(frames, name)); err == nil { // or it was cut
			if err := recorder.Add(frame); err != nil {
				return nil, err
			}
		}
	}
	last, err := s.openShot(ctx, of)
	if err != nil {
		return nil, err
	}
	if err := recorder.Add(last); err != nil {
		return nil, err
	}
	if err := recorder.Save(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
