package pure

// Border says what surrounds the input of a convolution.
type Border struct {
	// Replicate repeats the pixels at the edge.
	Replicate bool
	// Colour is the value outside the picture by channel; nil stands for zeros.
	// It is not used where Replicate is set.
	Colour []float32
}

// Convolution describes a 3×3 convolution of stride 1 with a border of one
// pixel, as cross-correlation: filters are Out×In×3×3, maps are C×H×W.
type Convolution struct {
	In, Out       int
	Height, Width int
	Border        Border
	// Rectify sets negative results to zero (ReLU). NaN stays NaN, so that it
	// can be seen in the loss.
	Rectify bool
}

// Convolve computes y = filters ∗ x + bias, rectified if asked for.
func Convolve[T Float](c Convolution, y, x, filters, bias []T) {
	area := c.Height * c.Width
	for o := range c.Out {
		for row := range c.Height {
			for column := range c.Width {
				sum := bias[o]
				for i := range c.In {
					kernel := filters[(o*c.In+i)*9 : (o*c.In+i)*9+9]
					for k, weight := range kernel {
						sum += weight * sample(c, x, i, row+k/3-1, column+k%3-1)
					}
				}
				if c.Rectify && sum < 0 {
					sum = 0
				}
				y[o*area+row*c.Width+column] = sum
			}
		}
	}
}

func sample[T Float](c Convolution, x []T, channel, row, column int) T {
	inside := row >= 0 && row < c.Height && column >= 0 && column < c.Width
	if !inside && !c.Border.Replicate {
		if c.Border.Colour == nil {
			return 0
		}
		return T(c.Border.Colour[channel])
	}
	row, column = min(max(row, 0), c.Height-1), min(max(column, 0), c.Width-1)
	return x[(channel*c.Height+row)*c.Width+column]
}

// ConvolveDataGradient computes dx, the gradient of a loss to the input of
// Convolve, from dy, the one to its output. For a rectified convolution y is
// its output: where y is zero, nothing passes.
func ConvolveDataGradient[T Float](c Convolution, dx, dy, y, filters []T) {
	clear(dx)
	for o := range c.Out {
		for row := range c.Height {
			for column := range c.Width {
				at := (o*c.Height+row)*c.Width + column
				if c.Rectify && !(y[at] > 0) {
					continue
				}
				for i := range c.In {
					kernel := filters[(o*c.In+i)*9 : (o*c.In+i)*9+9]
					for k, weight := range kernel {
						scatter(c, dx, i, row+k/3-1, column+k%3-1, weight*dy[at])
					}
				}
			}
		}
	}
}

func scatter[T Float](c Convolution, dx []T, channel, row, column int, value T) {
	inside := row >= 0 && row < c.Height && column >= 0 && column < c.Width
	if !inside && !c.Border.Replicate {
		return
	}
	row, column = min(max(row, 0), c.Height-1), min(max(column, 0), c.Width-1)
	dx[(channel*c.Height+row)*c.Width+column] += value
}

// Rectify computes y = max(x, 0).
func Rectify[T Float](y, x []T) {
	for i, v := range x {
		y[i] = max(v, 0)
	}
}

// RectifyGradient computes dx = dy where y > 0, else 0.
func RectifyGradient[T Float](dx, dy, y []T) {
	for i := range dx {
		dx[i] = 0
		if y[i] > 0 {
			dx[i] = dy[i]
		}
	}
}
