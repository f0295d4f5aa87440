package kernels

import "math"

// Pooling is over windows of 2×2 with stride 2; an odd last row or column is
// dropped, and its gradient is zero. x is channels×height×width, y
// channels×⌊height/2⌋×⌊width/2⌋.

// poolKernels are the inner loops of maximum pooling over one row of y, of a
// positive multiple of the path's lanes.
type poolKernels struct {
	max         func(y, top, bottom []float32)
	maxGradient func(dTop, dBottom, dy, top, bottom []float32)
}

var poolGo = poolKernels{maxPoolGo, maxPoolGradientGo}

func maxPoolGo(y, top, bottom []float32) {
	for j := range y {
		y[j] = max(top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1])
	}
}

func maxPoolGradientGo(dTop, dBottom, dy, top, bottom []float32) {
	for j, d := range dy {
		a, b, c, e := top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1]
		var da, db, dc, de float32
		switch m := max(a, b, c, e); m {
		case a:
			da = d
		case b:
			db = d
		case c:
			dc = d
		case e:
			de = d
		}
		dTop[2*j], dTop[2*j+1], dBottom[2*j], dBottom[2*j+1] = da, db, dc, de
	}
}

// MaxPool computes y, the maximum of every window of x.
func MaxPool(w *Workers, y, x []float32, channels, height, width int) {
	eachWindowRow(w, y, x, channels, height, width, func(y, top, bottom []float32) {
		whole := len(y) - len(y)%w.path.lanes
		if whole > 0 {
			w.path.pool.max(y[:whole], top, bottom)
		}
		maxPoolGo(y[whole:], top[2*whole:], bottom[2*whole:])
	})
}

// MeanPool computes y, scale times the mean of every window of x.
func MeanPool(w *Workers, y, x []float32, channels, height, width int, scale float32) {
	scale /= 4
	eachWindowRow(w, y, x, channels, height, width, func(y, top, bottom []float32) {
		for j := range y {
			y[j] = scale * (top[2*j] + top[2*j+1] + (bottom[2*j] + bottom[2*j+1]))
		}
	})
}

// L2Pool computes y, scale times the root of the sum of squares of every window
// of x.
func L2Pool(w *Workers, y, x []float32, channels, height, width int, scale float32) {
	eachWindowRow(w, y, x, channels, height, width, func(y, top, bottom []float32) {
		for j := range y {
			y[j] = scale * norm(top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1])
		}
	})
}

func norm(a, b, c, d float32) float32 {
	return float32(math.Sqrt(float64(a)*float64(a) + float64(b)*float64(b) + float64(c)*float64(c) + float64(d)*float64(d)))
}

// MaxPoolGradient computes dx from dy and MaxPool's x. The gradient goes to the
// first maximum of the window, row by row.
func MaxPoolGradient(w *Workers, dx, dy, x []float32, channels, height, width int) {
	eachWindowRowGradient(w, dx, dy, x, channels, height, width, func(dTop, dBottom, dy, top, bottom []float32) {
		whole := len(dy) - len(dy)%w.path.lanes
		if whole > 0 {
			w.path.pool.maxGradient(dTop, dBottom, dy[:whole], top, bottom)
		}
		maxPoolGradientGo(dTop[2*whole:], dBottom[2*whole:], dy[whole:], top[2*whole:], bottom[2*whole:])
	})
}

// MeanPoolGradient computes dx from dy.
func MeanPoolGradient(w *Workers, dx, dy []float32, channels, height, width int, scale float32) {
	scale /= 4
	eachWindowRowGradient(w, dx, dy, nil, channels, height, width, func(dTop, dBottom, dy, _, _ []float32) {
		for j, d := range dy {
			d *= scale
			dTop[2*j], dTop[2*j+1], dBottom[2*j], dBottom[2*j+1] = d, d, d, d
		}
	})
}

// L2PoolGradient computes dx from dy and L2Pool's x; zero where all of a window
// is zero.
func L2PoolGradient(w *Workers, dx, dy, x []float32, channels, height, width int, scale float32) {
	eachWindowRowGradient(w, dx, dy, x, channels, height, width, func(dTop, dBottom, dy, top, bottom []float32) {
		for j, d := range dy {
			n := norm(top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1])
			d *= scale
			if n > 0 {
				d /= n
			} else {
				d = 0
			}
			dTop[2*j], dTop[2*j+1] = d*top[2*j], d*top[2*j+1]
			dBottom[2*j], dBottom[2*j+1] = d*bottom[2*j], d*bottom[2*j+1]
		}
	})
}

// eachWindowRow calls row with every row of y and the two of x that it comes
// from.
func eachWindowRow(w *Workers, y, x []float32, channels, height, width int, row func(y, top, bottom []float32)) {
	rows, columns := height/2, width/2
	y, x = y[:channels*rows*columns], x[:channels*height*width]
	w.Run(channels, func(c int) {
		for r := range rows {
			i, o := (c*height+2*r)*width, (c*rows+r)*columns
			row(y[o:o+columns], x[i:i+width], x[i+width:i+2*width])
		}
	})
}

// eachWindowRowGradient calls row with the two rows of dx, the row of dy and,
// unless x is nil, the two of x that belong together. It clears what odd sizes
// leave over.
func eachWindowRowGradient(w *Workers, dx, dy, x []float32, channels, height, width int, row func(dTop, dBottom, dy, top, bottom []float32)) {
	rows, columns := height/2, width/2
	dy, dx = dy[:channels*rows*columns], dx[:channels*height*width]
	if x != nil {
		x = x[:channels*height*width]
	}
	w.Run(channels, func(c int) {
		for r := range rows {
			i, o := (c*height+2*r)*width, (c*rows+r)*columns
			top, bottom := dx[i:i+width], dx[i+width:i+2*width]
			if width%2 == 1 {
				top[width-1], bottom[width-1] = 0, 0
			}
			if x == nil {
				row(top, bottom, dy[o:o+columns], nil, nil)
			} else {
				row(top, bottom, dy[o:o+columns], x[i:i+width], x[i+width:i+2*width])
			}
		}
		if height%2 == 1 {
			clear(dx[(c*height+height-1)*width : (c+1)*height*width])
		}
	})
}
