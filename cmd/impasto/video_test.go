package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/internal/picture"
)

// smallFilm are settings of a film that takes a second or so.
var smallFilm = []string{
	"--size", "48", "--min-size", "32", "--first-iterations", "3", "--middle-iterations", "2", "--iterations", "3",
	"--frame-iterations", "2", "--frame-middle-iterations", "1",
	"--style-layers", "relu1_1,relu2_1", "--content-layers", "relu2_1", "--loss", "gram", "--threads", "1",
}

// writeFilm writes frames, in which a square moves before stripes, and a style to a folder.
func writeFilm(t *testing.T, folder string, count int) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(folder, "frames"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range count {
		p := &picture.Picture{Width: 48, Height: 36, RGB: make([]float32, 3*48*36)}
		for k := range p.RGB {
			x, y := k%48, k/48%36
			p.RGB[k] = float32((x/3+y/4)%3) / 2
			if x > 4+2*i && x < 18+2*i && y > 10 && y < 24 {
				p.RGB[k] = float32((2*x-4*i+3*y)%7) / 6
			}
		}
		if err := picture.Save(filepath.Join(folder, "frames", fmt.Sprintf("f%d.png", i+1)), p, picture.SaveOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	writePicture(t, filepath.Join(folder, "style.png"), 40, 40, 0.7)
}

// videoEvents are the objects that a run printed, by event.
func videoEvents(t *testing.T, stdout string) map[string][]map[string]any {
	t.Helper()
	events := map[string][]map[string]any{}
	lines := bufio.NewScanner(strings.NewReader(stdout))
	for lines.Scan() {
		var e map[string]any
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		name := e["event"].(string)
		events[name] = append(events[name], e)
	}
	return events
}

func TestVideoOfAFolder(t *testing.T) {
	folder := t.TempDir()
	writeFilm(t, folder, 4)
	run := func(args ...string) outcome {
		t.Helper()
		o := impasto(t, folder, append(append([]string{"video", "frames", "style.png", "-o", "painted", "--json", "--keep-frames"}, smallFilm...), args...)...)
		if o.status != 0 {
			t.Fatalf("status %d: %s", o.status, o.stderr)
		}
		return o
	}
	o := run()
	events := videoEvents(t, o.stdout)
	if n := len(events["frame"]); n != 4 {
		t.Fatalf("%d frames were told, want 4", n)
	}
	for i, e := range events["frame"] {
		if e["frame"] != float64(i+1) || e["frames"] != 4. || e["state"] != "painted" || e["cut"] != (i == 0) || (e["flicker"].(float64) > 0) != (i > 0) {
			t.Errorf("frame %d is %v", i+1, e)
		}
	}
	if s := events["summary"][0]; s["painted"] != 4. || s["shots"] != 1. || !(s["flicker"].(float64) > 0) || len(events["iteration"]) < 10 {
		t.Errorf("the summary is %v after %d iterations", s, len(events["iteration"]))
	}
	var first [][]byte
	for i := range 4 {
		file := filepath.Join(folder, "painted", fmt.Sprintf("f%d.png", i+1))
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first = append(first, data)
	}
	if s := videoEvents(t, run().stdout)["summary"][0]; s["reused"] != 4. {
		t.Errorf("another run is %v, want all frames reused", s)
	}
	if s := videoEvents(t, run("--temporal-weight", "3").stdout)["summary"][0]; s["painted"] != 4. {
		t.Errorf("a run of another weight is %v, want all frames painted", s)
	}
	last, err := os.ReadFile(filepath.Join(folder, "painted", "f4.png"))
	if err != nil || bytes.Equal(last, first[3]) {
		t.Errorf("with another weight the last frame is the same (%v)", err)
	}
}

// A folder beside the film holds what is made on the way, and goes in the end.
func TestVideoLeavesNothingElse(t *testing.T) {
	folder := t.TempDir()
	writeFilm(t, folder, 2)
	o := impasto(t, folder, append([]string{"video", "frames", "style.png", "-o", "painted"}, smallFilm...)...)
	if o.status != 0 || !strings.Contains(o.stderr, "wrote painted: 2 frames in 1 shot") {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"frames", "painted", "style.png"}; !slices.Equal(names, want) {
		t.Errorf("in the folder are %v, want %v", names, want)
	}
}

func TestVideoArgumentsThatWontDo(t *testing.T) {
	folder := t.TempDir()
	writeFilm(t, folder, 1)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no output":          {[]string{"frames", "style.png"}, "nowhere to write"},
		"no style":           {[]string{"frames", "-o", "painted"}, "at least one style"},
		"no film":            {[]string{"missing.mp4", "style.png", "-o", "painted"}, "missing.mp4"},
		"a picture as film":  {[]string{"frames", "style.png", "-o", "painted.jpg"}, ".mp4"},
		"onto the input":     {[]string{"frames", "style.png", "-o", "frames"}, "is the input"},
		"frames onto input":  {[]string{"frames", "style.png", "-o", "painted", "--frames-dir", "frames"}, "is an input"},
		"a time limit":       {[]string{"frames", "style.png", "-o", "painted", "--time-limit", "3s"}, "--time-limit"},
		"backward":           {[]string{"frames", "style.png", "-o", "painted", "--from", "3s", "--to", "2s"}, "before"},
		"times of a folder":  {[]string{"frames", "style.png", "-o", "painted", "--from", "1s"}, "a folder has no times"},
		"reach":              {[]string{"frames", "style.png", "-o", "painted", "--look-back", "3,1"}, "ascending"},
		"masks by a cluster": {[]string{"frames", "style.png", "-o", "painted", "--mask", "auto:2", "--cluster", "nats://localhost:1"}, "impasto masks"},
		"a standard stream":  {[]string{"-", "style.png", "-o", "painted"}, "standard stream"},
	} {
		o := impasto(t, folder, append([]string{"video"}, test.args...)...)
		if o.status == 0 || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%s: status %d, %q, want %q", name, o.status, o.stderr, test.want)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "painted")); err == nil {
		t.Error("something was made all the same")
	}
}

// Shots that a cluster paints make the same film.
func TestAClusterPaintsAFilmAsOneMachineDoes(t *testing.T) {
	folder := t.TempDir()
	writeFilm(t, folder, 3)
	for i := range 3 { // another shot
		p := &picture.Picture{Width: 48, Height: 36, RGB: make([]float32, 3*48*36)}
		for k := range p.RGB {
			p.RGB[k] = 0.3 * float32((k%48*5+k/48*11+i)%17) / 17
		}
		if err := picture.Save(filepath.Join(folder, "frames", fmt.Sprintf("f%d.png", 4+i)), p, picture.SaveOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	url := serveCluster(t, folder)
	worker := startWorker(t, folder, url)
	arguments := func(output string, more ...string) []string {
		return append(append([]string{"video", "frames", "style.png:2", "-o", output, "--json", "--keep-colors", "0.5"}, smallFilm...), more...)
	}
	alone := videoEvents(t, impasto(t, folder, arguments("alone")...).done(t).stdout)["summary"][0]
	together := videoEvents(t, impasto(t, folder, arguments("together", "--cluster="+url)...).done(t).stdout)["summary"][0]
	samePictures(t, filepath.Join(folder, "alone"), filepath.Join(folder, "together"), ".png", 6)
	if together["shots"] != 2. || together["flicker"] != alone["flicker"] || !strings.Contains(worker.text(), "has done together, frames 4 to 6") {
		t.Errorf("the film is %v, want that of one machine, %v; the worker says\n%s", together, alone, worker.text())
	}
	worker.stop()
	impasto(t, folder, arguments("together", "--cluster="+url)...).done(t) // which is there, without a worker
}

// Where there is no ffmpeg, a film is refused with how to get it, before any work.
func TestVideoWithoutFFmpeg(t *testing.T) {
	folder := t.TempDir()
	writeFilm(t, folder, 1)
	if err := os.WriteFile(filepath.Join(folder, "film.mp4"), []byte("film"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"film.mp4", "style.png", "-o", "painted"}, {"frames", "style.png", "-o", "painted.mp4"}} {
		cmd := program(t, folder, append([]string{"video"}, args...)...)
		cmd.Env = append(cmd.Env, "PATH="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "ffmpeg") || !strings.Contains(string(out), "install") {
			t.Errorf("%v: %v, %s", args, err, out)
		}
	}
}

// A film goes in and a film comes out, by the real ffmpeg where there is one.
func TestVideoOfAFilm(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Log("NOT TESTED, since ffmpeg isn't installed")
		return
	}
	folder := t.TempDir()
	writeFilm(t, folder, 4)
	made := exec.Command("ffmpeg", "-loglevel", "error", "-framerate", "8", "-i", "frames/f%d.png", "-f", "lavfi", "-i", "sine=duration=1",
		"-c:v", "mpeg4", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", "film.mp4")
	made.Dir = folder
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	o := impasto(t, folder, append([]string{"video", "film.mp4", "style.png", "-o", "painted.mp4"}, smallFilm...)...)
	if o.status != 0 {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	probe := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_type,width,height,r_frame_rate,nb_read_frames", "-of", "compact", "painted.mp4")
	probe.Dir = folder
	out, err := probe.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"codec_type=video|width=48|height=36|r_frame_rate=8/1|nb_read_frames=4", "codec_type=audio"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the film is %s, want %s", out, want)
		}
	}
}
