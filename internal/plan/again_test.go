package plan

import (
	"testing"

	"impasto/internal/ops"
)

// TestThePicturesConvolutionIsMadeAgain: for what reads its result at the end of the way
// back. The sums of its own loss are taken before the next convolution, and its result
// doesn't stand in between.
func TestThePicturesConvolutionIsMadeAgain(t *testing.T) {
	cheap := capable()
	cheap.supports = func(step Step) Support {
		s := capable().supports(step)
		_, s.Again = step.Op.(*ops.Convolution)
		return s
	}
	for _, c := range []struct {
		name   string
		device device
		depth  int
		want   int
	}{
		{"a chain", cheap, 5, 2},
		{"two convolutions", cheap, 2, 2},
		{"one convolution, with nothing in between", cheap, 1, 1},
		{"a device that takes it for dear", capable(), 5, 1},
	} {
		_, cost, grad := chain(t, c.depth)
		p := programOf(t, c.device, cost, grad)
		noStepOverwritesWhatIsStillNeeded(t, c.name, c.depth, p)
		made, sums := 0, 0
		for i, step := range p.Steps {
			switch step.Op.(type) {
			case *ops.Convolution:
				if step.convolvesPicture() {
					made++
				}
			case *ops.DifferenceSums:
				if p.Steps[i-1].convolvesPicture() {
					sums++
				}
			}
		}
		early := 0
		if c.want == 2 || c.depth == 1 {
			early = 1
		}
		if made != c.want || sums != early {
			t.Errorf("%s: the picture is convolved %d times, and sums follow %d times; want %d and %d", c.name, made, sums, c.want, early)
		}
	}
	_, cost, grad := chain(t, 5)
	if with, without := programOf(t, cheap, cost, grad).Bytes, programOf(t, capable(), cost, grad).Bytes; with > without {
		t.Errorf("the arena has %d bytes, and %d without", with, without)
	}
}
