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
)

// The measures of a contact sheet in pixels.
const (
	sheetMargin  = 24
	sheetGap     = 20
	leastBox     = 160 // side of the square that a picture stands in
	mostBox      = 512
	titleSize    = 26
	titleLine    = 34
	nameSize     = 20
	nameLine     = 26
	noteSize     = 15
	noteLine     = 20
	captionLines = 4   // of the note, at most
	errorLines   = 4   // of an error, at most
	nameLines    = 6   // of a name or a heading, at most
	nameLetters  = 72  // of a name, at most; they fit into nameLines of the narrowest box
	mostGutter   = 220 // width of the headings of rows
)

var (
	paper   = color.NRGBA{0xfa, 0xfa, 0xf8, 0xff}
	frame   = color.NRGBA{0xe6, 0xe6, 0xe2, 0xff}
	grey    = color.NRGBA{0x60, 0x60, 0x60, 0xff}
	warning = color.NRGBA{0xb0, 0x20, 0x20, 0xff}
)

// Sheet draws all pictures with captions on one sheet, the references first: by
// two settings that vary as a matrix with headings, by more as several, else one
// after the other. Pictures are made smaller to fit, never larger.
func (c Comparison) Sheet() (image.Image, error) {
	c = c.visible()
	pictures := slices.Concat(c.References, c.Pictures)
	if len(pictures) == 0 {
		return nil, errors.New("report: no pictures, want one at least")
	}
	faces, err := newFaces()
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	s := sheet{faces: faces}
	s.boxWidth, s.boxHeight = boxSize(pictures)
	rows := s.arrange(c)
	width, height := 0, -sheetGap
	for _, row := range rows {
		across, down := -sheetGap, 0
		for _, b := range row {
			across, down = across+b.width+sheetGap, max(down, b.height)
		}
		width, height = max(width, across), height+down+sheetGap
	}
	title := wrap(faces.title, c.Title, width, nameLines)
	heading := len(title)*titleLine + titleSize/2
	s.canvas = imaging.New(2*sheetMargin+width, 2*sheetMargin+heading+height, paper)
	for i, line := range title {
		s.text(faces.title, ink, image.Pt(sheetMargin, sheetMargin+titleSize+i*titleLine), line)
	}
	at := image.Pt(sheetMargin, sheetMargin+heading)
	for _, row := range rows {
		down := 0
		for _, b := range row {
			b.draw(at)
			at.X, down = at.X+b.width+sheetGap, max(down, b.height)
		}
		at = image.Pt(sheetMargin, at.Y+down+sheetGap)
	}
	return s.canvas, nil
}

// sheet is one that is being drawn.
type sheet struct {
	faces               faces
	boxWidth, boxHeight int
	canvas              *image.NRGBA
}

// block is a part of a sheet, drawn with its upper left at a place.
type block struct {
	width, height int
	draw          func(at image.Point)
}

// arrange makes the rows of blocks.
func (s *sheet) arrange(c Comparison) [][]block {
	matrices, others := c.matrices()
	if matrices == nil {
		all := slices.Concat(c.References, c.Pictures)
		_, cellHeight := s.cellSize(all)
		return [][]block{{s.flow(all, columnsFor(len(all), s.boxWidth+sheetGap, cellHeight+sheetGap))}}
	}
	var blocks []block
	for _, m := range matrices {
		blocks = append(blocks, s.matrix(m))
	}
	across := columnsFor(len(blocks), blocks[0].width+sheetGap, blocks[0].height+sheetGap)
	columns := max(1, (across*(blocks[0].width+sheetGap))/(s.boxWidth+sheetGap))
	var rows [][]block
	if len(c.References) > 0 {
		rows = append(rows, []block{s.flow(c.References, columns)})
	}
	rows = slices.AppendSeq(rows, slices.Chunk(blocks, across))
	if len(others) > 0 {
		rows = append(rows, []block{s.flow(others, columns)})
	}
	return rows
}

// cellSize is how many lines the longest name of the pictures takes, and how high a
// picture is with its name and caption.
func (s *sheet) cellSize(pictures []Picture) (lines, height int) {
	lines, notes := 1, 1
	for _, p := range pictures {
		lines = max(lines, len(wrap(s.faces.name, p.Name, s.boxWidth, nameLines)))
		notes = max(notes, len(s.caption(p)))
	}
	return lines, s.boxHeight + lines*nameLine + notes*noteLine + 4
}

// flow is pictures one after the other, with their names.
func (s *sheet) flow(pictures []Picture, columns int) block {
	pictures = slices.Clone(pictures)
	var names, notes []string
	for _, p := range pictures {
		names, notes = append(names, p.Name), append(notes, p.Note)
	}
	names, notes = distinct(names, nameLetters), distinct(notes, nameLetters)
	for i := range pictures {
		pictures[i].Name, pictures[i].Note = names[i], notes[i]
	}
	columns = min(columns, len(pictures))
	_, cellHeight := s.cellSize(pictures)
	rows := (len(pictures) + columns - 1) / columns
	return block{
		width:  columns*(s.boxWidth+sheetGap) - sheetGap,
		height: rows*(cellHeight+sheetGap) - sheetGap,
		draw: func(at image.Point) {
			for i, p := range pictures {
				corner := at.Add(image.Pt(i%columns*(s.boxWidth+sheetGap), i/columns*(cellHeight+sheetGap)))
				s.place(p.Image, corner, s.boxHeight)
				below := s.lines(s.faces.name, ink, corner.Add(image.Pt(0, s.boxHeight+nameLine-2)), nameLine, wrap(s.faces.name, p.Name, s.boxWidth, nameLines))
				s.captionAt(p, below.Sub(image.Pt(0, nameLine-noteLine)))
			}
		},
	}
}

// matrix is pictures by two settings, with headings.
func (s *sheet) matrix(m matrix) block {
	corner := wrap(s.faces.note, m.rows.name, mostGutter, nameLines)
	gutter := widest(s.faces.note, corner)
	rowHeads, columnHeads := s.headings(m.rows, mostGutter), s.headings(m.columns, s.boxWidth)
	rowHeights, columnLines, boxHeight := make([]int, len(rowHeads)), 1, m.boxHeight()
	for i, head := range rowHeads {
		gutter = max(gutter, widest(s.faces.name, head))
		notes := 1
		for _, p := range m.cells[i] {
			if p != nil {
				notes = max(notes, len(s.caption(*p)))
			}
		}
		rowHeights[i] = max(boxHeight+notes*noteLine+6, len(head)*nameLine+6)
	}
	for _, head := range columnHeads {
		columnLines = max(columnLines, len(head))
	}
	gutter += sheetGap
	width := gutter + len(columnHeads)*(s.boxWidth+sheetGap) - sheetGap
	title := wrap(s.faces.name, strings.Join(settingText(m.heading), ", "), width, nameLines)
	top := len(title)*nameLine + noteLine + columnLines*nameLine + 8
	height := top - sheetGap
	for _, h := range rowHeights {
		height += h + sheetGap
	}
	return block{width: width, height: height, draw: func(at image.Point) {
		s.lines(s.faces.name, ink, at.Add(image.Pt(0, nameLine-6)), nameLine, title)
		axis := at.Add(image.Pt(0, len(title)*nameLine+noteLine-4))
		s.text(s.faces.note, grey, axis.Add(image.Pt(gutter, 0)), m.columns.name)
		s.lines(s.faces.note, grey, at.Add(image.Pt(0, top-8-(len(corner)-1)*noteLine)), noteLine, corner)
		for k, head := range columnHeads {
			s.lines(s.faces.name, ink, image.Pt(at.X+gutter+k*(s.boxWidth+sheetGap), at.Y+top-8-(len(head)-1)*nameLine), nameLine, head)
		}
		y := at.Y + top
		for i, head := range rowHeads {
			s.lines(s.faces.name, ink, image.Pt(at.X, y+nameLine-6), nameLine, head)
			for k, p := range m.cells[i] {
				if p != nil {
					place := image.Pt(at.X+gutter+k*(s.boxWidth+sheetGap), y)
					s.place(p.Image, place, boxHeight)
					s.captionAt(*p, place.Add(image.Pt(0, boxHeight+noteLine-2)))
				}
			}
			y += rowHeights[i] + sheetGap
		}
	}}
}

// headings are the values of a dimension in lines of a width.
func (s *sheet) headings(d dimension, width int) [][]string {
	var heads [][]string
	for _, value := range distinct(d.values, nameLetters) {
		heads = append(heads, wrap(s.faces.name, valueText(value), width, nameLines))
	}
	return heads
}

// caption is what stands below a picture: its error, or else its note.
func (s *sheet) caption(p Picture) []string {
	if p.Error != "" {
		return wrap(s.faces.note, "Failed: "+p.Error, s.boxWidth, errorLines)
	}
	return wrap(s.faces.note, p.Note, s.boxWidth, captionLines)
}

// captionAt writes a picture's caption, from the baseline of its first line on.
func (s *sheet) captionAt(p Picture, baseline image.Point) {
	colour := color.Color(grey)
	if p.Error != "" {
		colour = warning
	}
	s.lines(s.faces.note, colour, baseline, noteLine, s.caption(p))
}

// boxSize is that of the largest picture, within bounds.
func boxSize(pictures []Picture) (width, height int) {
	width = leastBox
	for _, p := range pictures {
		size := p.sheetSize()
		width, height = max(width, size.X), max(height, size.Y)
	}
	if height == 0 {
		height = leastBox / 2
	}
	return width, height
}

// boxHeight is that of the matrix's highest picture.
func (m matrix) boxHeight() int {
	var pictures []Picture
	for _, p := range slices.Concat(m.cells...) {
		if p != nil {
			pictures = append(pictures, *p)
		}
	}
	_, height := boxSize(pictures)
	return height
}

// sheetSize is the size of a picture on a sheet, 0 where there is none.
func (p Picture) sheetSize() image.Point {
	if p.Image == nil {
		return image.Point{}
	}
	size := p.Image.Bounds().Size()
	scale := min(1, mostBox/float64(max(size.X, size.Y)))
	return image.Pt(int(math.Ceil(scale*float64(size.X))), int(math.Ceil(scale*float64(size.Y))))
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

// place puts a picture into the box of a height at a corner, to the left and below,
// made smaller where it is too large; where there is none, the box stays grey.
func (s *sheet) place(img image.Image, corner image.Point, height int) {
	if img == nil {
		s.copy(imaging.New(s.boxWidth, height, frame), corner)
		return
	}
	shown := imaging.Fit(img, s.boxWidth, height, imaging.Lanczos)
	s.copy(shown, corner.Add(image.Pt(0, height-shown.Bounds().Dy())))
}

func (s *sheet) copy(img *image.NRGBA, at image.Point) {
	for y := range img.Bounds().Dy() {
		copy(s.canvas.Pix[s.canvas.PixOffset(at.X, at.Y+y):], img.Pix[y*img.Stride:y*img.Stride+4*img.Bounds().Dx()])
	}
}
