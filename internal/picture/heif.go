package picture

import (
	"context"
	"errors"
	"fmt"
	"image"

	"impasto/internal/heif"
)

func readHEIF(file []byte) (*header, error) {
	f, err := heif.ReadHeader(file)
	if err != nil {
		return nil, heifFault(err)
	}
	h := &header{
		width: f.Width, height: f.Height, orientation: f.Orientation,
		memory: f.Memory, profile: f.Profile, yuv: fullRange,
		unsized: true, // the decoder crops and turns
	}
	switch {
	case f.Animated:
		h.remarks = append(h.remarks, animationRemark)
	case f.Pictures > 1:
		h.remarks = append(h.remarks, fmt.Sprintf("the file holds %d pictures; the main one is taken", f.Pictures))
	}
	if f.Code != nil {
		h.code = &codePoints{Primaries: f.Code.Primaries, Transfer: f.Code.Transfer}
		h.yuv = yuvOf(f.Code)
		const pq, hlg = 16, 18
		if f.Code.Transfer == pq || f.Code.Transfer == hlg {
			h.remarks = append(h.remarks, "its brightness is coded for HDR screens and taken for sRGB's; it will look flat")
		}
	}
	h.decode = func(ctx context.Context) (image.Image, error) {
		img, err := f.Decode(ctx)
		return img, heifFault(err)
	}
	return h, nil
}

// heifFault says why a file is not read, in this package's terms.
func heifFault(err error) error {
	var kind heif.Unread
	switch {
	case err == nil:
		return nil
	case errors.Is(err, heif.ErrTruncated):
		return errTruncated
	case errors.As(err, &kind):
		return unread(kind)
	case err == heif.ErrDamaged:
		return errDamaged
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}

// yuvOf tells how YCbCr values stand for colours.
func yuvOf(code *heif.Code) yuvRange {
	yuv := fullRange
	if !code.FullRange {
		yuv = studioRange
	}
	switch code.Matrix {
	case 1:
		yuv.red, yuv.blue = 0.2126, 0.0722 // BT.709
	case 9, 10:
		yuv.red, yuv.blue = 0.2627, 0.0593 // BT.2020
	}
	return yuv
}
