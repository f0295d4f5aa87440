// Package timelapse makes a short film of how a picture was painted: an animated GIF or PNG
// by itself, and MP4 and WebM by ffmpeg where that is installed.
package timelapse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"impasto/internal/atomicfile"
	"impasto/internal/ffmpeg"
	"impasto/internal/picture"
)

// Options say what a film is like.
type Options struct {
	// Path is the file, by whose extension the format goes: .gif, .png or .apng, .mp4 or
	// .webm.
	Path string
	// Frames is how many pictures the film has, 2 or more.
	Frames int
	// Width and Height are those of every frame, in pixels.
	Width, Height int
}

const (
	rate = 25 // frames a second
	// lastSeconds is how long the last frame stands.
	lastSeconds = 2
)

// format is a kind of file that a film can be.
type format struct {
	extensions []string
	codec      []string // ffmpeg's settings; none where it isn't needed
	encode     func(w io.Writer, f *frames) error
}

var formats = []format{
	{extensions: []string{".gif"}, encode: encodeGIF},
	{extensions: []string{".png", ".apng"}, encode: encodeAPNG},
	{extensions: []string{".mp4"}, codec: []string{"-c:v", "libx264", "-crf", "18", "-preset", "slow", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4"}},
	{extensions: []string{".webm"}, codec: []string{"-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0", "-pix_fmt", "yuv420p", "-f", "webm"}},
}

func formatOf(path string) (format, bool) {
	extension := strings.ToLower(filepath.Ext(path))
	for _, f := range formats {
		for _, e := range f.extensions {
			if e == extension {
				return f, true
			}
		}
	}
	return format{}, false
}

// Check reports, before any work, a film that can't be made: of no known format, of one
// that needs ffmpeg where there is none, or where the file can't be written.
func Check(path string) error {
	f, ok := formatOf(path)
	if !ok {
		return fmt.Errorf("can't write %q; want .gif, .png, .apng, .mp4 or .webm", filepath.Ext(path))
	}
	if f.encode == nil {
		if _, err := exec.LookPath("ffmpeg"); err != nil {
			return fmt.Errorf("%s is made by ffmpeg, which isn't installed (it comes as the package ffmpeg, from ffmpeg.org or by brew and winget); .gif and .png need nothing", filepath.Ext(path))
		}
	}
	return atomicfile.Check(path)
}

// Recorder collects frames while a picture is painted. They are kept in a temporary file,
// three bytes a pixel.
type Recorder struct {
	options Options
	frames  *frames
}

// frames are pictures of one size in a file, one after the other.
type frames struct {
	file          *os.File
	width, height int
	count         int
}

// New prepares to record. Close it in the end.
func New(o Options) (*Recorder, error) {
	if o.Frames < 2 || o.Width < 1 || o.Height < 1 {
		return nil, fmt.Errorf("timelapse: %d frames of %d×%d pixels, want 2 or more of 1×1 or more", o.Frames, o.Width, o.Height)
	}
	if f, _ := formatOf(o.Path); f.encode == nil { // videos share colours by two pixels
		o.Width, o.Height = max(2, o.Width/2*2), max(2, o.Height/2*2)
	}
	file, err := os.CreateTemp("", "impasto-frames-*")
	if err != nil {
		return nil, fmt.Errorf("timelapse: %w", err)
	}
	return &Recorder{o, &frames{file: file, width: o.Width, height: o.Height}}, nil
}

// Close removes the frames.
func (r *Recorder) Close() {
	r.frames.file.Close()
	os.Remove(r.frames.file.Name()) // what stays is in the folder for temporary files
}

// Due tells whether a picture is to be recorded when so much is done, from 0 to 1: frames
// are spaced evenly in that, the first at once.
func (r *Recorder) Due(done float64) bool {
	return r.frames.count < r.options.Frames-1 && done*float64(r.options.Frames-1) >= float64(r.frames.count)
}

// Add records a picture, brought to the size of the frames.
func (r *Recorder) Add(img image.Image) error {
	f := r.frames
	resized, err := picture.ResizedTo(context.Background(), img, picture.ResizeOptions{Filter: picture.Lanczos, OnWhite: true}, f.width, f.height)
	if err != nil {
		return fmt.Errorf("timelapse: %w", err)
	}
	n := f.width * f.height
	data := make([]byte, 3*n)
	for i := range n {
		for c := range 3 {
			data[3*i+c] = uint8(math.Round(255 * float64(min(max(resized.RGB[c*n+i], 0), 1))))
		}
	}
	if _, err := f.file.WriteAt(data, int64(f.count)*int64(len(data))); err != nil {
		return fmt.Errorf("timelapse: keep a frame: %w", err)
	}
	f.count++
	return nil
}

// read reads a frame: three bytes a pixel, row by row.
func (f *frames) read(index int, data []byte) error {
	_, err := f.file.ReadAt(data, int64(index)*int64(len(data)))
	return err
}

// bytes is what a frame takes.
func (f *frames) bytes() int { return 3 * f.width * f.height }

// Save writes the film of what was recorded. It appears whole or not at all.
func (r *Recorder) Save() error {
	if r.frames.count == 0 {
		return errors.New("timelapse: no frame was recorded")
	}
	f, ok := formatOf(r.options.Path)
	if !ok {
		return fmt.Errorf("timelapse: no format for %s", r.options.Path)
	}
	encode := f.encode
	if encode == nil {
		encode = func(w io.Writer, frames *frames) error { return encodeVideo(w, frames, f.codec) }
	}
	err := atomicfile.Write(r.options.Path, func(w io.Writer) error { return encode(w, r.frames) })
	if err != nil {
		return fmt.Errorf("timelapse: save %s: %w", r.options.Path, err)
	}
	return nil
}

// encodeVideo has ffmpeg make a film, in a file of its own since it goes back and forth in
// that.
func encodeVideo(w io.Writer, f *frames, codec []string) error {
	folder, err := os.MkdirTemp("", "impasto-film-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	film := filepath.Join(folder, "film")
	arguments := append([]string{
		"-hide_banner", "-loglevel", "error", "-nostdin", "-y",
		"-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", fmt.Sprintf("%dx%d", f.width, f.height), "-framerate", fmt.Sprint(rate), "-i", "-",
		"-an", "-vf", "scale=out_color_matrix=bt709:out_range=tv", "-color_primaries", "bt709", "-color_trc", "iec61966-2-1", "-colorspace", "bt709",
	}, codec...)
	feed := func(in io.Writer) error { return feed(in, f) }
	if _, err := ffmpeg.Run(context.Background(), feed, "ffmpeg", append(arguments, film)...); err != nil {
		return err
	}
	made, err := os.Open(film)
	if err != nil {
		return err
	}
	defer made.Close()
	_, err = io.Copy(w, made)
	return err
}

// feed writes all frames, the last several times.
func feed(in io.Writer, f *frames) error {
	out, data := bufio.NewWriterSize(in, 1<<20), make([]byte, f.bytes())
	for i := range f.count + lastSeconds*rate - 1 {
		if i < f.count {
			if err := f.read(i, data); err != nil {
				return err
			}
		}
		if _, err := out.Write(data); err != nil {
			return err
		}
	}
	return out.Flush()
}
