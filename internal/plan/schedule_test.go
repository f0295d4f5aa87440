package plan

import (
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
	return chainWith(t, depth, func(int) bool { return true })
}

// chainWith is a chain with losses at some of the convolutions, counted from 0.
func chainWith(t *testing.T, depth int, compared func(i int) bool) (x, cost, grad *gorgonia.Node) {
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
		if !compared(i) {
			continue
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

// device is a descriptor that the tests make up.
type device struct {
	supports  func(Step) Support
	bytes     func(*Buffer) int
	alignment int
}

func (d device) Supports(step Step) Support { return d.supports(step) }
func (d device) Bytes(b *Buffer) int        { return d.bytes(b) }
func (d device) Alignment() int             { return d.alignment }

// definitions is a device that computes every operation by itself, and values as wide
// as their types say.
func definitions() device {
	return device{supports: ByDefinitionOf, bytes: (*Buffer).Bytes, alignment: 64}
}

// capable is a device whose kernels do all that there is to do beside an operation.
func capable() device {
	d := definitions()
	d.supports = func(step Step) Support {
		a := Ability{Masks: MasksByAny, MasksInput: true, Adds: AddsInPlace, Float16Results: true, Float16Inputs: []int{0, 1, 2, 3}}
		switch step.Op.(type) {
		case *ops.Variation:
			a = Ability{}
		case ops.Widening:
			a = Ability{Float16Inputs: []int{0}}
		case *ops.Convolution:
			a.Adds, a.Masks = AddsNothing, MasksByNothing
		}
		return a.Support(step)
	}
	return d
}

func programOf(t *testing.T, d device, outputs ...*gorgonia.Node) *Program {
	t.Helper()
	s, err := Make(outputs...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.For(d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryStepComesAfterItsInputs(t *testing.T) {
	for name, d := range map[string]device{"definitions": definitions(), "capable": capable()} {
		_, cost, grad := chain(t, 5)
		p := programOf(t, d, cost, grad)
		made := map[*Buffer]bool{}
		for _, b := range p.Inputs {
			made[b] = true
		}
		for i, step := range p.Steps {
			for _, b := range step.Reads() {
				if !made[b] && b.Constant == nil {
					t.Errorf("%s: step %d, %v, uses %v before it is made", name, i, step.Op, b.Node)
				}
			}
			for _, b := range step.Results {
				made[b] = true
			}
		}
		for _, output := range p.Outputs {
			if !made[output] {
				t.Errorf("%s: output %v is never made", name, output.Node)
			}
		}
	}
}

func TestNoStepOverwritesWhatIsStillNeeded(t *testing.T) {
	// As on a device that keeps maps in half precision and scalars elsewhere.
	halves := definitions()
	halves.bytes = func(b *Buffer) int {
		if b.Len() == 1 {
			return 0
		}
		return b.Bytes() / 2
	}
	halves.alignment = 256
	// As on one that needs memory beside some of its steps.
	scratched := definitions()
	scratched.supports = func(step Step) Support {
		s := ByDefinitionOf(step)
		s.Scratch = []int{100, 4000}
		return s
	}
	// As on one that lets every loss go on beside the rest.
	branched := definitions()
	branched.supports = func(step Step) Support {
		s := ByDefinitionOf(step)
		if _, ok := step.Op.(*ops.ValueAndGradient); ok {
			s.Beside = Whatever
		}
		return s
	}
	for name, d := range map[string]device{
		"definitions": definitions(), "halves": halves, "scratch": scratched, "branches": branched, "capable": capable(),
	} {
		for _, depth := range []int{1, 2, 5, 9} {
			_, cost, grad := chain(t, depth)
			noStepOverwritesWhatIsStillNeeded(t, name, depth, programOf(t, d, cost, grad))
		}
	}
}

// noStepOverwritesWhatIsStillNeeded runs a program on bytes that know their owner. The
// result of a sum may be where one of its terms is.
func noStepOverwritesWhatIsStillNeeded(t *testing.T, device string, depth int, p *Program) {
	t.Helper()
	owner := make([]*Buffer, p.Bytes)
	size := func(b *Buffer) int {
		if b.Constant != nil {
			return 0
		}
		return p.device.Bytes(b)
	}
	claim := func(b *Buffer) {
		for i := b.Offset; i < b.Offset+size(b); i++ {
			owner[i] = b
		}
	}
	check := func(b *Buffer, when string) {
		for i := b.Offset; i < b.Offset+size(b); i++ {
			if owner[i] != b {
				t.Fatalf("%s, depth %d, %s: %v was overwritten by %v", device, depth, when, b.Node, owner[i])
			}
		}
	}
	for _, b := range p.Inputs {
		claim(b)
	}
	for range 2 { // a second run finds its inputs as they were
		for i, step := range p.Steps {
			for _, b := range step.Scratch {
				claim(b)
			}
			for _, b := range step.Reads() {
				check(b, step.Op.String())
			}
			for _, b := range step.Results {
				claim(b)
			}
			for _, b := range append(slices.Clone(step.Scratch), step.Results...) {
				check(b, "beside its results")
			}
			// What a step beside this one reads and makes stands, too.
			for k, other := range p.Steps[:i] {
				if p.Branches.Ends[k] > i {
					for _, b := range append(other.Reads(), other.Results...) {
						check(b, "while "+other.Op.String()+" goes on")
					}
				}
			}
		}
		for _, b := range append(slices.Clone(p.Inputs), p.Outputs...) {
			check(b, "at the end")
		}
	}
}

func TestStepsThatRunAtTheSameTimeShareNoMemory(t *testing.T) {
	branched := definitions()
	branched.supports = func(step Step) Support {
		s := ByDefinitionOf(step)
		if _, ok := step.Op.(*ops.Convolution); ok {
			s.Beside = Whatever
		}
		return s
	}
	_, cost, grad := chain(t, 5)
	serial, beside := programOf(t, definitions(), cost, grad), programOf(t, branched, cost, grad)
	if beside.Branches.Count != 1 || serial.Branches.Count != 0 {
		t.Errorf("%d and %d branches, want one for the chain and none", beside.Branches.Count, serial.Branches.Count)
	}
	noStepOverwritesWhatIsStillNeeded(t, "branched convolutions", 5, beside)
}

// TestLossesBeginOnceTheirLayerIsThere has every loss of a chain of layers on a branch, from
// its summary on: that begins right after the convolution, the comparison follows on the same
// branch, and nothing waits for them but the gradients, and in the end the sum.
func TestLossesBeginOnceTheirLayerIsThere(t *testing.T) {
	const depth = 5
	branched := definitions()
	branched.supports = func(step Step) Support {
		s := ByDefinitionOf(step)
		switch step.Op.(type) {
		case *ops.DifferenceSums, *ops.ValueAndGradient:
			s.Beside = Whatever
		}
		return s
	}
	_, cost, grad := chain(t, depth)
	p := programOf(t, branched, cost, grad)
	noStepOverwritesWhatIsStillNeeded(t, "losses", depth, p)
	b := p.Branches
	if b.Count != depth {
		t.Errorf("%d branches, want one for each of %d losses", b.Count, depth)
	}
	layers, losses := 0, 0
	for i, step := range p.Steps {
		switch step.Op.(type) {
		case *ops.Convolution:
			if layers++; losses < layers-1 {
				t.Errorf("step %d is layer %d, before which only %d losses have begun", i, layers, losses)
			}
		case *ops.ValueAndGradient:
			if losses++; b.Of[i] == 0 || b.Of[i] != b.Of[i-1] {
				t.Errorf("step %d compares on branch %d, its summary is made on %d", i, b.Of[i], b.Of[i-1])
			}
		case *ops.DifferenceSumsGradient:
			if len(b.Joins[i]) != 1 {
				t.Errorf("step %d, the gradient of one loss, waits for branches %v", i, b.Joins[i])
			}
		case *ops.Sum:
			if i != len(p.Steps)-1 && len(b.Joins[i]) > 0 {
				t.Errorf("step %d of %d sums up losses before the end", i, len(p.Steps))
			}
		default:
			if len(b.Joins[i]) > 0 {
				t.Errorf("step %d, %v, waits for branches %v", i, step.Op, b.Joins[i])
			}
		}
	}
	if layers != depth || losses != depth {
		t.Errorf("%d layers and %d losses, want %d", layers, losses, depth)
	}
}

// TestPassesFuseWhatADeviceCan: in a chain of convolutions, each but the last has a
// cotangent from its own loss and one from further down.
func TestPassesFuseWhatADeviceCan(t *testing.T) {
	const depth = 5
	for _, test := range []struct {
		name                                           string
		device                                         device
		additions, masks, inputMasks, joined, widening int
	}{
		{"definitions", definitions(), depth - 1, depth, 0, depth, 0},
		{"capable", capable(), 0, 0, 0, depth, 0},
		{"no masks on results", without(capable(), func(s Step) bool { return s.Mask != nil }), 0, 0, depth, depth, 0},
		{"no sums", without(capable(), func(s Step) bool { return s.AddTo != nil }), depth - 1, 0, 0, depth, 0},
		{"no joint gradients", without(capable(), func(s Step) bool { _, ok := s.Op.(*ops.ValueAndGradient); return ok }), 0, 0, 0, 0, 0},
		{"differences in float32 only", without(capable(), func(s Step) bool {
			switch s.Op.(type) {
			case *ops.DifferenceSums, *ops.DifferenceSumsGradient:
				return s.Inputs[0].Float16
			}
			return false
		}), 0, 0, 0, depth, 2 * depth},
	} {
		_, cost, grad := chain(t, depth)
		p := programOf(t, test.device, cost, grad)
		var additions, masks, inputMasks, joined, widening int
		for _, step := range p.Steps {
			switch step.Op.(type) {
			case ops.Addition:
				additions++
			case *ops.RectificationGradient:
				masks++
			case *ops.ValueAndGradient:
				joined++
				if len(step.Results) != 2 {
					t.Errorf("%s: %v has %d results, want 2", test.name, step.Op, len(step.Results))
				}
			case ops.Widening:
				widening++
			}
			if step.InputMask != nil {
				inputMasks++
			}
			if step.InPlace && step.AddTo.Offset != step.Results[0].Offset {
				t.Errorf("%s: %v isn't in the place of what it is added to", test.name, step.Op)
			}
		}
		if got, want := []int{additions, masks, inputMasks, joined, widening},
			[]int{test.additions, test.masks, test.inputMasks, test.joined, test.widening}; !slices.Equal(got, want) {
			t.Errorf("%s: additions, masks, masks of inputs, joint gradients and copies in float32: %v, want %v", test.name, got, want)
		}
	}
}

// without is a device that can't do some steps.
func without(d device, steps func(Step) bool) device {
	all := d.supports
	d.supports = func(s Step) Support {
		if steps(s) {
			return Support{Why: "the test says so"}
		}
		return all(s)
	}
	return d
}

func TestStepsBesideTheirLikeAreOneGroup(t *testing.T) {
	grouping := definitions()
	grouping.supports = func(step Step) Support {
		s := ByDefinitionOf(step)
		switch step.Op.(type) {
		case *ops.ValueAndGradient:
			s.Beside = ItsLike
		case *Group:
			s.How = ByKernel
		}
		return s
	}
	_, cost, grad := chain(t, 3)
	p := programOf(t, grouping, cost, grad)
	var groups []Step
	for i, step := range p.Steps {
		if _, ok := step.Op.(*Group); ok {
			groups = append(groups, step)
		}
		for _, b := range step.Reads() {
			if u := p.uses(); !u.before(b, i) {
				t.Errorf("%v uses %v before it is made", step.Op, b.Node)
			}
		}
	}
	if len(groups) != 1 || len(groups[0].Inputs) != 6 || len(groups[0].Results) != 6 {
		t.Errorf("groups %v, want one of 6 inputs and 6 results", groups)
	}
}

func TestMemoryIsReused(t *testing.T) {
	_, cost, grad := chain(t, 12)
	p := programOf(t, definitions(), cost, grad)
	var sum int
	for _, step := range p.Steps {
		sum += step.Results[0].Bytes()
	}
	// Each of the 12 maps must stand from the forward to the backward pass, with
	// its target and the picture: 25 maps. The backward pass needs three more at
	// most at a time: a cotangent, the one it becomes, and a loss's.
	const mapBytes = 4 * 8 * 8 * 4
	if most := 28*mapBytes + 64*len(p.Steps); p.Bytes > most {
		t.Errorf("the arena has %d bytes, want at most %d; all results together have %d", p.Bytes, most, sum)
	}
}

func TestOperationsThatADeviceCannotComputeAreNamed(t *testing.T) {
	_, cost, grad := chain(t, 2)
	s, err := Make(cost, grad)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.For(without(definitions(), func(s Step) bool { _, ok := s.Op.(*ops.DifferenceSums); return ok }))
	if err == nil || !strings.Contains(err.Error(), "difference: the test says so") {
		t.Errorf("error %v, want one that names the operation and says why", err)
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
