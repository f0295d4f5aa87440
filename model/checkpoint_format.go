package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"impasto/internal/optim"
	"impasto/internal/picture"
)

// A checkpoint is
//
//	checkpointMagic
//	the header's length, 8 bytes, little-endian
//	the header, JSON
//	the blocks that the header lists, little-endian IEEE 754 of 4 or 8 bytes
//	the SHA-256 of all that
//
// in this order, and nothing after.
const checkpointMagic = "impasto checkpoint 2\n"

// What a header may come to at most; a long run's has some 5 MB, for its curve.
const (
	maxHeader      = 64 << 20
	maxBlocks      = 1 << 12
	maxBlockLength = 3 * MaxSize * MaxSize
)

// blockSize is one block: how many values, of 4 bytes or of 8.
type blockSize struct {
	Length int  `json:"length"`
	Double bool `json:"double,omitempty"`
}

// block is the values of one block, of one kind.
type block struct {
	singles []float32
	doubles []float64
}

// blockWriter gathers blocks and writes them after their header. Vectors stay on their
// device until then.
type blockWriter struct {
	header  *header
	device  optim.Vectors
	scratch []float32 // for a vector's values
	emit    []func(io.Writer) error
}

func (b *blockWriter) singles(values []float32) {
	b.header.Blocks = append(b.header.Blocks, blockSize{Length: len(values)})
	b.emit = append(b.emit, func(w io.Writer) error { return writeSingles(w, values) })
}

func (b *blockWriter) doubles(values []float64) {
	b.header.Blocks = append(b.header.Blocks, blockSize{Length: len(values), Double: true})
	b.emit = append(b.emit, func(w io.Writer) error {
		return writeValues(w, values, binary.LittleEndian.AppendUint64, math.Float64bits)
	})
}

func (b *blockWriter) vector(v optim.Vector) {
	b.header.Blocks = append(b.header.Blocks, blockSize{Length: v.Len()})
	b.emit = append(b.emit, func(w io.Writer) error {
		if len(b.scratch) != v.Len() {
			b.scratch = make([]float32, v.Len())
		}
		if err := b.device.Download(b.scratch, v); err != nil {
			return err
		}
		return writeSingles(w, b.scratch)
	})
}

func writeSingles(w io.Writer, values []float32) error {
	return writeValues(w, values, binary.LittleEndian.AppendUint32, math.Float32bits)
}

// writeValues writes values some at a time.
func writeValues[T, B any](w io.Writer, values []T, put func([]byte, B) []byte, bits func(T) B) error {
	const some = 1 << 13
	buffer := make([]byte, 0, 8*some)
	for len(values) > 0 {
		n := min(some, len(values))
		buffer = buffer[:0]
		for _, v := range values[:n] {
			buffer = put(buffer, bits(v))
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// write writes the checkpoint. An error of w is returned as it is.
func (b *blockWriter) write(w io.Writer) error {
	text, err := json.Marshal(b.header)
	if err != nil {
		return fmt.Errorf("model: checkpoint: %w", err)
	}
	sum := sha256.New()
	both := io.MultiWriter(w, sum)
	start := binary.LittleEndian.AppendUint64([]byte(checkpointMagic), uint64(len(text)))
	if _, err := both.Write(append(start, text...)); err != nil {
		return err
	}
	for _, emit := range b.emit {
		if err := emit(both); err != nil {
			return err
		}
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// ReadCheckpoint reads what Moment.Write wrote, to its end. It says what is wrong with
// anything else, and takes no more memory than some times what there is to read.
func ReadCheckpoint(r io.Reader) (*Checkpoint, error) {
	c, err := readCheckpoint(r)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil, errors.New("model: checkpoint: it ends too early; it was cut short")
	}
	if err != nil {
		return nil, fmt.Errorf("model: checkpoint: %w", err)
	}
	return c, nil
}

func readCheckpoint(r io.Reader) (*Checkpoint, error) {
	sum := sha256.New()
	in := io.TeeReader(r, sum)
	var start [len(checkpointMagic) + 8]byte
	n, err := io.ReadFull(in, start[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if there := min(n, len(checkpointMagic)); there == 0 || string(start[:there]) != checkpointMagic[:there] {
		return nil, errors.New("this is no checkpoint of this version of impasto")
	}
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{}
	if err := c.readHeader(in, binary.LittleEndian.Uint64(start[len(checkpointMagic):])); err != nil {
		return nil, err
	}
	for _, size := range c.header.Blocks {
		b, err := readBlock(in, size)
		if err != nil {
			return nil, err
		}
		c.blocks = append(c.blocks, b)
	}
	return c, checkEnd(r, sum)
}

// readHeader reads a header of so many bytes.
func (c *Checkpoint) readHeader(in io.Reader, length uint64) error {
	if length > maxHeader {
		return fmt.Errorf("its header is %d bytes long, want %d at most; it was altered", length, maxHeader)
	}
	text, err := readBytes(in, int(length))
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c.header); err != nil {
		return fmt.Errorf("its header can't be read, it was altered or is of another version: %w", err)
	}
	if len(c.header.Blocks) > maxBlocks {
		return fmt.Errorf("its header lists %d blocks, want %d at most", len(c.header.Blocks), maxBlocks)
	}
	if most := len(c.header.Blocks); c.header.Vectors > most || c.header.Records > most {
		return fmt.Errorf("its header lists %d vectors and %d records in %d blocks", c.header.Vectors, c.header.Records, most)
	}
	for _, size := range c.header.Blocks {
		if size.Length < 0 || size.Length > maxBlockLength {
			return fmt.Errorf("its header lists a block of %d values", size.Length)
		}
	}
	return nil
}

// readBytes reads so many bytes, with memory for little more than there are.
func readBytes(in io.Reader, count int) ([]byte, error) {
	var buffer bytes.Buffer
	if _, err := io.CopyN(&buffer, in, int64(count)); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

func readBlock(in io.Reader, size blockSize) (b block, err error) {
	if size.Double {
		b.doubles, err = readValues(in, size.Length, 8, func(data []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(data)) })
	} else {
		b.singles, err = readValues(in, size.Length, 4, func(data []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(data)) })
	}
	return b, err
}

// readValues reads values of so many bytes each, some at a time.
func readValues[T any](in io.Reader, length, bytes int, value func([]byte) T) (values []T, err error) {
	const some = 1 << 16
	buffer := make([]byte, bytes*min(some, length))
	for length > 0 {
		n := min(some, length)
		if _, err := io.ReadFull(in, buffer[:bytes*n]); err != nil {
			return nil, err
		}
		for i := range n {
			values = append(values, value(buffer[bytes*i:]))
		}
		length -= n
	}
	return values, nil
}

// checkEnd compares the sum of what was read with that which follows, and demands that
// nothing does after it.
func checkEnd(r io.Reader, sum hash.Hash) error {
	var want [sha256.Size]byte
	if _, err := io.ReadFull(r, want[:]); err != nil {
		return err
	}
	if !bytes.Equal(want[:], sum.Sum(nil)) {
		return errors.New("its SHA-256 isn't that at its end; it was altered")
	}
	if n, err := io.ReadFull(r, want[:1]); n > 0 {
		return errors.New("there is more after its end; it was altered")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// blockReader hands out blocks one after the other. Those that aren't there are empty,
// which no vector fits.
type blockReader struct {
	blocks []block
	missed bool
}

func (b *blockReader) next() (next block) {
	if len(b.blocks) == 0 {
		b.missed = true
		return block{}
	}
	next, b.blocks = b.blocks[0], b.blocks[1:]
	return next
}

func (b *blockReader) singles() []float32 { return b.next().singles }
func (b *blockReader) doubles() []float64 { return b.next().doubles }

// ended tells whether just as many blocks were there as were wanted.
func (b *blockReader) ended() bool { return len(b.blocks) == 0 && !b.missed }

// base is the picture that the checkpoint's level was made from.
func (c *Checkpoint) base() (*picture.Picture, error) {
	width, height := c.header.Base[0], c.header.Base[1]
	blocks := blockReader{blocks: c.blocks}
	rgb := blocks.singles()
	if width < 1 || height < 1 || width > MaxSize || height > MaxSize || len(rgb) != 3*width*height {
		return nil, errCheckpointShape
	}
	return &picture.Picture{Width: width, Height: height, RGB: rgb}, nil
}
