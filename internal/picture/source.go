package picture

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"io"
	"slices"
	"sync"

	"impasto/internal/colour"
	"impasto/internal/memory"
)

// Source is a picture in a file whose header has been read and whose pixels are decoded
// when they are asked for, some rows at a time, so that what is asked for decides how much
// memory is taken. It keeps the file's bytes. Several goroutines may use it at once.
//
// It is an image.Image, so that it can be handed on as one. Resized makes the best of it;
// whatever looks at single pixels makes it decode all of the picture, and keep it.
type Source struct {
	name      string
	file      []byte
	format    *format
	header    *header
	available func() (int64, bool)
	onWhite   bool

	mutex   sync.Mutex
	remarks []string
	tell    func(remark string)

	whole func() *Picture // for single pixels, transparent where the picture can't be read
}

var _ image.Image = (*Source)(nil)

// ReadError says why a picture can't be read.
type ReadError struct {
	Name string // of its file
	Err  error
}

func (e *ReadError) Error() string { return fmt.Sprintf("picture: open %s: %v", e.Name, e.Err) }

// Unwrap returns the reason.
func (e *ReadError) Unwrap() error { return e.Err }

// OpenSource reads a file as Open does, up to its pixels. Errors, there and later, are
// each a *ReadError.
func OpenSource(ctx context.Context, path string) (*Source, error) {
	file, err := openFile(ctx, path)
	if err != nil {
		return nil, openError(path, err)
	}
	defer file.Close() // also ends a read that still waits for a pipe
	return ReadSource(ctx, file, path)
}

// ReadSource is OpenSource for what a reader gives; name stands for the file in errors.
// It ends with ctx even where the reader blocks; then a goroutine goes on waiting for the
// reader.
func ReadSource(ctx context.Context, r io.Reader, name string) (*Source, error) {
	s, err := within(ctx, func() (*Source, error) {
		file, f, err := readFile(ctx, r, memory.Available)
		if err != nil {
			return nil, err
		}
		return f.open(ctx, file, memory.Available)
	})
	if err != nil {
		return nil, openError(name, err)
	}
	s.name = name
	return s, nil
}

// open reads what goes before the pixels, and decodes them where only that tells their
// number.
func (f *format) open(ctx context.Context, file []byte, available func() (int64, bool)) (*Source, error) {
	h, err := f.read(file)
	if err != nil {
		return nil, f.fault(err)
	}
	if err := checkClaim(h.width, h.height, len(file)); err != nil {
		return nil, fmt.Errorf("the %s header claims %w", f.name, err)
	}
	h.readColours()
	s := &Source{file: file, format: f, header: h, available: available, remarks: slices.Clone(h.remarks)}
	s.whole = sync.OnceValue(func() *Picture {
		p, err := s.Picture(context.Background())
		if err != nil {
			return &Picture{} // nothing lies in it
		}
		return p
	})
	if !h.unsized {
		return s, nil
	}
	if err := s.checkMemory(0); err != nil {
		return nil, err
	}
	img, err := h.decode(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, f.fault(err)
	}
	h.width, h.height = img.Bounds().Dx(), img.Bounds().Dy()
	h.decode, h.memory = func(context.Context) (image.Image, error) { return img, nil }, 0
	return s, nil
}

// Name is that of the file, as it was opened.
func (s *Source) Name() string { return s.name }

// Bounds is the rectangle from (0, 0) to the picture's size, turned upright.
func (s *Source) Bounds() image.Rectangle {
	if turns[s.header.orientation].exchange {
		return image.Rect(0, 0, s.header.height, s.header.width)
	}
	return image.Rect(0, 0, s.header.width, s.header.height)
}

// ColorModel is that of 16 bits a channel, not premultiplied.
func (s *Source) ColorModel() color.Model { return color.NRGBA64Model }

// At returns a pixel's colour. The first call decodes the whole picture; where that fails,
// which Picture would tell, all is transparent.
func (s *Source) At(x, y int) color.Color { return color.NRGBA64(s.whole().straight(x, y)) }

// LayOnWhite has all that the source gives laid on white, as Picture.OnWhite does. It is
// called before the source is used.
func (s *Source) LayOnWhite() { s.onWhite = true }

// Remarks are what whoever named the file should know of how it was read, as far as it has
// been.
func (s *Source) Remarks() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.remarks)
}

// Tell hands each remark to a function once: those that there are at once, and those that
// decoding adds as it does.
func (s *Source) Tell(remark func(string)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.tell = remark
	for _, r := range s.remarks {
		remark(r)
	}
}

// remark adds a remark unless there is such a one.
func (s *Source) remark(text string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if slices.Contains(s.remarks, text) {
		return
	}
	s.remarks = append(s.remarks, text)
	if s.tell != nil {
		s.tell(text)
	}
}

// Picture decodes all of the picture. What that takes is held against the memory that
// there is before anything is allocated for it. When ctx ends, so does Picture, with its
// cause as the error.
func (s *Source) Picture(ctx context.Context) (*Picture, error) {
	p, err := within(ctx, func() (*Picture, error) { return s.decode(ctx) })
	if err != nil {
		return nil, openError(s.name, err)
	}
	return p, nil
}

func (s *Source) decode(ctx context.Context) (*Picture, error) {
	h := s.header
	if err := s.checkMemory(planesBytes * int64(h.width) * int64(h.height)); err != nil {
		return nil, err
	}
	var p *Picture // once there is something to put into it
	err := s.bands(ctx, func(y int, band *Picture) (err error) {
		if p == nil {
			if p, err = newPicture(h.width, h.height); err != nil {
				return err
			}
		}
		p.setRows(y, band)
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.turn(h.orientation)
	p.Remarks = s.Remarks()
	if s.onWhite {
		p = p.OnWhite()
	}
	return p, nil
}

// Resize decodes the picture once and resamples it to each of the sizes as its rows come.
// The results are those of Picture and then Picture.Resize, bit for bit, but for pictures
// that are stored turned: they are turned after they are resampled, which differs by
// rounding.
func (s *Source) Resize(ctx context.Context, o ResizeOptions, sizes ...image.Point) ([]*Picture, error) {
	resized, err := within(ctx, func() ([]*Picture, error) { return s.resize(ctx, o, sizes) })
	if err != nil {
		return nil, openError(s.name, err)
	}
	return resized, nil
}

func (s *Source) resize(ctx context.Context, o ResizeOptions, sizes []image.Point) ([]*Picture, error) {
	h := s.header
	o.OnWhite = o.OnWhite || s.onWhite
	stored := slices.Clone(sizes)
	var bytes int64
	for i, size := range sizes {
		if err := checkSize(size.X, size.Y); err != nil {
			return nil, fmt.Errorf("picture: resize: %w", err)
		}
		bytes += planesBytes * int64(size.X) * int64(size.Y)
		if turns[h.orientation].exchange {
			stored[i] = image.Pt(size.Y, size.X)
		}
	}
	if err := s.checkMemory(bytes); err != nil {
		return nil, err
	}
	var r *resampler
	err := s.bands(ctx, func(y int, band *Picture) (err error) {
		if r == nil {
			if r, err = newResampler(h.width, h.height, band.Alpha != nil, o, stored); err != nil {
				return err
			}
		}
		r.addRows(y, band)
		return nil
	})
	if err != nil {
		return nil, err
	}
	resized := r.finish()
	for _, p := range resized {
		p.turn(h.orientation)
		p.Remarks = s.Remarks()
	}
	return resized, nil
}

// bands hands out the stored picture in sRGB, band by band.
func (s *Source) bands(ctx context.Context, put bandFunc) error {
	err := s.convertedBands(ctx, put)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return s.format.fault(err)
	}
	for _, text := range s.header.proven {
		s.remark(text)
	}
	return nil
}

func (s *Source) convertedBands(ctx context.Context, put bandFunc) error {
	h := s.header
	stream, isCMYK := h.stream, false
	if stream == nil {
		img, err := h.decode(ctx)
		if err != nil {
			return err
		}
		if size := img.Bounds().Size(); size != image.Pt(h.width, h.height) {
			return fmt.Errorf("%w: it has %d×%d pixels, and its header says %d×%d", errDamaged, size.X, size.Y, h.width, h.height)
		}
		_, isCMYK = img.(*image.CMYK)
		stream = func(ctx context.Context, put bandFunc) error { return imageBands(ctx, img, h.yuv, h.inks(), put) }
	}
	space, err := s.spaceFor(ctx, stream, isCMYK)
	if err != nil {
		return err
	}
	return stream(ctx, func(y int, band *Picture) error {
		for _, text := range band.Remarks {
			s.remark(text)
		}
		if space != nil {
			band.convert(space)
		}
		return put(y, band)
	})
}

// inks is the colour space of inks, nil where there is none.
func (h *header) inks() *colour.Transform {
	if h.space != nil && h.space.Channels() == 4 {
		return h.space
	}
	return nil
}

// spaceFor is the space that bands are to be converted from, nil where they are in sRGB. A
// space of another number of channels than the picture's is left out, with a remark.
func (s *Source) spaceFor(ctx context.Context, stream func(context.Context, bandFunc) error, isCMYK bool) (*colour.Transform, error) {
	space := s.header.space
	if space == nil || isCMYK && space.Channels() == 4 { // which is converted as it is unpacked
		return nil, nil
	}
	channels := space.Channels()
	fits := !isCMYK && channels != 4
	if fits && channels == 1 {
		err := stream(ctx, func(_ int, band *Picture) error {
			fits = fits && band.isGrey()
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if fits {
		return space, nil
	}
	kinds := map[int]string{1: "grey", 3: "RGB", 4: "CMYK"}
	s.remark(fmt.Sprintf("the colour profile is for pictures in %s, which this one isn't; it is left out", kinds[channels]))
	return nil, nil
}

// checkMemory refuses to decode where that and what is made of it take more than there is.
func (s *Source) checkMemory(made int64) error {
	h := s.header
	free, known := s.available()
	need := int64(len(s.file)) + h.memory + h.bandMemory() + made
	if !known || need <= free {
		return nil
	}
	what := fmt.Sprintf("the %s image of %d×%d pixels (%s megapixels)", s.format.name, h.width, h.height,
		significant(float64(h.width)*float64(h.height)/1e6))
	return memoryError(what, need, free)
}
