package studio

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"impasto/examples"
	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/records"
)

// pictureInfo is what is known of a picture that runs can be made of, as the API says it and
// as it is kept beside the picture's file.
type pictureInfo struct {
	ID      string    `json:"id"` // the SHA-256 of the file, hexadecimal
	Name    string    `json:"name"`
	Format  string    `json:"format"` // such as PNG
	Width   int       `json:"width"`  // in pixels, upright
	Height  int       `json:"height"`
	Bytes   int64     `json:"bytes"`
	Bundled bool      `json:"bundled"` // it is one of the program's
	Added   time.Time `json:"added,omitzero"`
}

// bundled are the program's own pictures, by id.
type bundled map[string][]byte

// addBundled adds the program's pictures to those that there are.
func (s *Studio) addBundled() error {
	s.bundled = bundled{}
	return fs.WalkDir(examples.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := examples.Files.ReadFile(name)
		if err != nil {
			return err
		}
		source, err := picture.ReadSource(context.Background(), bytes.NewReader(data), name)
		if err != nil {
			return err
		}
		info := infoOf(source, name)
		info.Bundled = true
		s.bundled[info.ID], s.pictures[info.ID] = data, info
		return nil
	})
}

// infoOf describes a picture whose file was read.
func infoOf(source *picture.Source, name string) *pictureInfo {
	id, size := source.Digest()
	of := source.Bounds().Size()
	return &pictureInfo{ID: id, Name: name, Format: source.Embedded().Format, Width: of.X, Height: of.Y, Bytes: size}
}

// loadPictures reads what is known of the pictures in the folder. One whose file or
// description is missing is left out, and told of.
func (s *Studio) loadPictures() error {
	entries, err := os.ReadDir(filepath.Join(s.store.folder, "pictures"))
	if err != nil {
		return fmt.Errorf("studio: %w", err)
	}
	for _, entry := range entries {
		id, described := strings.CutSuffix(entry.Name(), ".json")
		if !described {
			continue
		}
		info := &pictureInfo{}
		err := records.Read(s.store.picture(entry.Name()), info)
		if err == nil && info.ID != id {
			err = errors.New("it is of another picture")
		}
		if err == nil {
			_, err = os.Stat(s.store.picture(id))
		}
		if err != nil {
			s.options.Log(fmt.Sprintf("the picture %s is left out: %v", id, err))
			continue
		}
		s.pictures[id] = info
	}
	return nil
}

// openPicture opens a picture that there is. Errors call it by its name.
func (s *Studio) openPicture(ctx context.Context, info *pictureInfo) (*picture.Source, error) {
	if data, ok := s.bundled[info.ID]; ok {
		return picture.ReadSource(ctx, bytes.NewReader(data), info.Name)
	}
	file, err := os.Open(s.store.picture(info.ID))
	if err != nil {
		return nil, fmt.Errorf("open the picture %s: %w", info.ID, atomicfile.WithoutPath(err))
	}
	defer file.Close()
	return picture.ReadSource(ctx, file, info.Name)
}

// picture finds a picture by its id.
func (s *Studio) picture(id string) (*pictureInfo, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if info := s.pictures[id]; info != nil {
		return info, nil
	}
	return nil, problemf(http.StatusNotFound, "there is no picture of this id; GET %s/pictures lists those that there are", apiPrefix)
}

// listPictures answers GET /pictures, the newest first and the bundled ones last.
func (s *Studio) listPictures(w http.ResponseWriter, _ *http.Request) error {
	list := struct {
		Pictures []*pictureInfo `json:"pictures"`
	}{[]*pictureInfo{}}
	s.mutex.Lock()
	for _, info := range s.pictures {
		list.Pictures = append(list.Pictures, info)
	}
	s.mutex.Unlock()
	slices.SortFunc(list.Pictures, func(a, b *pictureInfo) int {
		if a.Bundled != b.Bundled {
			if a.Bundled {
				return 1
			}
			return -1
		}
		return cmp.Or(b.Added.Compare(a.Added), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return writeJSON(w, http.StatusOK, list)
}

// getPicture answers GET /pictures/{id}.
func (s *Studio) getPicture(w http.ResponseWriter, r *http.Request) error {
	info, err := s.picture(r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, info)
}

// deletePicture answers DELETE /pictures/{id}.
func (s *Studio) deletePicture(w http.ResponseWriter, r *http.Request) error {
	info, err := s.picture(r.PathValue("id"))
	if err != nil {
		return err
	}
	if info.Bundled {
		return problemf(http.StatusConflict, "%s is one of the program's own pictures, which stay", info.Name)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, run := range s.runs {
		if run.uses(info.ID) {
			return problemf(http.StatusConflict, "the run %q is made of this picture; delete that first", run.Name)
		}
	}
	if err := errors.Join(removeFile(s.store.picture(info.ID+".json")), removeFile(s.store.picture(info.ID))); err != nil {
		return err
	}
	delete(s.pictures, info.ID)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// uploadPatience is how long an upload may make no progress.
const uploadPatience = time.Minute

// patient reads a request's body, however long that takes, as long as something comes.
type patient struct {
	body    io.Reader
	control *http.ResponseController
}

func (p patient) Read(data []byte) (int, error) {
	// Where the server knows no deadlines, as in tests without a connection, there are none.
	_ = p.control.SetReadDeadline(time.Now().Add(uploadPatience))
	return p.body.Read(data)
}

// uploadPicture answers POST /pictures.
func (s *Studio) uploadPicture(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength > s.options.UploadBytes {
		return s.tooLarge()
	}
	file, err := os.CreateTemp(s.store.uploads(), "")
	if err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	sum := sha256.New()
	control := http.NewResponseController(w)
	body := patient{http.MaxBytesReader(w, r.Body, s.options.UploadBytes), control}
	_, err = io.Copy(io.MultiWriter(file, sum), body)
	_ = control.SetReadDeadline(time.Time{})
	if err != nil {
		return s.cutOff(r, err)
	}
	info, known, err := s.takePicture(r.Context(), file, hex.EncodeToString(sum.Sum(nil)), r.URL.Query().Get("name"))
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if known {
		status = http.StatusOK
	}
	w.Header().Set("Location", apiPrefix+"/pictures/"+info.ID)
	return writeJSON(w, status, info)
}

// cutOff is the problem of an upload of which not all came.
func (s *Studio) cutOff(r *http.Request, err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return s.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problemf(http.StatusRequestTimeout, "nothing came of the picture for %s; send it again", uploadPatience)
	case r.Context().Err() != nil:
		return err
	}
	return problemf(http.StatusBadRequest, "the upload ended before its end (%v); send it again", atomicfile.WithoutPath(err))
}

func (s *Studio) tooLarge() *problem {
	return problemf(http.StatusRequestEntityTooLarge, "the file has more than %d bytes, which is the most that this server takes; make the picture smaller", s.options.UploadBytes)
}

// takePicture keeps an uploaded file, if it is a picture and isn't there already.
func (s *Studio) takePicture(ctx context.Context, file *os.File, id, name string) (info *pictureInfo, known bool, err error) {
	s.mutex.Lock()
	info = s.pictures[id]
	s.mutex.Unlock()
	if info != nil {
		return info, true, nil
	}
	release, err := s.files.wait(ctx)
	if err != nil {
		return nil, false, err
	}
	defer release()
	name = cmp.Or(cleanFileName(name), "picture")
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, false, err
	}
	source, err := picture.ReadSource(ctx, file, name)
	if err != nil {
		return nil, false, notAPicture(err)
	}
	if err := decodes(ctx, source); err != nil {
		return nil, false, err
	}
	info = infoOf(source, name)
	info.Added = time.Now().UTC().Round(time.Millisecond)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if already := s.pictures[id]; already != nil { // uploaded twice at once
		return already, true, nil
	}
	err = atomicfile.Write(s.store.picture(id), func(w io.Writer) error {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err := io.Copy(w, file)
		return err
	})
	if err == nil {
		err = records.Write(s.store.picture(id+".json"), info)
	}
	if err != nil {
		return nil, false, fmt.Errorf("keep the picture %s: %w", id, err)
	}
	s.pictures[id] = info
	return info, false, nil
}

// notAPicture is the problem of a file that can't be read as a picture.
func notAPicture(err error) error {
	var read *picture.ReadError
	if !errors.As(err, &read) {
		return err
	}
	why := read.Err.Error()
	if !strings.Contains(why, picture.Formats()) {
		why += "; this server takes " + picture.Formats()
	}
	return problemf(http.StatusUnsupportedMediaType, "the file can't be read as a picture: %s", why)
}

// triedSide is the longer side that a picture is decoded to when it comes.
const triedSide = 64

// decodes finds out, before a picture is kept, whether all of it can be decoded.
func decodes(ctx context.Context, source *picture.Source) error {
	size := source.Bounds().Size()
	width, height := picture.FitSize(size.X, size.Y, min(triedSide, max(size.X, size.Y)))
	_, err := picture.ResizedTo(ctx, source, picture.ResizeOptions{Filter: picture.Bilinear}, width, height)
	return notAPicture(err)
}

// pictureImage answers GET /pictures/{id}/image.
func (s *Studio) pictureImage(w http.ResponseWriter, r *http.Request) error {
	info, err := s.picture(r.PathValue("id"))
	if err != nil {
		return err
	}
	want, err := readImageQuery(r.URL.Query(), "jpeg")
	if err != nil {
		return err
	}
	key := "picture " + info.ID + " " + want.key()
	data, err := s.encodings.get(key, func() ([]byte, error) {
		// Others may wait for it, so it goes on where this client goes away.
		ctx := context.WithoutCancel(r.Context())
		release, err := s.files.wait(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
		source, err := s.openPicture(ctx, info)
		if err != nil {
			return nil, err
		}
		return encode(ctx, source, want, picture.SaveOptions{})
	})
	if err != nil {
		return notAPicture(err)
	}
	etag := fmt.Sprintf(`"%s-%s"`, info.ID, want.key())
	return want.serve(w, r, data, etag, true, stem(info.Name))
}

// stem is the name of a file without its extension.
func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// fileName makes a name one that a file can have.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) { // which some systems have no names with
			return '-'
		}
		return r
	}, name)
}

// contentDisposition has a browser save what it is given under a name.
func contentDisposition(name string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": fileName(name)})
}
