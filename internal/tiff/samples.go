package tiff

import (
	"encoding/binary"
	"math"

	"impasto/internal/float16"
)

var (
	bigEndian    binary.ByteOrder = binary.BigEndian
	littleEndian binary.ByteOrder = binary.LittleEndian
)

// unpack puts a sample of each pixel of a row into every stride-th element of dst, as
// the number that it stands for. Negative integers begin at 0: all are raised by the
// same number.
func (l *layout) unpack(dst []float32, row []byte, order binary.ByteOrder, sample, stride int) {
	per := l.perChunk()
	if l.bits < 8 || l.bits%8 != 0 {
		l.unpackBits(dst, row, sample, stride)
		return
	}
	size := l.bits / 8
	step := per * size
	var flip uint32
	if l.format == signedSamples {
		flip = 1 << (l.bits - 1)
	}
	switch little := order == littleEndian; {
	case l.format == floatSamples:
		for x := range l.chunkWidth {
			dst[x*stride] = floatOf(row[x*step+sample*size:][:size], order)
		}
	case size == 1:
		for x := range l.chunkWidth {
			dst[x*stride] = float32(uint32(row[x*step+sample]) ^ flip)
		}
	case size == 2:
		high, low := 0, 1
		if little {
			high, low = 1, 0
		}
		for x := range l.chunkWidth {
			b := row[x*step+sample*2:][:2]
			dst[x*stride] = float32((uint32(b[high])<<8 | uint32(b[low])) ^ flip)
		}
	default:
		for x := range l.chunkWidth {
			b := row[x*step+sample*size:][:size]
			if size == 3 {
				dst[x*stride] = float32(uint24(b, order) ^ flip)
			} else {
				dst[x*stride] = float32(order.Uint32(b) ^ flip)
			}
		}
	}
}

func uint24(b []byte, order binary.ByteOrder) uint32 {
	if order == bigEndian {
		return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	}
	return uint32(b[2])<<16 | uint32(b[1])<<8 | uint32(b[0])
}

// floatOf is a floating-point number of 2, 4 or 8 bytes; what is no number is 0.
func floatOf(b []byte, order binary.ByteOrder) float32 {
	var value float32
	switch len(b) {
	case 2:
		value = float16.ToFloat32(order.Uint16(b))
	case 4:
		value = math.Float32frombits(order.Uint32(b))
	default:
		value = float32(math.Float64frombits(order.Uint64(b)))
	}
	if value != value {
		return 0
	}
	return value
}

// unpackBits is unpack for samples that aren't whole bytes, the first in the highest
// bits. Rows begin with a byte.
func (l *layout) unpackBits(dst []float32, row []byte, sample, stride int) {
	var flip uint32
	if l.format == signedSamples {
		flip = 1 << (l.bits - 1)
	}
	step := l.perChunk() * l.bits
	for x := range l.chunkWidth {
		at := x*step + sample*l.bits
		var value uint32
		for left := l.bits; left > 0; {
			in := 8 - at%8 // bits of this byte from at on
			n := min(in, left)
			value = value<<n | uint32(row[at/8])>>(in-n)&(1<<n-1)
			at += n
			left -= n
		}
		dst[x*stride] = float32(value ^ flip)
	}
}

// addNeighbours undoes predictor 2, by which each sample is told by its difference from
// the one of the pixel before, modulo its size in bytes.
func addNeighbours(row []byte, order binary.ByteOrder, size, samples int) {
	step := samples * size
	switch size {
	case 1:
		for i := step; i < len(row); i++ {
			row[i] += row[i-step]
		}
	case 2:
		for i := step; i+2 <= len(row); i += 2 {
			order.PutUint16(row[i:], order.Uint16(row[i:])+order.Uint16(row[i-step:]))
		}
	case 3:
		for i := step; i+3 <= len(row); i += 3 {
			sum := uint24(row[i:], order) + uint24(row[i-step:], order)
			low, high := i, i+2
			if order == bigEndian {
				low, high = high, low
			}
			row[low], row[i+1], row[high] = byte(sum), byte(sum>>8), byte(sum>>16)
		}
	case 4:
		for i := step; i+4 <= len(row); i += 4 {
			order.PutUint32(row[i:], order.Uint32(row[i:])+order.Uint32(row[i-step:]))
		}
	case 8:
		for i := step; i+8 <= len(row); i += 8 {
			order.PutUint64(row[i:], order.Uint64(row[i:])+order.Uint64(row[i-step:]))
		}
	}
}

// addFloats undoes predictor 3: the highest bytes of all samples come first, then the
// next ones, each told by its difference from the one a pixel before. The numbers become
// big-endian ones.
func addFloats(row, scratch []byte, size, samples int) {
	for i := samples; i < len(row); i++ {
		row[i] += row[i-samples]
	}
	copy(scratch, row)
	count := len(row) / size
	for i := range count {
		for b := range size {
			row[i*size+b] = scratch[b*count+i]
		}
	}
}
