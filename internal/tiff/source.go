package tiff

import (
	"context"
	"errors"
	"io"
	"math/bits"
)

// budget is what may still be read of a file's compressed data, all strips and tiles
// together. It is far more than a sound file has, and keeps those that lie over one
// another from costing more than the file and its picture do.
type budget struct {
	ctx  context.Context
	left int64
}

var errSharedData = errors.New("its strips or tiles lie over one another; the file is damaged")

// take allows n bytes more, and looks whether to stop.
func (b *budget) take(n int) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	if b.left -= int64(n); b.left < 0 {
		return errSharedData
	}
	return nil
}

// source reads the compressed data of a strip or tile.
type source struct {
	budget  *budget
	data    []byte
	allowed int  // bytes of data that the budget has been charged for
	reverse bool // the lowest bit of a byte is the first
}

// grant charges the budget for some of what comes next.
func (s *source) grant() error {
	if len(s.data) == 0 {
		return io.EOF
	}
	n := min(len(s.data), 1<<16)
	if err := s.budget.take(n); err != nil {
		return err
	}
	s.allowed = n
	return nil
}

// start begins with another strip or tile. What was charged and not read is given back.
func (s *source) start(data []byte) {
	s.budget.left += int64(s.allowed)
	s.data, s.allowed = data, 0
}

// ReadByte is that of io.ByteReader.
func (s *source) ReadByte() (byte, error) {
	if s.allowed == 0 {
		if err := s.grant(); err != nil {
			return 0, err
		}
	}
	b := s.data[0]
	s.data = s.data[1:]
	s.allowed--
	if s.reverse {
		b = bits.Reverse8(b)
	}
	return b, nil
}

// Read is that of io.Reader. It looks each time whether to stop, since a JPEG takes long
// over few bytes.
func (s *source) Read(p []byte) (int, error) {
	if err := s.budget.ctx.Err(); err != nil {
		return 0, err
	}
	if s.allowed == 0 {
		if err := s.grant(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.data[:s.allowed])
	s.data = s.data[n:]
	s.allowed -= n
	if s.reverse {
		for i, b := range p[:n] {
			p[i] = bits.Reverse8(b)
		}
	}
	return n, nil
}
