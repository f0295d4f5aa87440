package compare

import (
	"slices"
	"strings"
	"testing"

	"impasto/internal/settings"
)

func nothing(string) bool { return false }

func dimension(t *testing.T, name, list string) Dimension {
	t.Helper()
	d, err := NewDimension(name, list)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestGridHasEveryCombination(t *testing.T) {
	base := settings.Default()
	base.Options.Size = 100
	cells, err := Grid(base, []Dimension{dimension(t, "loss", "gram,moments"), dimension(t, "tv-weight", "0,8")}, nothing, nothing)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range cells {
		names = append(names, c.Name())
		if c.Settings.Options.MinSize != 100 {
			t.Errorf("the first scale of %s is %d, want it settled to 100", c.Name(), c.Settings.Options.MinSize)
		}
	}
	if want := []string{"gram, tv-weight 0", "gram, tv-weight 8", "moments, tv-weight 0", "moments, tv-weight 8"}; !slices.Equal(names, want) {
		t.Fatalf("cells are %q, want %q", names, want)
	}
	if s := cells[3].Settings; s.Loss.Description().Name != "moments" || s.Options.TotalVariationWeight != 8 {
		t.Errorf("the last cell's settings are %+v", s)
	}
	if base.Options.MinSize == 100 {
		t.Error("the base was changed")
	}
}

func TestPresetsThatVaryCountBeneathAFile(t *testing.T) {
	base := settings.Default()
	base.Options.MinSize, base.Options.Size = 64, 256
	for name, test := range map[string]struct {
		given, placed string
		want          [2]int // the first scales of the two presets
	}{
		"neither given nor in a file": {"", "", [2]int{256, 64}},
		"in a file":                   {"", "min-size", [2]int{64, 64}},
		"given":                       {"min-size", "", [2]int{64, 64}},
	} {
		is := func(wanted string) func(string) bool { return func(name string) bool { return name == wanted } }
		cells, err := Grid(base, []Dimension{dimension(t, "preset", "johnson,broad")}, is(test.given), is(test.placed))
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]int{cells[0].Settings.Options.MinSize, cells[1].Settings.Options.MinSize}; got != test.want {
			t.Errorf("%s: first scales are %d, want %d", name, got, test.want)
		}
	}
	// One in a file fits itself to a size that varies.
	base.Options.MinSize = 300
	cells, err := Grid(base, []Dimension{dimension(t, "size", "256,512")}, nothing, func(name string) bool { return name == "min-size" })
	if err != nil || cells[0].Settings.Options.MinSize != 256 || cells[1].Settings.Options.MinSize != 300 {
		t.Errorf("%+v, %v", cells, err)
	}
}

func TestGridsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, test := range []struct {
		dimensions []Dimension
		want       string
	}{
		{nil, "nothing varies"},
		{[]Dimension{{"tv-weight", []string{"1"}}, {"tv-weight", []string{"2"}}}, "tv-weight varies twice"},
		{[]Dimension{{"tv-weight", []string{"two"}}}, `tv-weight "two": want a number`},
		{[]Dimension{{"min-size", []string{"16", "600"}}}, "min-size 600: --min-size 600 is larger than --size 512"},
		{[]Dimension{{"step-size", []string{"0.1"}}}, "step-size 0.1: --step-size is Adam's"},
		{[]Dimension{{"style-layers", []string{"relu1_1,relu2_1", "relu1_1,relu2_1"}}}, "same file name"},
	} {
		if _, err := Grid(settings.Default(), test.dimensions, nothing, nothing); err == nil || !strings.HasPrefix(err.Error(), "compare: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.dimensions, err, test.want)
		}
	}
}

func TestValuesWithCommasArePartedBySemicolons(t *testing.T) {
	d := dimension(t, "style-layers", "relu1_1=4,relu2_1=1; relu1_1")
	if want := []string{"relu1_1=4,relu2_1=1", "relu1_1"}; !slices.Equal(d.Values, want) {
		t.Errorf("values are %q, want %q", d.Values, want)
	}
}

func TestDimensionsAreCheckedByThemselves(t *testing.T) {
	for _, test := range []struct{ name, list, want string }{
		{"tv-weigth", "1", "no such setting; did you mean tv-weight?"},
		{"tv-weight", "1, 1", "tv-weight 1 stands twice"},
		{"tv-weight", "1,", `tv-weight "": want a number`},
		{"output", "a,b", `"output": no such setting`},
	} {
		if _, err := NewDimension(test.name, test.list); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s=%s: %v, want %q", test.name, test.list, err, test.want)
		}
	}
}

func TestFileNamesAreHarmless(t *testing.T) {
	for name, want := range map[string]string{
		"gram, tv-weight 8":                "gram_tv-weight-8",
		"style-layers relu1_1=4,relu2_1":   "style-layers-relu1_1=4_relu2_1",
		"start ../a b.png":                 "start-..-a-b.png",
		"sinkhorn, layer-loss relu1_1=cmd": "sinkhorn_layer-loss-relu1_1=cmd",
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
