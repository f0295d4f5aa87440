//go:build !amd64

package pairwise

var isas = map[string]*isa{"go": &isaGo}
