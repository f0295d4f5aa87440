//go:build linux && cgo

package supervise

import "C" // start_linux.c

// ChecksBeforeStart tells whether limits that are too low for Go's runtime are found before
// it starts, which takes C.
const ChecksBeforeStart = true
