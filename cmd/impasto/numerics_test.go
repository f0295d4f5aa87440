package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryContentLossMovesThePicture(t *testing.T) {
	folder := workshop(t)
	writePicture(t, filepath.Join(folder, "content.png"), 32, 24, 0.15) // the size of the result
	for _, form := range []string{"scaled", "mse"} {
		for _, optimizer := range []string{"lbfgs", "adam"} {
			run := stylize(t, folder, "style.png", "-o", "out.png", "--first-iterations=8", "--content-loss="+form, "--optimizer="+optimizer).done(t)
			moved := meanDifference(t, filepath.Join(folder, "out.png"), filepath.Join(folder, "content.png"))
			if moved < 2 || strings.Contains(run.stderr, "hardly changed") {
				t.Errorf("%s under %s: the picture moved by %.2f levels; standard error:\n%s", form, optimizer, moved, run.stderr)
			}
		}
	}
}

// TestManyStylesAreNamed is for patterns of the shell, whose first picture is the content.
func TestManyStylesAreNamed(t *testing.T) {
	folder := workshop(t)
	var styles []string
	for _, name := range []string{"a.png", "b.png", "c.png", "d.png", "e.png"} {
		writePicture(t, filepath.Join(folder, name), 20, 20, 0.5)
		styles = append(styles, name)
	}
	const told = "content.png is the content; the other 5 pictures, from a.png to e.png, are styles, which are blended\n"
	more := append(styles[1:], "-o", "out.png", "--first-iterations=1")
	if run := stylize(t, folder, append(styles[:1:1], more...)...).done(t); !strings.HasPrefix(run.stderr, told) {
		t.Errorf("standard error is %q, want it to begin with %q", run.stderr, told)
	}
	if run := stylize(t, folder, more...).done(t); strings.Contains(run.stderr, "is the content") {
		t.Errorf("of four styles it is said that %q", run.stderr)
	}
}

func TestRunThatIsStuckSaysSo(t *testing.T) {
	folder := workshop(t)
	writePicture(t, filepath.Join(folder, "content.png"), 32, 24, 0.15)
	run := stylize(t, folder, "style.png", "-o", "out.png", "--first-iterations=30", "--content-loss=mse", "--content-weight=1000000", "--noise=0", "--json").done(t)
	if !strings.Contains(run.stderr, "the picture hardly changed: ") {
		t.Errorf("standard error is\n%s", run.stderr)
	}
	lines := strings.Split(strings.TrimSpace(run.stdout), "\n")
	var written writtenEvent
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &written); err != nil {
		t.Fatal(err)
	}
	if len(written.Remarks) != 1 || !strings.Contains(written.Remarks[0], `"style relu1_1"`) {
		t.Errorf("the last event is %+v, want a remark that names the largest term", written)
	}
}

func TestFlatAndThinPicturesArePainted(t *testing.T) {
	folder := workshop(t)
	writePicture(t, filepath.Join(folder, "flat.png"), 40, 30, 0)
	writePicture(t, filepath.Join(folder, "wide.png"), 400, 25, 0.3)
	writePicture(t, filepath.Join(folder, "small.png"), 5, 1, 0.3)
	sizes := []string{"--first-iterations=2", "--iterations=2", "--verbose", "--device=cpu", "--style-layers=relu1_1,relu3_1", "--content-layers=relu2_1"}
	tests := []struct {
		name           string
		content, style string
		size           string
		want           string // of the picture
		said, unsaid   string
	}{
		{"a style of one colour", "content.png", "flat.png", "32", "32×24", "style picture 1 is of one colour", "eigendecomposition"},
		{"a wide content", "wide.png", "style.png", "96", "96×6", "the first scale is 68×4: the content is so thin that at a size of 34", "scale 4/4"},
		{"a wide style", "content.png", "wide.png", "32", "32×24", "style picture 1 is 56×4 instead of 32×2", "eigendecomposition"},
		{"a style of a few pixels", "content.png", "small.png", "32", "32×24", "style picture 1 is 18×4 instead of 5×1", "eigendecomposition"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"stylize", test.content, test.style, "-o", "out.png", "--size", test.size, "--min-size=32"}, sizes...)
			run := impasto(t, folder, args...).done(t)
			if size := readPicture(t, filepath.Join(folder, "out.png")).Bounds().Size(); !strings.Contains(run.stderr, "wrote out.png: "+test.want) {
				t.Errorf("the picture is %v, want %s", size, test.want)
			}
			if !strings.Contains(run.stderr, test.said) || strings.Contains(run.stderr, test.unsaid) {
				t.Errorf("standard error should say %q and not %q:\n%s", test.said, test.unsaid, run.stderr)
			}
		})
	}
	impasto(t, folder, append([]string{"stylize", "wide.png", "style.png", "-o", "out.png", "--size=32", "--min-size=32"}, sizes...)...).
		refused(t, 1, "400×25", "choose a size of 56 or more")
	impasto(t, folder, "measure", "wide.png", "style.png", "--loss=gram", "--layers=relu3_1", "--size=32").
		refused(t, 1, "first picture", "choose a size of 56 or more")
}

func TestComparisonOfPanoramas(t *testing.T) {
	folder := workshop(t)
	writePicture(t, filepath.Join(folder, "content.png"), 400, 25, 0.3)
	runComparison(t, folder, "--losses=gram", "--style-layers=relu3_1", "--size=96", "--score-size=32").done(t)
	scores := readScores(t, folder)
	if scores.ScoreSize != [2]int{56, 4} {
		t.Errorf("scored at %v, want the least size that every layer sees, 56×4", scores.ScoreSize)
	}
	for _, p := range scores.Pictures {
		if len(p.Problems) > 0 || p.Style["gram"] == nil {
			t.Errorf("%s: scores %v, problems %v", p.Name, p.Style, p.Problems)
		}
	}
}
