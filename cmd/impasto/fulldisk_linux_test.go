package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// onSmallDisk runs the program in a workshop with a file system of 64 KiB at disk, mounted
// in a namespace of its own, where anyone may. There is an old file on it, and standard
// output gets its content and a list of what is there in the end.
func onSmallDisk(t *testing.T, old, content string, args ...string) (folder string, run outcome) {
	t.Helper()
	folder = workshop(t)
	if err := os.Mkdir(filepath.Join(folder, "disk"), 0o777); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `mount -t tmpfs -o size=64k none disk || exit 99
old=disk/$1 content=$2
shift 2
echo "$content" >$old
"$@"
status=$?
cat $old
ls -A disk
exit $status`
	cmd := exec.Command("sh", append([]string{"-c", script, "sh", old, content, self}, args...)...)
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
	return folder, outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// large are flags that make a picture too large for the small disk.
var large = append(shallow[:len(shallow):len(shallow)], "--size=160", "--min-size=160")

// The new picture goes to the folder for temporary files.
func TestFullDiskLeavesTheOldPicture(t *testing.T) {
	_, run := onSmallDisk(t, "out.png", "precious", append([]string{"stylize", "content.png", "style.png", "-o", "disk/out.png",
		"--quiet", "--start=noise", "--first-iterations=1", "--depth=16"}, large...)...)
	if want := "precious\nout.png\n"; run.stdout != want {
		t.Errorf("the disk holds %q, want the old picture and nothing else, %q", run.stdout, want)
	}
	run.stdout = ""
	run.refused(t, statusFailed, "disk/out.png", "no space left on device", "the picture is in ")
	_, rescued, _ := strings.Cut(strings.TrimSpace(run.stderr), "the picture is in ")
	if size := readPicture(t, rescued).Bounds().Size(); size.X != 160 {
		t.Errorf("the picture in %s is %v, want 160 pixels", rescued, size)
	}
}

func TestFullDiskOfTheCheckpointDoesntStopTheRun(t *testing.T) {
	folder, run := onSmallDisk(t, "run.checkpoint", "impasto checkpoint of old", append([]string{"stylize", "content.png", "style.png", "-o", "out.png",
		"--first-iterations=4", "--checkpoint=disk/run.checkpoint", "--checkpoint-every=0s"}, large...)...)
	run.done(t)
	if want := "impasto checkpoint of old\nrun.checkpoint\n"; run.stdout != want {
		t.Errorf("the disk holds %q, want the old checkpoint and nothing else, %q", run.stdout, want)
	}
	if strings.Count(run.stderr, "no space left on device") != 1 || !strings.Contains(run.stderr, "the run goes on") {
		t.Errorf("standard error doesn't say once that the checkpoint can't be written:\n%s", run.stderr)
	}
	readPicture(t, filepath.Join(folder, "out.png"))
}

func TestFullStandardOutputFails(t *testing.T) {
	folder := workshop(t)
	for _, args := range [][]string{
		{"version"}, {"version", "--json"}, {"theory"},
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
