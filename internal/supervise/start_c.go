//go:build linux && cgo

package supervise

import "C" // start_linux.c
