package colour

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// profile is an ICC profile: what its header says, and its tags.
type profile struct {
	version    byte
	space, pcs string // of the device, and of the connection
	tags       map[string][]byte
}

const (
	profileHeader = 128
	// maxProfile is the largest profile that is read. Those of printers have a few
	// megabytes.
	maxProfile = 16 << 20
)

func parseProfile(data []byte) (*profile, error) {
	if len(data) < profileHeader+4 {
		return nil, fmt.Errorf("it has %d bytes, less than a header", len(data))
	}
	if len(data) > maxProfile {
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", len(data), maxProfile)
	}
	if string(data[36:40]) != "acsp" {
		return nil, errors.New("it has no ICC signature")
	}
	p := &profile{version: data[8], space: string(data[16:20]), pcs: string(data[20:24]), tags: map[string][]byte{}}
	if p.pcs != "XYZ " && p.pcs != "Lab " {
		return nil, fmt.Errorf("its connection space is %q; want XYZ or Lab", p.pcs)
	}
	if p.channels() == 0 {
		return nil, fmt.Errorf("it is for pictures in %q; want RGB, GRAY or CMYK", p.space)
	}
	count := uint64(binary.BigEndian.Uint32(data[profileHeader:]))
	table := data[profileHeader+4:]
	if count*12 > uint64(len(table)) {
		return nil, fmt.Errorf("it claims %d tags in %d bytes", count, len(data))
	}
	for ; count > 0; count-- {
		offset, size := uint64(binary.BigEndian.Uint32(table[4:])), uint64(binary.BigEndian.Uint32(table[8:]))
		name := string(table[:4])
		if offset+size > uint64(len(data)) {
			return nil, fmt.Errorf("its tag %q lies beyond its end", name)
		}
		p.tags[name] = data[offset : offset+size]
		table = table[12:]
	}
	return p, nil
}

// channels is how many a picture has that the profile is for, or 0.
func (p *profile) channels() int {
	switch p.space {
	case "RGB ":
		return 3
	case "GRAY":
		return 1
	case "CMYK":
		return 4
	}
	return 0
}

// xyz reads a tag with the coordinates of a colour.
func (p *profile) xyz(name string) (vector, error) {
	data := p.tags[name]
	if len(data) < 20 || string(data[:4]) != "XYZ " {
		return vector{}, fmt.Errorf("its tag %q is missing or no colour", name)
	}
	return vector{fixed(data[8:]), fixed(data[12:]), fixed(data[16:])}, nil
}

func (p *profile) curve(name string) (curve, error) {
	data := p.tags[name]
	if data == nil {
		return curve{}, fmt.Errorf("its tag %q is missing", name)
	}
	q, _, err := readCurve(data)
	if err != nil {
		return curve{}, fmt.Errorf("its tag %q: %w", name, err)
	}
	return q, nil
}

// lookup returns the lookup table to convert by, from the device to the connection
// space, or nil where there is none and matrix and curves are to be used.
func (p *profile) lookup() (*lookup, error) {
	names := []string{"A2B0", "A2B1", "A2B2"}
	if p.tags["rXYZ"] != nil || p.tags["kTRC"] != nil {
		names = names[:1]
	}
	for _, name := range names {
		if data := p.tags[name]; data != nil {
			l, err := p.readLookup(data)
			if err != nil {
				return nil, fmt.Errorf("its tag %q: %w", name, err)
			}
			return l, nil
		}
	}
	return nil, nil
}
