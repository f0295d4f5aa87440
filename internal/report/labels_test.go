package report

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNamesThatDifferStillDoWhenShort(t *testing.T) {
	layers := func(last string) string {
		return "style-layers relu1_1=1,relu2_1=1,relu3_1=1,relu4_1=1,relu5_1=" + last
	}
	for _, test := range []struct {
		name        string
		texts, want []string
	}{
		{"short ones stay", []string{"gram", "gaussian"}, []string{"gram", "gaussian"}},
		{"what is common goes", []string{layers("1"), layers("2")}, []string{"…relu5_1=1", "…relu5_1=2"}},
		{"at both ends", []string{layers("1") + ", gram", layers("2") + ", gram"}, []string{"…relu5_1=1,…", "…relu5_1=2,…"}},
		{"one alone is cut in its middle", []string{strings.Repeat("a", 30) + "z"}, []string{"aaaaaaaaa…aaaaaaaaaz"}},
		{"what differs in its middle is counted", []string{
			strings.Repeat("a", 20) + "1" + strings.Repeat("z", 20), strings.Repeat("a", 20) + "2" + strings.Repeat("z", 20),
		}, []string{"aaaaaaaaa…zzzzzzzzzz", "aaaaaaaa…zzzzzzzz #2"}},
		{"the same stay the same", []string{layers("1"), layers("1")}, []string{"style-lay…,relu5_1=1", "style-lay…,relu5_1=1"}},
	} {
		got := distinct(test.texts, 20)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		for _, text := range got {
			if utf8.RuneCountInString(text) > 20 {
				t.Errorf("%s: %q is too long", test.name, text)
			}
		}
	}
}

func TestNamesAreVisible(t *testing.T) {
	for name, want := range map[string]string{
		"Tübingen 東京.jpg": "Tübingen 東京.jpg", "bad\xff.jpg": `bad\xff.jpg`, "a\x1b[31mb": `a\x1b[31mb`,
		"\u202egpj.exe": `\u202egpj.exe`, "a\nb": `a\x0ab`, "\U000e0001": `\U000e0001`,
	} {
		if got := visible(name); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}

func TestNamesBreakBehindPunctuation(t *testing.T) {
	if got, want := string(breakable("relu1_1=1,<b>&/x")), "relu1_1=1,<wbr>&lt;b&gt;&amp;/<wbr>x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
