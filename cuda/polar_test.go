//go:build gpu && cgo && linux

package cuda

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/internal/plan"
	"impasto/internal/pure"
	"impasto/losses"
)

// TestGaussianLossesAreRowsOfSoManyLaunches counts those of docs/performance.md: of a loss of
// 512 channels, by float32 and by float64.
func TestGaussianLossesAreRowsOfSoManyLaunches(t *testing.T) {
	loss, err := losses.Named("gaussian")
	if err != nil {
		t.Fatal(err)
	}
	form, x := loss.Normalised(), leaf(gorgonia.NewGraph(), "x", 3, 5, 7)
	features := convolve(t, x, 512, pure.Border{}, true)
	summaries, err := form.Summarise(features, losses.Positions{})
	if err != nil {
		t.Fatal(err)
	}
	n := network{inputs: map[string]plan.Values{}}
	term, err := form.Value(summaries, n.target(x.Graph(), 0, keptOf(t, form, positive(values32(5, 512, 6, 11)))))
	if err != nil {
		t.Fatal(err)
	}
	s, err := plan.Make(withGradient(t, x, []float64{1}, term)...)
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[int][]int{0: {2, 111, 2}, leastPolar: {2, 0, 54, 111, 2}} {
		d := open(t, Options{})
		d.polarFrom = from
		compiled, err := d.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		m := compiled.(*machine)
		var counts []int // of the parts on the loss's branch: the summary, the comparison, what pulls back
		for _, p := range m.parts {
			if p.branch > 0 {
				counts = append(counts, len(p.launches))
			}
			if len(p.otherwise) > 0 && len(p.otherwise) != 111 {
				t.Errorf("by float32 from %d channels on: %d launches otherwise, want 111", from, len(p.otherwise))
			}
		}
		if !slices.Equal(counts, want) {
			t.Errorf("by float32 from %d channels on: parts of %d launches, want %d", from, counts, want)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
