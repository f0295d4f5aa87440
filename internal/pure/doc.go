// Package pure defines, in plain Go, what every operation of impasto computes.
// Its loops are the answer that the fast kernels are tested against, in float64
// as well as in float32; they are written to be read, not to be fast.
//
// A feature map is C×H×W, row-major; as a matrix X it is C×N with N = H·W.
package pure

// Float is the type of pictures and feature maps. Summaries of features and
// losses are always float64.
type Float interface {
	~float32 | ~float64
}
