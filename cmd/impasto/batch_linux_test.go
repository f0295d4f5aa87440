package main

import (
	"strings"
	"testing"
)

// The small disk has room for the page and records, but not for a picture.
func TestFullDiskFailsThePicturesAndNotTheBatch(t *testing.T) {
	_, run := onSmallDisk(t, "old.txt", "precious", append([]string{"batch", "content.png", "style.png", "--style=style.png", "--out-dir=disk",
		"--start=noise", "--first-iterations=1", "--depth=16", "--quiet"}, large...)...)
	if run.status != statusFailed {
		t.Errorf("exit status %d, want %d", run.status, statusFailed)
	}
	if !strings.Contains(run.stderr, "2 of 2 pictures failed") || !strings.Contains(run.stderr, "no space left on device") {
		t.Errorf("standard error is %q", run.stderr)
	}
	if !strings.HasPrefix(run.stdout, "precious\n") || strings.Contains(run.stdout, ".tmp") || strings.Contains(run.stdout, "content-style.png\n") {
		t.Errorf("the disk holds %q", run.stdout)
	}
	_, rescued, _ := strings.Cut(run.stderr, "the picture is in ")
	rescued, _, _ = strings.Cut(rescued, ")")
	if size := readPicture(t, rescued).Bounds().Size(); size.X != 160 {
		t.Errorf("the picture in %s is %v, want 160 pixels", rescued, size)
	}
}
