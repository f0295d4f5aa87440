package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"impasto/internal/cpu/_generate/program"
)

// emitFlow adds the kernels of optical flow.
func emitFlow(ctx *build.Context) { emitPrograms(ctx, program.Flow(), "flowConstants") }

// emitPrograms adds functions for programs, for every instruction set whose vectors
// aren't longer than what an iteration goes through.
func emitPrograms(ctx *build.Context, programs []*program.Program, constants string) {
	c := newConstants(ctx, constants)
	for _, p := range programs {
		for _, v := range p.Constants {
			c.memory(v)
		}
	}
	for _, p := range programs {
		for _, isa := range isas {
			if isa.bytes <= p.Bytes {
				(&programKernel{kernel: kernel{ctx, isa, false}, program: p, constants: c}).emit()
			}
		}
	}
}

// programKernel adds the function of a program for an instruction set.
type programKernel struct {
	kernel
	program   *program.Program
	constants *constants

	operands []reg.GPVirtual
	scalars  []reg.VecVirtual
	sums     [][]reg.VecVirtual // of each part of an iteration
}

func (k *programKernel) emit() {
	p := k.program
	k.function(p.Name+k.name, p.Signature(), p.Doc)
	strides := map[string]reg.GPVirtual{}
	for _, name := range p.Strides() {
		strides[name] = k.stride(name)
	}
	for _, o := range p.Operands {
		k.operands = append(k.operands, k.pointer(o.Name))
	}
	for _, name := range p.Scalars {
		k.scalars = append(k.scalars, k.scalar(name))
	}
	parts := p.Bytes / k.bytes
	for range parts {
		k.sums = append(k.sums, k.zeros(p.Sums))
	}
	k.loop("loop", k.integer(p.Count), func() {
		for part := range parts {
			k.body(part)
		}
		for i, o := range p.Operands {
			if o.Stride != "" {
				k.ADDQ(strides[o.Stride], k.operands[i])
			} else {
				k.ADDQ(operand.I32(o.Step), k.operands[i])
			}
		}
	})
	if p.Sums > 0 {
		to := k.pointer(program.SumsOperand)
		for part, sums := range k.sums {
			for i, sum := range sums {
				k.store(sum, operand.Mem{Base: to, Disp: i*p.Bytes + part*k.bytes})
			}
		}
	}
	k.end()
}

// body adds the instructions for one vector of an iteration.
func (k *programKernel) body(part int) {
	results := make([]reg.VecVirtual, len(k.program.Instructions))
	value := func(v program.Value) operand.Op {
		switch v.Of {
		case program.ScalarParameter:
			return k.scalars[v.Number]
		case program.ConstantValue:
			return k.constants.memory(k.program.Constants[v.Number])
		}
		return results[v.Number]
	}
	for i, instruction := range k.program.Instructions {
		m := func() operand.Mem {
			return operand.Mem{Base: k.operands[instruction.Operand], Disp: instruction.Offset + part*k.bytes}
		}
		a, b := value(instruction.A), value(instruction.B)
		switch instruction.Kind {
		case program.Load:
			results[i] = k.register()
			k.load(m(), results[i])
		case program.Store:
			k.store(a.(reg.VecVirtual), m())
		case program.Accumulate:
			sum := k.sums[part][instruction.Sum]
			k.VADDPS(a, sum, sum)
		case program.Root:
			results[i] = k.register()
			k.VSQRTPS(a, results[i])
		default:
			results[i] = k.register()
			k.arithmetic(instruction.Kind, a, b, results[i])
		}
	}
}

// arithmetic computes to from a and b. Only b may be in memory, so others are loaded.
func (k *programKernel) arithmetic(kind program.Kind, a, b operand.Op, to reg.VecVirtual) {
	if m, inMemory := a.(operand.Mem); inMemory {
		r := k.register()
		k.load(m, r)
		a = r
	}
	map[program.Kind]func(...operand.Op){
		program.Add: k.VADDPS, program.Subtract: k.VSUBPS, program.Multiply: k.VMULPS,
		program.Divide: k.VDIVPS, program.Greater: k.VMAXPS,
	}[kind](b, a, to)
}
