//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// peakOf is the most memory, in bytes, that a program that has ended had resident on Linux.
func peakOf(cmd *exec.Cmd) int64 {
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}
