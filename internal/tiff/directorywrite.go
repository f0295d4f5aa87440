package tiff

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Field types that are written.
const (
	octetField     = 1
	asciiField     = 2
	shortField     = 3
	longField      = 4
	rationalField  = 5
	undefinedField = 7
	long8Field     = 16 // of BigTIFF
)

// directoryWriter collects a directory's fields.
type directoryWriter struct {
	big    bool // of a BigTIFF: counts and offsets have 8 bytes
	fields []writtenField
}

type writtenField struct {
	tag, kind, count int
	data             []byte
	below            *directoryWriter // what the field refers to, instead of data
}

func (d *directoryWriter) add(tag, kind int, numbers ...uint64) {
	f := writtenField{tag: tag, kind: kind, count: len(numbers)}
	if kind == rationalField {
		f.count /= 2
	}
	f.data = numbersOf(kind, numbers)
	d.fields = append(d.fields, f)
}

func (d *directoryWriter) addBytes(tag int, data []byte) {
	d.addField(Field{tag, undefinedField, data})
}

// addField adds a field as it is. Of two with one tag the first counts.
func (d *directoryWriter) addField(f Field) {
	if slices.ContainsFunc(d.fields, func(have writtenField) bool { return have.tag == f.Tag }) {
		return
	}
	d.fields = append(d.fields, writtenField{tag: f.Tag, kind: f.Kind, count: f.count(), data: f.Data})
}

// addAll adds fields, and directories of them where there are any.
func (d *directoryWriter) addAll(f Fields) {
	for _, field := range f.Image {
		d.addField(field)
	}
	for tag, fields := range map[int][]Field{tagEXIF: f.Camera, tagGPS: f.Place} {
		if len(fields) == 0 {
			continue
		}
		below := &directoryWriter{big: d.big}
		for _, field := range fields {
			below.addField(field)
		}
		kind := longField
		if d.big {
			kind = long8Field
		}
		d.fields = append(d.fields, writtenField{tag: tag, kind: kind, count: 1, below: below})
	}
}

// replace sets the numbers of a field anew, of which there are as many as before.
func (d *directoryWriter) replace(tag int, numbers []uint64) {
	for i := range d.fields {
		if f := &d.fields[i]; f.tag == tag {
			f.data = numbersOf(f.kind, numbers)
		}
	}
}

func numbersOf(kind int, numbers []uint64) []byte {
	var data []byte
	for _, n := range numbers {
		switch kind {
		case shortField:
			data = binary.LittleEndian.AppendUint16(data, uint16(n))
		case long8Field:
			data = binary.LittleEndian.AppendUint64(data, n)
		default:
			data = binary.LittleEndian.AppendUint32(data, uint32(n))
		}
	}
	return data
}

// word is how many bytes an offset has, and a field's value within the directory.
func (d *directoryWriter) word() int {
	if d.big {
		return 8
	}
	return 4
}

// headerSize is that of a file's header.
func (d *directoryWriter) headerSize() int {
	if d.big {
		return 16
	}
	return 8
}

// fixedSize is that of the number of fields, the fields and the offset of the next
// directory.
func (d *directoryWriter) fixedSize() int {
	if d.big {
		return 8 + 20*len(d.fields) + 8
	}
	return 2 + 12*len(d.fields) + 4
}

// size is that of the header, the directory and what it refers to.
func (d *directoryWriter) size() int { return d.headerSize() + d.bodySize() }

// bodySize is size without the header.
func (d *directoryWriter) bodySize() int {
	size := d.fixedSize()
	for _, f := range d.fields {
		switch {
		case f.below != nil:
			size += f.below.bodySize()
		case len(f.data) > d.word():
			size += len(f.data) + len(f.data)%2
		}
	}
	return size
}

func (d *directoryWriter) bytes() []byte {
	head := []byte("II*\x00")
	if d.big {
		head = []byte("II+\x00\x08\x00\x00\x00")
	}
	head = d.appendWord(head, d.headerSize())
	return append(head, d.body(d.headerSize())...)
}

func (d *directoryWriter) appendWord(to []byte, n int) []byte {
	if d.big {
		return binary.LittleEndian.AppendUint64(to, uint64(n))
	}
	return binary.LittleEndian.AppendUint32(to, uint32(n))
}

// body is the directory and what it refers to, from an offset in the file on.
func (d *directoryWriter) body(at int) []byte {
	order := binary.LittleEndian
	slices.SortStableFunc(d.fields, func(a, b writtenField) int { return cmp.Compare(a.tag, b.tag) })
	var fixed, beyond []byte
	if d.big {
		fixed = order.AppendUint64(fixed, uint64(len(d.fields)))
	} else {
		fixed = order.AppendUint16(fixed, uint16(len(d.fields)))
	}
	for _, f := range d.fields {
		fixed = order.AppendUint16(fixed, uint16(f.tag))
		fixed = order.AppendUint16(fixed, uint16(f.kind))
		fixed = d.appendWord(fixed, f.count)
		if f.below == nil && len(f.data) <= d.word() {
			fixed = append(fixed, f.data...)
			fixed = append(fixed, make([]byte, d.word()-len(f.data))...)
			continue
		}
		place := at + d.fixedSize() + len(beyond)
		fixed = d.appendWord(fixed, place)
		if f.below != nil {
			beyond = append(beyond, f.below.body(place)...)
			continue
		}
		beyond = append(beyond, f.data...)
		if len(beyond)%2 == 1 {
			beyond = append(beyond, 0)
		}
	}
	fixed = d.appendWord(fixed, 0)
	return append(fixed, beyond...)
}
