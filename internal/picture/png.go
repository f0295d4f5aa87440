package picture

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"strings"

	"impasto/internal/regular"
)

const (
	pngSignature = 8 // bytes
	// maxProfile is the largest ICC profile that is unpacked; those of printers have
	// some megabytes.
	maxProfile = 16 << 20
)

// pngChunks is what the chunks of a PNG file say.
type pngChunks struct {
	pixels  [][]byte          // the chunks that package png reads, whole, one after the other
	first   map[string][]byte // the contents of the first chunk of each kind
	texts   map[string]string // by keyword, of those in pngTexts
	damaged []string          // kinds of chunks with a wrong checksum that are left out
	ended   bool              // there is an end chunk
	broken  bool              // a chunk that the pixels need has a wrong checksum
}

// chunksOf walks through a PNG file. Chunks that the pixels don't need are left
// out where their checksum is wrong, as libpng does.
func chunksOf(file []byte) *pngChunks {
	c := &pngChunks{pixels: [][]byte{file[:pngSignature]}, first: map[string][]byte{}, texts: map[string]string{}}
	rest := file[pngSignature:]
	for len(rest) >= 12 {
		length := uint64(binary.BigEndian.Uint32(rest))
		if length+12 > uint64(len(rest)) {
			break
		}
		chunk := rest[:length+12]
		rest = rest[len(chunk):]
		c.add(chunk)
		if c.ended = string(chunk[4:8]) == "IEND"; c.ended {
			return c
		}
	}
	// The last chunk is cut, if it isn't just the end chunk that is missing.
	if len(rest) >= 8 && string(rest[4:8]) != "IEND" {
		c.pixels = append(c.pixels, rest)
	} else {
		c.pixels = append(c.pixels, []byte("\x00\x00\x00\x00IEND\xae\x42\x60\x82"))
	}
	return c
}

func (c *pngChunks) add(chunk []byte) {
	kind, body := string(chunk[4:8]), chunk[8:len(chunk)-4]
	sound := crc32.ChecksumIEEE(chunk[4:len(chunk)-4]) == binary.BigEndian.Uint32(chunk[len(chunk)-4:])
	if ancillary := kind[0]&0x20 != 0; ancillary && !sound {
		c.damaged = append(c.damaged, kind)
		return
	}
	c.broken = c.broken || !sound
	switch kind {
	case "IHDR", "PLTE", "tRNS", "IDAT", "IEND":
		c.pixels = append(c.pixels, chunk)
	}
	if keyword, text, ok := pngText(kind, body); ok {
		if _, again := c.texts[keyword]; !again {
			c.texts[keyword] = text
		}
	}
	if _, again := c.first[kind]; !again {
		c.first[kind] = body
	}
}

func readPNG(file []byte) (*header, error) {
	if len(file) < pngSignature+25 {
		return nil, errTruncated
	}
	c := chunksOf(file)
	if _, apple := c.first["CgBI"]; apple {
		return nil, unread("is of Apple's own kind (CgBI)")
	}
	size := c.first["IHDR"]
	if len(size) != 13 {
		return nil, fmt.Errorf("%w: its header is missing", errDamaged)
	}
	h := &header{
		width:       int(binary.BigEndian.Uint32(size)),
		height:      int(binary.BigEndian.Uint32(size[4:])),
		orientation: exifOrientation(c.first["eXIf"]),
		exif:        c.first["eXIf"],
		texts:       c.texts,
		resolution:  pngResolution(c.first["pHYs"]),
		bits:        int(size[8]),
		chunks:      map[string][]byte{},
	}
	if packed, ok := c.first["iCCP"]; ok {
		h.profile, h.profileFault = unpackProfile(packed)
	}
	for _, kind := range []string{"gAMA", "cHRM", "sRGB"} {
		if body, ok := c.first[kind]; ok {
			h.chunks[kind] = body
		}
	}
	// RGB, of the full range: there is no other that is read.
	if body := c.first["cICP"]; len(body) == 4 && body[2] == 0 && body[3] == 1 {
		h.code = &codePoints{Primaries: int(body[0]), Transfer: int(body[1])}
	}
	h.remarks = c.remarks()
	if !c.ended {
		h.proven = append(h.proven, "the PNG's end is missing, but none of its pixels")
	}
	if rows := c.rows(); rows != nil {
		h.memory = rows.memory()
		h.stream = func(ctx context.Context, put bandFunc) error {
			err := rows.stream(ctx, put)
			if errors.Is(err, errPixels) && !c.ended {
				return errTruncated
			}
			return err
		}
		return h, nil
	}
	h.memory = c.pixelBytes() * int64(h.width) * int64(h.height)
	h.decode = func(ctx context.Context) (image.Image, error) {
		img, err := png.Decode(regular.Reader(ctx, chain(c.pixels...)))
		if err != nil && !c.ended {
			return nil, errTruncated
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s", errDamaged, strings.TrimPrefix(err.Error(), "png: invalid format: "))
		}
		return img, nil
	}
	return h, nil
}

// pixelBytes is how much package png takes for a pixel.
func (c *pngChunks) pixelBytes() int64 {
	const grey, palette = 0, 3
	size := c.first["IHDR"]
	depth, kind, interlaced := size[8], size[9], size[12] != 0
	_, transparent := c.first["tRNS"]
	bytes := int64(4)
	if kind == palette || kind == grey && !transparent {
		bytes = 1
	}
	if depth == 16 {
		bytes *= 2
	}
	if interlaced {
		bytes *= 2 // each pass is an image of its own first
	}
	return bytes
}

func (c *pngChunks) remarks() []string {
	var remarks []string
	if len(c.damaged) > 0 {
		remarks = append(remarks, fmt.Sprintf("the PNG's chunk %q, which its pixels don't need, has a wrong checksum and is left out", c.damaged[0]))
	}
	if control := c.first["acTL"]; len(control) == 8 && binary.BigEndian.Uint32(control) > 1 {
		remarks = append(remarks, animationRemark)
	}
	return remarks
}

const animationRemark = "an animation; its first frame is taken"

// unpackProfile returns the ICC profile of an iCCP chunk.
func unpackProfile(chunk []byte) ([]byte, error) {
	_, packed, named := bytes.Cut(chunk, []byte{0})
	if !named || len(packed) < 1 {
		return nil, errors.New("its chunk has no name")
	}
	unpacked, err := zlib.NewReader(bytes.NewReader(packed[1:])) // after the method
	if err != nil {
		return nil, errors.New("it isn't compressed with Deflate")
	}
	profile, err := io.ReadAll(io.LimitReader(unpacked, maxProfile))
	if err != nil {
		return nil, errors.New("its compressed data are damaged")
	}
	return profile, nil
}
