package picture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"strings"

	"impasto/internal/regular"
)

// Passes over a progressive picture. Encoders make some ten, and each costs time
// for all blocks, however few bytes it has.
const (
	trustedScans  = 100
	maxScanPixels = 1 << 32 // pixels times passes
)

func readJPEG(file []byte) (*header, error) {
	s := segmentsOf(file)
	if err := s.check(); err != nil {
		return nil, err
	}
	h := &header{
		height:      int(binary.BigEndian.Uint16(s.frame[1:])),
		width:       int(binary.BigEndian.Uint16(s.frame[3:])),
		orientation: exifOrientation(s.exif),
		exif:        s.exif,
		packet:      s.packet,
		resolution:  s.resolution(),
		bits:        int(s.frame[0]),
		yuv:         fullRange,
	}
	h.profile, h.profileFault = s.profile.whole()
	h.memory = s.memory(int64(h.width), int64(h.height))
	if s.scans > trustedScans && int64(s.scans)*int64(h.width)*int64(h.height) > maxScanPixels {
		return nil, fmt.Errorf("%w: it has %d passes over %d×%d pixels, which no honest file has", errDamaged, s.scans, h.width, h.height)
	}
	if !s.ended {
		h.proven = append(h.proven, "the JPEG's end marker is missing, but none of its pixels")
	}
	h.decode = func(ctx context.Context) (image.Image, error) {
		if s.scans == 0 {
			return nil, errTruncated
		}
		img, err := jpeg.Decode(regular.Reader(ctx, s.mended(file)))
		if err != nil {
			return nil, s.fault(err)
		}
		return img, nil
	}
	return h, nil
}

// check refuses what package jpeg can't read, by its name.
func (s *jpegSegments) check() error {
	if len(s.frame) < 6 || len(s.frame) < 6+3*int(s.frame[5]) {
		if s.ended || !s.partial && s.scans > 0 {
			return fmt.Errorf("%w: its frame header is missing", errDamaged)
		}
		return errTruncated
	}
	switch s.process {
	case markerSOF0, markerSOF0 + 1, markerSOF0 + 2:
	case markerSOF0 + 3:
		return unread("is of the lossless kind")
	case markerLS:
		return unread("is JPEG-LS")
	case markerSOF0 + 5, markerSOF0 + 6, markerSOF0 + 7:
		return unread("is of the hierarchical kind")
	default:
		return unread("is arithmetic-coded")
	}
	if bits := s.frame[0]; bits != 8 {
		return unread(fmt.Sprintf("has %d bits a channel", bits))
	}
	switch components := s.frame[5]; components {
	case 1, 3, 4:
	default:
		return unread(fmt.Sprintf("has %d channels", components))
	}
	return nil
}

// memory is what package jpeg takes.
func (s *jpegSegments) memory(width, height int64) int64 {
	var samples, across, down int64 = 0, 1, 1
	components := int(s.frame[5])
	for i := range components {
		sampling := s.frame[6+3*i+1]
		h, v := int64(sampling>>4), int64(sampling&15)
		samples += h * v
		across, down = max(across, h), max(down, v)
	}
	// Whole minimum coded units, of 8·across × 8·down pixels.
	units := (width + 8*across - 1) / (8 * across) * ((height + 8*down - 1) / (8 * down))
	perUnit := 64 * samples
	if s.process == markerSOF0+2 {
		perUnit += 4 * 64 * samples // coefficients of 32 bits
	}
	if components == 4 {
		perUnit += 64 * across * down * 4 // CMYK
	}
	return units*perUnit + 1<<16
}

// mended is the file with what package jpeg wants to be there: Adobe's marker in
// pictures of four channels, and an end marker.
func (s *jpegSegments) mended(file []byte) io.Reader {
	parts := [][]byte{file}
	if s.frame[5] == 4 && !s.adobe {
		// Version 100, no flags, transform 0: CMYK, with 255 for no ink. That is
		// Adobe's way, and that of all who don't say.
		adobe := []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00")
		parts = [][]byte{file[:2], adobe, file[2:]}
	}
	if !s.ended {
		last := len(parts) - 1
		if parts[last][len(parts[last])-1] == 0xff {
			parts[last] = parts[last][:len(parts[last])-1] // of a marker that is cut
		}
		parts = append(parts, []byte{0xff, markerEOI})
	}
	return chain(parts...)
}

// fault says in plain words what package jpeg found.
func (s *jpegSegments) fault(err error) error {
	if !s.ended {
		return errTruncated
	}
	var kind jpeg.UnsupportedError
	if errors.As(err, &kind) {
		switch text := string(kind); {
		case strings.Contains(text, "subsampling"):
			return unread("has an unusual chroma subsampling")
		case strings.Contains(text, "marker"):
			return fmt.Errorf("%w: it has an unknown marker", errDamaged)
		default:
			return unread("is of an unusual kind (" + text + ")")
		}
	}
	var text jpeg.FormatError
	if errors.As(err, &text) {
		switch text {
		case "short Huffman data", "missing 0xff00 sequence":
			return fmt.Errorf("%w: a part of its pixels is missing", errDamaged)
		}
		return fmt.Errorf("%w: %s", errDamaged, string(text))
	}
	return err
}
