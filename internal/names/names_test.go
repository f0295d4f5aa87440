package names

import "testing"

var candidates = []string{"gram", "gaussian", "moments", "relu1_1", "relu1_2"}

func TestNearestNameIsTheOneMeant(t *testing.T) {
	for name, want := range map[string]string{
		"grm": "gram", "Gram": "gram", "gausian": "gaussian", "GAUSSIAN": "gaussian", "moment": "moments",
		"relu11": "relu1_1", "xyzzy": "", "": "", "conv": "",
	} {
		if got := Nearest(name, candidates, Third); got != want {
			t.Errorf("nearest to %q is %q, want %q", name, got, want)
		}
	}
}

func TestLimitsDifferInHowFarTheyReach(t *testing.T) {
	for _, test := range []struct{ name, third, half string }{
		{"gr", "gram", ""},   // two edits are always within a third
		{"momxxxxx", "", ""}, // five edits of eight letters
		{"momentxyz", "moments", "moments"},
		{"momxyzts", "", "moments"}, // three edits of eight letters
	} {
		if got := Nearest(test.name, candidates, Third); got != test.third {
			t.Errorf("within a third of %q is %q, want %q", test.name, got, test.third)
		}
		if got := Nearest(test.name, candidates, Half); got != test.half {
			t.Errorf("within half of %q is %q, want %q", test.name, got, test.half)
		}
	}
	// Of a candidate of two letters, two edits leave nothing.
	if got := Nearest("xyz", []string{"ab"}, Third); got != "" {
		t.Errorf("nearest to xyz is %q, want nothing", got)
	}
}

func TestErrorsOfferTheNearestNameOrAll(t *testing.T) {
	for name, want := range map[string][2]string{
		"gram": {"", ""},
		"grm":  {"no such loss; did you mean gram?", `unknown loss "grm", did you mean gram? There are gram, gaussian, moments, relu1_1, relu1_2`},
		"xyzzy": {"no such loss; want one of gram, gaussian, moments, relu1_1, relu1_2",
			`unknown loss "xyzzy", want one of gram, gaussian, moments, relu1_1, relu1_2`},
	} {
		text := ""
		if err := Check("loss", name, candidates); err != nil {
			text = err.Error()
		}
		if text != want[0] {
			t.Errorf("of %q, Check says %q, want %q", name, text, want[0])
		}
		if text := Problem("loss", name, candidates); text != want[1] {
			t.Errorf("of %q, Problem says %q, want %q", name, text, want[1])
		}
	}
	if got, want := DidYouMean("sise", []string{"seed", "size"}, "--"), "; did you mean --size?"; got != want {
		t.Errorf("DidYouMean says %q, want %q", got, want)
	}
}
