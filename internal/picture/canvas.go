package picture

import (
	"image"
	"image/color"
)

// onCanvas is an image at its place on a canvas, which is transparent elsewhere.
func onCanvas(img image.Image, at image.Point, width, height int) image.Image {
	bounds := image.Rect(0, 0, width, height)
	if at == (image.Point{}) && img.Bounds().Size() == bounds.Size() {
		return img
	}
	return canvas{img, bounds, img.Bounds().Min.Sub(at)}
}

// canvas is an image with its place on a larger one.
type canvas struct {
	image.Image
	bounds image.Rectangle
	shift  image.Point // from the canvas to the image
}

func (c canvas) Bounds() image.Rectangle { return c.bounds }

func (c canvas) At(x, y int) color.Color {
	p := image.Pt(x, y).Add(c.shift)
	if !p.In(c.Image.Bounds()) {
		return color.Transparent
	}
	return c.Image.At(p.X, p.Y)
}
