package kernels

import (
	"fmt"
	"sync"
)

// Method is a way to compute a convolution.
type Method int

const (
	// Fastest takes either form of Winograd's algorithm where it saves time. Through
	// thirteen layers the error of the larger form is 3e-6 of the results' norm and
	// 1e-5 of the gradient's; that of the smaller form is 1e-6 and 3e-6.
	Fastest Method = iota
	// BFloat16 rounds to bfloat16, and sums products in float32. With AMX it multiplies
	// every filter with every input, and the error is 0.7 % of the results' norm and 0.8 %
	// of the gradient's. Else it takes the smaller form, whose products processors with
	// AVX512_BF16 compute at up to twice the rate, and the error is 1.4 % and 4 %.
	BFloat16
	// Direct multiplies every filter with every input. The error is 1e-6 for both, and
	// it runs at a third of the speed.
	Direct
)

// Convolution is a 3×3 convolution of stride 1 with a border of one pixel, as
// cross-correlation. Its filters are laid out for the kernels.
type Convolution struct {
	// Method says how it is computed. It may change between uses.
	Method Method

	out, in int
	biases  []float32
	// The filters in their layouts, made when first used. A network seldom needs all.
	forward, gradient func() *panelled
	winograd          func() *blocked
}

// Filters are the values of filters, out×in×3×3, or their places in a palette.
type Filters struct {
	Values  []float32
	Palette *[256]float32
	Indices []byte // where there is a palette
}

// len is how many values there are.
func (f Filters) len() int { return len(f.Values) + len(f.Indices) }

// at is value i.
func (f Filters) at(i int) float32 {
	if f.Palette != nil {
		return f.Palette[f.Indices[i]]
	}
	return f.Values[i]
}

// NewConvolution prepares a convolution from filters and biases, out. It keeps both,
// which must not change afterwards.
func NewConvolution(filters Filters, biases []float32, out, in int) (*Convolution, error) {
	if out < 1 || in < 1 {
		return nil, fmt.Errorf("cpu: convolution from %d to %d channels, want 1 or more of each", in, out)
	}
	if filters.len() != out*in*9 {
		return nil, fmt.Errorf("cpu: convolution has %d filter values, want %d×%d×3×3 = %d", filters.len(), out, in, out*in*9)
	}
	if len(biases) != out {
		return nil, fmt.Errorf("cpu: convolution has %d biases, want %d", len(biases), out)
	}
	c := &Convolution{out: out, in: in, biases: biases}
	c.forward = sync.OnceValue(func() *panelled {
		p := newPanelled(out, in, func(o, i, tap int) float32 { return filters.at((o*in+i)*9 + tap) })
		copy(p.biases, biases)
		return p
	})
	// The gradient is a convolution with the filters turned by half a turn, from
	// output channels to input channels.
	c.gradient = sync.OnceValue(func() *panelled {
		return newPanelled(in, out, func(i, o, tap int) float32 { return filters.at((o*in+i)*9 + 8 - tap) })
	})
	c.winograd = sync.OnceValue(func() *blocked { return newBlocked(filters, out, in) })
	return c, nil
}

// Winograd tells whether convolutions of so many channels are computed by Winograd's
// algorithm, on pixels of 16 channels: wherever they can be. It is faster even for a
// single tile, which would leave most lanes of the direct kernels idle.
func (m Method) Winograd(out, in int) bool {
	return m != Direct && out%channelBlock == 0 && in%channelBlock == 0
}

// Forward computes y, out×height×width, from x, in×height×width, with negative
// results set to zero where rectify is set.
func (c *Convolution) Forward(w *Workers, y, x Map, height, width int, rectify bool, border Border) {
	area := height * width
	from := source{x: x.first(c.in * area), height: height, width: width, border: border}
	y = y.first(c.out * area)
	if c.Method.Winograd(c.out, c.in) {
		winogradTask{
			blocked: c.winograd(), method: c.Method, isa: w.isa, source: from,
			biases: c.biases, y: y, height: height, width: width, rectify: rectify,
		}.run(w)
		return
	}
	directTask{
		panelled: c.forward(), isa: w.isa, source: from,
		y: y, height: height, width: width, rectify: rectify,
	}.run(w)
}

// ForwardSigned is Forward, and keeps the signs of y, out/16×height×width, for
// SignedDataGradient. The convolution must be one by Winograd's algorithm.
func (c *Convolution) ForwardSigned(w *Workers, y Map, signs []uint16, x Map, height, width int, border Border) {
	area := height * width
	winogradTask{
		blocked: c.winograd(), method: c.Method, isa: w.isa,
		source: source{x: x.first(c.in * area), height: height, width: width, border: border},
		biases: c.biases, y: y.first(c.out * area), signs: signs[:c.out/channelBlock*area],
		height: height, width: width, rectify: true,
	}.run(w)
}

// DataGradient computes dx, the gradient of a loss by the input of Forward, from dy,
// that by its output. For a rectified convolution y is its output, the mask of the
// ReLU: where y isn't positive, the gradient is zero. Otherwise y is no map. With a
// border that repeats pixels, the border's gradient is added to the pixels that it
// repeats.
func (c *Convolution) DataGradient(w *Workers, dx, dy []float32, y Map, height, width int, border Border) {
	area := height * width
	from := source{x: Single(dy[:c.out*area]), height: height, width: width}
	if !y.none() {
		from.mask = y.first(c.out * area)
	}
	dx = dx[:c.in*area]
	switch {
	case border.Replicate:
		c.borderedGradient(w, dx, from)
	case c.Method.Winograd(c.out, c.in):
		winogradTask{
			blocked: c.winograd(), method: c.Method, transposed: true, isa: w.isa, source: from,
			y: Single(dx), height: height, width: width,
		}.run(w)
	default:
		directTask{
			panelled: c.gradient(), isa: w.isa, source: from,
			y: Single(dx), height: height, width: width,
		}.run(w)
	}
}

// SignedDataGradient is DataGradient with a border of zeros, masked by the y of which
// ForwardSigned kept the signs.
func (c *Convolution) SignedDataGradient(w *Workers, dx, dy []float32, signs []uint16, height, width int) {
	area := height * width
	winogradTask{
		blocked: c.winograd(), method: c.Method, transposed: true, isa: w.isa,
		source: source{x: Single(dy[:c.out*area]), signs: signs[:c.out/channelBlock*area], height: height, width: width},
		y:      Single(dx[:c.in*area]), height: height, width: width,
	}.run(w)
}

// ForwardMaxPool is Forward followed by MaxPool, whose result is pooled. It saves a
// pass through y, which may be no map where only the pooling is wanted. Unless nil,
// choices, out × height/2 × width/2, takes what MaxPoolDataGradient needs to know of y.
// The convolution must be one by Winograd's algorithm.
func (c *Convolution) ForwardMaxPool(w *Workers, y, pooled Map, choices []uint8, x Map, height, width int, rectify bool, border Border) {
	windows := (height / 2) * (width / 2)
	if !y.none() {
		y = y.first(c.out * height * width)
	}
	if choices != nil {
		choices = choices[:c.out*windows]
	}
	winogradTask{
		blocked: c.winograd(), method: c.Method, isa: w.isa,
		source: source{x: x.first(c.in * height * width), height: height, width: width, border: border},
		biases: c.biases, y: y, pooled: pooled.first(c.out * windows), choices: choices,
		height: height, width: width, rectify: rectify,
	}.run(w)
}

// MaxPoolDataGradient is MaxPoolGradient, from dy and the rectified result of Forward,
// followed by DataGradient with a border of zeros. Of that result it takes the choices
// that ForwardMaxPool made. It needs no memory for the gradient in between, which is
// the largest of all.
func (c *Convolution) MaxPoolDataGradient(w *Workers, dx, dy []float32, choices []uint8, height, width int) {
	windows := (height / 2) * (width / 2)
	winogradTask{
		blocked: c.winograd(), method: c.Method, transposed: true, isa: w.isa,
		source: source{x: Single(dy[:c.out*windows]), choices: choices[:c.out*windows], height: height, width: width},
		y:      Single(dx[:c.in*height*width]), height: height, width: width,
	}.run(w)
}

// borderedGradient computes the gradient by the input with its border, one pixel
// wide, and adds the border's to the pixels at the edge.
func (c *Convolution) borderedGradient(w *Workers, dx []float32, dy source) {
	height, width := dy.height, dy.width
	wide := width + 2
	area := (height + 2) * wide
	w.exclusive(func(shared *workspace) {
		bordered := shared.float32s(0, c.in*area)
		directTask{
			panelled: c.gradient(), isa: w.isa, source: dy, origin: -1,
			y: Single(bordered), height: height + 2, width: wide,
		}.runLocked(w)
		w.runLocked(c.in, func(channel int, _ *workspace) {
			from, to := bordered[channel*area:][:area], dx[channel*height*width:][:height*width]
			for r := range height {
				foldLine(to[r*width:(r+1)*width], from[(r+1)*wide:(r+2)*wide], false)
			}
			foldLine(to[:width], from[:wide], true)
			foldLine(to[(height-1)*width:], from[(height+1)*wide:], true)
		})
	})
}

// foldLine writes a line without its first and last value, which it adds to their
// neighbours. Where add is set, it adds to what to holds.
func foldLine(to, line []float32, add bool) {
	inner := line[1 : len(line)-1]
	if add {
		for i, v := range inner {
			to[i] += v
		}
	} else {
		copy(to, inner)
	}
	to[0] += line[0]
	to[len(to)-1] += line[len(line)-1]
}
