package heif

import (
	"encoding/binary"
	"fmt"
)

// box is a box of ISO/IEC 14496-12: a type of four letters and a body.
type box struct {
	kind string
	body []byte
	cut  bool // it claims more than there is
}

// fields reads numbers from the front of a body. Reading past the end gives
// zeros and is remembered.
type fields struct {
	rest  []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if n < 0 || n > len(f.rest) {
		f.rest, f.short = nil, true
		return make([]byte, min(max(n, 0), 8))
	}
	taken := f.rest[:n]
	f.rest = f.rest[n:]
	return taken
}

func (f *fields) u8() int    { return int(f.take(1)[0]) }
func (f *fields) u16() int   { return int(binary.BigEndian.Uint16(f.take(2))) }
func (f *fields) u32() int64 { return int64(binary.BigEndian.Uint32(f.take(4))) }

// id reads an item's number, which a later version of its box made longer.
func (f *fields) id(long bool) int64 {
	if long {
		return f.u32()
	}
	return int64(f.u16())
}

// version reads what a full box begins with.
func (f *fields) version() (version int, flags int) {
	v := f.u32()
	return int(v >> 24), int(v & 0xffffff)
}

// boxes splits a body into the boxes that it consists of.
func boxes(body []byte) []box {
	var list []box
	for len(body) >= 8 {
		size, header := uint64(binary.BigEndian.Uint32(body)), uint64(8)
		switch {
		case size == 1 && len(body) >= 16:
			size, header = binary.BigEndian.Uint64(body[8:]), 16
		case size == 0:
			size = uint64(len(body))
		}
		if size < header || uint64(len(body)) < header {
			return list
		}
		end := min(size, uint64(len(body)))
		list = append(list, box{string(body[4:8]), body[header:end], size > end})
		body = body[end:]
	}
	if len(body) > 0 {
		list = append(list, box{cut: true})
	}
	return list
}

// find returns the body of the first box of the kind.
func find(list []box, kind string) ([]byte, bool) {
	for _, b := range list {
		if b.kind == kind {
			return b.body, true
		}
	}
	return nil, false
}

// Limits of what is believed; files from cameras have some hundred of each.
const (
	maxItems      = 1 << 16
	maxReferences = 1 << 20
)

// item is a picture, or a part of one, or metadata.
type item struct {
	kind       string // hvc1, av01, grid, Exif, …
	properties []box
}

// errNoPicture is for files of nothing but films.
const errNoPicture = Unread("holds no still picture")

// catalogue is what a file's meta box says.
type catalogue struct {
	primary    int64
	primaryAt  int // where the number of the primary item is in the file
	primaryLen int // its length, 2 or 4 bytes
	items      map[int64]*item
	references map[string]map[int64][]int64 // by kind, from one item to others
	locations  []byte                       // the box iloc
}

// parse reads the meta box of a file.
func parse(file []byte) (*catalogue, error) {
	meta, ok := find(boxes(file), "meta")
	if !ok || len(meta) < 4 {
		return nil, errNoPicture
	}
	c := &catalogue{items: map[int64]*item{}, references: map[string]map[int64][]int64{}}
	var err error
	for _, b := range boxes(meta[4:]) {
		f := &fields{rest: b.body}
		switch b.kind {
		case "pitm":
			version, _ := f.version()
			c.primaryLen = 2 + 2*min(version, 1)
			c.primaryAt = cap(file) - cap(f.rest)
			c.primary = f.id(version > 0)
		case "iloc":
			c.locations = b.body
		case "iinf":
			c.readItems(f)
		case "iref":
			err = c.readReferences(f)
		}
		if f.short || err != nil {
			return nil, ErrDamaged
		}
	}
	if body, ok := find(boxes(meta[4:]), "iprp"); ok {
		if err := c.readProperties(boxes(body)); err != nil {
			return nil, err
		}
	}
	if c.items[c.primary] == nil {
		return nil, errNoPicture
	}
	return c, nil
}

func (c *catalogue) readItems(f *fields) {
	version, _ := f.version()
	f.id(version > 0)
	for _, b := range boxes(f.rest) {
		entry := &fields{rest: b.body}
		version, _ := entry.version()
		if b.kind != "infe" || version < 2 || len(c.items) >= maxItems {
			continue
		}
		id := entry.id(version > 2)
		entry.u16() // protection
		if kind := string(entry.take(4)); !entry.short {
			c.items[id] = &item{kind: kind}
		}
	}
}

func (c *catalogue) readReferences(f *fields) error {
	version, _ := f.version()
	total := 0
	for _, b := range boxes(f.rest) {
		entry := &fields{rest: b.body}
		from := entry.id(version > 0)
		count := entry.u16()
		if total += count; total > maxReferences {
			return ErrDamaged
		}
		if c.references[b.kind] == nil {
			c.references[b.kind] = map[int64][]int64{}
		}
		for range count {
			c.references[b.kind][from] = append(c.references[b.kind][from], entry.id(version > 0))
		}
		if entry.short {
			return ErrDamaged
		}
	}
	return nil
}

func (c *catalogue) readProperties(list []box) error {
	container, _ := find(list, "ipco")
	properties := boxes(container)
	for _, b := range list {
		if b.kind != "ipma" {
			continue
		}
		f := &fields{rest: b.body}
		version, flags := f.version()
		for range f.u32() {
			id := f.id(version > 0)
			for range f.u8() {
				index := f.u8() & 0x7f
				if flags&1 != 0 {
					index = index<<8 | f.u8()
				}
				if it := c.items[id]; it != nil && index > 0 && index <= len(properties) && len(it.properties) < 256 {
					it.properties = append(it.properties, properties[index-1])
				}
			}
			if f.short {
				return ErrDamaged
			}
		}
	}
	return nil
}

// size is that of an item before it is turned.
func (it *item) size() (width, height int64, err error) {
	body, ok := find(it.properties, "ispe")
	f := &fields{rest: body}
	f.version()
	width, height = f.u32(), f.u32()
	if !ok || f.short {
		return 0, 0, fmt.Errorf("%w: its size is missing", ErrDamaged)
	}
	const most = 1 << 20 // of a side; their product is the caller's to judge
	if width < 1 || height < 1 || width > most || height > most {
		return 0, 0, fmt.Errorf("%w: it claims %d×%d pixels", ErrDamaged, width, height)
	}
	return width, height, nil
}
