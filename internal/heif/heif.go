// Package heif reads HEIC and AVIF pictures by way of libheif, libde265 and
// libavif, which run as WebAssembly in a sandbox: nothing of the machine's own
// libraries is loaded, memory is bounded, and a context stops them.
//
// The programs are those of the Go modules github.com/gen2brain/heic and avif,
// without the modules themselves: these load shared libraries where they find
// some, and can neither bound nor stop what they run.
package heif

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
)

//go:generate go run generate.go

//go:embed libheif.wasm.gz
var libheif []byte

//go:embed libavif.wasm.gz
var libavif []byte

// What may be wrong with a file.
var (
	ErrTruncated = errors.New("it ends too early")
	ErrDamaged   = errors.New("its data are damaged")
)

// Unread is an error for a kind of picture that is not read. Its text follows
// the name of the format.
type Unread string

func (u Unread) Error() string { return string(u) }

// Header is what a file says of its picture.
type Header struct {
	// Width and Height are in pixels, before the picture is cropped or turned.
	Width, Height int
	// Orientation is how what Decode returns becomes upright, as a number of EXIF.
	// What EXIF data in the file say doesn't count.
	Orientation int
	// Profile is the embedded ICC profile, nil where there is none.
	Profile []byte
	// Code is the colour space in the code points of ITU-T H.273, nil where the file
	// has none.
	Code *Code
	// Pictures is how many there are beside parts, thumbnails and masks. Decode
	// reads the one that the file calls its primary.
	Pictures int
	// Animated tells that the primary picture is the first of a sequence.
	Animated bool
	// Memory is what Decode takes at most, in bytes, with the image that it returns.
	Memory int64

	file       []byte
	avif       bool
	cut        bool   // the file ends before a box does
	aperture   []byte // what to crop to of an AVIF picture, nil for all
	tile       []byte // a single HEIC picture as a grid's tile, nil for none
	alpha      int64  // the item that has the opacity of a HEIC picture, 0 for none
	primaryAt  int    // where the file names its primary item
	primaryLen int    // in how many bytes
}

// Code is a colour space by the code points of ITU-T H.273.
type Code struct {
	Primaries, Transfer, Matrix int
	FullRange                   bool
}

// ReadHeader reads what goes before the pixels of a HEIC or AVIF file. The
// file's bytes have to stay as they are as long as the header is used.
func ReadHeader(file []byte) (*Header, error) {
	h, err := readHeader(file)
	cut := cutShort(file)
	if err != nil && cut {
		return nil, ErrTruncated
	}
	if err != nil {
		return nil, err
	}
	h.cut = cut
	return h, nil
}

func readHeader(file []byte) (*Header, error) {
	c, err := parse(file)
	if err != nil {
		return nil, err
	}
	primary := c.items[c.primary]
	width, height, err := primary.size()
	if err != nil {
		return nil, err
	}
	h := &Header{
		Width: int(width), Height: int(height), Orientation: 1, Pictures: c.pictures(),
		file: file, primaryAt: c.primaryAt, primaryLen: c.primaryLen,
	}
	_, h.Animated = find(boxes(file), "moov")
	h.readColours(c, c.primary)
	switch coding := c.coding(c.primary); coding {
	case "hvc1":
		h.alpha = c.alpha()
		if primary.kind == coding {
			h.tile = c.asTile(file, c.primary)
		}
	case "av01":
		// libavif leaves these to its caller.
		h.avif = true
		h.Orientation = orientation(primary.properties)
		h.aperture, _ = find(primary.properties, "clap")
	default:
		return nil, Unread(fmt.Sprintf("has pixels that are coded as %q", coding))
	}
	deep := c.depth(c.primary) > 8
	h.Memory = startMemory + int64(len(file)) + width*height*pixelMemory(h.avif, deep)
	return h, nil
}

// cutShort tells whether a file ends before its last box does.
func cutShort(file []byte) bool {
	list := boxes(file)
	return len(list) == 0 || list[len(list)-1].cut
}

// startMemory is what the decoders take whatever the picture: their programs,
// compiled, and their first memory.
const startMemory = 80 << 20

// pixelMemory is what a pixel takes while it is decoded, in bytes: frames as
// they are decoded, what they are converted to, and what is returned. Pictures
// of 12 megapixels did with half of it.
func pixelMemory(avif, deep bool) int64 {
	switch {
	case avif && deep:
		return 64
	case avif:
		return 40
	case deep:
		return 32
	}
	return 16
}

// depth is how many bits a channel of an item has.
func (c *catalogue) depth(id int64) int {
	properties := c.withPart(id)
	if body, ok := find(properties, "pixi"); ok && len(body) > 5 {
		return int(slices.Max(body[5:]))
	}
	if body, ok := find(properties, "av1C"); ok && len(body) > 2 && body[2]&0x40 != 0 {
		return 10
	}
	if body, ok := find(properties, "hvcC"); ok && len(body) > 17 {
		return 8 + int(body[17]&7)
	}
	return 8
}

// withPart is an item's properties, and then those of its first part, at which
// those of a grid may stand.
func (c *catalogue) withPart(id int64) []box {
	properties := c.items[id].properties
	for _, part := range c.references["dimg"][id] {
		if it := c.items[part]; it != nil {
			return slices.Concat(properties, it.properties)
		}
	}
	return properties
}
