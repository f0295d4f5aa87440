//go:build !amd64

package pairwise

var paths = map[string]*path{"go": &goPath}
