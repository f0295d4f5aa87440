package flow

import "impasto/internal/flow/kernels"

// border is by how many pixels a sheet is larger than its picture on every side, at least.
const border = 2 * patchSide

// sheet is a plane with a border, in rows of whole blocks.
type sheet struct {
	width, height int // of the picture
	stride        int // from row to row
	values        []float32
}

func newSheet(width, height int) sheet { return newSheets(1, width, height)[0] }

// newSheets are several sheets of a size. Equal places in them are apart by an odd number of
// cache lines, since those at equal places of memory pages would push each other out of the
// cache.
func newSheets(n, width, height int) []sheet {
	stride := blocksOf(width)*kernels.Block + 2*border
	size := stride * (height + 2*border)
	const line, page = 16, 1024 // of 4 bytes
	apart := (size+page-1)/page*page + 5*line
	values, all := make([]float32, n*apart), make([]sheet, n)
	for i := range all {
		all[i] = sheet{width, height, stride, values[i*apart:][:size:size]}
	}
	return all
}

// blocksOf is how many blocks a row is made of.
func blocksOf(width int) int { return (width + kernels.Block - 1) / kernels.Block }

// from are the values from a pixel on, which may lie in the border.
func (s sheet) from(x, y int) []float32 { return s.values[(y+border)*s.stride+border+x:] }

// row are the values of a row's pixels.
func (s sheet) row(y int) []float32 { return s.from(0, y)[:s.width:s.width] }

// clamped is from the first pixel on of the nearest row.
func (s sheet) clamped(y int) []float32 { return s.from(0, min(max(y, 0), s.height-1)) }

// extend repeats a row's first and last values in the border beside them.
func (s sheet) extend(y int) {
	from := s.row(y)
	left, right := s.from(-border, y)[:border], s.from(s.width, y)[:border]
	for i := range border {
		left[i], right[i] = from[0], from[s.width-1]
	}
}

// surround repeats the outermost pixels all over the border.
func (s sheet) surround() {
	for y := range s.height {
		s.extend(y)
	}
	whole := func(y int) []float32 { return s.from(-border, y)[:s.stride] }
	for i := 1; i <= border; i++ {
		copy(whole(-i), whole(0))
		copy(whole(s.height-1+i), whole(s.height-1))
	}
}

// halve makes the picture one of half of the size, whose values are the means of four each.
func (s sheet) halve(from sheet) {
	for y := range s.height {
		upper, lower, row := from.row(2*y), from.row(2*y+1), s.row(y)
		for x := range row {
			a, b := upper[2*x:2*x+2], lower[2*x:2*x+2]
			row[x] = (a[0] + a[1] + b[0] + b[1]) / 4
		}
	}
}

// interpolate is what lies so far right of a value and below it, between it, the one beside
// it, and the two a stride further on.
func interpolate(values []float32, stride int, a, b float32) float32 {
	upper, lower := values[:2], values[stride:stride+2]
	p := upper[0] + float32(a*(upper[1]-upper[0]))
	q := lower[0] + float32(a*(lower[1]-lower[0]))
	return p + float32(b*(q-p))
}

// at is the value at a point, by bilinear interpolation; beyond the picture that of the
// nearest pixel. The border must repeat the outermost pixels.
func (s sheet) at(x, y float32) float32 {
	x, y = min(max(x, 0), float32(s.width-1)), min(max(y, 0), float32(s.height-1))
	left, top := int(x), int(y)
	return interpolate(s.from(left, top), s.stride, x-float32(left), y-float32(top))
}
