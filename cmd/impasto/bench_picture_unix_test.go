//go:build unix

package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInterruptedBenchPictureShowsWhatThereIs(t *testing.T) {
	folder := workshop(t)
	earlier := `{"event":"point","pair":"content × style","loss":"gram","quality":"good","label":"old","size":40,"wanted":0.3,"runs":[],` +
		`"content_weight":0.1,"content_distance":0.3,"gram":0.5,"gaussian":0.5,"sliced":0.5,"distance":0.5,"seconds":3,"processor_seconds":6}` + "\n"
	writeFile(t, filepath.Join(folder, "old.jsonl"), []byte(earlier))
	cmd := program(t, folder, slices.Concat(quickBench, []string{
		"content.png", "style.png", "--losses=gram", "--content-distance=0.3", "--with=old.jsonl", "--first-iterations=1000000", "--plot=frontier.png",
	})...)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	last := interrupted(t, cmd)
	if want := "impasto: interrupted after 0 of 1 point"; last != want {
		t.Errorf("the last line is %q, want %q", last, want)
	}
	if !strings.Contains(stdout.String(), "gram, old") {
		t.Errorf("standard output has no mean of what there is:\n%s", stdout.String())
	}
	readPicture(t, filepath.Join(folder, "frontier.png"))
}
