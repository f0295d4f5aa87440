package main

import "impasto/internal/picture"

// render draws a scene of width×height pixels at a scale, worked at fine times its size. at
// is the colour at a place, in units of the picture's height from the top left; what goes
// beyond 0–1 is cut off.
func render(width, height, fine int, scale float64, at func(x, y float64) colour) (*picture.Picture, error) {
	across, down := scaled(width*fine, scale), scaled(height*fine, scale)
	p := &picture.Picture{Width: across, Height: down, RGB: make([]float32, 3*across*down)}
	red, green, blue := p.Planes()
	for i := range red {
		c := at((float64(i%across)+0.5)/float64(down), (float64(i/across)+0.5)/float64(down))
		red[i], green[i], blue[i] = float32(clamp(c.r)), float32(clamp(c.g)), float32(clamp(c.b))
	}
	return p.Resize(scaled(width, scale), scaled(height, scale), picture.Lanczos)
}
