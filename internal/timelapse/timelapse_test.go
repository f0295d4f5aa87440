package timelapse

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// still is a picture of a smooth colour that goes with time.
func still(width, height int, time float64) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / width), uint8(255 * y / height), uint8(255 * time), 255})
		}
	}
	return img
}

const frameCount, frameWidth, frameHeight = 5, 64, 48

// recorded is a film of pictures that grow.
func recorded(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := Check(path); err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{Path: path, Frames: frameCount, Width: frameWidth, Height: frameHeight})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i := range frameCount {
		if err := r.Add(still(20*(i+1), 15*(i+1), float64(i)/(frameCount-1))); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	return path
}

// far is the mean difference of the colours of a frame from what it shows.
func far(img image.Image, time float64) float64 {
	want := still(frameWidth, frameHeight, time)
	sum := 0.
	for y := range frameHeight {
		for x := range frameWidth {
			got, c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA), want.NRGBAAt(x, y)
			sum += math.Abs(float64(got.R)-float64(c.R)) + math.Abs(float64(got.G)-float64(c.G)) + math.Abs(float64(got.B)-float64(c.B))
		}
	}
	return sum / (3 * frameWidth * frameHeight)
}

func TestGIFsShowTheFrames(t *testing.T) {
	file, err := os.ReadFile(recorded(t, "film.gif"))
	if err != nil {
		t.Fatal(err)
	}
	film, err := gif.DecodeAll(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(film.Delay, []int{4, 4, 4, 4, 200}) || film.LoopCount != 0 {
		t.Errorf("delays %v, %d loops", film.Delay, film.LoopCount)
	}
	for i, frame := range film.Image {
		if frame.Rect != image.Rect(0, 0, frameWidth, frameHeight) {
			t.Errorf("frame %d is %v", i, frame.Rect)
		}
		if d := far(frame, float64(i)/(frameCount-1)); d > 16 {
			t.Errorf("frame %d is off by %.1f levels", i, d)
		}
	}
}

func TestAnimatedPNGsShowTheFrames(t *testing.T) {
	file, err := os.ReadFile(recorded(t, "film.png"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := png.Decode(bytes.NewReader(file)) // which knows nothing of animations
	if err != nil {
		t.Fatal(err)
	}
	if d := far(first, 0); d > 5 {
		t.Errorf("as a still picture it is off by %.1f levels", d)
	}
	chunks, err := chunksOf(file)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	var delays []uint16
	var pixels [][]byte // of each frame
	sequence := uint32(0)
	next := func(c chunk) {
		if got := binary.BigEndian.Uint32(c.data); got != sequence {
			t.Errorf("%s has the number %d, want %d", c.kind, got, sequence)
		}
		sequence++
	}
	for _, c := range chunks {
		kinds = append(kinds, c.kind)
		switch c.kind {
		case "fcTL":
			next(c)
			if w, h := binary.BigEndian.Uint32(c.data[4:]), binary.BigEndian.Uint32(c.data[8:]); w != frameWidth || h != frameHeight || len(c.data) != 26 {
				t.Errorf("a frame of %d×%d in %d bytes", w, h, len(c.data))
			}
			delays, pixels = append(delays, binary.BigEndian.Uint16(c.data[20:])), append(pixels, nil)
		case "fdAT":
			next(c)
			pixels[len(pixels)-1] = append(pixels[len(pixels)-1], c.data[4:]...)
		case "IDAT":
			pixels[len(pixels)-1] = append(pixels[len(pixels)-1], c.data...)
		case "acTL":
			if n := binary.BigEndian.Uint32(c.data); n != frameCount {
				t.Errorf("%d frames", n)
			}
		}
	}
	if !slices.Equal(kinds[:5], []string{"IHDR", "acTL", "sRGB", "fcTL", "IDAT"}) || kinds[len(kinds)-1] != "IEND" {
		t.Errorf("chunks %v", kinds)
	}
	if !slices.Equal(delays, []uint16{40, 40, 40, 40, 2000}) {
		t.Errorf("delays %v", delays)
	}
	for i, data := range pixels {
		var alone bytes.Buffer
		alone.WriteString(pngSignature)
		for _, c := range []chunk{chunks[0], {"IDAT", data}, {"IEND", nil}} {
			if err := writeChunk(&alone, c.kind, c.data); err != nil {
				t.Fatal(err)
			}
		}
		img, err := png.Decode(&alone)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if d := far(img, float64(i)/(frameCount-1)); d > 5 {
			t.Errorf("frame %d is off by %.1f levels", i, d)
		}
	}
}

// TestVideosAreMadeByFFmpeg has a program of that name which counts what it is given.
func TestVideosAreMadeByFFmpeg(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no shell scripts")
	}
	folder := t.TempDir()
	script := "#!/bin/sh\nfor last; do :; done\nbytes=$(wc -c)\necho \"$bytes $*\" >\"$last\"\n"
	if err := os.WriteFile(filepath.Join(folder, "ffmpeg"), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, name := range []string{"film.mp4", "film.webm"} {
		file, err := os.ReadFile(recorded(t, name))
		if err != nil {
			t.Fatal(err)
		}
		bytes, arguments, _ := strings.Cut(strings.TrimSpace(string(file)), " ")
		if want := 3 * frameWidth * frameHeight * (frameCount + lastSeconds*rate - 1); bytes != strconv.Itoa(want) {
			t.Errorf("%s: ffmpeg got %s bytes, want %d", name, bytes, want)
		}
		if !strings.Contains(arguments, "-video_size 64x48") {
			t.Errorf("%s: ffmpeg was called with %s", name, arguments)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "ffmpeg"), []byte("#!/bin/sh\necho unknown encoder >&2\nexit 3\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{Path: filepath.Join(folder, "film.mp4"), Frames: 2, Width: 640, Height: 480})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Add(still(10, 10, 0)); err != nil {
		t.Fatal(err)
	}
	if err := r.Save(); err == nil || !strings.Contains(err.Error(), "unknown encoder") {
		t.Errorf("error is %v, want ffmpeg's own words", err)
	}
}

// TestVideosByTheRealFFmpeg runs where there is one.
func TestVideosByTheRealFFmpeg(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Log("no ffmpeg here; TestVideosAreMadeByFFmpeg has one of its own")
		return
	}
	for _, name := range []string{"film.mp4", "film.webm"} {
		if info, err := os.Stat(recorded(t, name)); err != nil || info.Size() < 500 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestFilmsThatCannotBeMadeAreRefused(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for path, want := range map[string]string{
		"film.avi":                          `".avi"`,
		"film":                              `""`,
		filepath.Join("none", "film.gif"):   "does not exist",
		filepath.Join(t.TempDir(), "a.mp4"): "isn't installed",
	} {
		if err := Check(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want one with %q", path, err, want)
		}
	}
	if _, err := New(Options{Path: "film.gif", Frames: 1, Width: 9, Height: 9}); err == nil {
		t.Error("a film of one frame was begun")
	}
}

func TestFramesAreSpacedEvenly(t *testing.T) {
	r, err := New(Options{Path: "film.gif", Frames: 5, Width: 2, Height: 2})
	if err != nil {
		t.Fatal(err)
	}
	name := r.frames.file.Name()
	var at []int
	for i := range 1001 {
		if r.Due(float64(i) / 1000) {
			at = append(at, i)
			if err := r.Add(still(4, 4, 0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.Equal(at, []int{0, 250, 500, 750}) { // the last is the result
		t.Errorf("frames at %v thousandths", at)
	}
	r.Close()
	if _, err := os.Stat(name); err == nil {
		t.Error("the frames are still there")
	}
}

func TestThresholdsOfThePatternAreAllThere(t *testing.T) {
	var all []float64
	for _, row := range bayer {
		all = append(all, row[:]...)
	}
	slices.Sort(all)
	for i, v := range all {
		if v != float64(i) {
			t.Fatalf("thresholds are %v", all)
		}
	}
}
