package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"strings"

	"impasto/internal/regular"
)

func readGIF(file []byte) (*header, error) {
	if len(file) < 13 {
		return nil, errTruncated
	}
	frames, cut := gifFrames(file)
	if frames == 0 && cut {
		return nil, errTruncated
	}
	if frames == 0 {
		return nil, fmt.Errorf("%w: it has no pixels", errDamaged)
	}
	h := &header{
		width:  int(binary.LittleEndian.Uint16(file[6:])),
		height: int(binary.LittleEndian.Uint16(file[8:])),
	}
	h.memory = int64(h.width) * int64(h.height)
	if frames > 1 {
		h.remarks = []string{animationRemark}
	}
	h.decode = func(ctx context.Context) (image.Image, error) {
		img, err := gif.Decode(regular.Reader(ctx, bytes.NewReader(file)))
		if err != nil && cut && frames == 1 {
			return nil, errTruncated
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s", errDamaged, strings.TrimPrefix(err.Error(), "gif: "))
		}
		return onCanvas(img, img.Bounds().Min, h.width, h.height), nil
	}
	return h, nil
}

// gifFrames counts a GIF's frames up to two, and tells whether the file is cut
// before.
func gifFrames(file []byte) (frames int, cut bool) {
	rest := file[13:]
	skip := func(n int) bool {
		cut = cut || n > len(rest)
		rest = rest[min(n, len(rest)):]
		return !cut
	}
	colours := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	subBlocks := func() bool {
		for len(rest) > 0 && rest[0] != 0 {
			if !skip(1 + int(rest[0])) {
				return false
			}
		}
		return skip(1)
	}
	if !skip(colours(file[10])) {
		return 0, true
	}
	for frames < 2 && len(rest) > 0 {
		switch kind := rest[0]; kind {
		case 0x21: // extension: a label, then blocks
			if !skip(2) || !subBlocks() {
				return frames, true
			}
		case 0x2c: // picture: its place, colours, the width of codes, then blocks
			frames++
			if len(rest) < 10 || !skip(10+colours(rest[9])+1) || !subBlocks() {
				return frames, true
			}
		case 0x3b:
			return frames, false
		default:
			return frames, false // rubbish
		}
	}
	return frames, len(rest) == 0
}
