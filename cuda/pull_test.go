//go:build gpu && cgo && linux

package cuda

import (
	"fmt"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/plan"
	"impasto/internal/pure"
	"impasto/losses"
)

// launchesOn counts the launches of kernels by what their names begin with, on the trunk and on
// branches.
func launchesOn(m *machine, beginning string) (trunk, branches int) {
	for _, p := range m.parts {
		for _, l := range p.launches {
			switch {
			case !strings.HasPrefix(l.kernel, beginning):
			case p.branch == 0:
				trunk++
			default:
				branches++
			}
		}
	}
	return trunk, branches
}

// TestPullsAreReadiedBesideTheNetwork looks where gradients of summaries are made into what the
// network's gradient multiplies maps by.
func TestPullsAreReadiedBesideTheNetwork(t *testing.T) {
	for loss, beside := range map[string]map[string]int{
		"gram":     {"gram_partials": 2, "gram_matrix": 2, "gram_comparison": 0, "cotangent_greatest": 0, "moments_cotangent": 0},
		"gaussian": {"cotangent_greatest": 2, "moments_cotangent": 2},
	} {
		m := descend(t, open(t, Options{Precision: device.Float16}), loss).machine
		for kernel, want := range beside {
			if trunk, branches := launchesOn(m, kernel); trunk != 0 || branches != want {
				t.Errorf("%s: %d launches of %s on the trunk and %d on branches, want 0 and %d", loss, trunk, kernel, branches, want)
			}
		}
	}
}

// TestConvolutionsPullBackAlong has losses of second moments at two layers on Hopper, of which the
// gradient to the first goes through a convolution: that makes the sum.
func TestConvolutionsPullBackAlong(t *testing.T) {
	for _, name := range []string{"gram", "gaussian"} {
		for _, precision := range []device.Precision{device.Float16, device.BFloat16} {
			t.Run(fmt.Sprint(name, precision), func(t *testing.T) {
				n := twoLayers(t, name)
				d := open(t, Options{Precision: precision})
				agrees(t, d, n)
				s, err := plan.Make(n.outputs...)
				if err != nil {
					t.Fatal(err)
				}
				m, err := d.Compile(s)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				if products, _ := launchesOn(m.(*machine), "product"); d.code == "90a" && products != 1 {
					t.Errorf("%d launches of products, want one, for the last layer", products)
				}
			})
		}
	}
}

// twoLayers is a loss at two layers that lie a convolution apart.
func twoLayers(t *testing.T, name string) network {
	t.Helper()
	loss, err := losses.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	form := loss.Normalised()
	x := leaf(gorgonia.NewGraph(), "x", 3, 11, 14)
	n := network{inputs: map[string]plan.Values{"x": values32(1, 3, 11, 14)}}
	var terms []*gorgonia.Node
	y := x
	for i, channels := range []int{64, 128} {
		y = convolve(t, y, channels, pure.Border{}, true)
		summaries, err := form.Summarise(y, losses.Positions{})
		if err != nil {
			t.Fatal(err)
		}
		target := n.target(x.Graph(), i, keptOf(t, form, positive(values32(uint64(5+i), channels, 16, 21))))
		term, err := form.Value(summaries, target)
		if err != nil {
			t.Fatal(err)
		}
		terms = append(terms, term)
	}
	n.outputs = withGradient(t, x, []float64{1, 0.5}, terms...)
	return n
}
