package weights

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"impasto/internal/float16"
	"impasto/internal/quote"
)

// source is the content of a weight file. Where it lies in memory, as the
// embedded one does, views of it are not copied.
type source struct {
	name   string          // for errors
	ctx    context.Context // ends all reading; nil where nothing does
	reader io.ReaderAt
	memory []byte // all of the content where reader is nil
	size   int64
}

// readStep is how many bytes are read before a look at the context.
const readStep = 4 << 20

// interrupted returns the error with which reading ends once the context does.
func (s *source) interrupted() error {
	if s.ctx == nil || s.ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("interrupted while it was read: %w", s.ctx.Err())
}

// view returns n bytes from offset on, which the caller must not change.
func (s *source) view(offset, n int64) ([]byte, error) {
	if offset < 0 || n < 0 || offset > s.size || n > s.size-offset {
		return nil, fmt.Errorf("ends at byte %d, want %d bytes from %d on: is the file whole?", s.size, n, offset)
	}
	if s.reader == nil {
		return s.memory[offset : offset+n], nil
	}
	b := make([]byte, n)
	for done := int64(0); done < n; done += readStep {
		if err := s.interrupted(); err != nil {
			return nil, err
		}
		if _, err := s.reader.ReadAt(b[done:min(done+readStep, n)], offset+done); err != nil {
			return nil, fmt.Errorf("reading %d bytes from %d on: %w", n, offset, err)
		}
	}
	return b, nil
}

// kind is the type of a tensor's elements, by safetensors' name for it.
type kind string

const (
	kindF64  kind = "F64"
	kindF32  kind = "F32"
	kindF16  kind = "F16"
	kindBF16 kind = "BF16"
	kindU8   kind = "U8"
)

// kindSizes has the bytes an element of the kinds that can be met takes.
var kindSizes = map[kind]int64{
	kindF64: 8, kindF32: 4, kindF16: 2, kindBF16: 2, kindU8: 1,
	"I8": 1, "BOOL": 1, "I16": 2, "I32": 4, "I64": 8, "C64": 8, "C128": 16,
}

// tensor says where and how the values of one named array are stored. Nothing
// is read before its shape was found to be the one that is wanted.
type tensor struct {
	name   string
	kind   kind
	shape  []int64
	stride []int64 // in elements; nil where row-major without gaps
	offset int64   // of the first element in the source
	bytes  int64   // stored from offset on
	// latin1 marks bytes that Python's pickle protocol 2 wrote as text: each byte
	// became the character of that number, encoded as UTF-8.
	latin1    bool
	bigEndian bool
}

// shown is the tensor's name for errors.
func (t *tensor) shown() string { return shown(t.name) }

// shown is the type's name for errors, which a file may have made up.
func (k kind) shown() string { return shown(string(k)) }

// shown is a name out of a file as errors have it: quoted where it has to be, and its
// beginning where it is long.
func shown(name string) string {
	const most = 120
	if len(name) > most {
		return quote.Name(strings.ToValidUTF8(name[:most], "") + "…")
	}
	return quote.Name(name)
}

// wants reports a tensor of another shape than the given one.
func (t *tensor) wants(shape ...int64) error {
	ok := len(t.shape) == len(shape)
	for i := 0; ok && i < len(shape); i++ {
		ok = t.shape[i] == shape[i]
	}
	if !ok {
		return fmt.Errorf("%s has shape %s, want %s", t.shown(), shapeString(t.shape), shapeString(shape))
	}
	return nil
}

// shapeString writes a shape as 64×3×3×3.
func shapeString(shape []int64) string {
	if len(shape) == 0 {
		return "of a single value"
	}
	const most = 8
	var parts []string
	for _, n := range shape[:min(len(shape), most)] {
		parts = append(parts, strconv.FormatInt(n, 10))
	}
	if len(shape) > most {
		parts = append(parts, "…")
	}
	return strings.Join(parts, "×")
}

// elements multiplies a shape out; ok is false for a negative or absurd one.
func elements(shape []int64) (n int64, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 0 || (d > 0 && n > math.MaxInt64/16/d) {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// load returns the elements row-major, little-endian and without gaps. The
// caller has checked the shape, which bounds what is allocated.
func (s *source) load(t *tensor) ([]byte, error) {
	size, known := kindSizes[t.kind]
	n, ok := elements(t.shape)
	if !known || !ok {
		return nil, fmt.Errorf("%s has type %s and shape %s, which can't be read", t.shown(), t.kind.shown(), shapeString(t.shape))
	}
	extent, err := t.extent(n)
	if err != nil {
		return nil, err
	}
	if extent > 8*n {
		return nil, fmt.Errorf("%s has %d elements spread over %d, want them closer together", t.shown(), n, extent)
	}
	var data []byte
	if t.latin1 {
		data, err = s.loadLatin1(t, extent*size)
	} else if extent*size > t.bytes {
		err = fmt.Errorf("has %d bytes stored, want %d", t.bytes, extent*size)
	} else {
		data, err = s.view(t.offset, extent*size)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.shown(), err)
	}
	if t.stride != nil {
		data = t.gather(data, n, size)
	}
	if t.bigEndian && size > 1 {
		data = swapped(data, int(size))
	}
	return data, nil
}

// extent returns how many stored elements the tensor reaches over.
func (t *tensor) extent(n int64) (int64, error) {
	if t.stride == nil || n == 0 {
		return n, nil
	}
	last := int64(0)
	for i, d := range t.shape {
		step := t.stride[i]
		if step < 0 || (d > 1 && step > (math.MaxInt64/16-last)/(d-1)) {
			return 0, fmt.Errorf("%s has stride %d, which leaves its storage", t.shown(), step)
		}
		last += (d - 1) * step
	}
	return last + 1, nil
}

// gather copies a strided tensor of n elements out of its storage.
func (t *tensor) gather(data []byte, n, size int64) []byte {
	out := make([]byte, 0, n*size)
	var walk func(axis int, at int64)
	walk = func(axis int, at int64) {
		if axis == len(t.shape) {
			out = append(out, data[at*size:(at+1)*size]...)
			return
		}
		for i := range t.shape[axis] {
			walk(axis+1, at+i*t.stride[axis])
		}
	}
	if n > 0 {
		walk(0, 0)
	}
	return out
}

// loadLatin1 reads bytes that were stored as UTF-8 text, and wants exactly n.
func (s *source) loadLatin1(t *tensor, n int64) ([]byte, error) {
	if t.bytes < n || t.bytes > 2*n {
		return nil, fmt.Errorf("has %d bytes of text stored, want %d characters of one or two", t.bytes, n)
	}
	text, err := s.view(t.offset, t.bytes)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, n)
	for len(text) > 0 {
		r, width := utf8.DecodeRune(text)
		if r > 255 || int64(len(out)) == n {
			return nil, fmt.Errorf("holds text that does not stand for %d bytes", n)
		}
		out, text = append(out, byte(r)), text[width:]
	}
	if int64(len(out)) != n {
		return nil, fmt.Errorf("holds text for %d bytes, want %d", len(out), n)
	}
	return out, nil
}

func swapped(data []byte, size int) []byte {
	out := make([]byte, len(data))
	for i := range data {
		out[i] = data[i-i%size+size-1-i%size]
	}
	return out
}

// floats reads t, whatever its precision, and refuses values that are not
// finite.
func (s *source) floats(t *tensor) ([]float32, error) {
	switch t.kind {
	case kindF64, kindF32, kindF16, kindBF16:
	default:
		return nil, fmt.Errorf("%s has type %s, want F32, F16, BF16 or F64", t.shown(), t.kind.shown())
	}
	data, err := s.load(t)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(data)/int(kindSizes[t.kind]))
	switch t.kind {
	case kindF64:
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
		}
	case kindF32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case kindF16:
		for i := range out {
			out[i] = float16.ToFloat32(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case kindBF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		}
	}
	return out, checkFinite(t.shown(), out)
}

func checkFinite(name string, values []float32) error {
	for i, v := range values {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return fmt.Errorf("%s has the value %g at place %d, want finite numbers", name, v, i)
		}
	}
	return nil
}
