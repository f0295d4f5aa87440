package picture

import (
	"image"
	"image/draw"
	"io"

	"golang.org/x/image/tiff"
)

// writeTIFF writes the picture with 8 or 16 bits a channel.
func writeTIFF(w io.Writer, p *Picture, depth int) error {
	var img image.Image = rounded{p}
	if depth == 16 {
		img = image.NewNRGBA64(p.Bounds())
		draw.Draw(img.(draw.Image), p.Bounds(), p, image.Point{}, draw.Src)
	}
	return tiff.Encode(w, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
}
