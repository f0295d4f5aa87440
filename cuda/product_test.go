//go:build gpu && cgo && linux

package cuda

import "testing"

// TestMatrixTilingsSuitTheMultiprocessors looks at layers of VGG-19 of a picture of 512×512
// pixels on an A100, which has 108 multiprocessors, and on an RTX 3060, which has 28.
func TestMatrixTilingsSuitTheMultiprocessors(t *testing.T) {
	for _, c := range []struct {
		rows            rows
		multiprocessors int
		want            matrixTiling
	}{
		{rows{64, 64, 512 * 512, 9}, 108, matrixTiling{64, 1}},
		{rows{128, 128, 256 * 256, 9}, 108, matrixTiling{128, 1}},
		// 128 tiles are two rounds of 108, and 256 that take two thirds of the time are three.
		{rows{256, 128, 128 * 128, 9}, 108, matrixTiling{64, 1}},
		// 32 tiles leave most of 108 idle, and a part of 28 in a second round.
		{rows{512, 512, 32 * 32, 9}, 108, matrixTiling{128, 3}},
		{rows{512, 512, 32 * 32, 9}, 28, matrixTiling{128, 3}},
		{rows{512, 512, 64 * 64, 9}, 28, matrixTiling{128, 1}},
	} {
		if got := c.rows.matrixTiling(8, c.multiprocessors); got != c.want {
			t.Errorf("%+v on %d multiprocessors: %+v, want %+v", c.rows, c.multiprocessors, got, c.want)
		}
	}
}

// TestSecondMomentsKeepAGPUBusy looks at layers of VGG-19 of pictures of 512×512 and 128×128
// pixels, and at maps of a few positions.
func TestSecondMomentsKeepAGPUBusy(t *testing.T) {
	for _, c := range []struct{ positions, each, want int }{
		{512 * 512, 1, 256}, {128 * 128, 10, 16}, {64 * 64, 36, 4},
		{32 * 32, 36, 4}, {128 * 128, 1, 64}, {64 * 64, 3, 16}, {16 * 16, 36, 1}, {300, 36, 2}, {1, 1, 1},
	} {
		if got := momentParts(c.positions, c.each); got != c.want {
			t.Errorf("%d positions by %d blocks are summed in %d parts, want %d", c.positions, c.each, got, c.want)
		}
	}
}
