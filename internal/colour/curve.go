package colour

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// curve is a function from 0–1 to 0–1: a table of values at even distances, or where
// there is none a parametric curve of ICC.1:2022, table 68.
type curve struct {
	table               []float64
	kind                uint16
	g, a, b, c, d, e, f float64
	black               float64 // what is mapped to 0 afterwards, with 1 kept
}

var identityCurve = curve{kind: 0, g: 1}

func (q curve) at(x float64) float64 { return (q.plain(x) - q.black) / (1 - q.black) }

// plain is at without black.
func (q curve) plain(x float64) float64 {
	x = unit(x)
	if q.table != nil {
		last := len(q.table) - 1
		position := x * float64(last)
		i := min(int(position), last-1)
		return q.table[i] + (position-float64(i))*(q.table[i+1]-q.table[i])
	}
	var y float64
	switch power := math.Pow(q.a*x+q.b, q.g); q.kind {
	case 0:
		y = math.Pow(x, q.g)
	case 1, 2:
		if q.a*x+q.b >= 0 {
			y = power
		}
		y += q.c
	case 3, 4:
		if x >= q.d {
			y = power + q.e
		} else {
			y = q.c*x + q.f
		}
	}
	return unit(y)
}

// unit clamps to 0–1; NaN becomes 0.
func unit(v float64) float64 {
	if v > 0 {
		return min(v, 1)
	}
	return 0
}

// readCurve reads a curve at the beginning of data, and says how many bytes it has.
func readCurve(data []byte) (curve, int, error) {
	if len(data) < 12 {
		return curve{}, 0, errors.New("a curve ends too early")
	}
	switch kind := string(data[:4]); kind {
	case "curv":
		return readTable(data)
	case "para":
		return readParametric(data)
	default:
		return curve{}, 0, fmt.Errorf("a curve has the type %q; want curv or para", kind)
	}
}

func readTable(data []byte) (curve, int, error) {
	count := uint64(binary.BigEndian.Uint32(data[8:]))
	if count == 0 {
		return identityCurve, 12, nil
	}
	size := 12 + 2*count
	if size > uint64(len(data)) {
		return curve{}, 0, errors.New("a curve ends too early")
	}
	if count == 1 {
		gamma := float64(binary.BigEndian.Uint16(data[12:])) / 256
		return curve{kind: 0, g: gamma}, int(size), checkExponent(gamma)
	}
	return curve{table: words(data[12:], int(count))}, int(size), nil
}

// words are 16-bit values, scaled to 0–1.
func words(data []byte, count int) []float64 {
	values := make([]float64, count)
	for i := range values {
		values[i] = float64(binary.BigEndian.Uint16(data[2*i:])) / math.MaxUint16
	}
	return values
}

func readParametric(data []byte) (curve, int, error) {
	q := curve{kind: binary.BigEndian.Uint16(data[8:])}
	fields := [...][]*float64{
		{&q.g}, {&q.g, &q.a, &q.b}, {&q.g, &q.a, &q.b, &q.c}, {&q.g, &q.a, &q.b, &q.c, &q.d},
		{&q.g, &q.a, &q.b, &q.c, &q.d, &q.e, &q.f},
	}
	if int(q.kind) >= len(fields) {
		return curve{}, 0, fmt.Errorf("a parametric curve has the function %d; want 0 to 4", q.kind)
	}
	size := 12 + 4*len(fields[q.kind])
	if size > len(data) {
		return curve{}, 0, errors.New("a curve ends too early")
	}
	for i, field := range fields[q.kind] {
		*field = fixed(data[12+4*i:])
	}
	return q, size, checkExponent(q.g)
}

func checkExponent(gamma float64) error {
	if gamma <= 0 {
		return fmt.Errorf("a curve has the exponent %g; want more than 0", gamma)
	}
	return nil
}

// fixed is an s15Fixed16Number.
func fixed(data []byte) float64 { return float64(int32(binary.BigEndian.Uint32(data))) / (1 << 16) }
