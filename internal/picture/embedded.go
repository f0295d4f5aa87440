package picture

import (
	"crypto/sha256"
	"encoding/hex"
)

// Embedded is what a picture's file says besides the pixels. Texts are as they are in the
// file, whatever is in them.
type Embedded struct {
	Format        string // such as PNG
	Width, Height int    // in pixels, upright
	Bits          int    // of a channel, 0 where that isn't known
	Bytes         int64  // of the file
	Profile       string // what colours are in, such as sRGB
	// Resolution is in pixels an inch, 0 where the file doesn't say.
	Resolution float64
	Software   string
	// Document is a PNG's on how the picture was made, Packet the XMP packet, in which other
	// files have it; see SaveOptions.Made.
	Document, Packet []byte
	// Artist and Copyright are EXIF's.
	Artist, Copyright string
}

// Embedded returns what the file says.
func (s *Source) Embedded() Embedded {
	h, size := s.header, s.Bounds().Size()
	e := Embedded{
		Format: s.format.name, Width: size.X, Height: size.Y, Bits: h.bits, Bytes: int64(len(s.file)),
		Profile: h.profileName(), Resolution: s.Resolution(), Software: h.texts[pngSoftware], Packet: h.packet,
	}
	if text, ok := h.texts[pngDocument]; ok {
		e.Document = []byte(text)
	}
	exif := readEXIFTexts(h.exif)
	e.Artist, e.Copyright = exif[exifArtist], exif[exifCopyright]
	if e.Software == "" {
		e.Software = exif[exifSoftware]
	}
	return e
}

// profileName says what the colours of the file are in.
func (h *header) profileName() string {
	switch {
	case h.profileFault != nil:
		return "broken; sRGB is assumed"
	case h.space != nil && h.profile != nil:
		return "another than sRGB, by an ICC profile"
	case h.space != nil:
		return "another than sRGB"
	case h.profile != nil || h.chunks["sRGB"] != nil:
		return "sRGB"
	}
	return "none; sRGB is assumed"
}

// Digest is the SHA-256 of the file, hexadecimal, and how many bytes it has.
func (s *Source) Digest() (sum string, size int64) {
	digest := sha256.Sum256(s.file)
	return hex.EncodeToString(digest[:]), int64(len(s.file))
}

// Resolution is what the file says of how large the picture is to be printed, in pixels an
// inch, or 0.
func (s *Source) Resolution() float64 {
	if s.header.resolution > 0 {
		return s.header.resolution
	}
	return exifResolution(s.header.exif)
}
