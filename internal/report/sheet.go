package report

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/disintegration/imaging"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The measures of a contact sheet in pixels.
const (
	sheetMargin  = 24
	sheetGap     = 20
	leastBox     = 160 // side of the square that a picture stands in
	mostBox      = 512
	titleSize    = 26
	nameSize     = 20
	nameLine     = 30
	noteSize     = 15
	noteLine     = 20
	captionLines = 2 // of the note, at least
	errorLines   = 4 // of an error, at most

	mostNameLines = 2
)

var (
	paper   = color.NRGBA{0xfa, 0xfa, 0xf8, 0xff}
	frame   = color.NRGBA{0xe6, 0xe6, 0xe2, 0xff}
	grey    = color.NRGBA{0x60, 0x60, 0x60, 0xff}
	warning = color.NRGBA{0xb0, 0x20, 0x20, 0xff}
)

// Sheet draws all pictures with captions on one sheet, the references first.
// Pictures are made smaller to fit, never larger.
func (c Comparison) Sheet() (image.Image, error) {
	pictures := slices.Concat(c.References, c.Pictures)
	if len(pictures) == 0 {
		return nil, errors.New("report: no pictures, want one at least")
	}
	faces, err := newFaces()
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	boxWidth, boxHeight := boxSize(pictures)
	nameLines, noteLines := 1, captionLines
	for _, p := range pictures {
		nameLines = max(nameLines, len(wrap(faces.name, p.Name, boxWidth, mostNameLines)))
		noteLines = max(noteLines, len(p.caption(faces.note, boxWidth)))
	}
	cellHeight := boxHeight + nameLines*nameLine + noteLines*noteLine
	columns := columnsFor(len(pictures), boxWidth+sheetGap, cellHeight+sheetGap)
	rows := (len(pictures) + columns - 1) / columns
	const heading = 2 * titleSize
	sheet := imaging.New(2*sheetMargin+columns*(boxWidth+sheetGap)-sheetGap,
		2*sheetMargin+heading+rows*(cellHeight+sheetGap)-sheetGap, paper)
	text := writer{sheet}
	text.line(faces.title, ink, sheetMargin, sheetMargin+titleSize, fit(faces.title, c.Title, sheet.Bounds().Dx()-2*sheetMargin))
	for i, p := range pictures {
		left := sheetMargin + i%columns*(boxWidth+sheetGap)
		top := sheetMargin + heading + i/columns*(cellHeight+sheetGap)
		place(sheet, p.Image, image.Rect(left, top, left+boxWidth, top+boxHeight))
		baseline := top + boxHeight + nameLine - 6
		for k, line := range wrap(faces.name, p.Name, boxWidth, mostNameLines) {
			if k > 0 {
				baseline += nameLine - 6
			}
			text.line(faces.name, ink, left, baseline, line)
		}
		colour := color.Color(grey)
		if p.Error != "" {
			colour = warning
		}
		for _, line := range p.caption(faces.note, boxWidth) {
			baseline += noteLine
			text.line(faces.note, colour, left, baseline, line)
		}
	}
	return sheet, nil
}

// caption is what stands below a picture's name: its error, or else its note.
func (p Picture) caption(face font.Face, width int) []string {
	if p.Error != "" {
		return wrap(face, "Failed: "+p.Error, width, errorLines)
	}
	return wrap(face, p.Note, width, captionLines)
}

// boxSize is that of the largest picture, within bounds.
func boxSize(pictures []Picture) (width, height int) {
	width, height = leastBox, leastBox/2
	for _, p := range pictures {
		if p.Image != nil {
			size := p.Image.Bounds().Size()
			scale := min(1, mostBox/float64(max(size.X, size.Y)))
			width, height = max(width, int(math.Ceil(scale*float64(size.X)))), max(height, int(math.Ceil(scale*float64(size.Y))))
		}
	}
	return width, height
}

// columnsFor makes the sheet about 3:2.
func columnsFor(count, width, height int) int {
	best, bestError := 1, math.Inf(1)
	for columns := 1; columns <= count; columns++ {
		rows := (count + columns - 1) / columns
		off := math.Abs(math.Log(float64(columns*width) / float64(rows*height) / 1.5))
		// Places that stay empty count a little.
		off += 0.3 * float64(rows*columns-count) / float64(columns)
		if off < bestError {
			best, bestError = columns, off
		}
	}
	return best
}

// place centres a picture in a box, made smaller where it is too large; where
// there is none, the box stays grey.
func place(sheet *image.NRGBA, img image.Image, box image.Rectangle) {
	if img == nil {
		draw := imaging.New(box.Dx(), box.Dy(), frame)
		copyOnto(sheet, draw, box.Min)
		return
	}
	shown := imaging.Fit(img, box.Dx(), box.Dy(), imaging.Lanczos)
	at := box.Min.Add(image.Pt((box.Dx()-shown.Bounds().Dx())/2, box.Dy()-shown.Bounds().Dy()))
	copyOnto(sheet, shown, at)
}

func copyOnto(sheet, img *image.NRGBA, at image.Point) {
	for y := range img.Bounds().Dy() {
		copy(sheet.Pix[sheet.PixOffset(at.X, at.Y+y):], img.Pix[y*img.Stride:y*img.Stride+4*img.Bounds().Dx()])
	}
}

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

type writer struct{ sheet *image.NRGBA }

func (w writer) line(face font.Face, c color.Color, left, baseline int, text string) {
	d := font.Drawer{Dst: w.sheet, Src: image.NewUniform(c), Face: face, Dot: fixed.P(left, baseline)}
	d.DrawString(text)
}

// fit cuts text to a width.
func fit(face font.Face, text string, width int) string {
	for most := len([]rune(text)); most > 1; most-- {
		if short := shorten(text, most); font.MeasureString(face, short).Ceil() <= width {
			return short
		}
	}
	return text
}

// wrap breaks text between words into so many lines at most, the last one cut.
func wrap(face font.Face, text string, width, most int) []string {
	var lines []string
	words := strings.Fields(text)
	for len(words) > 0 {
		n := 1
		for n < len(words) && font.MeasureString(face, strings.Join(words[:n+1], " ")).Ceil() <= width {
			n++
		}
		if len(lines) == most-1 {
			n = len(words)
		}
		lines = append(lines, fit(face, strings.Join(words[:n], " "), width))
		words = words[n:]
	}
	return lines
}
