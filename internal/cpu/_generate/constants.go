package main

import (
	"math"
	"slices"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// constants are vectors in read-only memory, each of one float32 value repeated.
// Kernels use them from there, because AVX2 has no registers left for them.
type constants struct {
	ctx    *build.Context
	base   operand.Mem
	values []float64
}

func newConstants(ctx *build.Context, name string) *constants {
	c := &constants{ctx: ctx, base: ctx.StaticGlobal(name)}
	ctx.DataAttributes(readOnlyTable)
	return c
}

// memory returns the place of a constant, which it adds when it is first used.
func (c *constants) memory(v float64) operand.Mem {
	i := slices.Index(c.values, v)
	if i < 0 {
		i = len(c.values)
		c.values = append(c.values, v)
		for lane := range 16 {
			// As bits: avo prints the float 2 as 2, which the assembler reads as
			// an integer.
			c.ctx.AddDatum(64*i+4*lane, operand.U32(math.Float32bits(float32(v))))
		}
	}
	return c.base.Offset(64 * i)
}

// integer32 returns the place of a constant that is an integer of 32 bits: the float32
// of these bits.
func (c *constants) integer32(v uint32) operand.Mem {
	return c.memory(float64(math.Float32frombits(v)))
}
