package video

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"impasto/internal/ffmpeg"
	"impasto/internal/picture"
)

func TestWhatFFprobeSaysIsUnderstood(t *testing.T) {
	tests := map[string]struct {
		text string
		want Probe
	}{
		"a phone's, turned, with sound": {`{"streams": [{"codec_type": "audio"}, {"codec_type": "video", "width": 1920, "height": 1080,
			"avg_frame_rate": "30000/1001", "r_frame_rate": "30/1", "color_space": "bt709", "color_primaries": "bt709", "color_transfer": "bt709",
			"side_data_list": [{"rotation": -90}]}], "format": {"duration": "12.5"}}`,
			Probe{Size: image.Pt(1080, 1920), Rate: "30000/1001", Duration: 12500 * time.Millisecond, HasSound: true, Matrix: "bt709", Primaries: "bt709", Transfer: "bt709"}},
		"a cover picture before it, no average": {`{"streams": [{"codec_type": "video", "width": 600, "height": 600, "avg_frame_rate": "0/0", "disposition": {"attached_pic": 1}},
			{"codec_type": "video", "width": 320, "height": 240, "avg_frame_rate": "0/0", "r_frame_rate": "25/1", "color_space": "unknown"}]}`,
			Probe{Size: image.Pt(320, 240), Rate: "25/1"}},
		"oblong pixels": {`{"streams": [{"codec_type": "video", "width": 720, "height": 576, "avg_frame_rate": "25/1", "sample_aspect_ratio": "64:45"}]}`,
			Probe{Size: image.Pt(1024, 576), Rate: "25/1"}},
	}
	for name, test := range tests {
		if got, err := parseProbe([]byte(test.text)); err != nil || got != test.want {
			t.Errorf("%s: %+v and %v, want %+v", name, got, err, test.want)
		}
	}
	for name, text := range map[string]string{
		"no JSON": `{`, "no streams": `{}`, "sound only": `{"streams": [{"codec_type": "audio"}]}`,
		"no rate": `{"streams": [{"codec_type": "video", "width": 8, "height": 8, "avg_frame_rate": "0/0", "r_frame_rate": "x"}]}`,
	} {
		if got, err := parseProbe([]byte(text)); err == nil {
			t.Errorf("%s: %+v, want an error", name, got)
		}
	}
}

func FuzzProbe(f *testing.F) {
	f.Add([]byte(`{"streams": [{"codec_type": "video", "width": 8, "height": 8, "avg_frame_rate": "25/1", "sample_aspect_ratio": "4:3", "side_data_list": [{"rotation": 90}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseProbe(data)
		if err == nil && (p.Size.X < 1 || p.Size.Y < 1 || !(rateOf(p.Rate) > 0)) {
			t.Errorf("%+v without an error", p)
		}
	})
}

func TestFramesAreInTheOrderOfTheirNumbers(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"f10.png", "f9.PNG", "f09.jpg", "f1.png", "notes.txt", ".f0.png"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "g.png"), 0o777); err != nil {
		t.Fatal(err)
	}
	files, err := FolderFrames(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	if want := []string{"f1.png", "f9.PNG", "f09.jpg", "f10.png"}; !slices.Equal(names, want) {
		t.Errorf("frames are %v, want %v", names, want)
	}
	if _, err := FolderFrames(t.TempDir()); err == nil {
		t.Error("an empty folder has frames")
	}
}

// pretend puts a program before others of its name, for the test. It notes its arguments.
func pretend(t *testing.T, name, script string) (notes string) {
	t.Helper()
	folder := t.TempDir()
	notes = filepath.Join(folder, "notes")
	text := "#!/bin/sh\nprintf '%s\\n' \"$@\" >>'" + notes + "'\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	return notes
}

func TestWhatFFmpegComplainsOfIsTold(t *testing.T) {
	pretend(t, "ffprobe", "echo 'moov atom not found' >&2; exit 1")
	film := filepath.Join(t.TempDir(), "broken.mp4")
	if err := os.WriteFile(film, []byte("no film"), 0o666); err != nil {
		t.Fatal(err)
	}
	pretend(t, "ffmpeg", "exit 0")
	if _, err := OpenSource(t.Context(), film, Excerpt{}); err == nil || !strings.Contains(err.Error(), "moov atom not found") || !strings.Contains(err.Error(), "broken.mp4") {
		t.Errorf("the error is %v, want the file and ffprobe's words", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := OpenSource(t.Context(), film, Excerpt{}); !errors.Is(err, ffmpeg.ErrMissing) {
		t.Errorf("without ffmpeg the error is %v", err)
	}
}

// Films of much light are brought down, and the filter's absence is told.
func TestLightIsBroughtDown(t *testing.T) {
	notes := pretend(t, "ffmpeg", "echo \"No such filter: 'zscale'\" >&2; exit 1")
	bright := Probe{Size: image.Pt(64, 48), Rate: "25/1", Matrix: "bt2020nc", Primaries: "bt2020", Transfer: "smpte2084"}
	_, err := Extract(t.Context(), "film.mp4", t.TempDir(), bright, image.Pt(32, 24), Excerpt{From: time.Second, To: 3 * time.Second})
	if err == nil || !strings.Contains(err.Error(), "zscale") || !strings.Contains(err.Error(), "smpte2084") {
		t.Errorf("the error is %v, want one that names the filter and the film's light", err)
	}
	arguments, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-ss\n1\n", "-t\n2\n", "tonemap", "scale=32:24", "file:film.mp4"} {
		if !strings.Contains(string(arguments), want) {
			t.Errorf("ffmpeg was called with %q, want %q in it", arguments, want)
		}
	}
	if w := bright.written(); w.Transfer != "bt709" || w.Matrix != "bt709" {
		t.Errorf("what is brought down is tagged %+v", w)
	}
}

func TestAnInterruptEndsFFmpeg(t *testing.T) {
	pretend(t, "ffmpeg", "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ffmpeg.Run(ctx, nil, "ffmpeg"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v, want the context's", err)
	}
}

// hasFFmpeg tells whether the real one is here, and says so where it isn't.
func hasFFmpeg(t *testing.T) bool {
	t.Helper()
	if err := ffmpeg.Find(); err != nil {
		t.Log("NOT TESTED with the real ffmpeg, which isn't installed")
		return false
	}
	return true
}

// filmed makes a film of frames with sound, of a rate.
func filmed(t *testing.T, frames []*picture.Picture, path string) {
	t.Helper()
	folder := t.TempDir()
	save(t, folder, frames)
	out, err := exec.Command("ffmpeg", "-loglevel", "error", "-framerate", "12", "-i", filepath.Join(folder, "%03d.png"),
		"-f", "lavfi", "-i", "sine=440:duration=2", "-vf", "scale=out_color_matrix=bt709,format=yuv420p", "-c:v", "mpeg4", "-q:v", "1", "-c:a", "aac",
		"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-shortest", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
}

// Frames go through a film and back with their number, rate, colours and sound.
func TestFilmsByTheRealFFmpeg(t *testing.T) {
	if !hasFFmpeg(t) {
		return
	}
	frames := shoot(before(true), 0, 6)
	film := filepath.Join(t.TempDir(), "-film with 100%.mp4")
	filmed(t, frames, film)
	source, err := OpenSource(t.Context(), film, Excerpt{})
	if err != nil {
		t.Fatal(err)
	}
	want := Probe{Size: image.Pt(testWidth, testHeight), Rate: "12/1", HasSound: true, Matrix: "bt709", Primaries: "bt709", Transfer: "bt709"}
	got := *source.Film
	if got.Duration = 0; got != want {
		t.Errorf("the film is %+v, want %+v", got, want)
	}
	folder := filepath.Join(t.TempDir(), "with 100%d [a]")
	files, err := source.Frames(t.Context(), folder, source.Size)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(frames) {
		t.Fatalf("%d frames, want %d", len(files), len(frames))
	}
	apart := func(a, b *picture.Picture) float64 {
		var sum float64
		for i, v := range a.RGB {
			sum += math.Abs(float64(v - b.RGB[i]))
		}
		return 255 * sum / float64(len(a.RGB))
	}
	for i, file := range files { // whose colours are shared by four pixels
		for channel, d := range meansApart(open(t, file), frames[i]) {
			if math.Abs(d) > 1.5 {
				t.Errorf("channel %d of frame %d is %.1f levels from what was filmed", channel, i+1, d)
			}
		}
	}
	for _, name := range []string{"made.mp4", "made.mov", "made.mkv", "made.webm", "made.gif"} {
		made := filepath.Join(t.TempDir(), name)
		if err := Assemble(t.Context(), made, files, source, folder); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := OpenSource(t.Context(), made, Excerpt{})
		if err != nil {
			t.Fatal(err)
		}
		gif := name == "made.gif" // which tells times in hundredths of a second, and has 256 colours
		if f := again.Film; rateOf(f.Rate) < 11.5 || rateOf(f.Rate) > 12.6 || f.HasSound == gif || !gif && f.Matrix != "bt709" || again.Size != source.Size {
			t.Errorf("%s is %+v", name, f)
		}
		back, err := again.Frames(t.Context(), t.TempDir(), source.Size)
		if err != nil {
			t.Fatal(err)
		}
		if len(back) != len(frames) {
			t.Errorf("%s has %d frames, want %d", name, len(back), len(frames))
			continue
		}
		if d := apart(open(t, back[3]), open(t, files[3])); d > 7 && !gif || d > 14 {
			t.Errorf("%s: a frame is %.1f levels from what was written", name, d)
		}
	}
}

// meansApart are the differences between the means of two pictures' channels, in levels.
func meansApart(a, b *picture.Picture) (means [3]float64) {
	for i, v := range a.RGB {
		means[i/plane] += 255 * float64(v-b.RGB[i]) / plane
	}
	return means
}

// Frames are taken from a film once, and again where another size or part is wanted.
func TestFramesAreTakenOnce(t *testing.T) {
	if !hasFFmpeg(t) {
		return
	}
	film, folder := filepath.Join(t.TempDir(), "film.mp4"), t.TempDir()
	filmed(t, shoot(before(true), 0, 8), film)
	take := func(e Excerpt, size image.Point) []string {
		source, err := OpenSource(t.Context(), film, e)
		if err != nil {
			t.Fatal(err)
		}
		files, err := source.Frames(t.Context(), folder, size)
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	all := take(Excerpt{}, image.Pt(64, 48))
	mark := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(all[0], mark, mark); err != nil {
		t.Fatal(err)
	}
	marked := func() bool {
		info, err := os.Stat(all[0])
		return err == nil && info.ModTime().Equal(mark)
	}
	if take(Excerpt{}, image.Pt(64, 48)); !marked() {
		t.Error("frames were taken again without need")
	}
	if got := take(Excerpt{From: 250 * time.Millisecond, To: 500 * time.Millisecond}, image.Pt(64, 48)); len(got) != 3 || marked() {
		t.Errorf("a quarter of a second has %d frames, want 3 that were taken anew", len(got))
	}
	if got := open(t, take(Excerpt{}, image.Pt(32, 24))[0]); got.Width != 32 {
		t.Errorf("frames are %d pixels wide, want 32", got.Width)
	}
}

func TestAJournalThatWasCutOffGoesOn(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "frames.jsonl")
	line, err := json.Marshal(entry{Key: "a", Picture: "b", Report: Report{Frame: 1, Flicker: 1.5}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(append(line, '\n'), line[:20]...), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		j, err := openJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		if e := j.entries[1]; e.Key != "a" || e.Flicker != 1.5 {
			t.Errorf("the first frame is %+v", e)
		}
		if err := j.add(entry{Key: "c", Report: Report{Frame: 2}}); err != nil {
			t.Fatal(err)
		}
		j.close()
	}
	j, err := openJournal(path)
	if err != nil || len(j.entries) != 2 || j.entries[2].Key != "c" {
		t.Errorf("entries are %+v, %v", j.entries, err)
	}
}
