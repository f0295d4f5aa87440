package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal opens a terminal of the test's own: the side that shows it, and the one
// that programs use.
func terminal(t *testing.T) (screen, side *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	side, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("the terminal can't be used here: %v", err)
	}
	t.Cleanup(func() { side.Close() })
	return screen, side
}

func TestAClosedTerminalDoesntLoseThePicture(t *testing.T) {
	hearHangups(t)
	folder := workshop(t)
	screen, side := terminal(t)
	cmd := program(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--optimizer=adam", "--first-iterations=1000000"}, shallow)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	side.Close()
	defer cmd.Process.Kill() // where the test fails
	var shown strings.Builder
	for buffer := make([]byte, 4096); !strings.Contains(shown.String(), " left"); {
		n, err := screen.Read(buffer)
		if err != nil {
			t.Fatalf("the terminal shows %q, then: %v", shown.String(), err)
		}
		shown.Write(buffer[:n])
	}
	screen.Close()
	_ = cmd.Wait() // an exit status other than 0 is an error
	if status := cmd.ProcessState.ExitCode(); status != statusInterrupted {
		t.Errorf("exit status %d, want %d", status, statusInterrupted)
	}
	readPicture(t, filepath.Join(folder, "out.png"))
	nothingLeft(t, folder)
}

func TestPicturesNeitherComeFromATerminalNorGoToOne(t *testing.T) {
	folder := workshop(t)
	for _, test := range []struct {
		args     []string
		fragment string
	}{
		{[]string{"stylize", "-", "style.png", "-o", "out.png"}, "standard input is a terminal"},
		{[]string{"measure", "content.png", "-"}, "standard input is a terminal"},
		{[]string{"stylize", "content.png", "style.png", "-o", "-"}, "standard output is a terminal"},
	} {
		_, side := terminal(t)
		cmd := program(t, folder, test.args...)
		var stderr strings.Builder
		cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, &stderr
		_ = cmd.Run() // an exit status other than 0 is an error
		outcome{"", stderr.String(), cmd.ProcessState.ExitCode()}.refused(t, statusUsage, test.fragment)
	}
}

func TestPicturesAreShownOnTerminals(t *testing.T) {
	folder := workshop(t)
	screen, side := terminal(t)
	args := slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png"}, shallow, []string{"--show=kitty", "--size=48", "--min-size=32"})
	cmd := program(t, folder, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	side.Close()
	defer cmd.Process.Kill() // where the test fails
	var shown strings.Builder
	for buffer := make([]byte, 4096); ; {
		n, err := screen.Read(buffer)
		shown.Write(buffer[:n])
		if err != nil { // the program has closed the other side
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v; the terminal shows %q", err, shown.String())
	}
	if pictures := strings.Count(shown.String(), "\x1b_Ga=T,f=100"); pictures != 2 {
		t.Errorf("%d pictures were shown, want one after the first scale and the result", pictures)
	}
	for _, caption := range []string{"after scale 1 of 2:", "the picture:"} {
		if !strings.Contains(shown.String(), caption) {
			t.Errorf("the terminal shows no %q", caption)
		}
	}
}

// TestStudioForAPhoneShowsACode has standard output be a terminal.
func TestStudioForAPhoneShowsACode(t *testing.T) {
	folder := t.TempDir()
	screen, side := terminal(t)
	cmd := program(t, folder, "studio", "--folder=kept", "--no-browser", "--listen=0.0.0.0")
	cmd.Stdout = side
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	var shown strings.Builder
	for buffer := make([]byte, 4096); strings.Count(shown.String(), plainAgain) < 16; {
		n, err := screen.Read(buffer)
		if err != nil {
			t.Fatalf("%v after %q", err, shown.String())
		}
		shown.Write(buffer[:n])
	}
	_, rest, _ := strings.Cut(shown.String(), "The studio is at ")
	address, _, _ := strings.Cut(rest, "\r\n")
	code, err := qrCode(address)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(code[len(blackOnWhite):], plainAgain)
	if !strings.Contains(shown.String(), blackOnWhite+first+plainAgain) {
		t.Errorf("there is no code of %s in\n%s", address, shown.String())
	}
}
