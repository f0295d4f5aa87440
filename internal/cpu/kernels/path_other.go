//go:build !amd64

package kernels

// paths returns what this processor can run, best first.
func paths() []*path { return []*path{&goPath} }
