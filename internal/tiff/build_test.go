package tiff

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// testDirectory is a directory for a file that a test builds.
type testDirectory struct {
	fields   []testField
	chunks   [][]byte
	tiled    bool
	children []*testDirectory
}

// testField is a tag with numbers of a field type.
type testField struct {
	tag, kind int
	numbers   []uint64
}

func short(tag int, numbers ...int) testField {
	f := testField{tag: tag, kind: 3}
	for _, n := range numbers {
		f.numbers = append(f.numbers, uint64(n))
	}
	return f
}

func byteField(tag int, data string) testField {
	f := testField{tag: tag, kind: 7}
	for _, b := range []byte(data) {
		f.numbers = append(f.numbers, uint64(b))
	}
	return f
}

func rationals(tag int, values ...float64) testField {
	f := testField{tag: tag, kind: 5}
	for _, v := range values {
		f.numbers = append(f.numbers, uint64(math.Round(v*10000))<<32|10000)
	}
	return f
}

// set replaces the fields of the same tags.
func (d *testDirectory) set(fields ...testField) *testDirectory {
	for _, f := range fields {
		d.fields = append(slices.DeleteFunc(d.fields, func(old testField) bool { return old.tag == f.tag }), f)
	}
	return d
}

// grey8 is a picture of 8 bits, uncompressed, in one strip.
func grey8(width, height int, pixels ...byte) *testDirectory {
	return (&testDirectory{chunks: [][]byte{pixels}}).set(
		short(tagImageWidth, width), short(tagImageLength, height), short(tagBitsPerSample, 8),
		short(tagPhotometric, minIsBlack))
}

// rgb8 is grey8 for samples of three colours.
func rgb8(width, height int, pixels ...byte) *testDirectory {
	return grey8(width, height, pixels...).set(
		short(tagPhotometric, photoRGB), short(tagSamplesPerPixel, 3), short(tagBitsPerSample, 8, 8, 8))
}

// testFile writes files in both byte orders, classic and big.
type testFile struct {
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	big  bool
	data []byte
}

func little(pages ...*testDirectory) []byte {
	return (&testFile{order: binary.LittleEndian}).write(pages...)
}

func (f *testFile) write(pages ...*testDirectory) []byte {
	mark := "II"
	if f.order.Uint16([]byte{0, 1}) == 1 {
		mark = "MM"
	}
	f.data = []byte(mark)
	if f.big {
		f.data = f.order.AppendUint16(f.data, 43)
		f.data = f.order.AppendUint16(f.data, 8)
		f.data = f.order.AppendUint16(f.data, 0)
		f.data = f.order.AppendUint64(f.data, 0)
	} else {
		f.data = f.order.AppendUint16(f.data, 42)
		f.data = f.order.AppendUint32(f.data, 0)
	}
	link := len(f.data) - f.offsetSize()
	for _, page := range pages {
		_, link = f.directory(page, link)
	}
	return f.data
}

func (f *testFile) offsetSize() int {
	if f.big {
		return 8
	}
	return 4
}

// offset appends a number of an offset's size.
func (f *testFile) offset(b []byte, value int) []byte {
	if f.big {
		return f.order.AppendUint64(b, uint64(value))
	}
	return f.order.AppendUint32(b, uint32(value))
}

// directory writes a directory, whose offset goes to link, and returns it and the place
// of its own link.
func (f *testFile) directory(d *testDirectory, link int) (at, next int) {
	fields := f.parts(d)
	values, inline := make([][]byte, len(fields)), f.offsetSize()
	for i, field := range fields {
		values[i] = f.values(field)
		if len(values[i]) > inline {
			at := len(f.data)
			f.data = append(f.data, values[i]...)
			values[i] = f.offset(nil, at)
		}
	}
	at = len(f.data)
	copy(f.data[link:], f.offset(nil, at))
	if f.big {
		f.data = f.order.AppendUint64(f.data, uint64(len(fields)))
	} else {
		f.data = f.order.AppendUint16(f.data, uint16(len(fields)))
	}
	for i, field := range fields {
		f.data = f.order.AppendUint16(f.data, uint16(field.tag))
		f.data = f.order.AppendUint16(f.data, uint16(field.kind))
		f.data = f.offset(f.data, len(field.numbers))
		f.data = append(f.data, append(values[i], make([]byte, inline-len(values[i]))...)...)
	}
	next = len(f.data)
	f.data = append(f.data, make([]byte, inline)...)
	return at, next
}

// parts writes what a directory refers to, and returns its fields in order.
func (f *testFile) parts(d *testDirectory) []testField {
	fields := slices.Clone(d.fields)
	offsets, counts := testField{tag: tagStripOffsets, kind: 4}, testField{tag: tagStripByteCounts, kind: 4}
	if d.tiled {
		offsets.tag, counts.tag = tagTileOffsets, tagTileByteCounts
	}
	for _, chunk := range d.chunks {
		offsets.numbers = append(offsets.numbers, uint64(len(f.data)))
		counts.numbers = append(counts.numbers, uint64(len(chunk)))
		f.data = append(f.data, chunk...)
	}
	for _, field := range []testField{offsets, counts} {
		if !slices.ContainsFunc(fields, func(own testField) bool { return own.tag == field.tag }) && len(d.chunks) > 0 {
			fields = append(fields, field)
		}
	}
	if len(d.children) > 0 {
		sub := testField{tag: tagSubIFDs, kind: 4}
		for _, child := range d.children {
			f.data = append(f.data, make([]byte, 8)...)
			place := len(f.data) - 8
			at, _ := f.directory(child, place)
			sub.numbers = append(sub.numbers, uint64(at))
		}
		fields = append(fields, sub)
	}
	slices.SortFunc(fields, func(a, b testField) int { return a.tag - b.tag })
	return fields
}

func (f *testFile) values(field testField) []byte {
	var b []byte
	for _, n := range field.numbers {
		switch kindSizes[field.kind] {
		case 1:
			b = append(b, byte(n))
		case 2:
			b = f.order.AppendUint16(b, uint16(n))
		case 4:
			b = f.order.AppendUint32(b, uint32(n))
		default:
			if field.kind == 5 {
				b = f.order.AppendUint32(b, uint32(n>>32))
				b = f.order.AppendUint32(b, uint32(n))
			} else {
				b = f.order.AppendUint64(b, n)
			}
		}
	}
	return b
}

// decoded is a picture's values, row by row.
func decoded(t testing.TB, data []byte) (*Picture, []float32) {
	t.Helper()
	p, values, err := tryDecode(t, data)
	if err != nil {
		t.Fatal(err)
	}
	return p, values
}

// tryDecode reads a picture, and checks that each pixel comes once.
func tryDecode(t testing.TB, data []byte) (*Picture, []float32, error) {
	t.Helper()
	p, err := Open(data)
	if err != nil {
		return nil, nil, err
	}
	channels := int(p.Colours)
	if p.Alpha {
		channels++
	}
	if int64(p.Width)*int64(p.Height) > 1<<24 {
		t.Fatalf("%d×%d pixels, which tests don't have", p.Width, p.Height)
	}
	values := make([]float32, p.Width*p.Height*channels)
	seen := make([]bool, p.Width*p.Height)
	err = p.Decode(t.Context(), func(x, y int, row []float32) {
		for i := range len(row) / channels {
			if at := y*p.Width + x + i; seen[at] {
				t.Fatalf("pixel %d, %d came twice", x+i, y)
			} else {
				seen[at] = true
			}
		}
		copy(values[(y*p.Width+x)*channels:], row)
	})
	if err == nil && slices.Contains(seen, false) {
		t.Fatal("a pixel never came")
	}
	return p, values, err
}
