package picture

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Keywords of texts in a PNG file: the standard one of the program, and that of the
// document on how the picture was made.
const (
	pngSoftware = "Software"
	pngDocument = "impasto"
)

// maxPNGText is the longest text that is kept of a file, in bytes.
const maxPNGText = 1 << 16

// pngText returns the text of a tEXt or iTXt chunk with one of these keywords. Of iTXt
// those are read that aren't compressed, as they are written here.
func pngText(kind string, body []byte) (keyword, text string, ok bool) {
	if kind != "tEXt" && kind != "iTXt" || len(body) > maxPNGText {
		return "", "", false
	}
	head, rest, found := bytes.Cut(body, []byte{0})
	keyword = string(head)
	if !found || keyword != pngSoftware && keyword != pngDocument {
		return "", "", false
	}
	if kind == "tEXt" {
		return keyword, string(rest), true
	}
	if len(rest) < 2 || rest[0] != 0 {
		return "", "", false
	}
	parts := bytes.SplitN(rest[2:], []byte{0}, 3) // language, translated keyword, text
	if len(parts) < 3 {
		return "", "", false
	}
	return keyword, strings.Clone(string(parts[2])), true
}

// inch in metres.
const inch = 0.0254

// pngResolution is that of a pHYs chunk, in pixels an inch, or 0. It has whole pixels a
// metre, of which 300 an inch are 11811: what is next to a whole number is that.
func pngResolution(body []byte) float64 {
	const metre = 1
	if len(body) != 9 || body[8] != metre {
		return 0
	}
	perMetre := float64(binary.BigEndian.Uint32(body))
	whole := float64(int(perMetre*inch + 0.5))
	if d := whole/inch - perMetre; d > -1 && d < 1 {
		return whole
	}
	return perMetre * inch
}
