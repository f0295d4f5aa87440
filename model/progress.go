package model

import (
	"image"
	"time"
)

// Term is one part of the loss: a style layer, a content layer or the total
// variation, weighted as it counts in the sum.
type Term struct {
	// Name is "style relu1_1", or "style relu1_1 gram" where the layer has several
	// style terms; "content relu4_2" or "total variation".
	Name  string
	Value float64
}

// Level is a level of the pyramid about to begin.
type Level struct {
	Number, Levels int // from 1, and how many there are
	Width, Height  int // of the picture
	// Device says where the work is done, and Memory how many bytes of its memory this
	// level takes: the picture's features, their gradients and all between, targets and the
	// optimiser's vectors, and of the processor the pictures as well. The network's
	// parameters are not in it.
	Device string
	Memory int64
	// Remarks say, for people, which pictures have another size than the options ask for
	// at this level, so that every layer sees something of them.
	Remarks []string
	// Computation is that of the whole run.
	Computation Computation
}

// Computation is what a result depends on to its last bits, beside pictures, options and
// the program.
type Computation struct {
	// Arithmetic has the devices that the run has been on, each as plan.Device has it, from
	// the first to the one that it is on now. There are several only where the run went on
	// from a checkpoint of another device.
	Arithmetic []string `json:"arithmetic"`
	// Levels say of each level whether its pictures are looked at whole or in which tiles.
	Levels []string `json:"levels"`
	// Variant is which of the optimiser's forms there was the memory for, 0 for the best.
	Variant int `json:"variant"`
}

// Progress is where a stylisation stands after an iteration.
type Progress struct {
	Level, Levels         int // the pyramid's current level, from 1, and how many there are
	Width, Height         int // of the picture at this level
	Iteration, Iterations int // at this level, from 1; L-BFGS may end a level before
	Done, Total           int // iterations over all levels
	// With a TimeLimit nobody knows how many iterations there will be; Iterations
	// and Total are then those that were made.
	Loss         float64
	Terms        []Term
	GradientNorm float64
	Elapsed      time.Duration
	// Remaining is the time left to the last iteration, by the work of the levels and what
	// was measured of it up to now; with a TimeLimit what is left of that. It is negative
	// while too little was measured to tell.
	Remaining time.Duration
	// Work is what is done of TotalWork, both in a unit that takes about the same time
	// throughout: an iteration of a large level counts for dozens of a small one. What a
	// level leaves undone that ends before its iterations counts as done.
	Work, TotalWork float64
	// Remark says what made the iteration slow where the device had to go another way
	// than it is meant to; else it is empty.
	Remark string
	// Picture returns the current result. It costs a copy, so ask only for what
	// is shown, and before the callback returns: afterwards it is an error.
	Picture func() (image.Image, error) `json:"-"`
}

// Result is a finished stylisation, or one that was cut short.
type Result struct {
	// Image is the stylised picture with 16 bits a channel, and with the content's alpha
	// where that is transparent. It has the size that was asked for: where the run was cut
	// short at a smaller level, whose size Last has, it is scaled up from there.
	Image image.Image
	// Last is the last progress made, with the result for its picture; zero where
	// no iteration was made.
	Last Progress
	// Curve is how the loss went down: every iteration, or of more than some thousands
	// the first, the last and others evenly between.
	Curve []CurvePoint
	// Remarks say, for people, in what the picture may not be what they asked for: that
	// the iterations hardly changed it, or that it went on from a checkpoint of another machine.
	Remarks []string
}
