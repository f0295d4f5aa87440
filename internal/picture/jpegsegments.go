package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Markers of JPEG, as in ITU-T T.81, table B.1.
const (
	markerSOF0 = 0xc0 // start of frame, baseline; others follow
	markerDHT  = 0xc4
	markerJPG  = 0xc8
	markerDAC  = 0xcc
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerDNL  = 0xdc
	markerAPP0 = 0xe0
	markerAPP1 = 0xe1
	markerAPP2 = 0xe2
	markerAPPE = 0xee // Adobe's
	markerLS   = 0xf7 // start of frame of JPEG-LS
)

// How APP1 segments begin.
const (
	jpegEXIF = "Exif\x00\x00"
	jpegXMP  = "http://ns.adobe.com/xap/1.0/\x00"
)

// jpegSegments is what the segments of a JPEG file say.
type jpegSegments struct {
	frame   []byte // the frame header, nil where there is none
	process byte   // the marker of the frame header
	scans   int
	adobe   bool
	exif    []byte
	packet  []byte // XMP
	jfif    []byte
	profile jpegProfile
	ended   bool // there is an end marker
	partial bool // a segment is cut
}

// segmentsOf walks through a JPEG file up to its end marker.
func segmentsOf(file []byte) *jpegSegments {
	s := &jpegSegments{}
	rest := file[2:]
	for {
		marker, after, ok := nextMarker(rest)
		if !ok {
			return s
		}
		rest = after
		switch {
		case marker == markerEOI:
			s.ended = true
			return s
		case marker == 0, marker == 1, marker >= markerRST0 && marker <= markerSOI:
			continue // without a length
		}
		if len(rest) < 2 {
			s.partial = true
			return s
		}
		length := int(binary.BigEndian.Uint16(rest))
		if length < 2 || length > len(rest) {
			s.partial = true
			return s
		}
		s.read(marker, rest[2:length])
		rest = rest[length:]
	}
}

// nextMarker finds the next marker, past entropy-coded data, fill bytes and
// rubbish, and returns what follows it.
func nextMarker(data []byte) (marker byte, after []byte, ok bool) {
	for {
		at := bytes.IndexByte(data, 0xff)
		if at < 0 {
			return 0, nil, false
		}
		data = data[at:]
		for len(data) > 0 && data[0] == 0xff {
			data = data[1:]
		}
		if len(data) == 0 {
			return 0, nil, false
		}
		if marker := data[0]; marker != 0 && (marker < markerRST0 || marker > markerRST7) {
			return marker, data[1:], true
		}
	}
}

// read keeps what a segment says. Of what may be there once, the first counts.
func (s *jpegSegments) read(marker byte, body []byte) {
	isFrame := marker >= markerSOF0 && marker <= markerSOF0+15 && marker != markerDHT && marker != markerJPG && marker != markerDAC
	switch {
	case (isFrame || marker == markerLS) && s.frame == nil:
		s.frame, s.process = body, marker
	case marker == markerSOS:
		s.scans++
	case marker == markerAPPE && len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")):
		s.adobe = true
	case marker == markerAPP1 && s.exif == nil && bytes.HasPrefix(body, []byte("Exif\x00")) && len(body) > 6:
		s.exif = body[6:]
	case marker == markerAPP1 && s.packet == nil && bytes.HasPrefix(body, []byte(jpegXMP)):
		s.packet = body[len(jpegXMP):]
	case marker == markerAPP0 && s.jfif == nil && len(body) >= 12 && bytes.HasPrefix(body, []byte("JFIF\x00")):
		s.jfif = body
	case marker == markerAPP2:
		s.profile.add(body)
	}
}

// jpegProfile is an ICC profile in parts, each of which says which of how many
// it is.
type jpegProfile struct {
	parts [][]byte // by number, from 0
}

func (p *jpegProfile) add(body []byte) {
	const signature = "ICC_PROFILE\x00"
	if !bytes.HasPrefix(body, []byte(signature)) || len(body) < len(signature)+2 {
		return
	}
	number, count := int(body[len(signature)]), int(body[len(signature)+1])
	if p.parts == nil {
		p.parts = make([][]byte, count)
	}
	if number >= 1 && number <= len(p.parts) && p.parts[number-1] == nil {
		p.parts[number-1] = body[len(signature)+2:]
	}
}

// whole returns the profile, or nil where there is none.
func (p *jpegProfile) whole() ([]byte, error) {
	for i, part := range p.parts {
		if part == nil {
			return nil, fmt.Errorf("part %d of %d is missing", i+1, len(p.parts))
		}
	}
	if len(p.parts) == 0 {
		return nil, nil
	}
	return bytes.Join(p.parts, nil), nil
}

// resolution is JFIF's, in pixels an inch, or 0.
func (s *jpegSegments) resolution() float64 {
	if s.jfif == nil {
		return 0
	}
	density := float64(binary.BigEndian.Uint16(s.jfif[8:]))
	switch s.jfif[7] {
	case 1:
		return density
	case 2:
		return density * 2.54 // of a centimetre
	}
	return 0
}
