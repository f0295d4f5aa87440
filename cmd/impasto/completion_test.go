package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"impasto/internal/settings"
	"impasto/losses"
	"impasto/model"
	"impasto/vgg19"
)

// offered asks the program, as a shell does, what can be typed for the last argument.
// It returns the texts, and the shell's directive.
func offered(t *testing.T, args ...string) (texts []string, directive string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(context.Background(), append([]string{cobra.ShellCompRequestCmd}, args...), &stdout, &stderr); status != statusDone {
		t.Fatalf("completing %q exits with %d: %s", args, status, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	for _, line := range lines[:len(lines)-1] {
		text, _, _ := strings.Cut(line, "\t")
		texts = append(texts, text)
	}
	return texts, lines[len(lines)-1]
}

func TestValuesAreCompleted(t *testing.T) {
	const files, noFiles, noSpace, noSpaceFiles, folders, extensions = ":0", ":4", ":6", ":2", ":16", ":8"
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Setenv("LocalAppData", cache)
	folder, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "impasto"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "impasto", "mine.safetensors"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(cache, "painted.png"), nil)
	layersWith := func(before, after string) []string {
		var all []string
		for _, layer := range vgg19.Layers() {
			all = append(all, before+layer+after)
		}
		return all
	}
	for _, test := range []struct {
		args      []string
		want      []string
		directive string
	}{
		{[]string{"stylize", "--loss", ""}, losses.Names(), noFiles},
		{[]string{"stylize", "--loss", "ga"}, []string{"gaussian"}, noFiles},
		{[]string{"stylize", "--quality", ""}, model.QualityNames(), noFiles},
		{[]string{"stylize", "--content-loss", ""}, losses.ContentNames(), noFiles},
		{[]string{"stylize", "--optimizer", ""}, model.OptimizerNames(), noFiles},
		{[]string{"stylize", "--pooling", ""}, vgg19.Poolings, noFiles},
		{[]string{"stylize", "--device", ""}, []string{"auto", "cpu", "cuda", "cuda:"}, noSpace},
		{[]string{"stylize", "--layer-loss", ""}, layersWith("", "="), noSpace},
		{[]string{"stylize", "--layer-loss", "relu1_1=gr"}, []string{"relu1_1=gram"}, noFiles},
		{[]string{"stylize", "--style-layers", "relu1_1=2,relu5_"}, []string{"relu1_1=2,relu5_1=", "relu1_1=2,relu5_2=", "relu1_1=2,relu5_3=", "relu1_1=2,relu5_4="}, noSpace},
		{[]string{"stylize", "--style-layers", "relu5_1=2,relu5_1"}, nil, noFiles},
		{[]string{"stylize", "--start", "s"}, []string{"style"}, files},
		{[]string{"stylize", "--start", "re"}, []string{"result:"}, noSpaceFiles},
		{[]string{"stylize", "--start", "result:" + filepath.Join(cache, "pa")}, []string{"result:" + filepath.Join(cache, "painted.png")}, files},
		{[]string{"stylize", "--weights", ""}, []string{"mine.safetensors"}, files},
		{[]string{"stylize", "--size", ""}, nil, noFiles},
		{[]string{"stylize", "--output", ""}, nil, files},
		{[]string{"stylize", ""}, pictureExtensions, extensions},
		{[]string{"batch", "--out-dir", ""}, nil, folders},
		{[]string{"batch", "--style", ""}, nil, files},
		{[]string{"batch", ""}, pictureExtensions, extensions},
		{[]string{"compare", "--losses", "gram,mome"}, []string{"gram,moments"}, noFiles},
		{[]string{"compare", "--vary", "tv"}, []string{"tv-weight="}, noSpace},
		{[]string{"compare", "--vary", "loss=gram,gau"}, []string{"loss=gram,gaussian"}, noFiles},
		{[]string{"compare", "--vary", "style-layers=relu1_1;relu1_1=2,conv5_4"}, []string{"style-layers=relu1_1;relu1_1=2,conv5_4="}, noSpace},
		{[]string{"compare", "--vary", "tv-weight="}, nil, noFiles},
		{[]string{"compare", "--output", ""}, nil, folders},
		{[]string{"measure", "--layers", "pool1,pool"}, []string{"pool1,pool2", "pool1,pool3", "pool1,pool4", "pool1,pool5"}, noFiles},
		{[]string{"measure", ""}, pictureExtensions, extensions},
		{[]string{"weights", "info", "m"}, []string{"mine.safetensors"}, files},
		{[]string{"weights", "verify", "x"}, nil, files},
		{[]string{"weights", "convert", "--precision", ""}, []string{"keep", "f32", "f16", "bf16"}, noFiles},
		{[]string{"help", "be"}, []string{"bench"}, noFiles},
		{[]string{"help", "bench", ""}, []string{"iteration", "kernels", "launches", "losses", "picture"}, noFiles},
		{[]string{"ben"}, []string{"bench"}, noFiles},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			if got, directive := offered(t, test.args...); !slices.Equal(got, test.want) || directive != test.directive {
				t.Errorf("offered %q with %s, want %q with %s", got, directive, test.want, test.directive)
			}
		})
	}
}

// TestEveryFlagCompletes goes through all flags of all commands: one whose value is
// one of a few names has to offer them, and no text that a shell shows has marks in
// it that are meant for a help.
func TestEveryFlagCompletes(t *testing.T) {
	everyCommand(t, func(t *testing.T, cmd *cobra.Command) {
		if strings.Contains(cmd.Short, "`") {
			t.Errorf("the summary %q has a backtick", cmd.Short)
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if strings.Contains(f.Usage, "`") {
				t.Errorf("the usage of --%s has a backtick: %q", f.Name, f.Usage)
			}
			if _, ours := f.Value.(settings.Value); !ours || f.Value.Type() == "bool" {
				return
			}
			if _, completed := cmd.GetFlagCompletionFunc(f.Name); !completed && f.Annotations[groupAnnotation] != nil {
				t.Errorf("--%s has no completion", f.Name)
			}
		})
	})
}
