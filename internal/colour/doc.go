// Package colour converts colours to sRGB. A file's numbers mean colours by an ICC
// profile, by code points of ITU-T H.273, or by primaries and an exponent; each is
// made into a Transform, which is applied to planes of float32.
//
// Profiles may be of pictures in RGB, grey or CMYK, by matrix and curves or by lookup
// tables, of versions 2 and 4 (ICC.1:2022). The rendering intent is perceptual with
// compensation of the black point, as littlecms converts to its own sRGB; colours
// outside of sRGB are clamped by channel.
package colour
