//go:build !linux

package kernels

// allowTiles tells that AMX isn't used on this system: whether it saves the registers of
// AMX where a signal or an exception stops a thread, and asks for permission, is untried.
func allowTiles() bool { return false }
