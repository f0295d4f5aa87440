package painters

import (
	"bytes"
	"context"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"impasto/internal/cluster"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/internal/video"
	"impasto/model"
)

// filmOf opens a film of frames in a style.
func filmOf(t *testing.T, frames []string, style, folder string, s settings.Stylization, c video.Consistency) *video.Film {
	t.Helper()
	options, err := s.Open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	img, err := picture.OpenSource(t.Context(), style)
	if err != nil {
		t.Fatal(err)
	}
	film, err := video.New(image.Pt(40, 30), video.Options{
		Frames: frames, Styles: []model.Style{{Image: img, Weight: 2}}, Stylization: options, Consistency: c, Folder: folder, Key: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { film.Close() })
	return film
}

func readAll(t *testing.T, files []string) (all [][]byte) {
	t.Helper()
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// A film whose shots are painted by workers that are killed on the way is, byte for byte, the
// one that a single process makes, and what was painted before a checkpoint isn't painted again.
func TestShotsGoOnWhereWorkersDie(t *testing.T) {
	folder := t.TempDir()
	pictures := writePictures(t, folder, "frame", 3)
	style := writePictures(t, folder, "style", 1)[0]
	// Three shots; frames of one differ by a little, so that none is the one before.
	var frames []string
	for shot := range 3 {
		for i := range 4 {
			p, err := picture.Open(t.Context(), pictures[shot])
			if err != nil {
				t.Fatal(err)
			}
			for k := range p.RGB {
				p.RGB[k] = p.RGB[k]/4 + 0.35*float32(shot) // so that each is of another brightness
				if x := k % 40; x > 5+i && x < 12+i {
					p.RGB[k] = 1 - p.RGB[k]
				}
			}
			frames = append(frames, filepath.Join(folder, "f"+string(rune('a'+shot))+string(rune('0'+i))+".png"))
			if err := picture.Save(frames[len(frames)-1], p, picture.SaveOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, c := tiny(t, 12), video.DefaultConsistency()
	s.Options.KeepColours = 0.5
	c.Iterations, c.MiddleIterations, c.Passes = 8, 8, 2
	alone := filmOf(t, frames, style, filepath.Join(folder, "alone"), s, c)
	files, err := alone.Paint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := readAll(t, files)

	_, port := startServer(t, filepath.Join(folder, "server"), 0)
	config := cluster.DefaultConfig()
	config.AckWait, config.Tries = 1500*time.Millisecond, 50
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	connected, err := cluster.Setup(ctx, cluster.Options{URL: urlOf(port), Name: "test"}, config)
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	runner, err := NewRunner(ctx, connected, program, NewBatch(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := workerOf(t, port, "a")
	r.Pause, r.Every = 10*time.Millisecond, time.Millisecond
	worker := start(t, r)
	kept := make(chan struct{}, 1)
	go func() { // a checkpoint sets the number of tries back
		for ctx.Err() == nil {
			_ = connected.States(ctx, func(s cluster.State) bool {
				if s.Kind == ShotKind && s.Checkpoint != nil {
					select {
					case kept <- struct{}{}:
					default:
					}
				}
				return true
			})
			time.Sleep(20 * time.Millisecond)
		}
	}()
	go func() {
		select {
		case <-kept:
		case <-ctx.Done():
		}
		worker.kill()
		r.Name, r.Pause, r.Folder = "b", 0, filepath.Join(folder, "b")
		worker = start(t, r)
	}()
	film := filmOf(t, frames, style, filepath.Join(folder, "film"), s, c)
	order := ShotOrder{Settings: s.Values(), Styles: []string{style}, Weights: []float64{2}, Consistency: c, Name: "film"}
	var shots atomic.Int32
	files, err = film.PaintShots(ctx, 3, func(ctx context.Context, shot video.Shot) ([]video.Report, error) {
		shots.Add(1)
		return runner.Shot(ctx, order, shot, folder)
	})
	if err != nil {
		t.Fatalf("%v; the worker says\n%s", err, worker.text())
	}
	if !strings.Contains(worker.text(), "from its last checkpoint") {
		t.Errorf("the second worker began anew:\n%s", worker.text())
	}
	if n := shots.Load(); n != 3 {
		t.Errorf("there are %d shots, want 3", n)
	}
	for i, data := range readAll(t, files) {
		if !bytes.Equal(data, want[i]) {
			t.Errorf("frame %d isn't what a single process makes", i+1)
		}
	}
	for i, got := range film.Reports() {
		was := alone.Reports()[i]
		if got.Seconds, was.Seconds = 0, 0; got != was {
			t.Errorf("frame %d is told to be %+v, want %+v", i+1, got, was)
		}
	}
}

func TestPackedFoldersComeBack(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
	for name, text := range map[string]string{"a": "1", "deep/b": "22", "deep/er/c": ""} {
		path := filepath.Join(from, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var packed bytes.Buffer
	if err := packFolder(&packed, from); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "packed")
	if err := os.WriteFile(file, packed.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := unpackFolder(file, to); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(to, "deep", "b")); err != nil || string(data) != "22" {
		t.Errorf("deep/b has %q, %v", data, err)
	}
	// Names that lead elsewhere are refused.
	bad := bytes.ReplaceAll(packed.Bytes(), []byte("deep/b"), []byte("../../"))
	if err := os.WriteFile(file, slices.Clone(bad), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := unpackFolder(file, to); err == nil {
		t.Error("a name that leads out of the folder is taken")
	}
}
