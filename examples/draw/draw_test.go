package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"impasto/internal/picture"
)

func TestTheCommittedPicturesAreWhatTheProgramDraws(t *testing.T) {
	for _, d := range drawings {
		t.Run(d.file, func(t *testing.T) {
			t.Parallel()
			committed, err := picture.Open(t.Context(), filepath.Join("..", d.file))
			if err != nil {
				t.Fatal(err)
			}
			drawn, err := d.draw(1)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), d.file)
			if err := picture.Save(path, drawn, d.save); err != nil {
				t.Fatal(err)
			}
			fresh, err := picture.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if fresh.Width != committed.Width || fresh.Height != committed.Height {
				t.Fatalf("drawn as %d×%d, committed as %d×%d; run go run ./examples/draw",
					fresh.Width, fresh.Height, committed.Width, committed.Height)
			}
			// Processors that fuse products with sums round a few edges and bristles to
			// the pixel beside.
			off := 0
			for i, v := range fresh.RGB {
				if 255*math.Abs(float64(v-committed.RGB[i])) > 1.5 {
					off++
				}
			}
			if off > len(fresh.RGB)/1000 {
				t.Errorf("%d of %d values differ by more than a level; run go run ./examples/draw", off, len(fresh.RGB))
			}
		})
	}
}

func TestTheCommittedPicturesAreSmall(t *testing.T) {
	for _, d := range drawings {
		info, err := os.Stat(filepath.Join("..", d.file))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 400_000 {
			t.Errorf("%s has %d bytes, want at most 400000", d.file, info.Size())
		}
	}
}

func TestRunSaysWhereItCouldNotWrite(t *testing.T) {
	drawings := []drawing{{file: "a.png", draw: func(float64) (*picture.Picture, error) {
		return &picture.Picture{Width: 1, Height: 1, RGB: make([]float32, 3)}, nil
	}}}
	folder := t.TempDir()
	if err := run(drawings, folder, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := picture.Open(t.Context(), filepath.Join(folder, "a.png")); err != nil {
		t.Error(err)
	}
	if err := run(drawings, filepath.Join(folder, "missing"), 1); err == nil {
		t.Error("no error for a folder that is missing")
	}
}
