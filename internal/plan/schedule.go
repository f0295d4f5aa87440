// Package plan turns a Gorgonia graph of the operations in package ops into what a
// machine can run.
//
// Make orders a graph's operations into a Schedule, which is the same for every
// device. Schedule.For makes a Program of it: it fuses, groups and narrows steps
// where a device says that it can, and gives every intermediate result a place in
// one arena, shared by results that are never needed at the same time. Executors
// bind a program's steps to kernels and run them. All sizes are known before the
// first run.
package plan

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"gonum.org/v1/gonum/graph"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
)

// Buffer is the place of one node's value.
type Buffer struct {
	Node  *gorgonia.Node
	Dtype tensor.Dtype
	Shape tensor.Shape // a scalar's is (1)
	// Constant is the value of a parameter of the graph; nil for all that has
	// its place in the arena.
	Constant gorgonia.Value
	// Input and Output tell that the value is written before runs or read after
	// them.
	Input, Output bool

	// Keeps is what is kept of a feature map, in a program.
	Keeps Keeps
	// Float16 tells that a float32 value is kept in 16 bits, in a program.
	Float16 bool
	// Offset is the place in a program's arena, in bytes.
	Offset int
}

// Kept tells whether the value stands after a run: those of inputs, outputs and
// constants do.
func (b *Buffer) Kept() bool { return b.Input || b.Output || b.Constant != nil }

// Len is the number of elements.
func (b *Buffer) Len() int { return b.Shape.TotalSize() }

// Bytes is what the value takes where elements are as wide as Keeps, Dtype and Float16
// say.
func (b *Buffer) Bytes() int {
	switch {
	case b.Keeps == Signs:
		return (b.Len() + 7) / 8
	case b.Keeps == Choices:
		return b.Shape[0] * (b.Shape[1] / 2) * (b.Shape[2] / 2)
	case b.Float16:
		return 2 * b.Len()
	case b.Dtype == tensor.Float32:
		return 4 * b.Len()
	}
	return 8 * b.Len()
}

// Op is what a step does: an operation of the graph, or one of those in package ops
// that stand in schedules only. Executors find kernels by its type.
type Op interface{ String() string }

// Step is one operation of a schedule.
type Step struct {
	Op      Op
	Inputs  []*Buffer // as the operation has them
	Results []*Buffer // likewise; most operations have one
	// AddTo, unless nil, is added to the first result.
	AddTo *Buffer
	// Mask, unless nil, is a feature map: the first result, with AddTo in it, is zero
	// where the map isn't positive, as ReLU asks of a cotangent.
	Mask *Buffer
	// InputMask, unless nil, masks the first input, as the step reads it. It is a feature
	// map or the signs of one.
	InputMask *Buffer
	// InPlace tells that the first result takes the memory of AddTo.
	InPlace bool
	// How tells, in a program, how the device computes the step, and Scratch is memory
	// that it needs while the step runs.
	How     How
	Scratch []*Buffer
}

// Reads are all buffers that a step reads.
func (s Step) Reads() []*Buffer {
	reads := slices.Clone(s.Inputs)
	for _, b := range []*Buffer{s.AddTo, s.Mask, s.InputMask} {
		if b != nil {
			reads = append(reads, b)
		}
	}
	return reads
}

// IsAddition tells an element-wise sum.
func (s Step) IsAddition() bool {
	_, ok := s.Op.(ops.Addition)
	return ok
}

// Schedule is a graph put in order.
type Schedule struct {
	Steps   []Step
	Inputs  []*Buffer // to be written before a run; they keep their values
	Outputs []*Buffer // to be read after one

	buffers map[*gorgonia.Node]*Buffer
	heights map[*gorgonia.Node]int
}

// Make schedules all that the outputs depend on. Leaves of the graph that have
// a value are constants, the others inputs. It fails on operations that no
// machine of ours knows.
func Make(outputs ...*gorgonia.Node) (schedule *Schedule, err error) {
	defer ops.Catch(&err, "plan")
	if len(outputs) == 0 {
		return nil, errors.New("plan: no outputs, want at least one node")
	}
	s := &Schedule{buffers: map[*gorgonia.Node]*Buffer{}, heights: map[*gorgonia.Node]int{}}
	for _, output := range outputs {
		b, err := s.visit(output)
		if err != nil {
			return nil, err
		}
		b.Output = true
		s.Outputs = append(s.Outputs, b)
	}
	return s, nil
}

// visit appends the steps that a node needs, itself last. The operand with the
// longest way to it comes first: where a layer's cotangents meet, the one from
// further down the network is there before the one from the layer's own loss is
// made, which so doesn't wait in memory all the way.
func (s *Schedule) visit(node *gorgonia.Node) (*Buffer, error) {
	if b, ok := s.buffers[node]; ok {
		return b, nil
	}
	b, err := newBuffer(node)
	if err != nil {
		return nil, err
	}
	operands := operandsOf(node)
	longest := slices.Clone(operands)
	slices.SortStableFunc(longest, func(a, b *gorgonia.Node) int { return s.height(b) - s.height(a) })
	for _, operand := range longest {
		if _, err := s.visit(operand); err != nil {
			return nil, err
		}
	}
	inputs := make([]*Buffer, len(operands))
	for i, operand := range operands {
		inputs[i] = s.buffers[operand]
	}
	s.buffers[node] = b
	switch {
	case b.Constant != nil:
	case node.Op() == nil:
		b.Input = true
		s.Inputs = append(s.Inputs, b)
	default:
		op, err := opOf(node)
		if err != nil {
			return nil, err
		}
		s.Steps = append(s.Steps, Step{Op: op, Inputs: inputs, Results: []*Buffer{b}})
	}
	return b, nil
}

// opOf is what a node's step does.
func opOf(node *gorgonia.Node) (Op, error) {
	if op, ours := node.Op().(ops.Operation); ours {
		return op, nil
	}
	if isAddition(node) {
		return ops.Addition{}, nil
	}
	return nil, fmt.Errorf("plan: operation %v is not one that a machine knows", node.Op())
}

// isAddition tells whether a node is Gorgonia's own element-wise sum, which
// gorgonia.Grad inserts where a node has several consumers. The operation's type
// isn't exported, so it is compared with that of another sum of such operands.
func isAddition(node *gorgonia.Node) bool {
	operands := operandsOf(node)
	if len(operands) != 2 || !operands[0].Shape().Eq(operands[1].Shape()) {
		return false
	}
	g := gorgonia.NewGraph()
	var terms [2]*gorgonia.Node
	for i, operand := range operands {
		name := gorgonia.WithName(fmt.Sprint("term ", i))
		if operand.IsScalar() {
			terms[i] = gorgonia.NewScalar(g, operand.Dtype(), name)
		} else {
			terms[i] = gorgonia.NewTensor(g, operand.Dtype(), operand.Dims(), gorgonia.WithShape(operand.Shape()...), name)
		}
	}
	sum, err := gorgonia.Add(terms[0], terms[1])
	return err == nil && reflect.DeepEqual(sum.Op(), node.Op())
}

// height is the number of operations on the longest way to a node.
func (s *Schedule) height(node *gorgonia.Node) int {
	if h, ok := s.heights[node]; ok {
		return h
	}
	h := 0
	for _, operand := range operandsOf(node) {
		h = max(h, 1+s.height(operand))
	}
	s.heights[node] = h
	return h
}

func operandsOf(node *gorgonia.Node) []*gorgonia.Node {
	var operands []*gorgonia.Node
	for _, child := range graph.NodesOf(node.Graph().From(node.ID())) {
		operands = append(operands, child.(*gorgonia.Node))
	}
	return operands
}

func newBuffer(node *gorgonia.Node) (*Buffer, error) {
	b := &Buffer{Node: node, Dtype: node.Dtype(), Shape: node.Shape()}
	if b.Shape.IsScalar() {
		b.Shape = tensor.Shape{1}
	}
	if node.Op() == nil || node.Op().Arity() == 0 {
		b.Constant = node.Value()
	}
	if b.Dtype != tensor.Float32 && b.Dtype != tensor.Float64 {
		return nil, fmt.Errorf("plan: %v is of %v, want float32 or float64", node, b.Dtype)
	}
	return b, nil
}
