package metadata

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// MaxBytes is the most that a document takes.
const MaxBytes = 32 << 10

// NewInput describes a file by the last part of its path. An empty path leaves out the
// name, and so does one that no other system could have, as with a backslash.
func NewInput(path string, size int64, sha256 string) Input {
	in := Input{Bytes: size, SHA256: sha256}
	if path == "" || checkName(filepath.Base(path)) != nil {
		return in
	}
	in.Name = filepath.Base(path)
	if !utf8.ValidString(in.Name) {
		in.NameBytes = []byte(in.Name)
		in.Name = strings.ToValidUTF8(in.Name, "\ufffd")
	}
	return in
}

// Encode returns the document as JSON in ASCII, without line ends and without the
// characters that XML has a meaning for, in at most MaxBytes. What it returns, Decode reads.
func (d *Document) Encode() ([]byte, error) {
	written := *d
	written.Schema = Schema
	text, err := json.Marshal(written) // which escapes <, > and &
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	text = toASCII(text)
	if _, err := Decode(text); err != nil {
		return nil, err
	}
	return text, nil
}

// toASCII escapes the characters beyond ASCII in JSON.
func toASCII(text []byte) []byte {
	ascii := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r < utf8.RuneSelf && r != 0x7f:
			ascii = append(ascii, byte(r))
		case r < 1<<16:
			ascii = fmt.Appendf(ascii, "\\u%04x", r)
		default:
			r -= 1 << 16
			ascii = fmt.Appendf(ascii, "\\u%04x\\u%04x", 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	return ascii
}
