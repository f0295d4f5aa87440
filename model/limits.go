package model

// The limits of Options, which tell an intended value from a slip. Limits are allowed
// values themselves.
const (
	// MaxSize is the largest side, in pixels. A picture of that size would take some
	// 200 GB.
	MaxSize = 16384
	// MaxLevelsPerOctave is the most levels of the pyramid in which its size doubles.
	MaxLevelsPerOctave = 8
	// MaxIterations is the most iterations at one level of the pyramid.
	MaxIterations = 1_000_000
	// MaxWeight is the largest weight of content and of total variation. One beyond it
	// would vanish, or make the others vanish, in float32.
	MaxWeight = 1e6
	// MaxStyleScale is the largest StyleScale; its inverse is the smallest.
	MaxStyleScale = 64
	// MaxStepSize is Adam's largest step: the range from black to white.
	MaxStepSize = 1
	// MaxThreads is the most threads of the processor.
	MaxThreads = 1024
)
