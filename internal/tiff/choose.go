package tiff

import (
	"fmt"
	"strings"
)

// Bits of tagNewSubfileType.
const (
	reducedBit = 1 << 0
	maskBit    = 1 << 2
)

// reduced tells a thumbnail or another smaller version of a picture.
func (d *directory) reduced() bool {
	return d.number(tagNewSubfileType, 0)&reducedBit != 0 || d.number(tagSubfileType, 1) == 2
}

// isMask tells a mask of another picture.
func (d *directory) isMask() bool {
	return d.number(tagNewSubfileType, 0)&maskBit != 0 || d.number(tagPhotometric, minIsBlack) == mask
}

func (d *directory) pixels() int64 {
	return int64(d.number(tagImageWidth, 0)) * int64(d.number(tagImageLength, 0))
}

// isRaw tells the values of a camera's sensor.
func (d *directory) isRaw() bool {
	photometric := d.number(tagPhotometric, minIsBlack)
	return photometric == filterArray || photometric == linearRaw || rawCompressions[d.number(tagCompression, noCompression)]
}

// picture is the file's picture: of the first page that isn't a smaller version of
// another one, the largest of its own and its SubIFDs' pictures. Where all are smaller
// versions, it is the largest.
func (f *file) picture() (*directory, error) {
	if err := f.refuseRaw(); err != nil {
		return nil, err
	}
	var largest *directory
	for _, page := range f.pages {
		full := false
		var best *directory
		for _, d := range append([]*directory{page}, page.children...) {
			if d.isMask() || d.pixels() == 0 {
				continue
			}
			full = full || !d.reduced()
			if best == nil || d.pixels() > best.pixels() {
				best = d
			}
		}
		if full {
			return best, nil
		}
		if best != nil && (largest == nil || best.pixels() > largest.pixels()) {
			largest = best
		}
	}
	if f.cut != nil {
		return nil, f.cut
	}
	if largest == nil {
		// Whoever reads it says what is wrong.
		return f.pages[0], nil
	}
	return largest, nil
}

// refuseRaw is an error where the largest picture of the file is a sensor's values.
func (f *file) refuseRaw() error {
	if f.isCR2() {
		return cameraRaw("Canon CR2")
	}
	var largest *directory
	for _, page := range f.pages {
		for _, d := range append([]*directory{page}, page.children...) {
			if largest == nil || d.pixels() > largest.pixels() {
				largest = d
			}
		}
	}
	if !largest.isRaw() {
		return nil
	}
	if _, dng := f.pages[0].fields[tagDNGVersion]; dng {
		return cameraRaw("DNG")
	}
	const tagMake = 271
	if by := cleaned(f.pages[0].bytes(tagMake)); by != "" {
		return cameraRaw(fmt.Sprintf("by %s", by))
	}
	return cameraRaw("TIFF with a colour filter array")
}

// isCR2 tells Canon's files, whose sensor picture has no size that TIFF knows, by what
// stands between their header and the first directory.
func (f *file) isCR2() bool {
	return !f.big && len(f.data) > 16 && string(f.data[8:11]) == "CR\x02" && f.order.Uint32(f.data[4:]) == 16
}

// cleaned is a short ASCII string that can be printed.
func cleaned(text []byte) string {
	text = text[:min(len(text), 40)]
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(text)))
}

// countPages is how many pages the file has, without thumbnails and masks.
func (f *file) countPages() int {
	count := 0
	for _, page := range f.pages {
		if !page.reduced() && !page.isMask() {
			count++
		}
	}
	return count
}
