package tiff

import "io"

// packBitsReader decodes Macintosh's run lengths: a byte n from 0 to 127 and n + 1 bytes
// as they are, or one from 129 to 255 and a byte that is repeated 257 - n times.
type packBitsReader struct {
	r       io.ByteReader
	literal int // bytes to come as they are
	repeat  int // times to come of value
	value   byte
}

// Read is that of io.Reader.
func (p *packBitsReader) Read(dst []byte) (int, error) {
	for i := range dst {
		b, err := p.next()
		if err != nil {
			return i, err
		}
		dst[i] = b
	}
	return len(dst), nil
}

func (p *packBitsReader) next() (byte, error) {
	for p.literal == 0 && p.repeat == 0 {
		n, err := p.r.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case n < 128:
			p.literal = int(n) + 1
		case n > 128:
			if p.value, err = p.r.ReadByte(); err != nil {
				return 0, err
			}
			p.repeat = 257 - int(n)
		}
	}
	if p.literal > 0 {
		p.literal--
		return p.r.ReadByte()
	}
	p.repeat--
	return p.value, nil
}
