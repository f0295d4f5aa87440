package heif

import (
	"image"
	"slices"
)

// coding is how the pixels of an item are coded; those of a grid are its tiles'.
func (c *catalogue) coding(id int64) string {
	for range 4 { // a grid of an overlay of a grid is the most that is sensible
		it := c.items[id]
		if it == nil {
			return ""
		}
		parts := c.references["dimg"][id]
		if !slices.Contains([]string{"grid", "iovl", "iden"}, it.kind) || len(parts) == 0 {
			return it.kind
		}
		id = parts[0]
	}
	return ""
}

// pictures counts those items that are pictures of their own.
func (c *catalogue) pictures() int {
	parts := map[int64]bool{}
	for _, to := range c.references["dimg"] {
		for _, id := range to {
			parts[id] = true
		}
	}
	for _, kind := range []string{"auxl", "thmb"} {
		for from := range c.references[kind] {
			parts[from] = true
		}
	}
	count := 0
	for id, it := range c.items {
		if _, sized := find(it.properties, "ispe"); sized && !parts[id] {
			count++
		}
	}
	return count
}

// alpha returns the item that has the primary item's opacity, or 0.
func (c *catalogue) alpha() int64 {
	for id, of := range c.references["auxl"] {
		if it := c.items[id]; it != nil && slices.Contains(of, c.primary) {
			body, _ := find(it.properties, "auxC")
			f := &fields{rest: body}
			f.version()
			switch string(f.rest[:max(slices.Index(f.rest, 0), 0)]) {
			case "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", "urn:mpeg:hevc:2015:auxid:1":
				return id
			}
		}
	}
	return 0
}

// readColours reads the colour space of an item.
func (h *Header) readColours(c *catalogue, id int64) {
	for _, p := range c.withPart(id) {
		if p.kind != "colr" {
			continue
		}
		f := &fields{rest: p.body}
		switch kind := string(f.take(4)); {
		case (kind == "prof" || kind == "rICC") && h.Profile == nil:
			h.Profile = f.rest
		case kind == "nclx" && h.Code == nil:
			code := &Code{Primaries: f.u16(), Transfer: f.u16(), Matrix: f.u16(), FullRange: f.u8()&0x80 != 0}
			if !f.short {
				h.Code = code
			}
		}
	}
}

// orientation is what the properties irot and imir do, in their order, as a
// number of EXIF.
func orientation(properties []box) int {
	// The matrix takes a position of the picture as shown to one as stored, about
	// the centre.
	a, b, c, d := 1, 0, 0, 1
	for _, p := range properties {
		if len(p.body) == 0 {
			continue
		}
		switch p.kind {
		case "irot": // so many quarter turns, anti-clockwise
			for range p.body[0] & 3 {
				a, b, c, d = b, -a, d, -c
			}
		case "imir":
			if p.body[0]&1 == 0 { // top and bottom change places
				b, d = -b, -d
			} else {
				a, c = -a, -c
			}
		}
	}
	return slices.Index([][4]int{
		{}, {1, 0, 0, 1}, {-1, 0, 0, 1}, {-1, 0, 0, -1}, {1, 0, 0, -1},
		{0, 1, 1, 0}, {0, 1, -1, 0}, {0, -1, -1, 0}, {0, -1, 1, 0},
	}, [4]int{a, b, c, d})
}

// crop cuts an image to a clean aperture: its size and the place of its centre,
// from the image's, as fractions. One that doesn't fit is ignored.
func crop(img image.Image, aperture []byte) image.Image {
	sub, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok || len(aperture) < 32 {
		return img
	}
	f := &fields{rest: aperture}
	var values [4]float64
	for i := range values {
		numerator, denominator := int32(f.u32()), int32(f.u32())
		if denominator == 0 {
			return img
		}
		values[i] = float64(numerator) / float64(denominator)
	}
	width, height, offX, offY := values[0], values[1], values[2], values[3]
	size := img.Bounds().Size()
	left := (float64(size.X)-width)/2 + offX
	top := (float64(size.Y)-height)/2 + offY
	if width < 1 || height < 1 || left < 0 || top < 0 || left+width > float64(size.X) || top+height > float64(size.Y) {
		return img
	}
	return sub.SubImage(image.Rect(int(left), int(top), int(left+width), int(top+height)))
}
