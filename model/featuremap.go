package model

import (
	"fmt"
	"image"
	"unsafe"

	"gorgonia.org/gorgonia"

	"impasto/internal/memory"
	"impasto/internal/optim"
)

// featureMap is a map between two sections of the network, or its cotangent: channels ×
// height × width values in memory of the process.
type featureMap struct {
	channels, height, width int
	values                  []float32
	memory                  []byte // that the values lie in, nil where it is somebody else's
	room                    []float32
}

// newFeatureMap is one of zeros, to be freed.
func newFeatureMap(channels, height, width int) (*featureMap, error) {
	m := &featureMap{channels: channels, height: height, width: width}
	bytes := m.bytes()
	block, err := memory.Allocate(int(bytes))
	if err != nil {
		available, _ := memory.Available()
		return nil, fmt.Errorf("map of %d×%d×%d features: %w", channels, height, width, memoryError(bytes, min(available, bytes)))
	}
	m.memory = block
	m.values = unsafe.Slice((*float32)(unsafe.Pointer(&block[0])), channels*height*width)
	return m, nil
}

// pictureMap has the planes of a picture, or of the gradient by one, in their place.
func pictureMap(width, height int, planes []float32) *featureMap {
	return &featureMap{channels: 3, height: height, width: width, values: planes}
}

func (m *featureMap) bytes() int64 { return 4 * int64(m.channels) * int64(m.height) * int64(m.width) }

// free gives the memory back. Of no map it does nothing.
func (m *featureMap) free() {
	if m == nil || m.memory == nil {
		return
	}
	// Memory that was given out whole can be given back.
	_ = memory.Free(m.memory)
	m.memory, m.values = nil, nil
}

// row is the columns of a rectangle's row y, of a channel.
func (m *featureMap) row(channel, y int, r image.Rectangle) []float32 {
	return m.values[(channel*m.height+y)*m.width:][r.Min.X:r.Max.X]
}

// crop writes a rectangle to an input of a graph.
func (m *featureMap) crop(g *tileGraph, input *gorgonia.Node, r image.Rectangle) error {
	return m.cropInner(g, input, r, r)
}

// cropInner writes a rectangle to an input, with zeros for what isn't in inner.
func (m *featureMap) cropInner(g *tileGraph, input *gorgonia.Node, r, inner image.Rectangle) error {
	return m.through(g, input, r, true, func(tile []float32) {
		if inner != r {
			clear(tile)
		}
		m.eachRow(tile, r, inner, func(row, of []float32) { copy(of, row) })
	})
}

// keep takes over the inner rectangle of an output that shows a larger one.
func (m *featureMap) keep(g *tileGraph, output *gorgonia.Node, shown, inner image.Rectangle) error {
	return m.through(g, output, shown, false, func(tile []float32) {
		m.eachRow(tile, shown, inner, func(row, of []float32) { copy(row, of) })
	})
}

// add adds an output to a rectangle.
func (m *featureMap) add(g *tileGraph, output *gorgonia.Node, r image.Rectangle) error {
	return m.through(g, output, r, false, func(tile []float32) {
		m.eachRow(tile, r, r, func(row, of []float32) {
			for i, v := range of {
				row[i] += v
			}
		})
	})
}

// through calls do with the values of a node that show a rectangle: in their place, where
// that is in the process, else by way of a copy.
func (m *featureMap) through(g *tileGraph, node *gorgonia.Node, r image.Rectangle, write bool, do func(tile []float32)) error {
	n := m.channels * area(r)
	vector, err := g.Vector(node)
	if err != nil {
		return err
	}
	if host, here := vector.(optim.HostVector); here {
		do(host[:n])
		return nil
	}
	if len(m.room) < n {
		m.room = make([]float32, n)
	}
	if write {
		do(m.room[:n])
		return g.Write(node, m.room[:n])
	}
	if err := g.Read(node, m.room[:n]); err != nil {
		return err
	}
	do(m.room[:n])
	return nil
}

// eachRow calls do with the rows of inner, in the map and in a tile that shows r.
func (m *featureMap) eachRow(tile []float32, r, inner image.Rectangle, do func(row, of []float32)) {
	for channel := range m.channels {
		for y := inner.Min.Y; y < inner.Max.Y; y++ {
			of := tile[(channel*r.Dy()+y-r.Min.Y)*r.Dx():][inner.Min.X-r.Min.X : inner.Max.X-r.Min.X]
			do(m.row(channel, y, inner), of)
		}
	}
}
