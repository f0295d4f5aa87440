//go:build !amd64 && !arm64

package kernels

var sets map[string]*Set
