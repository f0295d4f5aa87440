//go:build gpu && cgo && linux

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"impasto/cuda/standin"
	"impasto/internal/bench"
	"impasto/losses"
)

func TestGPULaunchesOfAnIterationAreListed(t *testing.T) {
	args := []string{"bench", "launches", "--device=cuda", "--size=16", "--runs=1", "--warmup=0", "--loss=moments", "--precision=f32", "--json"}
	lines := strings.Split(strings.TrimSpace(runOnGPU(t, t.TempDir(), nil, args...).done(t).stdout), "\n")
	var header launchHeader
	if err := json.Unmarshal([]byte(lines[0]), &header); err != nil {
		t.Fatal(err)
	}
	known := header.Peak["bytes"] > 0 && header.Peak["f16"] > header.Peak["f32"] // as of not every GPU
	if header.Iterations != 1 || header.Empty <= 0 || !known && !standin.Real() {
		t.Errorf("the head is %+v", header)
	}
	there := map[string]bool{}
	for _, line := range lines[1:] {
		var l bench.LaunchTiming
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		there[l.Kernel] = true
		if l.Seconds < 0 || l.Grid[0] < 1 || l.Block[0] < 1 || known && l.Operations > 0 && l.Bound <= 0 {
			t.Errorf("%+v", l)
		}
	}
	for _, name := range []string{"convolution_picture_f32", "pool_max_f32", "picture_gradient_f32", "adam", "average"} {
		if !there[name] {
			t.Errorf("no launch of %s among %d", name, len(lines)-1)
		}
	}
}

// gpuCheck runs the script that checks a GPU, with this program and what stands in for one.
func gpuCheck(t *testing.T, pattern string, environment ...string) (report string, status int) {
	t.Helper()
	found, err := standin.Environment()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.txt")
	cmd := exec.Command("../../cuda/check.sh", pattern)
	cmd.Env = append(append(append(os.Environ(), found...), "IMPASTO="+self, asProgram+"=1", "REPORT="+file, "SIZES=16", "SHORT=1", "PYTHON=false"), environment...)
	output, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(output), string(written)) {
		t.Errorf("what is printed isn't what is in the report:\n%s\n\n%s", output, written)
	}
	return string(written), cmd.ProcessState.ExitCode()
}

func TestGPUCheckGoesOnAfterFailuresAndCountsThem(t *testing.T) {
	if standin.Real() {
		t.Skip("what goes wrong here can't be made to on a GPU")
	}
	for _, test := range []struct {
		name, pattern string
		environment   []string
		status        int
		want          []string
	}{
		{"all is well", "^(version|devices)$", nil, 0,
			[]string{"commit: ", "-- version: done in ", "-- devices: done in ", "\n0 of 2 steps failed\n"}},
		{"a kernel fails", "^(version|launches, Gram.*|devices)$", []string{"STANDIN_LAUNCH=5"}, 1,
			[]string{"-- devices: done in ", "launches, Gram, f16, 16: FAILED, exit status 1", "\n1 of 3 steps failed\n  launches, Gram"}},
		{"there is no device", "^(iteration, gram, .*|launches, Gram.*)$", []string{"STANDIN_INIT=100"}, 1, []string{"\n2 of 2 steps failed\n"}},
		{"a step takes too long", "^(version|iteration, gram, .*)$", []string{"LIMIT=0.02"}, 1,
			[]string{"iteration, gram, L-BFGS, 16: FAILED, not done in 0.02 s"}},
		{"no step is of that name", "^none$", nil, 1, []string{"\n0 of 0 steps failed\n"}},
	} {
		report, status := gpuCheck(t, test.pattern, test.environment...)
		if status != test.status {
			t.Errorf("%s: exit status %d, want %d:\n%s", test.name, status, test.status, report)
		}
		for _, want := range test.want {
			if !strings.Contains(report, want) {
				t.Errorf("%s: no %q in the report:\n%s", test.name, want, report)
			}
		}
	}
}

func TestGPUCheckTimesEveryLoss(t *testing.T) {
	script, err := os.ReadFile("../../cuda/check.sh")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^all_losses="(.*)"$`).FindSubmatch(script)
	if want := strings.Join(losses.Names(), " "); list == nil || string(list[1]) != want {
		t.Errorf("check.sh times the losses %s, want %s", list[1], want)
	}
}
