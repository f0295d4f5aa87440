// Strips paints the pictures of docs/controls.md: for each control, the harbour in the
// style of the whirl under several of its values, side by side with the values below.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
)

// strip is a control with the values that it is shown at.
type strip struct {
	name  string // of the file
	cells []cell
}

// cell is one picture of a strip.
type cell struct {
	label    string
	settings []settings.Assignment
}

// one is a strip of a setting by itself. The first value is the default where it is one
// of them.
func one(name string, values ...string) strip {
	s := strip{name: name}
	for _, value := range values {
		s.cells = append(s.cells, cell{value, []settings.Assignment{{Name: name, Text: value}}})
	}
	return s
}

var strips = []strip{
	one("style-scale", "0.35", "0.7", "1", "1.5", "2.5"),
	one("content-weight", "0", "0.01", "0.03", "0.1", "0.5"),
	one("loss", "gaussian", "gram", "moments", "sliced", "relaxed"),
	one("quality", "draft", "good", "best"),
	one("tv-weight", "0", "0.2", "2", "20"),
	one("noise", "0", "0.03", "0.1", "0.3"),
	one("start", "content", "style", "grey", "noise"),
	{"keep-colors", []cell{
		{"0", nil},
		{"0.5", []settings.Assignment{{Name: "keep-colors", Text: "0.5"}}},
		{"1, luminance", []settings.Assignment{{Name: "keep-colors", Text: "1"}}},
		{"1, distribution", []settings.Assignment{{Name: "keep-colors", Text: "1"}, {Name: "color-method", Text: "distribution"}}},
	}},
	one("style-layers", "relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
	one("content-layers", "relu2_2", "relu3_2", "relu4_2", "relu5_2"),
	one("pooling", "max", "avg", "l2"),
}

// The measures of a strip in pixels, and the most that its file takes.
const (
	side      = 160
	gap       = 6
	labelLine = 22
	mostBytes = 40_000
)

func main() {
	folder := flag.String("o", "docs/images/controls", "the folder to write the strips to")
	flag.Parse()
	if err := run(context.Background(), *folder, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "strips:", err)
		os.Exit(1)
	}
}

// run makes the strips that are named, or all.
func run(ctx context.Context, folder string, named []string) error {
	content, err := picture.OpenSource(ctx, filepath.Join("examples", "harbour.png"))
	if err != nil {
		return err
	}
	style, err := picture.OpenSource(ctx, filepath.Join("examples", "whirl.jpg"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for _, s := range strips {
		if len(named) > 0 && !slices.Contains(named, s.name) {
			continue
		}
		var pictures []image.Image
		for _, c := range s.cells {
			painted, err := c.paint(ctx, content, style)
			if err != nil {
				return fmt.Errorf("%s %s: %w", s.name, c.label, err)
			}
			pictures = append(pictures, painted)
		}
		data, err := s.draw(pictures)
		if err != nil {
			return err
		}
		path := filepath.Join(folder, s.name+".jpg")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d pictures, %d bytes\n", path, len(pictures), len(data))
	}
	return nil
}

// chosen are the settings of a cell's picture.
func (c cell) chosen() (settings.Stylization, error) {
	s := settings.Default()
	list := []settings.Assignment{{Name: "size", Text: fmt.Sprint(side)}, {Name: "quality", Text: "draft"}}
	list = slices.DeleteFunc(list, func(a settings.Assignment) bool {
		return slices.ContainsFunc(c.settings, func(own settings.Assignment) bool { return own.Name == a.Name })
	})
	given, err := s.SetBeneath(append(list, c.settings...), func(string) bool { return false })
	if err != nil {
		return s, err
	}
	if err := s.Settle(given); err != nil {
		return s, err
	}
	return s, s.Check()
}

// paint makes the picture of a cell.
func (c cell) paint(ctx context.Context, content, style image.Image) (image.Image, error) {
	s, err := c.chosen()
	if err != nil {
		return nil, err
	}
	o, err := s.Open(ctx, nil)
	if err != nil {
		return nil, err
	}
	result, err := model.Stylize(ctx, content, []model.Style{{Image: style, Weight: 1}}, o)
	if err != nil {
		return nil, err
	}
	return result.Image, nil
}

// draw puts pictures of one size side by side with their labels below, as a JPEG of the
// best quality that fits.
func (s strip) draw(pictures []image.Image) ([]byte, error) {
	size := pictures[0].Bounds().Size()
	canvas := image.NewRGBA(image.Rect(0, 0, len(pictures)*(size.X+gap)-gap, size.Y+labelLine))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 14, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, err
	}
	for i, p := range pictures {
		left := i * (size.X + gap)
		draw.Draw(canvas, image.Rect(left, 0, left+size.X, size.Y), p, p.Bounds().Min, draw.Src)
		pen := font.Drawer{Dst: canvas, Src: image.NewUniform(color.Gray{0x22}), Face: face}
		label := s.cells[i].label
		pen.Dot = fixed.P(left+(size.X-font.MeasureString(face, label).Ceil())/2, size.Y+labelLine-6)
		pen.DrawString(label)
	}
	for quality := 92; ; quality -= 2 {
		var data bytes.Buffer
		if err := jpeg.Encode(&data, canvas, &jpeg.Options{Quality: quality}); err != nil {
			return nil, err
		}
		if data.Len() <= mostBytes || quality <= 50 {
			return data.Bytes(), nil
		}
	}
}
