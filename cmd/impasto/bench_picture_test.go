package main

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// quickBench are flags under which bench picture takes a second or so for a point.
var quickBench = []string{
	"bench", "picture", "--size=40", "--min-size=40", "--first-iterations=2", "--iterations=2", "--device=cpu", "--threads=1", "--qualities=draft",
	"--style-layers=relu1_1", "--content-layers=relu2_1", "--noise=0", "--tv-weight=5",
}

// benched runs bench picture with quickBench and other arguments.
func benched(t *testing.T, folder string, args ...string) outcome {
	t.Helper()
	return impasto(t, folder, slices.Concat(quickBench, args)...)
}

// objects are those that a run printed, a line each.
func objects(t *testing.T, text string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, object)
	}
	return all
}

var (
	valueKeys = []string{"content_distance", "content_weight", "distance", "gaussian", "gram", "processor_seconds", "seconds", "sliced"}
	methodOf  = []string{"event", "label", "loss", "quality", "size", "wanted"}
)

func sorted(keys ...[]string) []string { return slices.Sorted(slices.Values(slices.Concat(keys...))) }

func TestBenchPicturePrintsPointsAndMeans(t *testing.T) {
	folder := workshop(t)
	// A content distance that two iterations get to.
	first := benched(t, folder, "content.png", "style.png", "style.png", "content.png", "--losses=gram", "--content-distance=0.3", "--json").done(t)
	all := objects(t, first.stdout)
	if len(all) != 3 {
		t.Fatalf("%d objects, want 2 points and a mean:\n%s", len(all), first.stdout)
	}
	for i, object := range all {
		keys, want := slices.Sorted(maps.Keys(object)), sorted(methodOf, valueKeys, []string{"pair", "runs"})
		if i == 2 {
			want = sorted(methodOf, valueKeys, []string{"pairs"})
		}
		if !slices.Equal(keys, want) {
			t.Fatalf("object %d has the keys %v, want %v", i, keys, want)
		}
		if object["loss"] != "gram" || object["size"] != 40. || object["label"] != "" || object["wanted"] != 0.3 || !(object["seconds"].(float64) > 0) {
			t.Errorf("object %d is %v", i, object)
		}
	}
	for i, want := range []string{"content × style", "style × content"} {
		if all[i]["pair"] != want || all[i]["content_distance"] != 0.3 || all[2]["pairs"].([]any)[i] != want {
			t.Errorf("point %d is of %v, want %s; the mean is %v", i, all[i]["pair"], want, all[2])
		}
		for _, r := range all[i]["runs"].([]any) {
			if keys := slices.Sorted(maps.Keys(r.(map[string]any))); !slices.Equal(keys, valueKeys) {
				t.Errorf("a run has the keys %v", keys)
			}
		}
	}
	for _, part := range []string{"painting content × style, gram, draft: run 1, content weight", "scale 1/1, 40×30, iteration 1/2", " from the content, "} {
		if !strings.Contains(first.stderr, part) {
			t.Errorf("standard error has no %q:\n%s", part, first.stderr)
		}
	}
	writeFile(t, filepath.Join(folder, "first.jsonl"), []byte(first.stdout))
	benchesWithEarlier(t, folder)
}

// benchesWithEarlier holds what is shown beside an earlier run, first.jsonl, to what it is.
func benchesWithEarlier(t *testing.T, folder string) {
	t.Helper()
	args := []string{"content.png", "style.png", "--losses=gram", "--content-distance=0.3", "--with=first.jsonl"}
	second := benched(t, folder, append(args, "--quiet", "--tv-weight=0", "--label=rough", "--plot=frontier.svg")...).done(t)
	if second.stderr != "" {
		t.Errorf("under --quiet it says %s", second.stderr)
	}
	for _, part := range []string{"content × style at 40 pixels, where the content distance is 0.3\n", "means over 1 pair\n", "\n  gram   ", "\n  gram, rough   "} {
		if !strings.Contains(second.stdout, part) {
			t.Errorf("standard output has no %q:\n%s", part, second.stdout)
		}
	}
	for line := range strings.Lines(second.stdout) {
		if len([]rune(line)) > 100 {
			t.Errorf("a line has %d columns: %s", len([]rune(line)), line)
		}
	}
	svg := string(readFile(t, filepath.Join(folder, "frontier.svg")))
	for _, part := range []string{">gram<", ">gram, rough<", ">draft<", ">seconds<", "0.3"} {
		if !strings.Contains(svg, part) {
			t.Errorf("the plot has no %q", part)
		}
	}
	nothingLeft(t, folder)
	benched(t, folder, args...).refused(t, statusUsage, "content × style, gram, draft is there already", "another --label")
	benched(t, folder, append(args, "--content-distance=0.4")...).refused(t, statusUsage, "content distance of 0.3", "can't be compared")
	other := []string{"style.png", "style.png", "--losses=gram", "--content-distance=0.3", "--with=first.jsonl"}
	benched(t, folder, other...).refused(t, statusUsage, "no point of these pairs")
}

func TestBenchPictureGoesOnAfterWhatFails(t *testing.T) {
	folder := workshop(t)
	writePicture(t, filepath.Join(folder, "same.png"), 64, 48, 0.15) // which nothing tells from itself
	// Nothing is that far from the content after two iterations.
	run := benched(t, folder, "same.png", "same.png", "content.png", "style.png", "--losses=gram", "--content-distance=2")
	if run.status != statusFailed {
		t.Errorf("exit status %d", run.status)
	}
	for _, part := range []string{" failed:\n    bench: measure at relu", "content × style at 40 pixels", " not reached:\n    content weights from "} {
		if !strings.Contains(run.stdout, part) {
			t.Errorf("standard output has no %q:\n%s", part, run.stdout)
		}
	}
	if want := "impasto: bench picture: 1 of 2 points failed; the first is same × same, gram, draft: "; !strings.Contains(run.stderr, want) {
		t.Errorf("standard error has no %q:\n%s", want, run.stderr)
	}
}

func TestBenchPictureRefusesBeforeItPaints(t *testing.T) {
	folder := workshop(t)
	writeFile(t, filepath.Join(folder, "text.png"), []byte("no picture"))
	writeFile(t, filepath.Join(folder, "other.jsonl"), []byte("{\"event\":\"picture\"}\n"))
	writeFile(t, filepath.Join(folder, "text.jsonl"), []byte("loss  quality\n"))
	writeFile(t, filepath.Join(folder, "odd.jsonl"), []byte("{\"event\":\"point\",\"quality\":\"draft\",\"seconds\":-1}\n"))
	pair := []string{"content.png", "style.png"}
	for _, test := range []struct {
		args      []string
		status    int
		fragments []string
	}{
		{[]string{}, statusUsage, []string{"want pairs", "got 0 pictures"}},
		{[]string{"content.png", "style.png", "content.png"}, statusUsage, []string{"got 3 pictures"}},
		{slices.Concat(pair, pair), statusUsage, []string{"content × style stands twice"}},
		{[]string{"content.png", "-"}, statusUsage, []string{"standard stream"}},
		{[]string{"content.png", "missing.png"}, statusFailed, []string{"missing.png"}},
		{[]string{"content.png", "text.png"}, statusFailed, []string{"text.png"}},
		{append(pair, "--losses=gramm"), statusUsage, []string{"did you mean gram?"}},
		{append(pair, "--qualities=god"), statusUsage, []string{"did you mean good?"}},
		{append(pair, "--content-distance=0"), statusUsage, nil},
		{append(pair, "--content-weight=0"), statusUsage, []string{"above 0"}},
		{append(pair, "--min-size=128"), statusUsage, []string{"--min-size 128 is larger than --size 40"}},
		{append(pair, "--mask=a.png=b.png"), statusUsage, []string{"unknown flag --mask"}},
		{append(pair, "--plot=out.pdf"), statusUsage, []string{".png or .svg"}},
		{append(pair, "--plot=style.png"), statusUsage, []string{"--plot style.png is the input"}},
		{append(pair, "--plot=missing/out.png"), statusFailed, []string{"the folder missing does not exist"}},
		{append(pair, "--with=missing.jsonl"), statusFailed, []string{"--with", "missing.jsonl"}},
		{append(pair, "--with=other.jsonl"), statusUsage, []string{"no line of bench picture --json"}},
		{append(pair, "--with=text.jsonl"), statusUsage, []string{"line 1 is none of bench picture --json"}},
		{append(pair, "--with=odd.jsonl"), statusUsage, []string{"line 1 is no point"}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			benched(t, folder, test.args...).refused(t, test.status, test.fragments...)
		})
	}
}
