package colour

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// lookup is a transform by tables from 1, 3 or 4 device values to an encoding of XYZ
// or Lab in 0–1: curves, a grid, curves, a matrix, curves. What is nil is left out. The
// matrix that 8-bit and 16-bit tables begin with is for pictures in XYZ only.
type lookup struct {
	input  []curve
	grid   *cells
	middle []curve
	matrix *affine
	output []curve
	lab    func(encoded vector) vector // nil where the encoding is of XYZ
}

// affine is a matrix and what is added to its product.
type affine struct {
	matrix matrix
	offset vector
}

func (a *affine) at(v vector) vector {
	v = a.matrix.times(v)
	for i := range v {
		v[i] += a.offset[i]
	}
	return v
}

// cells are values at the nodes of a grid, three each; the last axis varies fastest.
type cells struct {
	sizes  []int
	values []float32
}

// at interpolates linearly along each axis.
func (c *cells) at(x []float64) vector {
	var sum vector
	for corner := range 1 << len(c.sizes) {
		weight, node := 1.0, 0
		for axis, size := range c.sizes {
			position := unit(x[axis]) * float64(size-1)
			i := min(int(position), size-2)
			if part := position - float64(i); corner>>axis&1 == 1 {
				i, weight = i+1, weight*part
			} else {
				weight *= 1 - part
			}
			node = node*size + i
		}
		for k := range sum {
			sum[k] += weight * float64(c.values[3*node+k])
		}
	}
	return sum
}

// tail goes from the input curves' results to XYZ.
func (l *lookup) tail(x []float64) vector {
	var v vector
	if l.grid != nil {
		v = l.grid.at(x)
	} else {
		copy(v[:], x)
	}
	v = apply(l.middle, v)
	if l.matrix != nil {
		v = l.matrix.at(v)
	}
	v = apply(l.output, v)
	if l.lab != nil {
		return labToXYZ(l.lab(v))
	}
	for i := range v {
		v[i] *= 1 + 32767./32768
	}
	return v
}

func apply(curves []curve, v vector) vector {
	for i, q := range curves {
		v[i] = q.at(v[i])
	}
	return v
}

// The encodings of Lab: that of 16-bit tables (ICC.1:2022, 10.10), and all others.
func lab16(v vector) vector {
	return vector{v[0] * 100 * 65535 / 65280, v[1]*65535/256 - 128, v[2]*65535/256 - 128}
}
func lab8(v vector) vector { return vector{v[0] * 100, v[1]*255 - 128, v[2]*255 - 128} }

func labToXYZ(lab vector) vector {
	y := (lab[0] + 16) / 116
	v := vector{y + lab[1]/500, y, y - lab[2]/200}
	for i, t := range v {
		if t > 6./29 {
			v[i] = d50[i] * t * t * t
		} else {
			v[i] = d50[i] * 3 * (6. / 29) * (6. / 29) * (t - 4./29)
		}
	}
	return v
}

func (p *profile) readLookup(data []byte) (*lookup, error) {
	if len(data) < 32 {
		return nil, errors.New("it ends too early")
	}
	if inputs, outputs := int(data[8]), int(data[9]); inputs != p.channels() || outputs != 3 {
		return nil, fmt.Errorf("it goes from %d channels to %d; want %d to 3", inputs, outputs, p.channels())
	}
	var l *lookup
	var err error
	decode := lab8
	switch kind := string(data[:4]); kind {
	case "mft1", "mft2":
		if l, err = readTables(data); kind == "mft2" {
			decode = lab16
		}
	case "mAB ":
		l, err = readElements(data)
	default:
		err = fmt.Errorf("it has the type %q; want mft1, mft2 or mAB", kind)
	}
	if err == nil && p.pcs == "Lab " {
		l.lab = decode
	}
	return l, err
}

// readTables reads lut8Type and lut16Type.
func readTables(data []byte) (*lookup, error) {
	l, inputs := &lookup{}, int(data[8])
	width, entries, results, start := 1, 256, 256, 48
	if string(data[:4]) == "mft2" {
		width, start = 2, 52
	}
	if len(data) < start {
		return nil, errors.New("it ends too early")
	}
	if width == 2 {
		entries, results = int(binary.BigEndian.Uint16(data[48:])), int(binary.BigEndian.Uint16(data[50:]))
	}
	rest := data[start:]
	var err error
	if l.input, rest, err = readTableCurves(rest, inputs, entries, width); err != nil {
		return nil, err
	}
	sizes := make([]int, inputs)
	for i := range sizes {
		sizes[i] = int(data[10])
	}
	if l.grid, rest, err = readCells(rest, sizes, width); err != nil {
		return nil, err
	}
	l.middle, _, err = readTableCurves(rest, 3, results, width)
	return l, err
}

func readTableCurves(data []byte, count, entries, width int) (curves []curve, rest []byte, err error) {
	if entries < 2 || len(data) < count*entries*width {
		return nil, nil, errors.New("its curves end too early")
	}
	for range count {
		curves = append(curves, curve{table: numbers(data, entries, width)})
		data = data[entries*width:]
	}
	return curves, data, nil
}

// numbers are values of one or two bytes, scaled to 0–1.
func numbers(data []byte, count, width int) []float64 {
	if width == 2 {
		return words(data, count)
	}
	values := make([]float64, count)
	for i := range values {
		values[i] = float64(data[i]) / math.MaxUint8
	}
	return values
}

func readCells(data []byte, sizes []int, width int) (*cells, []byte, error) {
	count := 3
	for _, size := range sizes {
		if size < 2 {
			return nil, nil, fmt.Errorf("its grid has a side of %d; want 2 or more", size)
		}
		count *= size // at most 3·255⁴
	}
	if len(data) < count*width {
		return nil, nil, errors.New("its grid ends too early")
	}
	values := make([]float32, count)
	for i := range values {
		if width == 2 {
			values[i] = float32(binary.BigEndian.Uint16(data[2*i:])) / math.MaxUint16
		} else {
			values[i] = float32(data[i]) / math.MaxUint8
		}
	}
	return &cells{sizes, values}, data[count*width:], nil
}

// readElements reads lutAToBType.
func readElements(data []byte) (*lookup, error) {
	l, inputs := &lookup{}, int(data[8])
	at := func(field int) []byte {
		offset := binary.BigEndian.Uint32(data[12+4*field:])
		if offset == 0 || uint64(offset) > uint64(len(data)) {
			return nil
		}
		return data[offset:]
	}
	var err error
	for _, c := range []struct {
		field, count int
		curves       *[]curve
	}{{0, 3, &l.output}, {2, 3, &l.middle}, {4, inputs, &l.input}} {
		if *c.curves, err = readCurves(at(c.field), c.count); err != nil {
			return nil, err
		}
	}
	if part := at(1); part != nil {
		if len(part) < 48 {
			return nil, errors.New("its matrix ends too early")
		}
		l.matrix = &affine{offset: vector{fixed(part[36:]), fixed(part[40:]), fixed(part[44:])}}
		for i := range 9 {
			l.matrix.matrix[i/3][i%3] = fixed(part[4*i:])
		}
	}
	part := at(3)
	switch {
	case part == nil && inputs != 3:
		return nil, errors.New("it has no grid")
	case part == nil:
		// Without a grid the first curves are those in the middle.
		l.input, l.middle = l.middle, nil
		return l, nil
	case len(part) < 20 || part[16] < 1 || part[16] > 2:
		return nil, errors.New("its grid is of no known kind")
	}
	sizes := make([]int, inputs)
	for i := range sizes {
		sizes[i] = int(part[i])
	}
	l.grid, _, err = readCells(part[20:], sizes, int(part[16]))
	return l, err
}

// readCurves reads curves that follow each other at multiples of four bytes.
func readCurves(data []byte, count int) (curves []curve, err error) {
	if data == nil {
		return nil, nil
	}
	for range count {
		q, size, err := readCurve(data)
		if err != nil {
			return nil, err
		}
		curves = append(curves, q)
		data = data[min((size+3)&^3, len(data)):]
	}
	return curves, nil
}
