package video

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"impasto/internal/atomicfile"
	"impasto/internal/ffmpeg"
	"impasto/internal/quote"
)

// Probe is what ffprobe says of a film.
type Probe struct {
	Size image.Point // of frames as they are shown, in pixels
	// Rate is how many frames there are a second, as ffmpeg writes it, such as 30000/1001.
	Rate     string
	Duration time.Duration // 0 where it isn't known
	HasSound bool
	// Matrix, Primaries and Transfer are tags of its colours; empty where they aren't known.
	Matrix, Primaries, Transfer string
}

// probed is what is read of ffprobe's output.
type probed struct {
	Streams []struct {
		Kind      string `json:"codec_type"`
		Width     int    `json:"width"`
		Height    int    `json:"height"`
		Average   string `json:"avg_frame_rate"`
		Rate      string `json:"r_frame_rate"`
		Matrix    string `json:"color_space"`
		Primaries string `json:"color_primaries"`
		Transfer  string `json:"color_transfer"`
		AspectOf  string `json:"sample_aspect_ratio"`
		Attached  struct {
			Picture int `json:"attached_pic"`
		} `json:"disposition"`
		SideData []struct {
			Rotation float64 `json:"rotation"`
		} `json:"side_data_list"`
	} `json:"streams"`
	Format struct {
		Duration string `json:"duration"`
	} `json:"format"`
}

// ProbeFilm asks ffprobe about a film.
func ProbeFilm(ctx context.Context, path string) (Probe, error) {
	out, err := ffmpeg.Run(ctx, nil, "ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", "--", fileName(path))
	if err != nil {
		return Probe{}, fmt.Errorf("video: %s: %w", quote.Name(path), err)
	}
	p, err := parseProbe(out)
	if err != nil {
		return Probe{}, fmt.Errorf("video: %s: %w", quote.Name(path), err)
	}
	return p, nil
}

func parseProbe(data []byte) (Probe, error) {
	var all probed
	if err := json.Unmarshal(data, &all); err != nil {
		return Probe{}, fmt.Errorf("what ffprobe says isn't understood: %w", err)
	}
	var p Probe
	for _, s := range all.Streams {
		switch {
		case s.Kind == "audio":
			p.HasSound = true
		case s.Kind == "video" && s.Attached.Picture == 0 && p.Size == image.Point{}:
			p.Size = image.Pt(s.Width, s.Height)
			for _, data := range s.SideData {
				if quarter := int(data.Rotation) / 90 % 2; quarter != 0 {
					p.Size = image.Pt(s.Height, s.Width)
				}
			}
			p.Size = stretched(p.Size, s.AspectOf)
			p.Rate = s.Average
			if rateOf(p.Rate) <= 0 {
				p.Rate = s.Rate
			}
			p.Matrix, p.Primaries, p.Transfer = known(s.Matrix), known(s.Primaries), known(s.Transfer)
		}
	}
	if p.Size.X < 1 || p.Size.Y < 1 {
		return p, errors.New("there are no moving pictures in it")
	}
	if rateOf(p.Rate) <= 0 {
		return p, fmt.Errorf("it has %q frames a second", p.Rate)
	}
	if seconds, err := strconv.ParseFloat(all.Format.Duration, 64); err == nil {
		p.Duration = time.Duration(seconds * float64(time.Second))
	}
	return p, nil
}

// known is a tag, or empty where it says nothing.
func known(tag string) string {
	switch tag {
	case "unknown", "unspecified", "reserved":
		return ""
	}
	return tag
}

// stretched is a size once pixels are made square, given their shape such as 4:3.
func stretched(size image.Point, aspect string) image.Point {
	across, down, ok := strings.Cut(aspect, ":")
	a, errA := strconv.Atoi(across)
	d, errD := strconv.Atoi(down)
	if !ok || errA != nil || errD != nil || a < 1 || d < 1 {
		return size
	}
	return image.Pt(max(1, (size.X*a+d/2)/d), size.Y)
}

// rateOf is a rate such as 30000/1001 as a number, 0 where it is none.
func rateOf(rate string) float64 {
	above, below, ok := strings.Cut(rate, "/")
	a, err := strconv.ParseFloat(above, 64)
	if !ok {
		below = "1"
	}
	b, errB := strconv.ParseFloat(below, 64)
	if err != nil || errB != nil || b == 0 {
		return 0
	}
	return a / b
}

// isHDR tells whether the film's values stand for more light than a screen of the usual kind
// has.
func (p Probe) isHDR() bool { return p.Transfer == "smpte2084" || p.Transfer == "arib-std-b67" }

// written is what a film that is made of frames is tagged as: as this one, but for light that
// Extract brings down.
func (p Probe) written() Probe {
	if p.isHDR() {
		p.Matrix, p.Primaries, p.Transfer = "bt709", "bt709", "bt709"
	}
	return p
}

// filter is ffmpeg's, which makes RGB of a size of the film's frames.
func (p Probe) filter(size image.Point) string {
	scale := fmt.Sprintf("scale=%d:%d:flags=lanczos+accurate_rnd+full_chroma_int", size.X, size.Y)
	// Frames are painted as they are shown, so their files say sRGB, whatever the film's tags are.
	const tags = ",format=rgb24,setparams=color_primaries=bt709:color_trc=iec61966-2-1"
	if p.isHDR() { // to linear light, down to what a screen has, and to its colours
		return "zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,tonemap=hable:desat=0," +
			"zscale=transfer=bt709:matrix=gbr:range=full,format=gbrp," + scale + tags
	}
	return scale + ":in_color_matrix=" + p.matrix() + tags
}

// matrix is what turns the film's colours into RGB. A film that doesn't say has that of its
// size, as players assume.
func (p Probe) matrix() string {
	switch {
	case p.Matrix != "" && p.Matrix != "gbr":
		return p.Matrix
	case p.Size.Y >= 720 || p.Size.X >= 1280:
		return "bt709"
	}
	return "smpte170m"
}

// Excerpt is a part of a film, in time; its To is 0 for the end.
type Excerpt struct{ From, To time.Duration }

// arguments are ffmpeg's, before the input.
func (e Excerpt) arguments() []string {
	var all []string
	if e.From > 0 {
		all = append(all, "-ss", fmt.Sprint(e.From.Seconds()))
	}
	if e.To > 0 {
		all = append(all, "-t", fmt.Sprint((e.To - e.From).Seconds()))
	}
	return all
}

// Extract writes the frames of a film to a folder as 000001.png and so on, upright, in RGB, and
// scaled to a size, and returns their files. Each stands for the same time: of a film whose
// rate varies some are left out or doubled.
func Extract(ctx context.Context, path, folder string, p Probe, size image.Point, e Excerpt) ([]string, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	arguments := append([]string{"-hide_banner", "-loglevel", "error", "-nostdin", "-y"}, e.arguments()...)
	arguments = append(arguments, "-i", fileName(path), "-map", "0:V:0", "-vf", "fps="+p.Rate+","+p.filter(size),
		"-compression_level", "1", "-f", "image2", filepath.Join(strings.ReplaceAll(folder, "%", "%%"), "%06d.png"))
	if _, err := ffmpeg.Run(ctx, nil, "ffmpeg", arguments...); err != nil {
		if p.isHDR() && strings.Contains(err.Error(), "zscale") {
			err = fmt.Errorf("its light (%s) is brought down by ffmpeg's filter zscale, which this ffmpeg hasn't got: %w", p.Transfer, err)
		}
		return nil, fmt.Errorf("video: take the frames of %s: %w", quote.Name(path), err)
	}
	files, err := filepath.Glob(filepath.Join(escapeGlob(folder), "*.png"))
	if err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("video: there are no frames in that part of %s", quote.Name(path))
	}
	slices.Sort(files)
	return files, nil
}

// escapeGlob has a path stand for itself in a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path)
}

// container is a kind of film that can be written.
type container struct {
	extensions []string
	format     string
	video      [][]string // encoders with their settings, the best first
	sound      string     // the encoder for sound that the container doesn't take as it is; empty for no sound
	options    []string
	filter     string // of its own, instead of one that makes video of RGB
}

var h264 = [][]string{
	{"libx264", "-crf", "16", "-preset", "slow"},
	{"libopenh264", "-b:v", "12M"},
	{"h264_videotoolbox", "-b:v", "12M"},
	{"h264_mf", "-b:v", "12M"},
	{"mpeg4", "-q:v", "2"},
}

var containers = []container{
	{[]string{".mp4", ".m4v"}, "mp4", h264, "aac", []string{"-movflags", "+faststart"}, ""},
	{[]string{".mov"}, "mov", h264, "aac", []string{"-movflags", "+faststart"}, ""},
	{[]string{".mkv"}, "matroska", h264, "aac", nil, ""},
	{[]string{".webm"}, "webm", [][]string{{"libvpx-vp9", "-crf", "20", "-b:v", "0", "-row-mt", "1"}, {"libsvtav1", "-crf", "22"}, {"libaom-av1", "-crf", "22", "-cpu-used", "6"}}, "libopus", nil, ""},
	// One palette for all frames, and a pattern that stands still where they do.
	{[]string{".gif"}, "gif", [][]string{{"gif"}}, "", nil, "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=bayer:bayer_scale=3"},
}

// containerOf is that of a file's extension.
func containerOf(path string) (container, bool) {
	extension := strings.ToLower(filepath.Ext(path))
	i := slices.IndexFunc(containers, func(c container) bool { return slices.Contains(c.extensions, extension) })
	if i < 0 {
		return container{}, false
	}
	return containers[i], true
}

// IsFilm tells whether a file of that name can be written as a film.
func IsFilm(path string) bool {
	_, ok := containerOf(path)
	return ok
}

// Extensions are those of films that can be written.
func Extensions() []string {
	var all []string
	for _, c := range containers {
		all = append(all, c.extensions...)
	}
	return all
}

// encoder is the best one of a container that this ffmpeg has.
func (c container) encoder(ctx context.Context) ([]string, error) {
	out, err := ffmpeg.Run(ctx, nil, "ffmpeg", "-hide_banner", "-loglevel", "error", "-encoders")
	if err != nil {
		return nil, err
	}
	var wanted []string
	for _, encoder := range c.video {
		for line := range strings.Lines(string(out)) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[1] == encoder[0] {
				return append([]string{"-c:v"}, encoder...), nil
			}
		}
		wanted = append(wanted, encoder[0])
	}
	return nil, fmt.Errorf("this ffmpeg has none of the encoders %s", strings.Join(wanted, ", "))
}

// Assemble makes a film of frames, with the sound, rate and tags of the one that they are of;
// those of a folder are shown 25 a second. Of a side with an odd number of pixels the last one
// is left out, since films share colours by two. The film is made in a folder, and then appears
// whole or not at all.
func Assemble(ctx context.Context, path string, frames []string, from Source, folder string) error {
	c, ok := containerOf(path)
	if !ok {
		return fmt.Errorf("video: can't write %q; want one of %s", filepath.Ext(path), strings.Join(Extensions(), ", "))
	}
	encoder, err := c.encoder(ctx)
	if err != nil {
		return fmt.Errorf("video: write %s: %w", quote.Name(path), err)
	}
	made := filepath.Join(folder, "film"+filepath.Ext(path))
	defer os.Remove(made)
	p := Probe{Rate: folderRate, Size: from.Size}
	if from.Film != nil {
		p = from.Film.written()
	}
	arguments := func(sound string) []string {
		all := []string{"-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-f", "image2pipe", "-framerate", p.Rate, "-c:v", "png", "-i", "-"}
		if from.Film != nil && c.sound != "" {
			all = append(append(all, from.Excerpt.arguments()...), "-i", fileName(from.Path), "-map", "0:v", "-map", "1:a?", "-map_metadata", "1", "-map_chapters", "1", "-c:a", sound)
		}
		if c.filter != "" {
			return append(append(all, "-filter_complex", c.filter), "-f", c.format, made)
		}
		all = append(all, "-vf", fmt.Sprintf("scale=out_color_matrix=%s:out_range=tv:flags=lanczos+accurate_rnd+full_chroma_int,crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,format=yuv420p", p.matrix()))
		all = append(append(all, encoder...), c.options...)
		all = append(all, "-r", p.Rate, "-colorspace", p.matrix(), "-color_range", "tv")
		if p.Primaries != "" {
			all = append(all, "-color_primaries", p.Primaries)
		}
		if p.Transfer != "" {
			all = append(all, "-color_trc", p.Transfer)
		}
		return append(all, "-f", c.format, made)
	}
	feed := func(w io.Writer) error { return concatenate(w, frames) }
	_, err = ffmpeg.Run(ctx, feed, "ffmpeg", arguments("copy")...)
	if err != nil && p.HasSound && ctx.Err() == nil { // the container may not take the sound as it is
		_, err = ffmpeg.Run(ctx, feed, "ffmpeg", arguments(c.sound)...)
	}
	if err != nil {
		return fmt.Errorf("video: write %s: %w", quote.Name(path), err)
	}
	if err := atomicfile.Copy(path, made); err != nil {
		return fmt.Errorf("video: write %s: %w", quote.Name(path), err)
	}
	return nil
}

// folderRate is how many frames of a folder are shown a second.
const folderRate = "25"

// concatenate writes files one after the other.
func concatenate(w io.Writer, files []string) error {
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, file)
		file.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckOutput tells before any work whether a film could be written to path.
func CheckOutput(path string) error {
	if err := atomicfile.Check(path); err != nil {
		return fmt.Errorf("video: save %s: %w", quote.Name(path), err)
	}
	return nil
}

// fileName is a path that no program takes for an option or an address.
func fileName(path string) string {
	if filepath.IsAbs(path) {
		return "file:" + path
	}
	return "file:" + filepath.Join(".", path)
}
