package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

const (
	// maxDirectories is how many directories of a file are looked at.
	maxDirectories = 4096
	// maxEntries is the most entries of a directory. Honest ones have below a hundred.
	maxEntries = 4096
)

// file is a TIFF file as a tree of directories.
type file struct {
	data  []byte
	order binary.ByteOrder
	big   bool // BigTIFF
	// pages are the directories of the main chain.
	pages []*directory
	// more tells that there are pages beyond maxDirectories, and cut is why those after
	// the last can't be read.
	more bool
	cut  error
}

// directory describes one picture.
type directory struct {
	order    binary.ByteOrder
	fields   map[int]field
	children []*directory // those of SubIFDs
}

// field is the value of a tag: numbers, still as they are in the file.
type field struct {
	tag, kind, count int
	raw              []byte
	missing          bool // the numbers lie beyond the end of the file
}

// kindSizes are the bytes of a number, by field type.
var kindSizes = [...]int{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// parse reads the directories of a file.
func parse(data []byte) (*file, error) {
	f := &file{data: data}
	if len(data) < 4 {
		return nil, truncated("it has %d bytes", len(data))
	}
	switch string(data[:2]) {
	case "II":
		f.order = binary.LittleEndian
	case "MM":
		f.order = binary.BigEndian
	default:
		return nil, errors.New("not a TIFF file")
	}
	switch f.order.Uint16(data[2:]) {
	case 42:
	case 43:
		f.big = true
	default:
		return nil, errors.New("not a TIFF file")
	}
	first, err := f.firstOffset()
	if err != nil {
		return nil, err
	}
	return f, f.readPages(first)
}

// firstOffset is where the first directory is.
func (f *file) firstOffset() (uint64, error) {
	if !f.big {
		if len(f.data) < 8 {
			return 0, truncated("it has %d bytes", len(f.data))
		}
		return uint64(f.order.Uint32(f.data[4:])), nil
	}
	if len(f.data) < 16 {
		return 0, truncated("it has %d bytes", len(f.data))
	}
	if size := f.order.Uint16(f.data[4:]); size != 8 {
		return 0, fmt.Errorf("BigTIFF with offsets of %d bytes; want 8", size)
	}
	return f.order.Uint64(f.data[8:]), nil
}

// readPages reads the main chain, and the directories that its SubIFDs name.
func (f *file) readPages(offset uint64) error {
	seen, left := map[uint64]bool{}, maxDirectories
	for offset != 0 {
		if seen[offset] {
			return errors.New("its directories refer to one another in a circle; the file is damaged")
		}
		if left == 0 {
			f.more = true
			return nil
		}
		seen[offset] = true
		left--
		page, next, err := f.readDirectory(offset)
		if err != nil {
			if f.cut = err; len(f.pages) == 0 {
				return err
			}
			return nil
		}
		f.pages = append(f.pages, page)
		subs := page.fields[tagSubIFDs]
		for i := range subs.len() {
			at := subs.uint(page.order, i)
			if left == 0 || seen[at] || at == 0 {
				continue
			}
			seen[at] = true
			left--
			child, _, err := f.readDirectory(at)
			if err != nil {
				return err
			}
			page.children = append(page.children, child)
		}
		offset = next
	}
	if len(f.pages) == 0 {
		return errors.New("the file holds no picture")
	}
	return nil
}

// readDirectory reads the directory at offset, and where the next one is.
func (f *file) readDirectory(offset uint64) (*directory, uint64, error) {
	countSize, entrySize, nextSize := 2, 12, 4
	if f.big {
		countSize, entrySize, nextSize = 8, 20, 8
	}
	if offset > uint64(len(f.data)) || len(f.data)-int(offset) < countSize {
		return nil, 0, truncated("a directory should be at byte %d of %d", offset, len(f.data))
	}
	rest := f.data[offset:]
	count := f.number(rest[:countSize])
	if count == 0 || count > maxEntries {
		return nil, 0, fmt.Errorf("a directory with %d entries; the file is damaged", count)
	}
	rest = rest[countSize:]
	if len(rest) < int(count)*entrySize {
		return nil, 0, truncated("a directory of %d entries is cut off", count)
	}
	d := &directory{order: f.order, fields: make(map[int]field, count)}
	for range count {
		if entry := f.readField(rest[:entrySize]); entry.count > 0 {
			if _, twice := d.fields[entry.tag]; !twice {
				d.fields[entry.tag] = entry
			}
		}
		rest = rest[entrySize:]
	}
	if len(rest) < nextSize {
		// Some writers leave the last link out.
		return d, 0, nil
	}
	return d, f.number(rest[:nextSize]), nil
}

// number is an unsigned number of 2, 4 or 8 bytes.
func (f *file) number(b []byte) uint64 {
	switch len(b) {
	case 2:
		return uint64(f.order.Uint16(b))
	case 4:
		return uint64(f.order.Uint32(b))
	default:
		return f.order.Uint64(b)
	}
}

// readField returns a field without numbers where its type isn't known.
func (f *file) readField(entry []byte) field {
	got := field{tag: int(f.order.Uint16(entry)), kind: int(f.order.Uint16(entry[2:]))}
	if got.kind >= len(kindSizes) || kindSizes[got.kind] == 0 {
		return got
	}
	inline := (len(entry) - 4) / 2
	count, value := f.number(entry[4:4+inline]), entry[4+inline:]
	size := uint64(kindSizes[got.kind])
	if count > math.MaxInt32 {
		got.count, got.missing = 1, true
		return got
	}
	got.count = int(count)
	bytes := count * size
	if bytes <= uint64(inline) {
		got.raw = value[:bytes]
		return got
	}
	at := f.number(value)
	if at > uint64(len(f.data)) || bytes > uint64(len(f.data))-at {
		got.missing = true
		return got
	}
	got.raw = f.data[at : at+bytes]
	return got
}

// len is how many numbers can be read.
func (v field) len() int {
	if v.missing {
		return 0
	}
	return v.count
}

// uint is number i where it is a whole and not a negative one, and 0 otherwise.
func (v field) uint(order binary.ByteOrder, i int) uint64 {
	if i >= v.len() {
		return 0
	}
	switch v.kind {
	case 1, 2, 7:
		return uint64(v.raw[i])
	case 3:
		return uint64(order.Uint16(v.raw[2*i:]))
	case 4, 13:
		return uint64(order.Uint32(v.raw[4*i:]))
	case 16, 18:
		return order.Uint64(v.raw[8*i:])
	case 6:
		return uint64(max(0, int8(v.raw[i])))
	case 8:
		return uint64(max(0, int16(order.Uint16(v.raw[2*i:]))))
	case 9:
		return uint64(max(0, int32(order.Uint32(v.raw[4*i:]))))
	case 17:
		return uint64(max(0, int64(order.Uint64(v.raw[8*i:]))))
	}
	return 0
}

// float is number i, a fraction too.
func (v field) float(order binary.ByteOrder, i int) float64 {
	if i >= v.len() {
		return 0
	}
	switch v.kind {
	case 5:
		return float64(order.Uint32(v.raw[8*i:])) / float64(order.Uint32(v.raw[8*i+4:]))
	case 10:
		return float64(int32(order.Uint32(v.raw[8*i:]))) / float64(int32(order.Uint32(v.raw[8*i+4:])))
	case 11:
		return float64(math.Float32frombits(order.Uint32(v.raw[4*i:])))
	case 12:
		return math.Float64frombits(order.Uint64(v.raw[8*i:]))
	}
	return float64(v.uint(order, i))
}

// number is the first number of a tag, or fallback where there is none.
func (d *directory) number(tag, fallback int) int {
	v := d.fields[tag]
	if v.len() == 0 {
		return fallback
	}
	return int(min(v.uint(d.order, 0), math.MaxInt32))
}

// numbers are the whole numbers of a tag, at most most.
func (d *directory) numbers(tag, most int) []int {
	v := d.fields[tag]
	numbers := make([]int, min(v.len(), most))
	for i := range numbers {
		numbers[i] = int(min(v.uint(d.order, i), math.MaxInt32))
	}
	return numbers
}

// floats are the numbers of a tag where it has as many as fallback has and they are
// finite, or else fallback.
func (d *directory) floats(tag int, fallback []float64) []float64 {
	v := d.fields[tag]
	if v.len() < len(fallback) {
		return fallback
	}
	numbers := make([]float64, len(fallback))
	for i := range numbers {
		numbers[i] = v.float(d.order, i)
	}
	if slices.ContainsFunc(numbers, func(n float64) bool { return math.IsNaN(n) || math.IsInf(n, 0) }) {
		return fallback
	}
	return numbers
}

// resolution is in pixels an inch, 0 where there is none that can be.
func (d *directory) resolution() float64 {
	v := d.floats(tagXResolution, []float64{0})[0]
	switch d.number(tagResolutionUnit, 2) {
	case 2:
	case 3:
		v *= 2.54 // of a centimetre
	default:
		return 0
	}
	if v > 0 && v < maxResolution {
		return v
	}
	return 0
}

// bytes are those of a tag, and nil where it is absent or cut off.
func (d *directory) bytes(tag int) []byte {
	return d.fields[tag].raw
}
