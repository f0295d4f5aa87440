package made

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"impasto/internal/settings"
)

func TestFlagsAreThoseThatAreNeeded(t *testing.T) {
	for _, flags := range [][]string{
		{}, {"size=100"}, {"size=1024", "quality=best"}, {"quality=reference"}, {"iterations=7"}, {"iterations=7", "least-iterations=3"},
		{"optimizer=adam"}, {"min-size=64", "size=64"}, {"layer-loss=relu1_1=gram", "layer-loss=relu2_1=cmd", "seed=9"},
		{"plain-pooling=true"}, {"start=grey", "memory=2GiB"}, {"strength=70", "loss=gram"}, {"strength=0", "quality=reference"}, {"content-weight=0.5"},
	} {
		want := settings.Default()
		given := map[string]bool{}
		for _, flag := range flags {
			name, value, _ := strings.Cut(flag, "=")
			given[name] = true
			if err := want.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := want.Settle(func(name string) bool { return given[name] }); err != nil {
			t.Fatal(err)
		}
		got, needed := settings.Default(), Needed(want)
		for _, name := range needed {
			if err := Set(&got, name, want.Values()[name]); err != nil {
				t.Fatal(err)
			}
		}
		if err := got.Settle(func(name string) bool { return slices.Contains(needed, name) }); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got.Values(), want.Values()) {
			t.Errorf("%q needs %q, which make %v, want %v", flags, needed, got.Values(), want.Values())
		}
		if len(needed) > len(given) {
			t.Errorf("%q needs %q", flags, needed)
		}
	}
}
