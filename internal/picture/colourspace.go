package picture

import (
	"encoding/binary"
	"fmt"
	"image"
	"math"

	"impasto/internal/colour"
)

// codePoints are what a file says of its colours in the numbers of ITU-T H.273.
type codePoints = colour.CodePoints

// readColours finds out which colours the file's values stand for: h.space becomes the
// way to sRGB, or nil where they are sRGB or nothing better is known. What is wrong
// becomes a remark.
func (h *header) readColours() {
	space, err := h.colours()
	if err != nil {
		h.profileFault = err
		h.remarks = append(h.remarks, fmt.Sprintf("%v; sRGB is assumed", err))
		return
	}
	if space != nil && !space.IsIdentity() {
		h.space = space
	}
}

// colours takes, of several descriptions, the one that the formats' standards put first:
// of a PNG cICP, iCCP, sRGB, and cHRM with gAMA; of a HEIC or AVIF picture its profile
// before code points; EXIF's last.
func (h *header) colours() (*colour.Transform, error) {
	code := h.code != nil && !h.code.Unspecified()
	switch profile := h.profile != nil || h.profileFault != nil; {
	case code && (h.chunks != nil || !profile):
		return colour.FromCodePoints(*h.code)
	case profile:
		space, err := (*colour.Transform)(nil), h.profileFault
		if err == nil {
			space, err = colour.FromProfile(h.profile)
		}
		if err != nil {
			return nil, fmt.Errorf("the colour profile is broken: %w", err)
		}
		return space, nil
	case h.chunks["sRGB"] != nil:
		return nil, nil
	case h.chunks["gAMA"] != nil || h.chunks["cHRM"] != nil:
		return pngColours(h.chunks["gAMA"], h.chunks["cHRM"])
	case exifIsAdobeRGB(h.exif):
		return colour.FromPrimaries(colour.AdobeRGB, 563./256)
	}
	return nil, nil
}

// pngColours reads a PNG's gAMA and cHRM. An exponent near 1/2.2 stands for sRGB's own
// curve, as programs take it that compare it with a display's.
func pngColours(gamma, chromaticities []byte) (*colour.Transform, error) {
	primaries, exponent := colour.SRGB, 0.
	if gamma != nil {
		if len(gamma) != 4 || binary.BigEndian.Uint32(gamma) == 0 {
			return nil, fmt.Errorf("the PNG's chunk gAMA is broken")
		}
		exponent = 1e5 / float64(binary.BigEndian.Uint32(gamma))
		const near = 0.05
		if math.Abs(exponent/2.2-1) < near {
			exponent = 0
		}
	}
	if chromaticities != nil {
		if len(chromaticities) != 32 {
			return nil, fmt.Errorf("the PNG's chunk cHRM is broken: it has %d bytes; want 32", len(chromaticities))
		}
		at := func(i int) colour.Chromaticity {
			x, y := binary.BigEndian.Uint32(chromaticities[8*i:]), binary.BigEndian.Uint32(chromaticities[8*i+4:])
			return colour.Chromaticity{X: float64(x) / 1e5, Y: float64(y) / 1e5}
		}
		primaries = colour.Primaries{White: at(0), Red: at(1), Green: at(2), Blue: at(3)}
	}
	space, err := colour.FromPrimaries(primaries, exponent)
	if err != nil {
		return nil, fmt.Errorf("the PNG's chunks cHRM and gAMA are broken: %w", err)
	}
	return space, nil
}

// convert takes the planes' values, which are those of the file, to sRGB, in place.
func (p *Picture) convert(space *colour.Transform) {
	r, g, b := p.Planes()
	space.Apply([3][]float32{r, g, b}, [][]float32{r, g, b}[:space.Channels()]...)
}

// inkFiller unpacks inks and converts them by their profile.
func inkFiller(m *image.CMYK, space *colour.Transform) filler {
	var inks [4][]float32
	for i := range inks {
		inks[i] = make([]float32, m.Rect.Dx())
	}
	return func(band *Picture, bounds image.Rectangle) {
		r, g, b := band.Planes()
		for y := range band.Height {
			for i, v := range m.Pix[m.PixOffset(bounds.Min.X, bounds.Min.Y+y):][:4*band.Width] {
				inks[i%4][i/4] = float32(v) / math.MaxUint8
			}
			from, to := y*band.Width, (y+1)*band.Width
			space.Apply([3][]float32{r[from:to], g[from:to], b[from:to]}, inks[:]...)
		}
	}
}

func (p *Picture) isGrey() bool {
	r, g, b := p.Planes()
	for i := range r {
		if r[i] != g[i] || r[i] != b[i] {
			return false
		}
	}
	return true
}
