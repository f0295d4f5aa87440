package main

import (
	"math"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is what kernels need to know of an instruction set. A register tile is
// rows × 3 vectors: 24 of AVX-512's 32 registers, 12 of AVX2's 16. A tile of a
// cloud is as wide as a register tile, and six register tiles high.
type isa struct {
	name   string
	bytes  int // in a vector
	rows   int // of a register tile
	vector func(*build.Context) reg.VecVirtual
}

var isas = []isa{
	{"AVX512", 64, 8, (*build.Context).ZMM},
	{"AVX2", 32, 4, (*build.Context).YMM},
}

// vectors is the count of vectors in a row of a register tile.
const vectors = 3

// kernel is what every emitter keeps at hand.
type kernel struct {
	*build.Context
	isa
	constants constants
}

func (k kernel) register() reg.VecVirtual { return k.vector(k.Context) }

// stride is the distance in bytes between a tile's channels.
func (k kernel) stride() int { return vectors * k.bytes }

func (k kernel) tile() [][vectors]reg.VecVirtual {
	sums := make([][vectors]reg.VecVirtual, k.rows)
	for r := range sums {
		for v := range sums[r] {
			sums[r][v] = k.register()
		}
	}
	return sums
}

// pointer loads the address of a slice.
func (k kernel) pointer(name string) reg.GPVirtual {
	return k.Load(k.Param(name).Base(), k.GP64()).(reg.GPVirtual)
}

func (k kernel) integer(name string) reg.GPVirtual {
	return k.Load(k.Param(name), k.GP64()).(reg.GPVirtual)
}

func (k kernel) address(name string) operand.Mem {
	a, err := k.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return a.Addr
}

func (k kernel) begin(name, signature, doc string) {
	k.Function(name + k.name)
	k.Attributes(4) // NOSPLIT
	k.Pragma("noescape")
	k.SignatureExpr(signature)
	k.Doc(name + k.name + " " + doc)
}

// constants is a read-only table of vectors that hold one value each.
type constants struct {
	table operand.Mem
	at    map[string]int
}

// The polynomial is that of degree 5 with the least relative error, 7.5e-8, for
// 2^r on [−½, ½].
func newConstants(ctx *build.Context, name string) constants {
	c := constants{ctx.StaticGlobal(name), map[string]int{}}
	ctx.DataAttributes(24) // RODATA|NOPTR: read-only, no pointers
	offset := 0
	for _, v := range []struct {
		name  string
		value float32
	}{
		{"limit", 40},
		{"low", -125},
		{"magic", 1.5 * (1 << 23)},
		{"c0", 1.0000001192092896},
		{"c1", 0.6931469440460205},
		{"c2", 0.24022120237350464},
		{"c3", 0.05550713092088699},
		{"c4", 0.009675540961325169},
		{"c5", 0.001327647129073739},
		{"2", 2}, {"4", 4}, {"8", 8}, {"16", 16},
	} {
		c.at[v.name] = offset
		for range 64 / 4 {
			ctx.AddDatum(offset, operand.U32(math.Float32bits(v.value)))
			offset += 4
		}
	}
	return c
}

func (k kernel) constant(name string) operand.Mem {
	offset, ok := k.constants.at[name]
	if !ok {
		panic("no constant " + name)
	}
	return k.constants.table.Offset(offset)
}
