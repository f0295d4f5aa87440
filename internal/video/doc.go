// Package video stylises moving pictures without flicker, after Ruder, Dosovitskiy and Brox,
// "Artistic Style Transfer for Videos" (2016).
//
// A frame begins with the results of frames before it, warped along the optical flow between
// what they show (match.go, prior.go), and differing from that costs where the flow can be
// trusted (model.Prior). Frames farther back stand in for what the last one hides. Where
// nothing moves at all, the result keeps its very pixels: pulled by the style anew in each
// frame, it would drift. Where little of a frame can be told from those before it, a new shot
// begins, which is painted from nothing (film.go).
//
// Films are read and written as folders of pictures, or by ffmpeg (ffmpeg.go). Finished frames
// are kept with a key of all that they follow from, so that what was interrupted goes on.
package video
