package neon

import (
	"impasto/internal/cpu/_generate/arm64"
	"impasto/internal/cpu/_generate/program"
)

// Flow adds the kernels of optical flow.
func Flow(f *arm64.File) {
	for _, p := range program.Flow() {
		(&programKernel{kernel: function(f, p.Name, p.Signature(), p.Doc), program: p}).emit(f)
	}
}

// programKernel adds the function of a program.
type programKernel struct {
	kernel
	program *program.Program

	operands  []arm64.R
	scalars   []arm64.V
	constants []arm64.V
	sums      [][]arm64.V // of each part of an iteration
	free      []arm64.V   // registers for results
}

func (k *programKernel) emit(f *arm64.File) {
	p := k.program
	strides := map[string]arm64.R{}
	for _, name := range p.Strides() {
		strides[name] = k.stride(name)
	}
	for _, o := range p.Operands {
		k.operands = append(k.operands, k.Base(o.Name))
	}
	for _, name := range p.Scalars {
		k.scalars = append(k.scalars, k.scalar(name))
	}
	used := len(p.Scalars) + len(p.Constants)
	if len(p.Constants) > 0 {
		packed := k.loadConstants(f, p.Name+"Constants", p.Constants)
		used += len(packed.registers)
		for i := range p.Constants {
			v := k.Vector()
			k.DUPElement(arm64.S4, v, packed.registers[i/4], i%4)
			k.constants = append(k.constants, v)
		}
	}
	parts := p.Bytes / vectorBytes
	for range parts {
		k.sums = append(k.sums, k.zeros(p.Sums))
	}
	k.free = k.Vectors(32 - used - parts*p.Sums)
	k.Loop("loop", k.Integer(p.Count), 1, func() {
		for part := range parts {
			k.body(part)
		}
		for i, o := range p.Operands {
			if o.Stride != "" {
				k.AddTo(k.operands[i], k.operands[i], strides[o.Stride], 0)
			} else {
				k.Add(k.operands[i], o.Step)
			}
		}
	})
	if p.Sums > 0 {
		to := k.Base(program.SumsOperand)
		for part, sums := range k.sums {
			for i, sum := range sums {
				k.Store(sum, at(to, i*p.Bytes+part*vectorBytes))
			}
		}
	}
	k.End()
}

// take takes a register for a result.
func (k *programKernel) take() arm64.V {
	if len(k.free) == 0 {
		panic(k.program.Name + ": out of vector registers")
	}
	v := k.free[len(k.free)-1]
	k.free = k.free[:len(k.free)-1]
	return v
}

// body adds the instructions for one vector of an iteration. A result's register is free
// again where it is last used.
func (k *programKernel) body(part int) {
	results, last := make([]arm64.V, len(k.program.Instructions)), k.program.LastUses()
	value := func(v program.Value) arm64.V {
		switch v.Of {
		case program.ScalarParameter:
			return k.scalars[v.Number]
		case program.ConstantValue:
			return k.constants[v.Number]
		}
		return results[v.Number]
	}
	for i, instruction := range k.program.Instructions {
		var a, b arm64.V
		released := map[arm64.V]bool{}
		for j, v := range instruction.Uses() {
			r := value(v)
			if j == 0 {
				a = r
			} else {
				b = r
			}
			if v.Of == program.Computed && last[v.Number] == i && !released[r] {
				released[r] = true
				k.free = append(k.free, r)
			}
		}
		m := func() arm64.Mem {
			return at(k.operands[instruction.Operand], instruction.Offset+part*vectorBytes)
		}
		switch instruction.Kind {
		case program.Store:
			k.Store(a, m())
			continue
		case program.Accumulate:
			sum := k.sums[part][instruction.Sum]
			k.FADD(arm64.S4, sum, sum, a)
			continue
		}
		to := k.take()
		results[i] = to
		switch instruction.Kind {
		case program.Load:
			k.Load(m(), to)
		case program.Root:
			k.FSQRT(arm64.S4, to, a)
		default:
			map[program.Kind]func(a arm64.Arrangement, d, n, m arm64.V){
				program.Add: k.FADD, program.Subtract: k.FSUB, program.Multiply: k.FMUL,
				program.Divide: k.FDIV, program.Greater: k.FMAX,
			}[instruction.Kind](arm64.S4, to, a, b)
		}
	}
}
