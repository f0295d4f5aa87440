package batch

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"unicode/utf16"
)

// Line is one of a list of pictures.
type Line struct {
	Content string
	Style   string // empty where the line has none
}

// ParseList reads a list: a picture a line and, where a tab follows, its style. Lines that
// are empty or begin with # are left out. NUL bytes part entries as well, as "find -print0"
// writes them, and then lines don't. A line that as a whole is the name of a file is that
// file, a tab in it or not. Text is taken as bytes, but UTF-16 with its mark is converted.
func ParseList(data []byte) ([]Line, error) {
	text := decodeText(data)
	separator := "\n"
	if strings.IndexByte(text, 0) >= 0 {
		separator = "\x00"
	}
	var lines []Line
	number := 0
	for entry := range strings.SplitSeq(text, separator) {
		number++
		if separator == "\n" {
			entry = strings.TrimSuffix(entry, "\r")
		}
		if strings.TrimSpace(entry) == "" || entry[0] == '#' {
			continue
		}
		line := Line{Content: entry}
		if content, style, two := strings.Cut(entry, "\t"); two {
			if _, err := os.Lstat(entry); err != nil {
				line = Line{content, style}
			}
		}
		if line.Content == "" || line.Style == "" && line.Content != entry || strings.Contains(line.Style, "\t") {
			return nil, inputErrorf("line %d of the list is %q; want a content and, after a tab, a style", number, entry)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// decodeText is a text without the mark of its encoding: UTF-8, or UTF-16 in either order
// of bytes, which is what redirection makes on some systems.
func decodeText(data []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		return string(data[3:])
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return string(data)
	}
	var units []uint16
	for data = data[2:]; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return string(utf16.Decode(units))
}
