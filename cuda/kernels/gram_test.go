//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"impasto/cuda/kernels/host"
	"impasto/internal/pure"
)

// gramCase is summaries of so many channels, with the Gram loss and its derivative. Second
// moments are symmetric, as summaries have them, or not; or those of the target.
func gramCase(t *testing.T, channels int, kind string, scaled int) (summary, target, want []float64) {
	t.Helper()
	n := channels + channels*channels
	summary, target, want = doubles(n, 1), doubles(n, 2), make([]float64, 1+n)
	for i := range channels {
		target[channels+i*channels+i] += 3
		for j := range i {
			if kind != "lopsided" {
				summary[channels+i*channels+j] = summary[channels+j*channels+i]
				target[channels+i*channels+j] = target[channels+j*channels+i]
			}
		}
	}
	if kind == "alike" {
		copy(summary, target)
	}
	var err error
	if want[0], err = (pure.Gram{Channels: channels, Scaled: scaled == 1}).Compare(want[1:], summary, target); err != nil {
		t.Fatal(err)
	}
	return summary, target, want
}

func TestGramLossesMatchTheirDefinition(t *testing.T) {
	for _, channels := range []int{1, 7, 40} {
		for _, kind := range []string{"symmetric", "lopsided", "alike"} {
			for scaled := range 2 {
				inEveryOrder(t, func(t *testing.T) {
					summary, target, want := gramCase(t, channels, kind, scaled)
					partials, r := host.Allocate(9*8), newComparison(len(summary))
					s, to := host.From(summary), host.From(target)
					launch(t, "gram_partials", someGrid, vectorBlock, 0, partials, s, to, channels)
					launch(t, "gram_comparison", someGrid, vectorBlock, 0, r.value, r.cotangent, s, to, partials, 3, r.grad, scaled, channels)
					r.check(t, "loss and cotangent", want, 1e-12)
					for _, e := range []element{single, half, brain, tensor} {
						checkGramMatrix(t, fmt.Sprint(channels, " ", kind, " ", e.suffix), e, r, s, to, partials, scaled, channels, want)
					}
				})
			}
		}
	}
}

// checkGramMatrix compares what gram_matrix leaves with the cotangent, and looks how large it is.
func checkGramMatrix(t *testing.T, what string, e element, r comparison, summary, target, partials host.Memory, scaled, channels int, want []float64) {
	t.Helper()
	const positions = 12
	stored := e
	if e == tensor {
		stored = single
	}
	n := channels * channels
	value, matrix, factor := host.Allocate(8), host.Allocate(n*e.size), host.Allocate(4)
	launch(t, "gram_matrix_"+e.suffix, someGrid, vectorBlock, 0, value, matrix, factor, summary, target, partials, 3, r.grad, scaled, channels, positions, 0)
	near(t, what+": loss", host.Of[float64](value)[:1], want[:1], 1e-12)
	got, by := stored.to(t, matrix, n), float64(host.Of[float32](factor)[0])
	pulled, cotangent := make([]float64, n), make([]float64, n)
	largest, greatest := 0., 0.
	for i, d := range want[1+channels:] {
		pulled[i] = by * float64(got[i])
		cotangent[i] = comparisonGrad * (d + want[1+channels+i%channels*channels+i/channels]) / positions
		largest, greatest = max(largest, math.Abs(float64(got[i]))), max(greatest, math.Abs(cotangent[i]))
	}
	if greatest == 0 {
		if by != 0 || largest != 0 {
			t.Errorf("%s: a zero cotangent is %g times a matrix with an element of %g", what, by, largest)
		}
		return
	}
	near(t, what+": matrix", pulled, cotangent, e.tolerance)
	if !(largest <= 1.002) {
		t.Errorf("%s: the largest element is %g, want 1 at most", what, largest)
	}
}

// TestMatricesLieInTheOrderOfFilters compares those for convolutions on Hopper with others.
func TestMatricesLieInTheOrderOfFilters(t *testing.T) {
	const channels, positions = 64, 12
	summary, target, _ := gramCase(t, channels, "symmetric", 1)
	partials, r, cotangent := host.Allocate(9*8), newComparison(len(summary)), host.From(summary)
	s, to := host.From(summary), host.From(target)
	launch(t, "gram_partials", someGrid, vectorBlock, 0, partials, s, to, channels)
	greatest := host.Allocate(3 * 8)
	launch(t, "cotangent_greatest", someGrid, vectorBlock, 0, greatest, cotangent.At(8*channels), channels)
	for _, e := range []element{half, brain} {
		var gram, moments [2][]uint16
		for as := range 2 {
			matrix, factor, bias := host.Allocate(2*channels*channels), host.Allocate(4), host.Allocate(4*channels)
			launch(t, "gram_matrix_"+e.suffix, someGrid, vectorBlock, 0, host.Allocate(8), matrix, factor, s, to, partials, 3, r.grad, 1, channels, positions, as)
			gram[as] = slices.Clone(host.Of[uint16](matrix))
			launch(t, "moments_cotangent_"+e.suffix, someGrid, vectorBlock, 0, matrix, factor, bias, cotangent, greatest, 3, channels, positions, as)
			moments[as] = slices.Clone(host.Of[uint16](matrix))
		}
		if !slices.Equal(asFilters(gram[0], channels), gram[1]) || !slices.Equal(asFilters(moments[0], channels), moments[1]) {
			t.Errorf("%s: a matrix for convolutions isn't another one with its rows in the order of filters", e.suffix)
		}
	}
}
