package plan

import (
	"fmt"
	"strings"
	"testing"

	"impasto/internal/ops"
)

func TestProgramsAreListedStepByStep(t *testing.T) {
	beside := capable()
	beside.supports = func(step Step) Support {
		support := capable().supports(step)
		if _, ok := step.Op.(*ops.ValueAndGradient); ok {
			support.Beside, support.Scratch = Whatever, []int{16, 8}
		}
		return support
	}
	_, cost, grad := chain(t, 2)
	for _, c := range []struct {
		name string
		on   device
		want []string
	}{
		{"definitions", definitions(), []string{
			"inputs: x; b.target; a.target\n",
			"\n  3  %3 4×8×8 float32 @", " (x; a.filters; a.biases), by definition\n",
			"\n 14  %16 4×8×8 float32 @", " = addition (%14; %15), by definition\n",
			"\noutputs: %11; %18\n",
		}},
		{"a capable device", capable(), []string{
			"\n  3  %3 4×8×8 float16 @", " (x; a.filters; a.biases)\n",
			"\n  6  %6 1 float64 @", ", %7 3 float64 @", " = value and gradient of comparison ",
			" = gradient of difference (%3; a.target; %10), added to %13, masked by %3, in place\n",
			"\noutputs: %11; %15\n",
		}},
		{"branches", beside, []string{", with 24 bytes of scratch, on branch 1\n", ", with 24 bytes of scratch, on branch 2\n"}},
	} {
		p := programOf(t, c.on, cost, grad)
		text := p.String()
		rest := text
		for _, part := range append(c.want, fmt.Sprintf("\narena: %d bytes\n", p.Bytes)) {
			_, after, found := strings.Cut(rest, part)
			if !found {
				t.Errorf("%s: no %q, or not in this order, in\n%s", c.name, part, text)
				break
			}
			rest = "\n" + after // one line's end is the next one's beginning
		}
		if lines := strings.Count(text, "\n"); lines != len(p.Steps)+3 {
			t.Errorf("%s: %d lines for %d steps", c.name, lines, len(p.Steps))
		}
	}
}
