package plan

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// chain is a graph like the network's: convolutions one after the other, a loss
// at each, and the gradient to the input.
func chain(t *testing.T, depth int) (x, cost, grad *gorgonia.Node) {
	t.Helper()
	g := gorgonia.NewGraph()
	x = gorgonia.NewTensor(g, tensor.Float32, 3, gorgonia.WithShape(4, 8, 8), gorgonia.WithName("x"))
	var terms []*gorgonia.Node
	var weights []float64
	y := x
	for i := range depth {
		name := string(rune('a' + i))
		filters := constant(g, name+".filters", 4, 4, 3, 3)
		biases := constant(g, name+".biases", 4)
		var err error
		if y, err = ops.Convolve(y, filters, biases, pure.Border{}, true); err != nil {
			t.Fatal(err)
		}
		target := gorgonia.NewTensor(g, tensor.Float32, 3, gorgonia.WithShape(4, 8, 8), gorgonia.WithName(name+".target"))
		term, err := ops.CompareMaps(pure.Difference{}, y, target)
		if err != nil {
			t.Fatal(err)
		}
		terms, weights = append(terms, term), append(weights, float64(i+1))
	}
	cost, err := ops.WeightedSum(weights, terms...)
	if err != nil {
		t.Fatal(err)
	}
	grads, err := gorgonia.Grad(cost, x)
	if err != nil {
		t.Fatal(err)
	}
	return x, cost, grads[0]
}

func constant(g *gorgonia.ExprGraph, name string, shape ...int) *gorgonia.Node {
	value := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(value))
}

func TestEveryStepComesAfterItsInputs(t *testing.T) {
	_, cost, grad := chain(t, 5)
	s, err := Make(cost, grad)
	if err != nil {
		t.Fatal(err)
	}
	made := map[*Buffer]bool{}
	for _, b := range s.Inputs {
		made[b] = true
	}
	for i, step := range s.Steps {
		for _, input := range step.Inputs {
			if !made[input] && input.Constant == nil {
				t.Errorf("step %d, %v, uses %v before it is made", i, step.Op, input.Node)
			}
		}
		made[step.Result] = true
	}
	for _, output := range s.Outputs {
		if !made[output] {
			t.Errorf("output %v is never made", output.Node)
		}
	}
}

func TestNoStepOverwritesWhatIsStillNeeded(t *testing.T) {
	for _, depth := range []int{1, 2, 5, 9} {
		_, cost, grad := chain(t, depth)
		s, err := Make(cost, grad)
		if err != nil {
			t.Fatal(err)
		}
		own := Arrangement{map[*Buffer]int{}, s.ArenaBytes}
		for _, b := range s.Inputs {
			own.Offsets[b] = b.Offset
		}
		for _, step := range s.Steps {
			own.Offsets[step.Result] = step.Result.Offset
		}
		whole := func(b *Buffer) int { return b.Bytes }
		noStepOverwritesWhatIsStillNeeded(t, depth, s, own, whole)
		// As on a device that keeps maps in half precision and scalars elsewhere.
		half := func(b *Buffer) int {
			if b.Len() == 1 {
				return 0
			}
			return b.Bytes / 2
		}
		noStepOverwritesWhatIsStillNeeded(t, depth, s, s.Arrange(half, 256), half)
		// As on one that needs memory beside some of its steps.
		scratched := *s
		scratched.Steps = slices.Clone(s.Steps)
		for i := range scratched.Steps {
			scratched.Steps[i].Scratch = []*Buffer{{Node: s.Steps[i].Result.Node, Bytes: 100}, {Node: s.Steps[i].Result.Node, Bytes: 4000}}
		}
		noStepOverwritesWhatIsStillNeeded(t, depth, &scratched, scratched.Arrange(whole, alignment), whole)
		again := s.Arrange(whole, alignment)
		if again.Bytes != own.Bytes || !maps.Equal(again.Offsets, own.Offsets) {
			t.Errorf("depth %d: arranging again gives %d bytes, want the same places as before in %d", depth, again.Bytes, own.Bytes)
		}
	}
}

// TestStepsThatRunAtTheSameTimeShareNoMemory lets every third step go on for some more.
func TestStepsThatRunAtTheSameTimeShareNoMemory(t *testing.T) {
	_, cost, grad := chain(t, 5)
	s, err := Make(cost, grad)
	if err != nil {
		t.Fatal(err)
	}
	ends := make([]int, len(s.Steps))
	for i := range ends {
		if ends[i] = i + 1; i%3 == 0 {
			ends[i] = min(i+7, len(s.Steps))
		}
	}
	size := func(b *Buffer) int { return b.Bytes }
	a := s.ArrangeBeside(size, alignment, ends)
	if serial := s.Arrange(size, alignment); a.Bytes <= serial.Bytes {
		t.Errorf("steps at the same time take %d bytes, one after the other %d", a.Bytes, serial.Bytes)
	}
	for i, step := range s.Steps {
		for _, beside := range s.Steps[i+1 : ends[i]] {
			for _, b := range append([]*Buffer{step.Result}, step.Inputs...) {
				to, from := a.Offsets[beside.Result], a.Offsets[b]
				if b.Constant == nil && b != beside.Result && to < from+b.Bytes && from < to+beside.Result.Bytes {
					t.Errorf("%v, beside %v, writes over %v", beside.Op, step.Op, b.Node)
				}
			}
		}
	}
}

// noStepOverwritesWhatIsStillNeeded runs the schedule on bytes that know their
// owner.
func noStepOverwritesWhatIsStillNeeded(t *testing.T, depth int, s *Schedule, a Arrangement, size func(*Buffer) int) {
	t.Helper()
	owner := make([]*Buffer, a.Bytes)
	claim := func(b *Buffer) {
		for i := a.Offsets[b]; i < a.Offsets[b]+size(b); i++ {
			owner[i] = b
		}
	}
	check := func(b *Buffer, when string) {
		if b.Constant != nil {
			return
		}
		for i := a.Offsets[b]; i < a.Offsets[b]+size(b); i++ {
			if owner[i] != b {
				t.Fatalf("depth %d, %s: %v was overwritten by %v", depth, when, b.Node, owner[i].Node)
			}
		}
	}
	for _, b := range s.Inputs {
		claim(b)
	}
	for range 2 { // a second run finds its inputs as they were
		for _, step := range s.Steps {
			for _, b := range step.Scratch {
				claim(b)
			}
			for _, input := range step.Inputs {
				check(input, step.Op.String())
			}
			claim(step.Result)
			for _, b := range step.Scratch {
				check(b, "beside its result")
			}
		}
		for _, b := range append(s.Inputs, s.Outputs...) {
			check(b, "at the end")
		}
	}
}

// TestWhatIsAddedAtOnceGoesNowhereElse: in a chain of convolutions, each layer's
// own cotangent is added to the one that comes from further down.
func TestWhatIsAddedAtOnceGoesNowhereElse(t *testing.T) {
	const depth = 5
	_, cost, grad := chain(t, depth)
	s, err := Make(cost, grad)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	offsets := s.Arrange(func(b *Buffer) int { return b.Bytes }, alignment).Offsets
	for i, step := range s.Steps {
		if !s.AddedAtOnce(i, offsets) {
			continue
		}
		count++
		sum := s.Steps[i+1]
		if !sum.IsAddition() {
			t.Fatalf("step %d, %v, is added at once, but %v follows", i, step.Op, sum.Op)
		}
		if step.Result.Offset == sum.Result.Offset {
			t.Errorf("step %d, %v, would overwrite what it is added to", i, step.Op)
		}
		for j, other := range s.Steps {
			if j != i+1 && slices.Contains(other.Inputs, step.Result) {
				t.Errorf("step %d, %v, is added at once, but step %d, %v, needs it, too", i, step.Op, j, other.Op)
			}
		}
	}
	if count != depth-1 {
		t.Errorf("%d results are added at once, want %d", count, depth-1)
	}
}

func TestMemoryIsReused(t *testing.T) {
	_, cost, grad := chain(t, 12)
	s, err := Make(cost, grad)
	if err != nil {
		t.Fatal(err)
	}
	var sum int
	for _, step := range s.Steps {
		sum += step.Result.Bytes
	}
	// Each of the 12 maps must stand from the forward to the backward pass, with
	// its target and the picture: 25 maps. The backward pass needs three more at
	// most at a time: a cotangent, the one it becomes, and a loss's.
	const mapBytes = 4 * 8 * 8 * 4
	if most := 28*mapBytes + 64*len(s.Steps); s.ArenaBytes > most {
		t.Errorf("the arena has %d bytes, want at most %d; all results together have %d", s.ArenaBytes, most, sum)
	}
}

func TestUnknownOperationsAreRefused(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, 3, gorgonia.WithShape(2, 2, 2), gorgonia.WithName("x"))
	y, err := gorgonia.Tanh(x)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Make(y); err == nil || !strings.Contains(err.Error(), "tanh") {
		t.Errorf("error %v, want one that names tanh", err)
	}
	if _, err := Make(); err == nil {
		t.Error("no outputs: no error")
	}
}
