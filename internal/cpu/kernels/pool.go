package kernels

// Pooling is over windows of 2×2 with stride 2. An odd last row or column is
// dropped, and its gradient is zero. x is channels×height×width, y is
// channels×⌊height/2⌋×⌊width/2⌋.

// poolKernels are the inner loops of pooling over one row of y, whose length is a
// positive multiple of the lanes. Those in Go take any length.
type poolKernels struct {
	max          func(y, top, bottom []float32)
	maxGradient  func(dTop, dBottom, dy, top, bottom []float32)
	mean         func(y, top, bottom []float32, scale float32) // scale times the sum
	meanGradient func(dTop, dBottom, dy []float32, scale float32)
	l2           func(y, top, bottom []float32, scale float32)
	l2Gradient   func(dTop, dBottom, dy, top, bottom []float32, scale float32)
}

var poolGo = poolKernels{maxPoolGo, maxPoolGradientGo, meanPoolGo, meanPoolGradientGo, l2PoolGo, l2PoolGradientGo}

// MaxPool computes y, the maximum of every window of x.
func MaxPool(w *Workers, y, x Map, channels, height, width int) {
	eachWindowRow(w, y, x, channels, height, width, func(k *poolKernels, y, top, bottom []float32) {
		k.max(y, top, bottom)
	})
}

// MeanPool computes y, scale times the mean of every window of x.
func MeanPool(w *Workers, y, x Map, channels, height, width int, scale float32) {
	eachWindowRow(w, y, x, channels, height, width, func(k *poolKernels, y, top, bottom []float32) {
		k.mean(y, top, bottom, scale/4)
	})
}

// L2Pool computes y, scale times the root of the sum of squares of every window
// of x.
func L2Pool(w *Workers, y, x Map, channels, height, width int, scale float32) {
	eachWindowRow(w, y, x, channels, height, width, func(k *poolKernels, y, top, bottom []float32) {
		k.l2(y, top, bottom, scale)
	})
}

// MaxPoolGradient computes dx from dy and MaxPool's x. The gradient goes to the
// first maximum of the window, row by row. Where rectified is set, here as in the
// other gradients, x is also the mask of the ReLU before it: the gradient is zero where
// x isn't positive.
func MaxPoolGradient(w *Workers, dx, dy []float32, x Map, channels, height, width int, rectified bool) {
	eachWindowRowGradient(w, dx, dy, x, channels, height, width, rectified, func(k *poolKernels, dTop, dBottom, dy, top, bottom []float32) {
		k.maxGradient(dTop, dBottom, dy, top, bottom)
	})
}

// MeanPoolGradient computes dx from dy; it reads x only where rectified is set.
func MeanPoolGradient(w *Workers, dx, dy []float32, x Map, channels, height, width int, scale float32, rectified bool) {
	if !rectified {
		x = Single(dx)
	}
	eachWindowRowGradient(w, dx, dy, x, channels, height, width, rectified, func(k *poolKernels, dTop, dBottom, dy, _, _ []float32) {
		k.meanGradient(dTop, dBottom, dy, scale/4)
	})
}

// L2PoolGradient computes dx from dy and L2Pool's x. It is zero in windows of zeros.
func L2PoolGradient(w *Workers, dx, dy []float32, x Map, channels, height, width int, scale float32, rectified bool) {
	eachWindowRowGradient(w, dx, dy, x, channels, height, width, rectified, func(k *poolKernels, dTop, dBottom, dy, top, bottom []float32) {
		k.l2Gradient(dTop, dBottom, dy, top, bottom, scale)
	})
}

// eachWindowRow calls row with every row of y and the two of x that it comes from:
// with the kernels of w for what fills vectors, with those in Go for the rest. Rows of
// Half are widened, and rounded, in a workspace.
func eachWindowRow(w *Workers, y, x Map, channels, height, width int, row func(k *poolKernels, y, top, bottom []float32)) {
	rows, columns := height/2, width/2
	whole := columns - columns%w.isa.lanes
	y, x = y.first(channels*rows*columns), x.first(channels*height*width)
	half := &w.isa.half
	w.run(channels, func(c int, s *workspace) {
		above, below, made := s.float32s(0, width), s.float32s(1, width), s.float32s(2, columns)
		for r := range rows {
			i, j := (c*height+2*r)*width, (c*rows+r)*columns
			top, bottom := x.line(half, above, i, width), x.line(half, below, i+width, width)
			line := made
			if y.Half == nil {
				line = y.Single[j : j+columns]
			}
			if whole > 0 {
				row(&w.isa.pool, line[:whole], top, bottom)
			}
			if whole < columns {
				row(&poolGo, line[whole:], top[2*whole:], bottom[2*whole:])
			}
			if y.Half != nil {
				half.narrow(y.Half[j:], line)
			}
		}
	})
}

// eachWindowRowGradient calls row with the two rows of dx, the row of dy and the two
// of x that belong together. Where rectified is set, it applies the ReLU's mask to dx.
// It clears the odd last row and column of dx.
func eachWindowRowGradient(w *Workers, dx, dy []float32, x Map, channels, height, width int, rectified bool, row func(k *poolKernels, dTop, dBottom, dy, top, bottom []float32)) {
	rows, columns := height/2, width/2
	whole := columns - columns%w.isa.lanes
	dy, dx, x = dy[:channels*rows*columns], dx[:channels*height*width], x.first(channels*height*width)
	w.run(channels, func(c int, s *workspace) {
		above, below := s.float32s(0, width), s.float32s(1, width)
		for r := range rows {
			i := (c*height + 2*r) * width
			dTop, dBottom := dx[i:i+width], dx[i+width:i+2*width]
			top, bottom := x.line(&w.isa.half, above, i, width), x.line(&w.isa.half, below, i+width, width)
			line := dy[(c*rows+r)*columns:][:columns]
			if width%2 == 1 {
				dTop[width-1], dBottom[width-1] = 0, 0
			}
			if whole > 0 {
				row(&w.isa.pool, dTop, dBottom, line[:whole], top, bottom)
			}
			if whole < columns {
				row(&poolGo, dTop[2*whole:], dBottom[2*whole:], line[whole:], top[2*whole:], bottom[2*whole:])
			}
			if rectified {
				w.isa.vector.mask(dTop, dTop, top)
				w.isa.vector.mask(dBottom, dBottom, bottom)
			}
		}
		if height%2 == 1 {
			clear(dx[(c*height+height-1)*width : (c+1)*height*width])
		}
	})
}
