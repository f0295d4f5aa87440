package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"io"
	"math"

	"impasto/internal/optim"
	"impasto/internal/picture"
	"impasto/internal/plan"
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
const checkpointMagic = "impasto checkpoint 3\n"

// What a header may come to at most; a long run's has some 5 MB, for its curve.
const (
	maxHeader      = 64 << 20
	maxBlocks      = 1 << 12
	maxBlockLength = 3 * MaxSize * MaxSize
)

// bufferBytes is how much of a block is read at once, a multiple of 8.
const bufferBytes = 1 << 18

// blockSize is one block: how many values, of 4 bytes or of 8.
type blockSize struct {
	Length int  `json:"length"`
	Double bool `json:"double,omitempty"`
}

// bytes is how many bytes the block takes.
func (b blockSize) bytes() int64 {
	if b.Double {
		return 8 * int64(b.Length)
	}
	return 4 * int64(b.Length)
}

// blockWriter gathers blocks and writes them after their header. Vectors stay on their
// device until then, and those in the memory of the process are written from there.
type blockWriter struct {
	header  *header
	device  optim.Vectors
	scratch []float32 // for the values of a vector that is elsewhere
	emit    []func(io.Writer) error
}

func (b *blockWriter) singles(values []float32) {
	b.header.Blocks = append(b.header.Blocks, blockSize{Length: len(values)})
	b.emit = append(b.emit, func(w io.Writer) error { return writeSingles(w, values) })
}

// rounded is a picture as float32 values.
func (b *blockWriter) rounded(r rounded) {
	b.header.Blocks = append(b.header.Blocks, blockSize{Length: len(r.values)})
	b.emit = append(b.emit, func(w io.Writer) error {
		return writeValues(w, r.values, binary.LittleEndian.AppendUint32, func(v uint16) uint32 { return math.Float32bits(single(v)) })
	})
}

func (b *blockWriter) doubles(values []float64) {
	b.header.Blocks = append(b.header.Blocks, blockSize{Length: len(values), Double: true})
	b.emit = append(b.emit, func(w io.Writer) error {
		return writeValues(w, values, binary.LittleEndian.AppendUint64, math.Float64bits)
	})
}

func (b *blockWriter) vector(v optim.Vector) {
	if values, ok := v.(optim.HostVector); ok {
		b.singles(values)
		return
	}
	b.header.Blocks = append(b.header.Blocks, blockSize{Length: v.Len()})
	b.emit = append(b.emit, func(w io.Writer) error {
		if c, ok := v.(*optim.Compact); ok {
			return writeValues(w, c.Bits, binary.LittleEndian.AppendUint32, func(bits uint16) uint32 { return math.Float32bits(c.Value(bits)) })
		}
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
	const some = 1 << 10
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

// ReadCheckpoint reads what Moment.Write wrote, to its end, and keeps all of it in memory.
// It says what is wrong with anything else, and takes no more memory than some times what
// there is to read.
func ReadCheckpoint(r io.Reader) (*Checkpoint, error) {
	var kept bytes.Buffer
	c, err := checkCheckpoint(io.TeeReader(r, &kept))
	if err != nil {
		return nil, err
	}
	c.source = bytes.NewReader(kept.Bytes())
	return c, nil
}

// OpenCheckpoint is ReadCheckpoint for what can be read twice, such as a file, which takes
// next to no memory. All of it is read and checked now. When Stylize goes on from the
// checkpoint, it reads from the source again, at the latest when it begins the level that
// the checkpoint is of, so before it calls Options.Progress or Options.Checkpoint. A source
// that has changed by then is an error.
func OpenCheckpoint(source io.ReaderAt) (*Checkpoint, error) {
	c, err := checkCheckpoint(io.NewSectionReader(source, 0, math.MaxInt64))
	if err != nil {
		return nil, err
	}
	c.source = source
	return c, nil
}

// checkCheckpoint reads a checkpoint to its end, all but its source.
func checkCheckpoint(r io.Reader) (*Checkpoint, error) {
	c := &Checkpoint{seed: maphash.MakeSeed()}
	err := c.read(r)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil, errors.New("model: checkpoint: it ends too early; it was cut short")
	}
	if err != nil {
		return nil, fmt.Errorf("model: checkpoint: %w", err)
	}
	return c, nil
}

// read reads the header, and notes where blocks are and what their sums are.
func (c *Checkpoint) read(r io.Reader) error {
	sum := sha256.New()
	in := io.TeeReader(r, sum)
	var start [len(checkpointMagic) + 8]byte
	n, err := io.ReadFull(in, start[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	if there := min(n, len(checkpointMagic)); there == 0 || string(start[:there]) != checkpointMagic[:there] {
		return errors.New("this is no checkpoint of this version of impasto")
	}
	if err != nil {
		return err
	}
	length := binary.LittleEndian.Uint64(start[len(checkpointMagic):])
	if err := c.readHeader(in, length); err != nil {
		return err
	}
	buffer := make([]byte, bufferBytes)
	offset := int64(len(start)) + int64(length)
	for _, size := range c.header.Blocks {
		sum := c.newSum()
		n, err := io.CopyBuffer(sum, io.LimitReader(in, size.bytes()), buffer)
		if err == nil && n < size.bytes() {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		c.blocks = append(c.blocks, block{offset, sum.Sum64()})
		offset += n
	}
	return checkEnd(r, sum)
}

// newSum is for the sum of a block: it tells blocks apart that differ by accident.
func (c *Checkpoint) newSum() *maphash.Hash {
	var sum maphash.Hash
	sum.SetSeed(c.seed)
	return &sum
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

// readBlock reads a block again by way of a buffer, and hands on its bytes, as many at a
// time as the buffer has room for. After an error none of them may be used.
func (c *Checkpoint) readBlock(index int, buffer []byte, take func(data []byte)) error {
	b, left := c.blocks[index], c.header.Blocks[index].bytes()
	in := io.NewSectionReader(c.source, b.offset, left)
	sum := c.newSum()
	for left > 0 {
		data := buffer[:min(int64(len(buffer)), left)]
		if _, err := io.ReadFull(in, data); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return errors.New("it was cut short since it was read first")
		} else if err != nil {
			return err
		}
		_, _ = sum.Write(data) // which can't fail
		take(data)
		left -= int64(len(data))
	}
	if sum.Sum64() != b.sum {
		return errors.New("it was altered since it was read first")
	}
	return nil
}

// blockReader reads a checkpoint's blocks again, one after the other.
type blockReader struct {
	checkpoint *Checkpoint
	next       int
	buffer     []byte
}

// length is that of the next block, 0 where there is none.
func (b *blockReader) length() int {
	if b.next >= len(b.checkpoint.blocks) {
		return 0
	}
	return b.checkpoint.header.Blocks[b.next].Length
}

// singles reads the next block, which has to be as long.
func (b *blockReader) singles(to []float32) error {
	return readValues(b, to, 4, func(data []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(data)) })
}

// doubles reads the next block, which has to be as long.
func (b *blockReader) doubles(to []float64) error {
	return readValues(b, to, 8, func(data []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(data)) })
}

// vectors reads so many blocks, each in the place of the one before.
func (b *blockReader) vectors(count int, values []float32) optim.Values {
	return func(yield func([]float32, error) bool) {
		for range count {
			if err := b.singles(values); !yield(values, err) || err != nil {
				return
			}
		}
	}
}

// records reads what so many steps of an evaluation keep.
func (b *blockReader) records(count int) (records []plan.Record, err error) {
	for range count {
		r := plan.Record{Singles: make([]float32, b.length())}
		if err := b.singles(r.Singles); err != nil {
			return nil, err
		}
		r.Doubles = make([]float64, b.length())
		if err := b.doubles(r.Doubles); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// readValues reads the next block to values of so many bytes each.
func readValues[T any](b *blockReader, to []T, bytes int, value func([]byte) T) error {
	at := b.next
	if at >= len(b.checkpoint.blocks) || b.length() != len(to) || b.checkpoint.header.Blocks[at].Double != (bytes == 8) {
		return errCheckpointShape
	}
	b.next++
	if b.buffer == nil {
		b.buffer = make([]byte, bufferBytes)
	}
	return b.checkpoint.readBlock(at, b.buffer, func(data []byte) {
		for i := range len(data) / bytes {
			to[i] = value(data[bytes*i:])
		}
		to = to[len(data)/bytes:]
	})
}

// ended tells whether there are no more blocks.
func (b *blockReader) ended() bool { return b.next == len(b.checkpoint.blocks) }

// base is the picture that the checkpoint's level was made from.
func (c *Checkpoint) base() (*picture.Picture, error) {
	width, height := c.header.Base[0], c.header.Base[1]
	blocks := blockReader{checkpoint: c}
	if width < 1 || height < 1 || width > MaxSize || height > MaxSize || blocks.length() != 3*width*height {
		return nil, errCheckpointShape
	}
	p := &picture.Picture{Width: width, Height: height, RGB: make([]float32, 3*width*height)}
	return p, blocks.singles(p.RGB)
}
