// Package plan turns a Gorgonia graph of the operations in package ops into a
// schedule that any machine can run: an order of steps, and a place for every
// intermediate result in one arena, shared by results that are never needed at
// the same time. All sizes are known before the first run.
package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
	// Offset and Bytes are the place in the arena.
	Offset, Bytes int

	kept bool
}

// Kept tells whether the value stands after a run: those of inputs, outputs and
// constants do.
func (b *Buffer) Kept() bool { return b.kept || b.Constant != nil }

// Len is the number of elements.
func (b *Buffer) Len() int { return b.Shape.TotalSize() }

// Step is one operation of a schedule.
type Step struct {
	Op     gorgonia.Op
	Inputs []*Buffer
	Result *Buffer
	// Scratch is memory that a machine needs while the step runs, for it to add.
	Scratch []*Buffer
}

// IsAddition tells Gorgonia's own element-wise sum, which gorgonia.Grad inserts
// where a node has several consumers.
func (s Step) IsAddition() bool { return isAddition(s.Op) }

func isAddition(op gorgonia.Op) bool {
	return op.Arity() == 2 && strings.HasPrefix(op.String(), "+ ")
}

// Schedule is a graph made ready for a machine.
type Schedule struct {
	Steps   []Step
	Inputs  []*Buffer // to be written before a run; they keep their values
	Outputs []*Buffer // to be read after one
	// ArenaBytes is the memory that inputs, outputs and intermediate results
	// take together. Constants are not in it.
	ArenaBytes int

	buffers map[*gorgonia.Node]*Buffer
	heights map[*gorgonia.Node]int
}

// alignment of buffers in the arena: a cache line, and the widest vector.
const alignment = 64

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
		s.Outputs = append(s.Outputs, b)
	}
	for _, b := range append(append([]*Buffer(nil), s.Inputs...), s.Outputs...) {
		b.kept = true
	}
	arrangement := s.Arrange(func(b *Buffer) int { return b.Bytes }, alignment)
	s.ArenaBytes = arrangement.Bytes
	for b, offset := range arrangement.Offsets {
		b.Offset = offset
	}
	return s, nil
}

// Buffer is the place of a node, or an error for one that isn't in the schedule.
func (s *Schedule) Buffer(node *gorgonia.Node) (*Buffer, error) {
	if b, ok := s.buffers[node]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("plan: %v is not part of the schedule", node)
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
		s.Inputs = append(s.Inputs, b)
	default:
		if _, ours := node.Op().(ops.Operation); !ours && !isAddition(node.Op()) {
			return nil, fmt.Errorf("plan: operation %v is not one that a machine knows", node.Op())
		}
		s.Steps = append(s.Steps, Step{Op: node.Op(), Inputs: inputs, Result: b})
	}
	return b, nil
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
	switch b.Dtype {
	case tensor.Float32:
		b.Bytes = 4 * b.Len()
	case tensor.Float64:
		b.Bytes = 8 * b.Len()
	default:
		return nil, fmt.Errorf("plan: %v is of %v, want float32 or float64", node, b.Dtype)
	}
	return b, nil
}
