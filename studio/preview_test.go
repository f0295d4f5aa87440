package studio

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestPicturesAreMadeWhileTheyCostLittle(t *testing.T) {
	now := time.Now()
	for what, test := range map[string]struct {
		made        bool
		since, cost time.Duration
		watched     bool
		want        bool
	}{
		"the first":                      {false, 0, 0, false, true},
		"nobody looks":                   {true, 5 * time.Second, time.Millisecond, false, false},
		"nobody looks, for the film":     {true, filmInterval, time.Millisecond, false, true},
		"for the film, but dear":         {true, filmInterval, time.Second, false, false},
		"somebody looks":                 {true, time.Second, 29 * time.Millisecond, true, true},
		"somebody looks, and it is dear": {true, time.Second, 31 * time.Millisecond, true, false},
	} {
		p := preview{made: test.made, last: now.Add(-test.since)}
		p.cost.Store(int64(test.cost))
		if got := p.due(now, test.watched); got != test.want {
			t.Errorf("%s: due is %t, want %t", what, got, test.want)
		}
	}
}

func TestFramesAfterACheckpointAreCut(t *testing.T) {
	f := film{folder: t.TempDir()}
	for _, name := range []string{frameName(1), frameName(12), frameName(300), "other.jpg", "12.jpg"} {
		if err := os.WriteFile(filepath.Join(f.folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if names := frameNames(f.folder); !slices.Equal(names, []string{frameName(1), frameName(12), frameName(300)}) {
		t.Errorf("frames %v", names)
	}
	f.cut(12)
	if names := frameNames(f.folder); !slices.Equal(names, []string{frameName(1), frameName(12)}) {
		t.Errorf("after the cut %v", names)
	}
}

func TestAFilmHasItsFramesEvenly(t *testing.T) {
	f := film{}
	if !f.due(0.001) {
		t.Error("the first isn't due at once")
	}
	f.next = 0.5 + 1./filmFrames // after one at a half
	if f.due(0.505) || !f.due(0.51) {
		t.Error("the next isn't due after a hundredth")
	}
}
