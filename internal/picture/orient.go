package picture

// turn is how a stored picture becomes upright: pixel (x, y) of the upright
// one is (x, y) of the stored one, with x and y exchanged first and then
// counted from the far side, as told.
type turn struct {
	exchange, farX, farY bool
}

// turns are indexed by EXIF orientation.
var turns = [9]turn{
	2: {farX: true},
	3: {farX: true, farY: true},
	4: {farY: true},
	5: {exchange: true},
	6: {exchange: true, farY: true},
	7: {exchange: true, farX: true, farY: true},
	8: {exchange: true, farX: true},
}

// turn turns the picture upright, as its EXIF orientation asks.
func (p *Picture) turn(orientation int) {
	t := turns[orientation]
	if t == (turn{}) {
		return
	}
	width, height := p.Width, p.Height
	if t.exchange {
		width, height = height, width
	}
	stored := make([]float32, width*height) // one plane at a time, to save memory
	r, g, b := p.Planes()
	planes := [][]float32{r, g, b}
	if p.Alpha != nil {
		planes = append(planes, p.Alpha)
	}
	for _, turned := range planes {
		copy(stored, turned)
		i := 0
		for y := range height {
			for x := range width {
				sx, sy := x, y
				if t.exchange {
					sx, sy = y, x
				}
				if t.farX {
					sx = p.Width - 1 - sx
				}
				if t.farY {
					sy = p.Height - 1 - sy
				}
				turned[i] = stored[sy*p.Width+sx]
				i++
			}
		}
	}
	p.Width, p.Height = width, height
}
