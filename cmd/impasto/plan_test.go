package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPlanSaysWhatEveryScaleTakes(t *testing.T) {
	folder := workshop(t)
	args := append([]string{"plan", "content.png", "style.png", "--json"}, shallow...)
	args = append(args, "--size=64", "--min-size=32", "--first-iterations=7", "--iterations=5")
	var plan planReport
	if err := json.Unmarshal([]byte(impasto(t, folder, args...).done(t).stdout), &plan); err != nil {
		t.Fatal(err)
	}
	if len(plan.Scales) != 3 || plan.Iterations != 17 || plan.Seconds <= 0 || plan.Memory <= 0 || !strings.HasPrefix(plan.Device, "cpu") {
		t.Fatalf("the plan is %+v, want three scales and 17 iterations on the processor", plan)
	}
	var seconds float64
	for i, s := range plan.Scales {
		if want := []int{32, 45, 64}[i]; s.Scale != i+1 || s.Width != want || s.Height != (want*3+2)/4 || s.Seconds <= 0 || s.Memory > plan.Memory {
			t.Errorf("scale %d is %+v, want a width of %d", i+1, s, want)
		}
		seconds += s.Seconds
	}
	if d := seconds - plan.Seconds; d > 1e-6 || d < -1e-6 {
		t.Errorf("scales take %g s, and all of them %g", seconds, plan.Seconds)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("there are %v in the folder, want the two pictures alone (%v)", entries, err)
	}
}

func TestPlanHasFewerIterationsForLargeScales(t *testing.T) {
	folder := workshop(t)
	for _, test := range []struct {
		flags []string
		want  []int
	}{
		{nil, []int{60, 11, 20}},
		{[]string{"--iterations=80"}, []int{60, 80, 80}},
		{[]string{"--least-iterations=100"}, []int{60, 15, 30}},
		{[]string{"--least-iterations=60", "--iterations=80"}, []int{60, 60, 60}},
		{[]string{"--optimizer=adam"}, []int{60, 15, 30}},
	} {
		args := slices.Concat([]string{"plan", "content.png", "style.png", "--json"}, shallow, []string{"--size=1024", "--min-size=512"}, test.flags)
		var plan planReport
		if err := json.Unmarshal([]byte(impasto(t, folder, args...).done(t).stdout), &plan); err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, s := range plan.Scales {
			got = append(got, s.Iterations)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%v: scales make %v iterations, want %v", test.flags, got, test.want)
		}
	}
}

func TestPlanIsATableForPeople(t *testing.T) {
	out := impasto(t, workshop(t), append([]string{"plan", "content.png", "style.png", "-o", "out.png"}, shallow...)...).done(t)
	lines := strings.Split(out.stdout, "\n")
	if len(lines) != 4 || strings.Join(strings.Fields(lines[0]), " ") != "scale size iterations memory time" ||
		!strings.Contains(lines[1], "32×24") || !strings.HasPrefix(lines[2], "1 scale to 32×24: about ") {
		t.Errorf("the plan is\n%s", out.stdout)
	}
}

// TestPlanDoesNotStart plans what would take days.
func TestPlanDoesNotStart(t *testing.T) {
	folder := workshop(t)
	long := append([]string{"plan", "content.png", "style.png", "--json"}, shallow...)
	long = append(long, "--first-iterations=1000000")
	var plan planReport
	if err := json.Unmarshal([]byte(impasto(t, folder, long...).done(t).stdout), &plan); err != nil {
		t.Fatal(err)
	}
	if plan.Seconds < 60 {
		t.Errorf("a million iterations take %g s", plan.Seconds)
	}
}

func TestPlanRefusesWhatStylizeDoes(t *testing.T) {
	folder := workshop(t)
	impasto(t, folder, "plan", "content.png").refused(t, statusUsage, "plan", "at least one style")
	impasto(t, folder, "plan", "content.png", "style.png", "--min-size=600").refused(t, statusUsage, "--min-size 600")
	impasto(t, folder, "plan", "content.png", "nowhere.png").refused(t, statusFailed, "nowhere.png")
}

func TestStylizeSaysBeforehandWhatItTakes(t *testing.T) {
	folder := workshop(t)
	args := append([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--first-iterations=2"}, shallow...)
	out := impasto(t, folder, args...).done(t)
	if first, _, _ := strings.Cut(out.stderr, "\n"); !strings.HasPrefix(first, "1 scale to 32×24: about ") || !strings.Contains(first, " MiB on cpu") {
		t.Errorf("the first line is %q", first)
	}
	if quiet := impasto(t, folder, append(args, "--quiet")...).done(t); quiet.stderr != "" {
		t.Errorf("with --quiet standard error is %q", quiet.stderr)
	}
}

// withoutTimes replaces what differs between two plans of the same: times.
func withoutTimes(plan string) string {
	return regexp.MustCompile(`\d+(\.\d+)?(e-\d+)?( ?[hms]\S*|})`).ReplaceAllString(plan, "TIME")
}

func TestDryRunSaysWhatPlanSays(t *testing.T) {
	for _, flags := range [][]string{nil, {"--json"}, {"--json", "--depth=16"}} {
		folder := workshop(t)
		args := append([]string{"content.png", "style.png", "-o", "new/painted/"}, shallow...)
		args = append(append(args, "--size=64", "--min-size=32", "--first-iterations=7", "--iterations=5"), flags...)
		plan := impasto(t, folder, append([]string{"plan"}, args...)...).done(t)
		dry := impasto(t, folder, append([]string{"stylize", "--dry-run"}, args...)...).done(t)
		if got, want := withoutTimes(dry.stdout), withoutTimes(plan.stdout); got != want || !strings.Contains(got, "TIME") {
			t.Errorf("%v: a dry run says\n%s\nand plan\n%s", flags, got, want)
		}
		if dry.stderr != "" {
			t.Errorf("%v: standard error is %q", flags, dry.stderr)
		}
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
			t.Errorf("there are %v in the folder, want the two pictures alone (%v)", entries, err)
		}
	}
}

func TestDryRunChecksTheOutputAsARunWould(t *testing.T) {
	folder := workshop(t)
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		output []string
		status int
	}{
		{nil, statusUsage},
		{[]string{"-o", "content.png"}, statusUsage},
		{[]string{"-o", "painted.gif"}, statusUsage},
		{[]string{"-o", "painted.jpg", "--depth=16"}, statusUsage},
		{[]string{"-o", "nowhere/painted.png"}, statusFailed},
		{[]string{"-o", "file/painted/"}, statusFailed},
		{[]string{"-o", strings.Repeat("n", 300) + "/"}, statusFailed},
		{[]string{"-o", "painted.png", "--checkpoint=painted.png"}, statusUsage},
	} {
		args := slices.Concat([]string{"stylize", "content.png", "style.png", "--first-iterations=1"}, shallow, test.output)
		run := impasto(t, folder, args...)
		dry := impasto(t, folder, append(args, "--dry-run")...)
		if run.status != test.status || dry.status != test.status || dry.stdout != "" {
			t.Errorf("%v: a run ends with %d and a dry run with %d, want %d; it says %q", test.output, run.status, dry.status, test.status, dry.stdout)
		}
		if dry.stderr == "" || test.status == statusUsage && dry.stderr != run.stderr {
			t.Errorf("%v: a run says %q, a dry run %q", test.output, run.stderr, dry.stderr)
		}
	}
}
