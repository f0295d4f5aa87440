package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"impasto/model"
)

// everyCommand calls f with each of our own commands.
func everyCommand(t *testing.T, f func(t *testing.T, cmd *cobra.Command)) {
	t.Helper()
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		t.Run(cmd.CommandPath(), func(t *testing.T) { f(t, cmd) })
		for _, child := range cmd.Commands() {
			if child.IsAvailableCommand() && child.Name() != "completion" {
				visit(child)
			}
		}
	}
	visit(newRootCommand())
}

func TestEveryCommandsHelpTeaches(t *testing.T) {
	everyCommand(t, func(t *testing.T, cmd *cobra.Command) {
		var out bytes.Buffer
		cmd.Root().SetOut(&out)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		help := out.String()
		for _, part := range []string{"Usage:\n  " + cmd.CommandPath(), "Exit status:\n  0    done\n  1    failed", "  2    wrong usage", "  130  interrupted", "--json", "--quiet"} {
			if !strings.Contains(help, part) {
				t.Errorf("the help has no %q", part)
			}
		}
		if cmd.Long == "" {
			t.Error("the help doesn't say what the command does")
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(help, "--"+f.Name) {
				t.Errorf("the help has no --%s", f.Name)
			}
		})
	})
}

func TestStylizeHelpHasTheLibrarysDefaultsAndTwoExamples(t *testing.T) {
	help := strings.Join(strings.Fields(impasto(t, t.TempDir(), "stylize", "--help").done(t).stdout), " ")
	d := model.DefaultOptions()
	for _, part := range []string{
		"(default " + d.StyleTerms[0].Loss.Description().Name + ")", fmt.Sprintf("(default %d)", d.Size), fmt.Sprintf("(default %d)", d.MinSize),
		fmt.Sprintf("(default %d)", d.FirstIterations), fmt.Sprintf("(default %d)", d.Iterations),
		fmt.Sprintf("(default %g)", d.StepSize), fmt.Sprintf("(default %g)", d.AverageDecay), fmt.Sprintf("(default %g)", d.ContentWeight),
		"(default relu1_1=4,relu2_1=4,relu3_1=4,relu4_1=2,relu5_1=1)", "(default relu4_2=1)", "(default replicate)",
	} {
		if !strings.Contains(help, part) {
			t.Errorf("the help has no %q", part)
		}
	}
	if n := strings.Count(newStylizeCommand(&globalOptions{}).Example, "impasto stylize "); n != 2 {
		t.Errorf("%d examples, want 2", n)
	}
}

func TestFlagsAreDescribedWithinTheWidth(t *testing.T) {
	flags := newStylizeCommand(&globalOptions{}).Flags()
	for _, width := range []int{60, 80, 100} {
		flags.VisitAll(func(f *pflag.Flag) {
			for line := range strings.Lines(describeFlag(f, width)) {
				line = strings.TrimRight(line, "\n")
				if utf8.RuneCountInString(line) > width && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("--%s at width %d: %q", f.Name, width, line)
				}
			}
		})
	}
}

func TestHelpIsOnStandardOutput(t *testing.T) {
	folder := t.TempDir()
	root := impasto(t, folder).done(t)
	for _, args := range []string{"--help", "-h", "help"} {
		if run := impasto(t, folder, args).done(t); run.stdout != root.stdout || run.stderr != "" {
			t.Errorf("impasto %s doesn't print what impasto does", args)
		}
	}
	command := impasto(t, folder, "measure", "--help").done(t)
	if run := impasto(t, folder, "help", "measure").done(t); run.stdout != command.stdout {
		t.Error("impasto help measure doesn't print what impasto measure --help does")
	}
}

func TestVersionIdentifiesTheBuild(t *testing.T) {
	folder := t.TempDir()
	line := impasto(t, folder, "version").done(t).stdout
	if !strings.HasPrefix(line, "impasto ") || !strings.Contains(line, ", go1.") || strings.Count(line, "\n") != 1 {
		t.Errorf("impasto version prints %q", line)
	}
	for _, args := range [][]string{{"--version"}, {"-v"}, {"stylize", "--version"}, {"bench", "losses", "--version"}} {
		if other := impasto(t, folder, args...).done(t).stdout; other != line {
			t.Errorf("impasto %s prints %q, and impasto version %q", strings.Join(args, " "), other, line)
		}
	}
	if help := impasto(t, folder, "bench", "-v").done(t).stdout; !strings.Contains(help, "Usage:") {
		t.Errorf("impasto bench -v prints %q, want its help", help)
	}
	var object map[string]string
	if err := json.Unmarshal([]byte(impasto(t, folder, "version", "--json").done(t).stdout), &object); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"version", "go", "platform"} {
		if object[key] == "" {
			t.Errorf("no %s in %v", key, object)
		}
	}
}

func TestExitStatusFollowsTheError(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, statusDone},
		{errors.New("broken"), statusFailed},
		{usagef("wrong"), statusUsage},
		{fmt.Errorf("stylize: %w", usagef("wrong")), statusUsage},
		{fmt.Errorf("%w after 3 iterations", errInterrupted), statusInterrupted},
		{fmt.Errorf("measure: %w", context.Canceled), statusInterrupted},
	} {
		if got := exitStatus(test.err); got != test.want {
			t.Errorf("exit status after %v is %d, want %d", test.err, got, test.want)
		}
	}
}

// brokenWriter panics, as a fault deep inside would.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { panic("the writer\nis broken") }

func TestPanicsBecomeOneLine(t *testing.T) {
	var stderr bytes.Buffer
	status := run(context.Background(), []string{"version"}, brokenWriter{}, &stderr)
	outcome{"", stderr.String(), status}.refused(t, statusFailed, "internal error: the writer is broken", "please report it")
}
