package heif

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// libheif 1.18 interpolates the chroma of a single picture, and takes what lies
// beyond its edges for grey. With the tiles of a grid, as phones write them, it
// does not. So a single picture of less chroma than luma is decoded as the only
// tile of a grid: at the edges, errors are 10 levels of 255 instead of 33.

// extent is a part of an item's data.
type extent struct {
	offset, length int64
}

// unconverted is the colour space that tile and grid are said to have, so that
// nothing is converted from one to the other: nothing but full range and the matrix
// of BT.601.
const unconverted = "nclx\x00\x02\x00\x02\x00\x06\x80"

// extents tells where in the file an item's data are.
func (c *catalogue) extents(id int64) ([]extent, bool) {
	f := &fields{rest: c.locations}
	version, _ := f.version()
	sizes := f.u16()
	offsetSize, lengthSize, baseSize, indexSize := sizes>>12&15, sizes>>8&15, sizes>>4&15, sizes&15
	sized := func(size int) int64 {
		switch size {
		case 4:
			return f.u32()
		case 8:
			return f.u32()<<32 | f.u32()
		}
		return 0
	}
	for range f.id(version > 1) {
		item := f.id(version > 1)
		inFile := true
		if version > 0 {
			inFile = f.u16()&15 == 0
		}
		inFile = inFile && f.u16() == 0 // another file's number
		base := sized(baseSize)
		var found []extent
		for range f.u16() {
			if version > 0 {
				sized(indexSize)
			}
			found = append(found, extent{base + sized(offsetSize), sized(lengthSize)})
			if f.short {
				return nil, false
			}
		}
		if item == id {
			return found, inFile && len(found) > 0
		}
		if f.short {
			return nil, false
		}
	}
	return nil, false
}

// data returns an item's data.
func (c *catalogue) data(file []byte, id int64) ([]byte, bool) {
	extents, ok := c.extents(id)
	var data []byte
	for _, e := range extents {
		if e.offset < 0 || e.length < 1 || e.offset > int64(len(file)) || e.length > int64(len(file))-e.offset {
			return nil, false
		}
		data = append(data, file[e.offset:e.offset+e.length]...)
		if len(data) > len(file) {
			return nil, false
		}
	}
	return data, ok
}

// put makes a box of its kind and the parts of its body.
func put(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	header := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(header, kind...), body...)
}

// asTile makes a file of a grid of one tile, which is a HEIC item of the file. It
// returns nil where that can't be done.
func (c *catalogue) asTile(file []byte, id int64) []byte {
	it := c.items[id]
	data, ok := c.data(file, id)
	configuration, configured := find(it.properties, "hvcC")
	size, sized := find(it.properties, "ispe")
	if !ok || !configured || !sized || len(size) < 12 || len(configuration) < 17 {
		return nil
	}
	const monochrome, fullChroma = 0, 3
	if chroma := configuration[16] & 3; chroma == monochrome || chroma == fullChroma {
		return nil // which is taken as it is
	}
	// Properties by their numbers: 1 to 3 are the tile's, and all but 1 the grid's, in
	// the order in which they are applied.
	properties := put("ipco", put("hvcC", configuration), put("ispe", size), put("colr", []byte(unconverted)))
	const essential = 0x80
	tile, grid := []byte{1 | essential, 2, 3}, []byte{2, 3}
	for _, p := range it.properties {
		if slices.Contains([]string{"irot", "imir", "clap", "pixi"}, p.kind) {
			properties = append(properties, put(p.kind, p.body)...)
			number := byte(len(boxes(properties[8:])))
			if p.kind != "pixi" {
				number |= essential
			}
			grid = append(grid, number)
		}
	}
	binary.BigEndian.PutUint32(properties, uint32(len(properties)))

	u16 := func(values ...uint16) (bytes []byte) {
		for _, v := range values {
			bytes = binary.BigEndian.AppendUint16(bytes, v)
		}
		return bytes
	}
	full := []byte{0, 0, 0, 0}
	description := slices.Concat([]byte{0, 1, 0, 0}, size[4:12]) // rows and columns less one, in 32 bits
	entry := func(number uint16, kind string, flags byte) []byte {
		return put("infe", []byte{2, 0, 0, flags}, u16(number, 0), []byte(kind), []byte{0})
	}
	meta := func(at uint32) []byte {
		// Offsets and lengths of 4 bytes; the tile's data are in the file, and the grid's
		// in idat.
		locations := slices.Concat([]byte{1, 0, 0, 0, 0x44, 0}, u16(2),
			u16(1, 0, 0, 1), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, at), uint32(len(data))),
			u16(2, 1, 0, 1, 0, 0), binary.BigEndian.AppendUint32(nil, uint32(len(description))))
		association := func(number uint16, of []byte) []byte { return slices.Concat(u16(number), []byte{byte(len(of))}, of) }
		return put("meta", full,
			put("hdlr", full, full, []byte("pict"), make([]byte, 13)),
			put("pitm", full, u16(2)),
			put("iloc", locations),
			put("iinf", full, u16(2), entry(1, "hvc1", 1), entry(2, "grid", 0)),
			put("iref", full, put("dimg", u16(2, 1, 1))),
			put("iprp", properties, put("ipma", full, []byte{0, 0, 0, 2}, association(1, tile), association(2, grid))),
			put("idat", description))
	}
	start := put("ftyp", []byte("heic\x00\x00\x00\x00mif1heic"))
	at := len(start) + len(meta(0)) + 8
	return slices.Concat(start, meta(uint32(at)), put("mdat", data))
}
