package tiff

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
)

// Markers of JPEG.
const (
	startOfImage = 0xd8
	endOfImage   = 0xd9
	startOfScan  = 0xda
	comment      = 0xfe
)

const (
	// maxSegments is how many segments before a JPEG's first scan are looked at.
	maxSegments = 256
	// maxScans is how often a JPEG may go over its picture, as libtiff has it.
	maxScans = 100
)

// jpegHead is what stands before a JPEG's first scan.
type jpegHead struct {
	width, height, components int
	progressive               bool
	tables                    []byte // the segments that decoding needs
	rest                      []byte // from the first scan on
}

// readJPEGHead reads up to the first scan, and keeps the segments if keep is set. What
// programs say of themselves and of colours is left out.
func readJPEGHead(data []byte, keep bool) (*jpegHead, error) {
	h := &jpegHead{}
	if len(data) < 2 || data[0] != 0xff || data[1] != startOfImage {
		return nil, errors.New("a strip or tile isn't the JPEG that it should be; the file is damaged")
	}
	data = data[2:]
	for range maxSegments {
		for len(data) > 1 && data[0] == 0xff && data[1] == 0xff {
			data = data[1:] // fill
		}
		if len(data) < 4 {
			return nil, truncated("a JPEG ends before its picture")
		}
		marker, length := data[1], int(data[2])<<8|int(data[3])
		switch {
		case data[0] != 0xff || length < 2:
			return nil, errors.New("a JPEG has no marker where one should be; the file is damaged")
		case marker == startOfScan:
			h.rest = data
			return h, h.check()
		case len(data) < 2+length:
			return nil, truncated("a JPEG ends before its picture")
		}
		segment := data[:2+length]
		data = data[2+length:]
		switch {
		case marker >= 0xe0 && marker <= 0xef || marker == comment:
			continue
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			if err := h.readFrame(segment); err != nil {
				return nil, err
			}
		}
		if keep {
			h.tables = append(h.tables, segment...)
		}
	}
	return nil, errors.New("a JPEG with too many segments; the file is damaged")
}

// readFrame reads the size of the picture.
func (h *jpegHead) readFrame(segment []byte) error {
	if len(segment) < 10 {
		return truncated("a JPEG ends before its picture")
	}
	switch marker := segment[1]; {
	case marker == 0xc3:
		return unsupported("a TIFF compressed with lossless JPEG")
	case marker > 0xc2:
		return unsupported("a TIFF compressed with JPEG of a rare kind (frame %d)", marker-0xc0)
	case segment[4] != 8:
		return unsupported("a TIFF compressed with JPEG of %d bits", segment[4])
	}
	h.progressive = segment[1] == 0xc2
	h.height, h.width = int(segment[5])<<8|int(segment[6]), int(segment[7])<<8|int(segment[8])
	h.components = int(segment[9])
	return nil
}

func (h *jpegHead) check() error {
	if h.width == 0 || h.height == 0 {
		return errors.New("a JPEG without size; the file is damaged")
	}
	return nil
}

// jpegBytes is what decoding takes a pixel: samples, four bytes a sample more if it is
// progressive, and for four samples another picture in which they are put together.
func jpegBytes(components int, progressive bool) int64 {
	each := int64(components)
	if progressive {
		each *= 5
	}
	if components == 4 {
		each += 4
	}
	return each
}

// jpegRows reads strips or tiles that are JPEGs, each decoded as a whole.
type jpegRows struct {
	*layout
	in     *source
	picks  []pick
	wanted int
	img    image.Image
	y      int
	chroma [2][]float32 // of a row
}

func (j *jpegRows) release() { j.img = nil }

func (j *jpegRows) start(chunk []byte, rows int) error {
	j.img, j.y = nil, 0
	head, err := readJPEGHead(chunk, true)
	if err != nil {
		return err
	}
	prefix := j.prefix(head)
	if err := j.in.budget.take(len(prefix)); err != nil {
		return err
	}
	switch {
	case head.components != j.perChunk():
		return fmt.Errorf("a JPEG of %d components for %d samples; the file is damaged", head.components, j.perChunk())
	case head.components == 2 || head.components > 4:
		return unsupported("a TIFF compressed with JPEG of %d components", head.components)
	case head.width < min(j.chunkWidth, j.width) || head.height < rows:
		return fmt.Errorf("a JPEG of %d×%d pixels; want %d×%d; the file is damaged", head.width, head.height, j.chunkWidth, rows)
	case head.width > j.chunkWidth+16 || head.height > j.chunkHeight+16:
		return fmt.Errorf("a JPEG of %d×%d pixels; want at most %d×%d; the file is damaged", head.width, head.height, j.chunkWidth, j.chunkHeight)
	case head.progressive && !j.mayBeProgressive():
		return errors.New("a JPEG is progressive where the first isn't; the file is damaged")
	}
	j.in.start(head.rest)
	j.img, err = jpeg.Decode(io.MultiReader(bytes.NewReader(prefix), &scanCounter{r: j.in}, bytes.NewReader([]byte{0xff, endOfImage})))
	var refused jpeg.UnsupportedError
	switch {
	case errors.As(err, &refused):
		return unsupported("a TIFF compressed with JPEG of a rare kind (%s)", string(refused))
	case errors.As(err, new(jpeg.FormatError)) && !bytes.HasSuffix(bytes.TrimRight(chunk, "\x00"), []byte{0xff, endOfImage}):
		return truncated("a JPEG has no end")
	}
	return described(err)
}

// prefix is the start of the JPEG up to its first scan. It says what keeps the decoder
// from converting colours: three components are given out as they are where it takes
// them for JFIF's YCbCr, and four where Adobe's colours aren't transformed.
func (j *jpegRows) prefix(head *jpegHead) []byte {
	prefix := []byte{0xff, startOfImage}
	switch head.components {
	case 3:
		prefix = append(prefix, "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"...)
	case 4:
		prefix = append(prefix, "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"...)
	}
	if tables := j.bytes(tagJPEGTables); len(tables) > 4 && len(tables) < 1<<16 {
		prefix = append(prefix, bytes.TrimSuffix(tables[2:], []byte{0xff, endOfImage})...)
	}
	return append(prefix, head.tables...)
}

// mayBeProgressive tells whether memory for it was counted.
func (j *jpegRows) mayBeProgressive() bool {
	return j.chunkArea() <= smallChunk || j.startsProgressive()
}

func (j *jpegRows) row(dst []float32) error {
	y := j.y
	j.y++
	switch img := j.img.(type) {
	case *image.Gray:
		for x := range min(j.chunkWidth, img.Rect.Dx()) {
			dst[x*j.wanted+j.picks[0].place] = float32(img.Pix[y*img.Stride+x])
		}
	case *image.YCbCr:
		j.colourRow(dst, img, y)
	case *image.CMYK:
		for x := range min(j.chunkWidth, img.Rect.Dx()) {
			pixel := img.Pix[y*img.Stride+4*x:][:4]
			for _, p := range j.picks {
				// Decoding takes it for Adobe's kind, which is inverted.
				dst[x*j.wanted+p.place] = float32(255 - pixel[p.sample])
			}
		}
	default:
		return fmt.Errorf("a JPEG of colours %T; the file is damaged", img)
	}
	return nil
}

// colourRow interpolates shared chroma linearly, as libjpeg does.
func (j *jpegRows) colourRow(dst []float32, img *image.YCbCr, y int) {
	width := min(j.chunkWidth, img.Rect.Dx())
	across, down := 1, 1
	for across < 4 && across < img.Rect.Dx() && img.COffset(across, 0) == img.COffset(0, 0) {
		across++
	}
	for down < 4 && down < img.Rect.Dy() && img.COffset(0, down) == img.COffset(0, 0) {
		down++
	}
	columns, rows := ceilDivide(img.Rect.Dx(), across), ceilDivide(img.Rect.Dy(), down)
	above, below, share := between(y, down, rows)
	for plane, samples := range [][]uint8{img.Cb, img.Cr} {
		if len(j.chroma[plane]) < columns {
			j.chroma[plane] = make([]float32, columns)
		}
		for x := range columns {
			a, b := samples[above*img.CStride+x], samples[below*img.CStride+x]
			j.chroma[plane][x] = float32(a) + share*(float32(b)-float32(a))
		}
	}
	for x := range width {
		left, right, share := between(x, across, columns)
		for _, p := range j.picks {
			value := float32(img.Y[y*img.YStride+x])
			if p.sample > 0 {
				chroma := j.chroma[p.sample-1]
				value = chroma[left] + share*(chroma[right]-chroma[left])
			}
			dst[x*j.wanted+p.place] = value
		}
	}
}

// between are the two of count samples that pixel i lies between, each at the middle of
// step pixels, and the share of the second.
func between(i, step, count int) (first, second int, share float32) {
	at := (float64(i)+0.5)/float64(step) - 0.5
	whole := math.Floor(at)
	first = min(max(int(whole), 0), count-1)
	second = min(max(int(whole)+1, 0), count-1)
	return first, second, float32(at - whole)
}

// scanCounter fails after maxScans scans.
type scanCounter struct {
	r     io.Reader
	scans int
	last  byte
}

func (s *scanCounter) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	for _, b := range p[:n] {
		if s.last == 0xff && b == startOfScan {
			s.scans++
		}
		s.last = b
	}
	if s.scans > maxScans {
		return 0, errors.New("a JPEG with too many scans")
	}
	return n, err
}
