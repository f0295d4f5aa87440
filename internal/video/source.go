package video

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"

	"impasto/internal/ffmpeg"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/records"
)

// Source is where frames come from: a folder of pictures, or a film.
type Source struct {
	Path string
	Size image.Point // of the frames, in pixels
	// Film is what ffprobe says of a film; nil of a folder.
	Film    *Probe
	Excerpt Excerpt // of a film

	files []string // of a folder
}

// OpenSource looks at a folder or a film. The pictures of a folder have to have the size of
// the first; each is read when its turn comes.
func OpenSource(ctx context.Context, path string, e Excerpt) (Source, error) {
	s := Source{Path: path, Excerpt: e}
	info, err := os.Stat(path)
	if err != nil {
		return s, fmt.Errorf("video: %w", err)
	}
	if !info.IsDir() {
		if err := ffmpeg.Find(); err != nil {
			return s, fmt.Errorf("video: %s: %w", quote.Name(path), err)
		}
		probe, err := ProbeFilm(ctx, path)
		if err != nil {
			return s, err
		}
		if probe.Duration > 0 && e.From >= probe.Duration {
			return s, fmt.Errorf("video: %s lasts %v, and the part of it would begin at %v", quote.Name(path), probe.Duration, e.From)
		}
		s.Film, s.Size = &probe, probe.Size
		return s, nil
	}
	if (e != Excerpt{}) {
		return s, errors.New("video: a folder has no times, of which a part could be taken")
	}
	if s.files, err = FolderFrames(path); err != nil {
		return s, err
	}
	first, err := picture.OpenSource(ctx, s.files[0])
	if err != nil {
		return s, err
	}
	s.Size = first.Bounds().Size()
	return s, nil
}

// extraction is what is kept beside frames that were taken from a film.
type extraction struct {
	Key   string `json:"key"`
	Count int    `json:"count"`
}

// Frames are the files of all frames, in order. Those of a film are taken from it into a folder
// and scaled to a size, unless that was done before.
func (s Source) Frames(ctx context.Context, folder string, size image.Point) ([]string, error) {
	if s.Film == nil {
		return s.files, nil
	}
	digest, err := records.FileDigest(ctx, s.Path)
	if err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	key, err := records.Key(struct {
		Digest  string
		Size    image.Point
		Excerpt Excerpt
		Probe   Probe
	}{digest, size, s.Excerpt, *s.Film})
	if err != nil {
		return nil, err
	}
	note := filepath.Join(folder, "frames.json")
	var was extraction
	if records.Read(note, &was) == nil && was.Key == key {
		if files, err := filepath.Glob(filepath.Join(escapeGlob(folder), "*.png")); err == nil && len(files) == was.Count {
			return files, nil
		}
	}
	if err := removeFrames(folder); err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	files, err := Extract(ctx, s.Path, folder, *s.Film, size, s.Excerpt)
	if err != nil {
		return nil, err
	}
	return files, records.Write(note, extraction{key, len(files)})
}

// removeFrames removes what was taken from another film.
func removeFrames(folder string) error {
	files, err := filepath.Glob(filepath.Join(escapeGlob(folder), "[0-9][0-9][0-9][0-9][0-9][0-9]*.png"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}
