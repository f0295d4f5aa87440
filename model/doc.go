// Package model stylises pictures: it makes one that shows what a content
// picture shows in the manner of one or more style pictures, by gradient descent
// on the pixels (Gatys, Ecker and Bethge, "Image Style Transfer Using
// Convolutional Neural Networks", 2016).
//
// Stylize does all of it. On its way, a picture passes through these files:
//
//   - check.go refuses options and pictures that won't do,
//   - pyramid.go brings every picture to the size of each level of the pyramid,
//   - start.go makes the picture that the first level starts from,
//   - targets.go runs the network on the styles and on the content,
//   - objective.go builds the loss of a picture and its gradient,
//   - descent.go makes the iterations of one level,
//   - loop.go goes from level to level.
//
// Measure gives the plain losses between two pictures, and a Scorer the normalised ones,
// as the descent counts them. FeatureMaps are what the network sees of one. Devices lists what Options.Device can name.
//
// Pictures are in sRGB; a program that has others converts them first. Where the content
// is transparent, it is painted as a continuation of what is near, and the result has its
// alpha; a result that is gone on from is taken so, too. All other pictures are laid on
// white.
//
// The picture, its gradient and the optimiser's state stay on the device; what
// comes back in an iteration is the value of each term of the loss, and a
// picture where Progress asks for one. A stylisation with the same pictures,
// options and version is the same byte for byte on the CPU, whatever the number
// of threads.
package model
