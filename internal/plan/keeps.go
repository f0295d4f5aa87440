package plan

// Keeps is what a buffer keeps of a value. The gradient to the network's input asks of
// most feature maps only where they were positive, and of those that are pooled only
// where their maxima were.
type Keeps int

const (
	// Whole is all of the value.
	Whole Keeps = iota
	// Signs tell where a feature map is positive: a bit a value, the order of which is the
	// device's own.
	Signs
	// Choices are kept of a feature map that is pooled to maxima: a byte a window of 2×2,
	// which of the four is the first maximum, or that none is positive. The order of the
	// bytes is the device's own.
	Choices
)
