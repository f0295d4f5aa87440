// Package flow estimates dense optical flow: for every pixel of a picture, where what it
// shows is in another picture of the same scene.
//
// The method is Dense Inverse Search (Kroeger, Timofte, Dai and Van Gool, "Fast Optical
// Flow using Dense Inverse Search", 2016). From the coarsest level of a pyramid to the
// finest, patches of the first picture are searched for in the second by gradient descent
// on the squared difference of their grey values (search.go), the displacements of all
// patches that cover a pixel are averaged (densify.go), and the field is refined by
// minimising an energy of brightness, gradients and smoothness (refine.go; Brox, Bruhn,
// Papenberg and Weickert, "High Accuracy Optical Flow Estimation Based on a Theory for
// Warping", 2004).
//
// Where what a pixel shows can't be seen in the other picture, the flow there and back
// disagree (occlusion.go; Sundaram, Brox and Keutzer, "Dense Point Trajectories by
// GPU-Accelerated Large Displacement Optical Flow", 2010).
//
// An Estimator keeps the memory for pictures of one size, and a Frame what is made of one
// picture alone, for all flows from it and to it: with a video, make each picture's Frame
// once.
//
// Results are the same bit by bit for any number of threads and on every kind of processor.
// The inner loops are in package kernels; what is computed here keeps compilers from
// joining a multiplication and an addition with one rounding, by conversions to float32.
package flow
