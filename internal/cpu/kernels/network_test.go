package kernels

import (
	"fmt"
	"runtime"
	"testing"

	"impasto/vgg19"
)

// network is VGG-19 to relu5_1 with random filters that keep activations about
// the same size.
type network struct {
	layers []layer
}

type layer struct {
	*Convolution
	out, in, size int
	pooled        bool // a pooling comes before
	x, y          Map
	dx, dy        []float32
}

// newNetwork makes one whose features are of Half where half is set.
func newNetwork(b *testing.B, size int, half bool) *network {
	n := &network{}
	features := func(n int) Map {
		if half {
			return Map{Half: make([]Half, n)}
		}
		return Single(make([]float32, n))
	}
	y, dy := Single(values(99, 3*size*size)), make([]float32, 3*size*size)
	for i, c := range vgg19.Convolutions[:13] {
		filters := values(uint64(i), c.Out*c.In*9)
		for k := range filters {
			filters[k] *= sqrt(2 / float32(9*c.In))
		}
		l := layer{out: c.Out, in: c.In, size: size >> (c.Block - 1), pooled: c.Index == 1 && c.Block > 1}
		area := l.size * l.size
		if l.pooled {
			y, dy = features(c.In*area), make([]float32, c.In*area)
		}
		l.x, l.dx = y, dy
		var err error
		if l.Convolution, err = NewConvolution(Filters{Values: filters}, values(uint64(50+i), c.Out), c.Out, c.In); err != nil {
			b.Fatal(err)
		}
		y, dy = features(c.Out*area), make([]float32, c.Out*area)
		l.y, l.dy = y, dy
		n.layers = append(n.layers, l)
	}
	copy(dy, values(98, len(dy)))
	return n
}

func (n *network) forward(w *Workers) {
	for i, l := range n.layers {
		if l.pooled {
			MaxPool(w, l.x, n.layers[i-1].y, l.in, 2*l.size, 2*l.size)
		}
		l.Forward(w, l.y, l.x, l.size, l.size, true, Border{Replicate: i == 0})
	}
}

func (n *network) gradient(w *Workers) {
	for i := len(n.layers) - 1; i >= 0; i-- {
		l := n.layers[i]
		mask := l.y
		if i+1 < len(n.layers) && n.layers[i+1].pooled {
			mask = Map{} // the pooling has rectified
		}
		l.DataGradient(w, l.dx, l.dy, mask, l.size, l.size, Border{Replicate: i == 0})
		if l.pooled {
			p := n.layers[i-1]
			MaxPoolGradient(w, p.dy, l.dx, p.y, l.in, p.size, p.size, true)
		}
	}
}

func (n *network) operations() float64 {
	sum := 0
	for _, l := range n.layers {
		sum += 2 * 9 * l.in * l.out * l.size * l.size
	}
	return float64(sum)
}

// BenchmarkNetwork runs VGG-19 to relu5_1 forward, and back to the picture. The
// rate counts the operations of direct convolution.
func BenchmarkNetwork(b *testing.B) {
	for _, set := range isas() {
		for _, size := range []int{256, 512} {
			if set == &isaGo && size > 256 {
				continue
			}
			for _, half := range []bool{false, true} {
				name := fmt.Sprint(set.name, "/", size)
				if half {
					name += "/half"
				}
				w := newWorkers(runtime.GOMAXPROCS(0), set)
				n := newNetwork(b, size, half)
				b.Run(name+"/forward", func(b *testing.B) {
					for b.Loop() {
						n.forward(w)
					}
					reportRate(b, n.operations())
				})
				n.forward(w)
				b.Run(name+"/gradient", func(b *testing.B) {
					for b.Loop() {
						n.gradient(w)
					}
					reportRate(b, n.operations())
				})
				w.Close()
			}
		}
	}
}
