package tiff

import "encoding/binary"

// Field types that are written.
const (
	shortField     = 3
	longField      = 4
	rationalField  = 5
	undefinedField = 7
	long8Field     = 16 // of BigTIFF
)

// directoryWriter collects a directory's fields, whose tags come in ascending order.
type directoryWriter struct {
	big    bool // of a BigTIFF: counts and offsets have 8 bytes
	fields []writtenField
}

type writtenField struct {
	tag, kind, count int
	data             []byte
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
	d.fields = append(d.fields, writtenField{tag, undefinedField, len(data), data})
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

// beyond is where what the directory refers to starts: after the header, the number of
// fields, the fields and the offset of the next directory.
func (d *directoryWriter) beyond() int {
	if d.big {
		return 16 + 8 + 20*len(d.fields) + 8
	}
	return 8 + 2 + 12*len(d.fields) + 4
}

// size is that of the header, the directory and what it refers to.
func (d *directoryWriter) size() int {
	size := d.beyond()
	for _, f := range d.fields {
		if len(f.data) > d.word() {
			size += len(f.data) + len(f.data)%2
		}
	}
	return size
}

func (d *directoryWriter) bytes() []byte {
	order := binary.LittleEndian
	head := make([]byte, 0, d.size())
	appendWord := func(n int) {
		if d.big {
			head = order.AppendUint64(head, uint64(n))
		} else {
			head = order.AppendUint32(head, uint32(n))
		}
	}
	if d.big {
		head = append(head, "II+\x00\x08\x00\x00\x00"...)
		appendWord(16)
		appendWord(len(d.fields))
	} else {
		head = append(head, "II*\x00"...)
		appendWord(8)
		head = order.AppendUint16(head, uint16(len(d.fields)))
	}
	var beyond []byte
	for _, f := range d.fields {
		head = order.AppendUint16(head, uint16(f.tag))
		head = order.AppendUint16(head, uint16(f.kind))
		appendWord(f.count)
		if len(f.data) <= d.word() {
			head = append(head, f.data...)
			head = append(head, make([]byte, d.word()-len(f.data))...)
			continue
		}
		appendWord(d.beyond() + len(beyond))
		beyond = append(beyond, f.data...)
		if len(beyond)%2 == 1 {
			beyond = append(beyond, 0)
		}
	}
	appendWord(0)
	return append(head, beyond...)
}
