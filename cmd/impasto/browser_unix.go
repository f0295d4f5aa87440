//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// detach keeps interrupts from the terminal, which are for this program, from a command.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
