package video

import (
	"math"
	"runtime"

	"impasto/internal/flow"
	"impasto/internal/panics"
	"impasto/internal/picture"
)

// warp is a picture taken back along a field that leads to it, by bicubic interpolation
// (Keys 1981, a = −½), which blurs less than bilinear one where pictures are warped again and
// again. Beyond the border it is repeated. The field has the picture's size.
func warp(p *picture.Picture, along flow.Field) (*picture.Picture, error) {
	to := &picture.Picture{Width: p.Width, Height: p.Height, RGB: make([]float32, len(p.RGB))}
	plane := p.Width * p.Height
	err := inRows(p.Height, func(y int) {
		for x := range p.Width {
			at := y*p.Width + x
			toX, columns := taps(float32(x)+along.U[at], p.Width)
			toY, rows := taps(float32(y)+along.V[at], p.Height)
			for channel := 0; channel < len(p.RGB); channel += plane {
				var sum float32
				for j, row := range rows {
					line := p.RGB[channel+row*p.Width:][:p.Width]
					sum += toY[j] * (toX[0]*line[columns[0]] + toX[1]*line[columns[1]] + toX[2]*line[columns[2]] + toX[3]*line[columns[3]])
				}
				to.RGB[channel+at] = min(max(sum, 0), 1)
			}
		}
	})
	return to, err
}

// taps are the weights and places of the four pixels about a point along a side.
func taps(at float32, side int) (weights [4]float32, places [4]int) {
	at = min(max(at, 0), float32(side-1))
	first := int(math.Floor(float64(at)))
	t := at - float32(first)
	weights = [4]float32{
		t * (-0.5 + t*(1-0.5*t)),
		1 + t*t*(-2.5+1.5*t),
		t * (0.5 + t*(2-1.5*t)),
		t * t * (-0.5 + 0.5*t),
	}
	for i := range places {
		places[i] = min(max(first-1+i, 0), side-1)
	}
	return weights, places
}

// inRows calls f with every row, some of them at a time.
func inRows(rows int, f func(y int)) error {
	threads := max(1, min(runtime.GOMAXPROCS(0), rows))
	return panics.Together(threads, func(thread int) error {
		for y := thread * rows / threads; y < (thread+1)*rows/threads; y++ {
			f(y)
		}
		return nil
	})
}
