package report

import (
	"image"
	"image/color"
	"strings"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// faces are the type that a sheet is set in.
type faces struct{ title, name, note font.Face }

func newFaces() (faces, error) {
	var f faces
	for _, each := range []struct {
		face *font.Face
		data []byte
		size float64
	}{{&f.title, gobold.TTF, titleSize}, {&f.name, gobold.TTF, nameSize}, {&f.note, goregular.TTF, noteSize}} {
		parsed, err := opentype.Parse(each.data)
		if err != nil {
			return f, err
		}
		if *each.face, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: each.size, DPI: 72, Hinting: font.HintingFull}); err != nil {
			return f, err
		}
	}
	return f, nil
}

// text writes a line.
func (s *sheet) text(face font.Face, c color.Color, baseline image.Point, line string) {
	d := font.Drawer{Dst: s.canvas, Src: image.NewUniform(c), Face: face, Dot: fixed.P(baseline.X, baseline.Y)}
	d.DrawString(line)
}

// lines writes lines below each other and returns the baseline of the next one.
func (s *sheet) lines(face font.Face, c color.Color, baseline image.Point, step int, lines []string) image.Point {
	for _, line := range lines {
		s.text(face, c, baseline, line)
		baseline.Y += step
	}
	return baseline
}

func measure(face font.Face, text string) int { return font.MeasureString(face, text).Ceil() }

// widest is the width of the widest line.
func widest(face font.Face, lines []string) int {
	width := 0
	for _, line := range lines {
		width = max(width, measure(face, line))
	}
	return width
}

// wrap breaks text into lines of a width, so many at most: after spaces, else
// after punctuation, else anywhere. The last one says by an ellipsis where there
// is more.
func wrap(face font.Face, text string, width, most int) []string {
	var lines []string
	rest := strings.Join(strings.Fields(text), " ")
	for rest != "" {
		line := rest
		if measure(face, rest) > width {
			line = rest[:breakAt(face, rest, width)]
		}
		if len(lines) == most-1 && line != rest {
			return append(lines, ellipsis(face, rest, width))
		}
		lines = append(lines, strings.TrimRight(line, " "))
		rest = strings.TrimLeft(rest[len(line):], " ")
	}
	return lines
}

// breakers are what a text is broken behind, the best first.
var breakers = []string{" ", ",;/", ":_-=."}

// breakAt is where a text that is too wide is broken: one letter at least is left.
func breakAt(face font.Face, text string, width int) int {
	fits := 0
	for i, r := range text {
		end := i + utf8.RuneLen(r)
		if measure(face, strings.TrimRight(text[:end], " ")) > width {
			break
		}
		fits = end
	}
	for _, marks := range breakers {
		if at := strings.LastIndexAny(text[:fits], marks); at >= 0 {
			return at + 1
		}
	}
	if fits > 0 {
		return fits
	}
	_, size := utf8.DecodeRuneInString(text)
	return size
}

// ellipsis is the beginning of a text, as much as fits with an ellipsis.
func ellipsis(face font.Face, text string, width int) string {
	letters := []rune(text)
	for n := len(letters); n > 0; n-- {
		if short := strings.TrimRight(string(letters[:n]), " ,") + "…"; measure(face, short) <= width {
			return short
		}
	}
	return "…"
}
