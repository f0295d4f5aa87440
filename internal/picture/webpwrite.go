package picture

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"slices"

	"impasto/internal/colour"
	"impasto/internal/memory"
	"impasto/internal/webp"
)

// CheckSize reports, before any work, a size that the options' format hasn't got or hasn't
// got the memory for.
func CheckSize(size image.Point, path string, o SaveOptions) error {
	if format := extensionOf(path, o); format != ".webp" {
		return nil
	}
	switch pixels := int64(size.X) * int64(size.Y); {
	case size.X > webp.MaxSide || size.Y > webp.MaxSide:
		return fmt.Errorf("picture: %d×%d pixels; WebP has %d a side at most, so write a .png", size.X, size.Y, webp.MaxSide)
	case pixels > webp.MaxPixels:
		return fmt.Errorf("picture: %d×%d pixels; WebP is written of up to %d (%d megapixels), so write a .png", size.X, size.Y, webp.MaxPixels, webp.MaxPixels/1_000_000)
	default:
		return checkWebPMemory(pixels, memory.Available)
	}
}

// checkWebPMemory holds what the encoder takes against what there is.
func checkWebPMemory(pixels int64, available func() (int64, bool)) error {
	const pixelBytes, program = 4 + webp.BytesPerPixel, 1 << 26
	if free, known := available(); known && pixels*pixelBytes+program > free {
		return fmt.Errorf("picture: to write a WebP file of it takes %s MiB of memory, and there are %s MiB; write a .png",
			significant(float64(pixels*pixelBytes+program)/(1<<20)), significant(float64(free)/(1<<20)))
	}
	return nil
}

// writeWebP writes the picture with 8 bits a channel and a profile of sRGB.
func writeWebP(w io.Writer, p *Picture, o SaveOptions) error {
	count := p.Width * p.Height
	if err := checkWebPMemory(int64(count), memory.Available); err != nil {
		return err
	}
	if p.Width > webp.MaxSide || p.Height > webp.MaxSide || count > webp.MaxPixels {
		return CheckSize(p.Bounds().Size(), "", SaveOptions{Format: "webp"})
	}
	quantise := o.quantiser()
	pixels := make([]byte, 4*count)
	for i := range count {
		x, y := i%p.Width, i/p.Width
		for channel := range 3 {
			pixels[4*i+channel] = byte(quantise(p.RGB[channel*count+i], x, y, channel))
		}
		pixels[4*i+3] = math.MaxUint8
		if !p.Opaque() {
			pixels[4*i+3] = byte(quantise(p.Alpha[i], x, y, 3))
		}
	}
	options := webp.Options{Quality: o.WebPQuality, Profile: colour.SRGBProfile(), Packet: o.Made.Packet}
	fields := o.EXIF.sized(p.Width, p.Height)
	if o.DPI > 0 { // for which the format itself has no place
		fields.Image = append(slices.Clone(fields.Image), resolutionFields(o.DPI)...)
	}
	if !fields.Empty() {
		options.EXIF = fields.Bytes()
	}
	return webp.Encode(context.Background(), w, p.Width, p.Height, pixels, options)
}
