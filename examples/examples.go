// Package examples has the example pictures, which examples/draw makes.
package examples

import "embed"

// Files are the pictures: harbour.png, a scene, and, to paint it like, dots.jpg, mosaic.jpg,
// whirl.jpg and woodcut.jpg.
//
//go:embed *.png *.jpg
var Files embed.FS
