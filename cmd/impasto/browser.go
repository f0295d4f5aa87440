package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// openBrowser opens a page in the user's browser, and doesn't wait for it. Where there is
// none to be seen, as on a machine that one is logged in to from afar, it does nothing.
func openBrowser(url string) error {
	openers := browserOpeners(runtime.GOOS, os.Getenv)
	if len(openers) == 0 {
		return nil
	}
	for _, opener := range openers {
		path, err := exec.LookPath(opener[0])
		if err != nil {
			continue
		}
		cmd := exec.Command(path, append(opener[1:], url)...)
		detach(cmd)
		if err := cmd.Start(); err != nil {
			return err
		}
		go func() { _ = cmd.Wait() }() // what became of it is to be seen
		return nil
	}
	return errors.New("there is no " + openers[0][0])
}

// browserOpeners are the commands that open a page on a system, of which the first that is
// there is to be taken.
func browserOpeners(system string, environment func(string) string) [][]string {
	if environment("SSH_CONNECTION") != "" {
		return nil // the browser that can be seen is on another machine
	}
	switch system {
	case "darwin":
		return [][]string{{"open"}}
	case "windows":
		return [][]string{{"rundll32", "url.dll,FileProtocolHandler"}}
	}
	// Without a display, xdg-open would start a browser for terminals in this one.
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"} {
		if environment(name) != "" {
			return [][]string{{"xdg-open"}, {"wslview"}}
		}
	}
	return nil
}
