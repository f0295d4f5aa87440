package model

import (
	"fmt"
	"image"
	"unsafe"

	"gorgonia.org/gorgonia"

	"impasto/internal/float16"
	"impasto/internal/memory"
	"impasto/internal/optim"
)

// featureMap is a map between two sections of the network, or its cotangent: channels ×
// height × width values in memory of the process. One of them is nil.
type featureMap struct {
	channels, height, width int
	single                  []float32
	short                   []uint16
	format                  mapFormat
	memory                  []byte // that the values lie in, nil where it is somebody else's
}

// mapFormat is how the values of a map, or of its cotangent, are kept.
type mapFormat int

const (
	singles      mapFormat = iota // float32
	halves                        // float16, for features
	cotangents16                  // bfloat16, for cotangents, of which some are very small
)

// halfUnit is what float16 features are multiples of, as float16 numbers: those of the
// network in stripes come to 38000 and more, and float16 ends at 65504.
const halfUnit = 16

// elementBytes is what a value takes.
func (f mapFormat) elementBytes() int64 {
	if f == singles {
		return 4
	}
	return 2
}

// newFeatureMap is one of zeros, to be freed.
func newFeatureMap(channels, height, width int, format mapFormat) (*featureMap, error) {
	n := channels * height * width
	bytes := format.elementBytes() * int64(n)
	block, err := mapped(fmt.Sprintf("map of %d×%d×%d features", channels, height, width), bytes)
	if err != nil {
		return nil, err
	}
	m := &featureMap{channels: channels, height: height, width: width, format: format, memory: block}
	m.placeIn(block)
	return m, nil
}

// placeIn places the values in memory, of which there has to be as much as they take.
func (m *featureMap) placeIn(block []byte) {
	n := m.channels * m.height * m.width
	if m.format == singles {
		m.single = unsafe.Slice((*float32)(unsafe.Pointer(&block[0])), n)
	} else {
		m.short = unsafe.Slice((*uint16)(unsafe.Pointer(&block[0])), n)
	}
}

// pictureMap has the planes of a picture, or of the gradient by one, in their place.
func pictureMap(width, height int, planes []float32) *featureMap {
	return &featureMap{channels: 3, height: height, width: width, single: planes}
}

// whole is the rectangle of all of it.
func (m *featureMap) whole() image.Rectangle { return image.Rect(0, 0, m.width, m.height) }

// free gives the memory back. Of no map it does nothing.
func (m *featureMap) free() {
	if m == nil || m.memory == nil {
		return
	}
	unmap(m.memory)
	m.memory, m.single, m.short = nil, nil, nil
}

// mapped is memory outside of the Go heap, all zero, to be given back by unmap. Where there
// isn't so much, the error says what it is for and wraps a *plan.MemoryError.
func mapped(what string, bytes int64) ([]byte, error) {
	block, err := memory.Allocate(int(bytes))
	if err != nil {
		available, _ := memory.Available()
		return nil, fmt.Errorf("%s: %w", what, memoryError(bytes, min(available, bytes)))
	}
	return block, nil
}

// unmap gives such memory back, or none.
func unmap(block []byte) {
	if block != nil {
		// Memory that was given out whole can be given back.
		_ = memory.Free(block)
	}
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
		m.eachRow(tile, r, inner, func(at int, of []float32) {
			switch m.format {
			case singles:
				copy(of, m.single[at:])
			case halves:
				float16.Widen(of, m.short[at:], halfUnit)
			case cotangents16:
				float16.WidenBrain(of, m.short[at:])
			}
		})
	})
}

// keep takes over the inner rectangle of an output that shows a larger one.
func (m *featureMap) keep(g *tileGraph, output *gorgonia.Node, shown, inner image.Rectangle) error {
	return m.through(g, output, shown, false, func(tile []float32) {
		m.eachRow(tile, shown, inner, func(at int, of []float32) {
			if m.format == singles {
				copy(m.single[at:], of)
			} else {
				float16.Narrow(m.short[at:at+len(of)], of, halfUnit)
			}
		})
	})
}

// add adds an output to a rectangle of a float32 map.
func (m *featureMap) add(g *tileGraph, output *gorgonia.Node, r image.Rectangle) error {
	return m.through(g, output, r, false, func(tile []float32) {
		m.eachRow(tile, r, r, func(at int, of []float32) {
			addTo(m.single[at:][:len(of)], of)
		})
	})
}

// set writes values to a row of a cotangent, of which the format is that of cotangents.
func (m *featureMap) set(at int, of []float32) {
	if m.format == singles {
		copy(m.single[at:], of)
		return
	}
	float16.NarrowBrain(m.short[at:at+len(of)], of)
}

// through calls do with the values of a node that show a rectangle: in their place, where
// that is in the process, else by way of a copy.
func (m *featureMap) through(g *tileGraph, node *gorgonia.Node, r image.Rectangle, write bool, do func(tile []float32)) error {
	n := m.channels * area(r)
	if g.onHost {
		vector, err := g.Vector(node)
		if err == nil {
			do(vector.(optim.HostVector)[:n])
		}
		return err
	}
	if len(g.lane.room) < n {
		g.lane.room = make([]float32, n)
	}
	tile := g.lane.room[:n]
	if write {
		do(tile)
		return g.Write(node, tile)
	}
	if err := g.Read(node, tile); err != nil {
		return err
	}
	do(tile)
	return nil
}

// eachRow calls do with the rows of inner: where they begin in the map, and in a tile that
// shows r.
func (m *featureMap) eachRow(tile []float32, r, inner image.Rectangle, do func(at int, of []float32)) {
	for channel := range m.channels {
		for y := inner.Min.Y; y < inner.Max.Y; y++ {
			of := tile[(channel*r.Dy()+y-r.Min.Y)*r.Dx():][inner.Min.X-r.Min.X : inner.Max.X-r.Min.X]
			do((channel*m.height+y)*m.width+inner.Min.X, of)
		}
	}
}
