// Package program describes loops over vectors once for all instruction sets: what they
// load, compute and store, lane by lane. A package for each kind of processor makes
// instructions of that.
//
// Every operation rounds by itself, none is joined with another, so results are the same
// on all processors.
package program

import (
	"fmt"
	"slices"
	"strings"
)

// Program is a function in Go, void, that repeats a body. Its parameters are the operands,
// the counts by which strided operands move, the scalars, and how often to repeat the body,
// once at least.
type Program struct {
	Name, Doc string
	// Bytes are how many of an operand an iteration goes through, 64 or 32: one to four
	// vectors, for each of which the body is repeated.
	Bytes        int
	Operands     []Operand
	Scalars      []string
	Constants    []float64
	Sums         int // see Sum
	Count        string
	Instructions []Instruction
}

// Operand is a slice of float32.
type Operand struct {
	Name string
	// Step is by how many bytes it moves in an iteration.
	Step int
	// Stride is the name of the parameter that has the step as a count of values, or empty.
	Stride string
}

// Value is the number of a value: of a scalar, a constant or the result of an instruction.
type Value struct {
	Of     Source
	Number int
}

// Source is where a value comes from.
type Source int

// The sources of values.
const (
	Computed Source = iota
	ScalarParameter
	ConstantValue
)

// Kind is what an instruction does.
type Kind int

// The kinds of instructions. Load and Store move a vector from or to memory; Accumulate
// adds the first argument to a sum.
const (
	Load Kind = iota
	Store
	Accumulate
	Add
	Subtract
	Multiply
	Divide
	Greater // of two
	Root
)

// Instruction is one of the body. Its number is that of its result.
type Instruction struct {
	Kind    Kind
	A, B    Value
	Operand int // of Load and Store
	Offset  int // in bytes
	Sum     int // of Accumulate
}

// New begins a program whose iterations go through so many bytes of an operand. doc goes on
// where the name ends.
func New(name, doc string, bytes int) *Program { return &Program{Name: name, Doc: doc, Bytes: bytes} }

// Vectors adds operands that lie value by value.
func (p *Program) Vectors(names ...string) []Memory {
	var all []Memory
	for _, name := range names {
		all = append(all, p.operand(Operand{Name: name, Step: p.Bytes}))
	}
	return all
}

// Interleaved adds an operand of so many vectors in turn.
func (p *Program) Interleaved(name string, vectors int) Memory {
	return p.operand(Operand{Name: name, Step: vectors * p.Bytes})
}

// Fixed adds an operand of one iteration's values, which are the same in all.
func (p *Program) Fixed(name string) Memory { return p.operand(Operand{Name: name}) }

// Strided adds an operand that moves by what a parameter says.
func (p *Program) Strided(name, stride string) Memory {
	return p.operand(Operand{Name: name, Stride: stride})
}

func (p *Program) operand(o Operand) Memory {
	p.Operands = append(p.Operands, o)
	return Memory{p, len(p.Operands) - 1, 0}
}

// Scalar adds a parameter, of which every lane has the value.
func (p *Program) Scalar(name string) Value {
	p.Scalars = append(p.Scalars, name)
	return Value{ScalarParameter, len(p.Scalars) - 1}
}

// Constant is a value that every lane has.
func (p *Program) Constant(v float64) Value {
	i := slices.Index(p.Constants, v)
	if i < 0 {
		i = len(p.Constants)
		p.Constants = append(p.Constants, v)
	}
	return Value{ConstantValue, i}
}

// Memory is where a vector is.
type Memory struct {
	program         *Program
	operand, offset int
}

// At is the memory so many values further on.
func (m Memory) At(values int) Memory {
	m.offset += 4 * values
	return m
}

// Vector is the memory of vector i of an interleaved operand.
func (m Memory) Vector(i int) Memory {
	m.offset += i * m.program.Bytes
	return m
}

// Load is the vector there.
func (m Memory) Load() Value {
	return m.program.add(Instruction{Kind: Load, Operand: m.operand, Offset: m.offset})
}

// Store stores a vector there.
func (m Memory) Store(v Value) {
	m.program.add(Instruction{Kind: Store, Operand: m.operand, Offset: m.offset, A: v})
}

func (p *Program) add(i Instruction) Value {
	p.Instructions = append(p.Instructions, i)
	return Value{Computed, len(p.Instructions) - 1}
}

// The arithmetic.
func (p *Program) Add(a, b Value) Value      { return p.add(Instruction{Kind: Add, A: a, B: b}) }
func (p *Program) Subtract(a, b Value) Value { return p.add(Instruction{Kind: Subtract, A: a, B: b}) }
func (p *Program) Multiply(a, b Value) Value { return p.add(Instruction{Kind: Multiply, A: a, B: b}) }
func (p *Program) Divide(a, b Value) Value   { return p.add(Instruction{Kind: Divide, A: a, B: b}) }
func (p *Program) Greater(a, b Value) Value  { return p.add(Instruction{Kind: Greater, A: a, B: b}) }
func (p *Program) Root(a Value) Value        { return p.add(Instruction{Kind: Root, A: a}) }
func (p *Program) Square(a Value) Value      { return p.Multiply(a, a) }

// Sum adds a value to a sum, lane by lane, from zero on. In the end sum i is stored in
// lanes i·Bytes/4 onwards of the operand sums.
func (p *Program) Sum(i int, v Value) {
	p.Sums = max(p.Sums, i+1)
	p.add(Instruction{Kind: Accumulate, Sum: i, A: v})
}

// SumsOperand is the operand that sums are stored to.
const SumsOperand = "sums"

// Uses are the values that an instruction needs.
func (i Instruction) Uses() []Value {
	switch i.Kind {
	case Load:
		return nil
	case Store, Accumulate, Root:
		return []Value{i.A}
	}
	return []Value{i.A, i.B}
}

// LastUses tells of each instruction where its result is last needed; -1 is nowhere.
func (p *Program) LastUses() []int {
	last := make([]int, len(p.Instructions))
	for i := range last {
		last[i] = -1
	}
	for i, instruction := range p.Instructions {
		for _, v := range instruction.Uses() {
			if v.Of == Computed {
				last[v.Number] = i
			}
		}
	}
	return last
}

// Strides are the names of the parameters that operands move by.
func (p *Program) Strides() []string {
	var names []string
	for _, o := range p.Operands {
		if o.Stride != "" && !slices.Contains(names, o.Stride) {
			names = append(names, o.Stride)
		}
	}
	return names
}

// Signature is that of the function in Go.
func (p *Program) Signature() string {
	var names []string
	if p.Sums > 0 {
		names = append(names, SumsOperand)
	}
	for _, o := range p.Operands {
		names = append(names, o.Name)
	}
	signature := strings.Join(names, ", ") + " []float32"
	if len(p.Scalars) > 0 {
		signature += ", " + strings.Join(p.Scalars, ", ") + " float32"
	}
	return fmt.Sprintf("func(%s, %s int)", signature, strings.Join(append(p.Strides(), p.Count), ", "))
}
