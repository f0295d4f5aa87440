package tiff

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// layout is how a picture's samples lie in the file.
type layout struct {
	*directory
	data          []byte
	width, height int
	photometric   int
	compression   int
	samples, bits int // samples of a pixel, and bits of a sample
	format        sampleFormat
	colours       int // samples that are colours; the first ones
	alpha         int // the sample that is alpha, or -1
	associated    bool
	planar        bool // a plane a sample, one after the other
	reversed      bool // the lowest bit of a byte is the first
	predictor     int
	subX, subY    int // pixels that share a chroma sample, in uncompressed YCbCr
	chunks
}

// chunks are the strips or tiles of a picture.
type chunks struct {
	tiled                   bool
	chunkWidth, chunkHeight int
	across, down            int
	offsets, counts         field
}

// sampleFormat is what the bits of a sample mean.
type sampleFormat int

const (
	unsignedSamples sampleFormat = 1
	signedSamples   sampleFormat = 2
	floatSamples    sampleFormat = 3
)

// layoutOf checks the directory of a picture.
func layoutOf(data []byte, d *directory) (*layout, error) {
	l := &layout{
		directory: d, data: data,
		width: d.number(tagImageWidth, 0), height: d.number(tagImageLength, 0),
		compression: d.number(tagCompression, noCompression),
		samples:     d.number(tagSamplesPerPixel, 1),
		planar:      d.number(tagPlanar, 1) == 2,
		reversed:    d.number(tagFillOrder, 1) == 2,
		predictor:   1, subX: 1, subY: 1, alpha: -1,
	}
	for _, tag := range []int{tagImageWidth, tagImageLength, tagBitsPerSample} {
		if d.fields[tag].missing {
			return nil, truncated("the value of tag %d is cut off", tag)
		}
	}
	if d.isRaw() {
		return nil, cameraRaw("TIFF with a colour filter array")
	}
	if l.samples < 1 || l.samples > 64 {
		return nil, fmt.Errorf("%d samples a pixel; 1–64 are read", l.samples)
	}
	for _, check := range []func() error{
		l.checkCompression, l.setSamples, l.setColours, l.setSubsampling, l.setChunks,
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *layout) checkCompression() error {
	switch l.compression {
	case noCompression, faxRLE, faxRLEWords, faxGroup3, faxGroup4, jpegCoded, packBits:
	case lzwCoded, adobeDeflate, oldDeflate:
		l.predictor = l.number(tagPredictor, 1)
	default:
		if name, known := compressions[l.compression]; known {
			return unsupported("a TIFF compressed with %s", name)
		}
		return unsupported("a TIFF with unknown compression %d", l.compression)
	}
	return nil
}

// fax tells the compressions of pictures in black and white.
func (l *layout) fax() bool {
	switch l.compression {
	case faxRLE, faxRLEWords, faxGroup3, faxGroup4:
		return true
	}
	return false
}

// setSamples finds the bits and format of samples, and checks the predictor.
func (l *layout) setSamples() error {
	bits := l.numbers(tagBitsPerSample, l.samples)
	if len(bits) == 0 {
		bits = []int{1}
	}
	formats := l.numbers(tagSampleFormat, l.samples)
	if len(formats) == 0 || formats[0] == 4 { // 4 is "undefined"
		formats = []int{int(unsignedSamples)}
	}
	if slices.Max(bits) != slices.Min(bits) || slices.Max(formats) != slices.Min(formats) {
		return unsupported("a TIFF whose samples are of different kinds (%v bits)", bits)
	}
	l.bits, l.format = bits[0], sampleFormat(formats[0])
	switch l.format {
	case unsignedSamples, signedSamples:
		if l.bits < 1 || l.bits > 16 && l.bits != 24 && l.bits != 32 {
			return unsupported("a TIFF with integers of %d bits", l.bits)
		}
	case floatSamples:
		if l.bits != 16 && l.bits != 32 && l.bits != 64 {
			return unsupported("a TIFF with floating-point samples of %d bits", l.bits)
		}
	default:
		return unsupported("a TIFF with samples of format %d (complex numbers)", int(l.format))
	}
	switch {
	case l.fax() && (l.bits != 1 || l.format != unsignedSamples || l.samples > 1 && !l.planar):
		return fmt.Errorf("fax compression of %d samples of %d bits; want 1 of 1; the file is damaged", l.samples, l.bits)
	case l.compression == jpegCoded && (l.bits != 8 || l.format != unsignedSamples):
		return unsupported("a TIFF compressed with JPEG of %d bits", l.bits)
	case l.predictor == 2 && l.bits%8 != 0, l.predictor == 3 && l.format != floatSamples, l.predictor < 1, l.predictor > 3:
		return unsupported("a TIFF with predictor %d for samples of %d bits", l.predictor, l.bits)
	}
	return nil
}

// setColours finds which samples are colours and alpha.
func (l *layout) setColours() error {
	fallback := minIsBlack
	if l.fax() {
		fallback = minIsWhite
	} else if l.samples >= 3 {
		fallback = photoRGB
	}
	l.photometric = l.number(tagPhotometric, fallback)
	integers := l.format == unsignedSamples
	sound := true
	switch l.photometric {
	case minIsWhite, minIsBlack:
		l.colours = 1
	case palette:
		l.colours = 1
		sound = integers && l.bits <= 16
	case photoRGB:
		l.colours = 3
	case photoYCbCr:
		l.colours = 3
		sound = integers && l.bits == 8
	case cieLab, iccLab:
		l.colours = 3
		sound = l.format != floatSamples && (l.bits == 8 || l.bits == 16)
	case separated:
		l.colours = 4
		if l.number(tagInkSet, 1) != 1 || l.samples < 4 {
			return unsupported("a TIFF of inks other than cyan, magenta, yellow and black")
		}
	default:
		if name, known := photometrics[l.photometric]; known {
			return unsupported("a TIFF of %s", name)
		}
		return unsupported("a TIFF of unknown colours (photometric interpretation %d)", l.photometric)
	}
	if !sound {
		return unsupported("a TIFF of %d bits with photometric interpretation %d", l.bits, l.photometric)
	}
	if l.samples < l.colours {
		return fmt.Errorf("%d samples a pixel for %d colours; the file is damaged", l.samples, l.colours)
	}
	extra := l.numbers(tagExtraSamples, l.samples-l.colours)
	if len(extra) == 0 && l.photometric == photoRGB && l.samples == 4 {
		extra = []int{1} // as libtiff takes a fourth sample that nothing is said of
	}
	for i, kind := range extra {
		if kind == 1 || kind == 2 {
			l.alpha, l.associated = l.colours+i, kind == 1
			break
		}
	}
	return nil
}

// setSubsampling is for YCbCr that isn't compressed with JPEG, which says it itself.
func (l *layout) setSubsampling() error {
	if l.photometric != photoYCbCr || l.compression == jpegCoded {
		return nil
	}
	l.subX, l.subY = 2, 2
	if steps := l.numbers(tagYCbCrSubSampling, 2); len(steps) == 2 {
		l.subX, l.subY = steps[0], steps[1]
	}
	for _, step := range []int{l.subX, l.subY} {
		if step != 1 && step != 2 && step != 4 {
			return fmt.Errorf("chroma subsampled by %d; want 1, 2 or 4; the file is damaged", step)
		}
	}
	if l.subX*l.subY > 1 && (l.planar || l.samples != 3 || l.predictor != 1) {
		return unsupported("a TIFF with subsampled YCbCr colours in planes, with extra samples or with a predictor")
	}
	return nil
}

// setChunks finds the shape of strips or tiles, but not where they are.
func (l *layout) setChunks() error {
	if l.width < 1 || l.height < 1 {
		return nil // for whoever checks sizes
	}
	_, l.tiled = l.fields[tagTileWidth]
	if l.tiled {
		l.chunkWidth, l.chunkHeight = l.number(tagTileWidth, 0), l.number(tagTileLength, 0)
		l.offsets, l.counts = l.fields[tagTileOffsets], l.fields[tagTileByteCounts]
		if l.offsets.count == 0 {
			l.offsets, l.counts = l.fields[tagStripOffsets], l.fields[tagStripByteCounts]
		}
	} else {
		l.chunkWidth = l.width
		l.chunkHeight = min(l.number(tagRowsPerStrip, l.height), l.height)
		if l.chunkHeight == 0 {
			l.chunkHeight = l.height // as libtiff takes a 0
		}
		l.offsets, l.counts = l.fields[tagStripOffsets], l.fields[tagStripByteCounts]
	}
	if l.chunkWidth < 1 || l.chunkHeight < 1 {
		return fmt.Errorf("strips or tiles of %d×%d pixels; the file is damaged", l.chunkWidth, l.chunkHeight)
	}
	if l.chunkWidth%l.subX != 0 && l.tiled || l.chunkHeight%l.subY != 0 && l.chunkHeight < l.height {
		return fmt.Errorf("strips or tiles of %d×%d pixels in which chroma samples are cut; the file is damaged", l.chunkWidth, l.chunkHeight)
	}
	l.across, l.down = ceilDivide(l.width, l.chunkWidth), ceilDivide(l.height, l.chunkHeight)
	// Tiles stand out by less than themselves, which is much for tiny pictures alone.
	padded := float64(l.across) * float64(l.chunkWidth) * float64(l.down) * float64(l.chunkHeight)
	if padded > 4*float64(l.width)*float64(l.height)+1<<22 {
		return fmt.Errorf("tiles of %d×%d pixels for a picture of %d×%d; the file is damaged", l.chunkWidth, l.chunkHeight, l.width, l.height)
	}
	return nil
}

// checkChunks wants the places of all strips or tiles.
func (l *layout) checkChunks() error {
	want := float64(l.across) * float64(l.down)
	if l.planar {
		want *= float64(l.samples)
	}
	switch {
	case l.offsets.missing || l.counts.missing:
		return truncated("the table of strips or tiles is cut off")
	case float64(l.offsets.count) < want:
		return fmt.Errorf("%d strips or tiles; want %.0f; the file is damaged", l.offsets.count, want)
	case l.counts.count > 0 && float64(l.counts.count) < want:
		return fmt.Errorf("the sizes of %d strips or tiles; want %.0f; the file is damaged", l.counts.count, want)
	}
	return nil
}

// chunk is the data of a strip or tile of a plane.
func (l *layout) chunk(plane, row, column int) ([]byte, error) {
	i := (plane*l.down+row)*l.across + column
	at := l.offsets.uint(l.order, i)
	if at >= uint64(len(l.data)) {
		return nil, truncated("strip or tile %d should be at byte %d of %d", i, at, len(l.data))
	}
	rest := l.data[at:]
	size := l.counts.uint(l.order, i)
	if l.counts.count == 0 || size == 0 && l.offsets.count == 1 {
		return rest, nil // old writers left it out
	}
	if l.compression == noCompression && l.offsets.count == 1 {
		return rest, nil // libtiff doesn't believe the size either
	}
	if size == 0 {
		return nil, errors.New("a strip or tile without data; the file is damaged")
	}
	return rest[:min(size, uint64(len(rest)))], nil
}

// planes is how many chunks a place of the picture has, of those that are needed.
func (l *layout) planes() []int {
	if !l.planar || l.samples == 1 {
		return []int{0}
	}
	planes := make([]int, l.colours, l.colours+1)
	for i := range planes {
		planes[i] = i
	}
	if l.alpha >= 0 {
		planes = append(planes, l.alpha)
	}
	return planes
}

// perChunk is how many samples of a pixel stand in a chunk.
func (l *layout) perChunk() int {
	if l.planar {
		return 1
	}
	return l.samples
}

// rowBytes is the size of a chunk's decoded row; of subsampled colours, of as many
// rows as share chroma.
func (l *layout) rowBytes() int {
	if l.subX*l.subY > 1 {
		return ceilDivide(l.chunkWidth, l.subX) * (l.subX*l.subY + 2)
	}
	return ceilDivide(l.chunkWidth*l.perChunk()*l.bits, 8)
}

func ceilDivide(a, b int) int {
	return int((int64(a) + int64(b) - 1) / int64(b))
}

// highest is the largest number that a sample may be.
func (l *layout) highest() float32 {
	return float32(math.Ldexp(1, l.bits) - 1)
}
