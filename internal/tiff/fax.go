package tiff

import (
	"errors"
	"io"
)

// faxReader decodes the fax compressions of ITU-T recommendations T.4 (Group 3) and T.6
// (Group 4), and the run lengths of TIFF 6.0 alone. It gives packed rows, in which black
// pixels are ones.
//
// A row is kept as the positions at which its colour changes, white being before the
// first. Golang.org/x/image/ccitt reads Group 4 too, but not the others: of Group 3 it
// wants rows coded by themselves, with no fill before their end.
type faxReader struct {
	bits    bitReader
	tables  *[3]codeTable
	kind    int  // a compression
	mixed   bool // rows of Group 3 may be told by the row above
	columns int
	above   []int
	row     []int
	packed  []byte // what is still to be given of a row
	buffer  []byte
	ended   bool // the code for the end came; what follows is white
}

var errFaxCode = errors.New("its fax data have a code that doesn't exist; the file is damaged")

func newFaxReader(l *layout, r io.ByteReader) *faxReader {
	const mixedBit = 1
	return &faxReader{
		bits: bitReader{r: r}, tables: faxTables(), kind: l.compression, columns: l.chunkWidth,
		mixed:  l.compression == faxGroup3 && l.number(tagT4Options, 0)&mixedBit != 0,
		buffer: make([]byte, ceilDivide(l.chunkWidth, 8)),
	}
}

// start begins with another strip.
func (f *faxReader) start() {
	f.bits = bitReader{r: f.bits.r}
	f.above, f.row, f.packed, f.ended = f.above[:0], f.row[:0], nil, false
}

// Read is that of io.Reader.
func (f *faxReader) Read(p []byte) (int, error) {
	if len(f.packed) == 0 {
		f.above, f.row = f.row, f.above[:0]
		if err := f.nextRow(); err != nil {
			return 0, err
		}
		f.pack()
	}
	n := copy(p, f.packed)
	f.packed = f.packed[n:]
	return n, nil
}

func (f *faxReader) nextRow() error {
	if f.ended {
		return nil
	}
	switch f.kind {
	case faxRLE:
		f.bits.align(8)
		return f.runs()
	case faxRLEWords:
		f.bits.align(16)
		return f.runs()
	case faxGroup4:
		return f.changes()
	}
	ends, err := f.skipRowEnds()
	switch {
	case err != nil:
		return err
	case ends > 1: // six of them end the picture
		f.ended = true
		return nil
	case f.mixed && ends == 0:
		return errFaxCode
	case f.mixed:
		alone, err := f.bits.take(1)
		if err != nil {
			return err
		}
		if alone == 0 {
			return f.changes()
		}
	}
	return f.runs()
}

// skipRowEnds passes over the codes for the end of a row, each at least eleven zeros and
// a one, and counts them. Of mixed rows, a bit after each tells how the next is coded;
// the last one's is left.
func (f *faxReader) skipRowEnds() (int, error) {
	for ends := 0; ; ends++ {
		skip := 0
		if f.mixed && ends > 0 {
			skip = 1
		}
		if f.bits.peek(11+skip)&0x7ff != 0 || f.bits.empty() {
			return ends, nil
		}
		if _, err := f.bits.take(11 + skip); err != nil {
			return ends, nil
		}
		for {
			bit, err := f.bits.take(1)
			if err != nil {
				return ends, err
			}
			if bit == 1 {
				break
			}
		}
	}
}

// runs reads a row that is coded by itself: the lengths of white and black runs in turn.
func (f *faxReader) runs() error {
	at := 0
	for colour := 0; at < f.columns; colour ^= 1 {
		end, err := f.runTo(at, colour)
		if err != nil {
			return err
		}
		at = end
	}
	return nil
}

// runTo reads a run that begins at a column, and returns the column after its last.
func (f *faxReader) runTo(at, colour int) (int, error) {
	length, err := f.run(colour)
	if err != nil {
		return at, err
	}
	if at += length; at > f.columns {
		return at, errFaxCode
	}
	f.change(at)
	return at, nil
}

// run reads the length of a run: any number of multiples of 64, and a rest.
func (f *faxReader) run(colour int) (int, error) {
	total := 0
	for {
		length, err := f.code(&f.tables[colour])
		if err != nil {
			return 0, err
		}
		if total += length; total > f.columns {
			return 0, errFaxCode
		}
		if length < 64 {
			return total, nil
		}
	}
}

// changes reads a row that is told by the one above. In T.6's letters, at is a0, above[i]
// is b1, and above[i+1] is b2.
func (f *faxReader) changes() error {
	at, colour, i := -1, 0, 0
	for at < f.columns {
		mode, err := f.code(&f.tables[2])
		if err != nil {
			if errors.Is(err, errFaxCode) && f.bits.peek(12) == 1 {
				f.ended = true
				return nil
			}
			return err
		}
		for i > 0 && f.aboveAt(i-1) > at {
			i--
		}
		for i < len(f.above) && (f.above[i] <= at || i%2 != colour) {
			i++
		}
		switch mode {
		case passMode:
			at = f.aboveAt(i + 1)
		case horizontalMode:
			at = max(at, 0)
			for range 2 {
				end, err := f.runTo(at, colour)
				if err != nil {
					return err
				}
				at = end
				colour ^= 1
			}
		case extension:
			return unsupported("a fax TIFF with uncompressed parts")
		default:
			to := f.aboveAt(i) + mode - straight
			if to < at || to < 0 || to > f.columns {
				return errFaxCode
			}
			at = to
			f.change(at)
			colour ^= 1
		}
	}
	return nil
}

// aboveAt is where the row above changes for the i-th time; its end, if it doesn't.
func (f *faxReader) aboveAt(i int) int {
	if i < len(f.above) {
		return f.above[i]
	}
	return f.columns
}

// change notes that the colour changes at a column. Two changes in one place are none.
func (f *faxReader) change(at int) {
	if last := len(f.row) - 1; last >= 0 && f.row[last] == at {
		f.row = f.row[:last]
		return
	}
	if at < f.columns {
		f.row = append(f.row, at)
	}
}

// code reads the next code of a table.
func (f *faxReader) code(t *codeTable) (int, error) {
	c := t[f.bits.peek(codeBits)]
	if c.bits == 0 {
		if f.bits.empty() {
			return 0, f.bits.end()
		}
		return 0, errFaxCode
	}
	if _, err := f.bits.take(int(c.bits)); err != nil {
		return 0, err
	}
	return int(c.value), nil
}

// pack makes bits of the row's changes.
func (f *faxReader) pack() {
	clear(f.buffer)
	for i := 0; i < len(f.row); i += 2 {
		end := f.columns
		if i+1 < len(f.row) {
			end = f.row[i+1]
		}
		setBits(f.buffer, f.row[i], end)
	}
	f.packed = f.buffer
}

// setBits sets those from one to before another, the highest of a byte being the first.
func setBits(b []byte, from, to int) {
	for from < to {
		if from%8 == 0 && to-from >= 8 {
			b[from/8] = 0xff
			from += 8
			continue
		}
		b[from/8] |= 0x80 >> (from % 8)
		from++
	}
}

// bitReader gives bits, the highest of a byte first.
type bitReader struct {
	r      io.ByteReader
	buffer uint64
	held   int   // bits of buffer, its lowest
	read   int   // bytes that were read
	err    error // why there are no more
}

// fill holds n bits or all that there are; n is at most 32.
func (b *bitReader) fill(n int) {
	for b.held < n && b.err == nil {
		var next byte
		if next, b.err = b.r.ReadByte(); b.err == nil {
			b.buffer = b.buffer<<8 | uint64(next)
			b.held += 8
			b.read++
		}
	}
}

// peek is the next n bits, with zeros after the end.
func (b *bitReader) peek(n int) int {
	b.fill(n)
	if b.held < n {
		return int(b.buffer & (1<<b.held - 1) << (n - b.held))
	}
	return int(b.buffer >> (b.held - n) & (1<<n - 1))
}

// take is peek, and goes on.
func (b *bitReader) take(n int) (int, error) {
	value := b.peek(n)
	if b.held < n {
		return 0, b.end()
	}
	b.held -= n
	return value, nil
}

// end is the error where bits are wanted and there are no more.
func (b *bitReader) end() error {
	if b.err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return b.err
}

// empty tells that less than a code's bits are left.
func (b *bitReader) empty() bool {
	b.fill(codeBits)
	return b.err != nil && b.held < codeBits
}

// align goes on to a multiple of n bits from the start.
func (b *bitReader) align(n int) {
	if over := (8*b.read - b.held) % n; over != 0 {
		b.fill(n - over)
		b.held = max(0, b.held-(n-over))
	}
}
