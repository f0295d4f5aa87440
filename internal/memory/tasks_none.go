//go:build !unix

package memory

import "math"

// taskLimit is not known on this system.
func taskLimit() int64 { return math.MaxInt64 }
