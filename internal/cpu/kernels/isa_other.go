//go:build !amd64 && !arm64

package kernels

// isas returns the instruction sets that this processor can run, best first.
func isas() []*isa { return []*isa{&isaGo} }
