package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDiskLeavesTheOldPicture mounts a file system of 64 KiB in a namespace
// of its own, where anyone may, and writes a picture to it that is larger. The new
// picture goes to the folder for temporary files.
func TestFullDiskLeavesTheOldPicture(t *testing.T) {
	folder := workshop(t)
	disk := filepath.Join(folder, "disk")
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `mount -t tmpfs -o size=64k none disk || exit 99
echo precious >disk/out.png
"$@"
status=$?
cat disk/out.png
ls -A disk
exit $status`
	args := append([]string{"-c", script, "sh", self, "stylize", "content.png", "style.png", "-o", "disk/out.png",
		"--quiet", "--start=noise", "--first-iterations=1", "--depth=16"}, shallow...)
	cmd := exec.Command("sh", append(args, "--size=160", "--min-size=160")...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 99 {
		t.Skipf("this system lets nobody mount a small disk: %v %s", err, stderr.String())
	}
	outcome{"", stderr.String(), cmd.ProcessState.ExitCode()}.refused(t, statusFailed, "disk/out.png", "no space left on device", "the picture is in ")
	if got, want := stdout.String(), "precious\nout.png\n"; got != want {
		t.Errorf("the disk holds %q, want the old picture and nothing else, %q", got, want)
	}
	_, rescued, _ := strings.Cut(strings.TrimSpace(stderr.String()), "the picture is in ")
	if size := readPicture(t, rescued).Bounds().Size(); size.X != 160 {
		t.Errorf("the picture in %s is %v, want 160 pixels", rescued, size)
	}
}

func TestFullStandardOutputFails(t *testing.T) {
	folder := workshop(t)
	for _, args := range [][]string{
		{"version"}, {"version", "--json"}, {"theory"}, {"theory", "--json"},
		{"measure", "content.png", "style.png", "--layers=relu1_1"}, {"measure", "content.png", "style.png", "--layers=relu1_1", "--json"},
		append([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--json", "--quiet", "--first-iterations=1000000"}, shallow...),
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer full.Close()
			cmd := program(t, folder, args...)
			var stderr strings.Builder
			cmd.Stdout, cmd.Stderr = full, &stderr
			_ = cmd.Run() // an exit status other than 0 is an error
			outcome{"", stderr.String(), cmd.ProcessState.ExitCode()}.refused(t, statusFailed, "no space left on device")
		})
	}
	readPicture(t, filepath.Join(folder, "out.png")) // nobody hears of it, but it is there
}
