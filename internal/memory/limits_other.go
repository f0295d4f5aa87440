//go:build !unix && !windows

package memory

// limits are not known on this system.
func limits() []Limit { return nil }
