// Package neon has the kernels of package kernels for arm64, whose processors all have
// the instructions called NEON: 32 registers of four float32 or two float64 values, and
// multiply-adds that take one operand from any lane of a register, so that nothing is
// broadcast. How fast they are has not been measured on any processor.
package neon

import (
	"fmt"
	"math"
	"slices"

	"impasto/internal/cpu/_generate/arm64"
)

const (
	vectorBytes = 16
	// tileVectors is the greatest count of vectors in a row of a register tile, tileRows
	// the count of its rows. There are 24 sums, 3 vectors of the right operand, and 2 (of
	// float64, 4) of the left one.
	tileVectors = 3
	tileRows    = 8
	// panelRows is the count of rows in a packed panel of the left operand.
	panelRows = 8
)

// kernel adds the instructions of one function on one type of element.
type kernel struct {
	*arm64.Function
	double bool // float64 elements
}

// element is the size of an element in bytes.
func (k kernel) element() int {
	if k.double {
		return 8
	}
	return 4
}

// lanes is the count of elements in a vector.
func (k kernel) lanes() int { return vectorBytes / k.element() }

// arrangement is how elements lie in a vector.
func (k kernel) arrangement() arm64.Arrangement {
	if k.double {
		return arm64.D2
	}
	return arm64.S4
}

// function begins a function. doc goes on where the name ends.
func function(f *arm64.File, name, signature, doc string) kernel {
	return kernel{f.Function(name+"NEON", signature, doc), false}
}

// begin begins the twin of the Go function nameGo.
func begin(f *arm64.File, name, signature string) kernel {
	return function(f, name, signature, "is "+name+"Go.")
}

// beginTyped begins a function whose name has the element's bits. Its signature has a
// verb for them.
func beginTyped(f *arm64.File, double bool, name, suffix, signature, doc string) kernel {
	k := kernel{double: double}
	bits := 8 * k.element()
	k.Function = f.Function(fmt.Sprint(name, bits, "NEON", suffix), fmt.Sprintf(signature, bits), doc)
	return k
}

// stride loads a count of elements as a count of bytes.
func (k kernel) stride(name string) arm64.R {
	r := k.Integer(name)
	k.ShiftLeft(r, k.element()/4+1)
	return r
}

// number is a general register that holds a number.
func (k kernel) number(value int) arm64.R {
	r := k.General()
	k.Set(r, value)
	return r
}

// copyOf copies an address.
func (k kernel) copyOf(from arm64.R) arm64.R {
	r := k.General()
	k.Copy(r, from)
	return r
}

// copy copies a vector.
func (k kernel) copy(from arm64.V) arm64.V {
	r := k.Vector()
	k.MOV(r, from)
	return r
}

// zeros returns n registers that hold zeros.
func (k kernel) zeros(n int) []arm64.V {
	r := k.Vectors(n)
	for _, v := range r {
		k.Zero(v)
	}
	return r
}

// scalar fills a register with an element that is a parameter.
func (k kernel) scalar(name string) arm64.V {
	v := k.Float(name, k.double)
	k.DUPElement(k.arrangement(), v, v, 0)
	return v
}

// at addresses memory.
func at(base arm64.R, displacement int) arm64.Mem { return arm64.Mem{Base: base, Disp: displacement} }

// loadRow loads neighbouring vectors, storeRow stores them.
func (k kernel) loadRow(from arm64.Mem, to []arm64.V) {
	for ; len(to) >= 2; to = to[2:] {
		k.LoadPair(from, to[0], to[1])
		from.Disp += 2 * vectorBytes
	}
	if len(to) > 0 {
		k.Load(from, to[0])
	}
}

func (k kernel) storeRow(from []arm64.V, to arm64.Mem) {
	for ; len(from) >= 2; from = from[2:] {
		k.StorePair(from[0], from[1], to)
		to.Disp += 2 * vectorBytes
	}
	if len(from) > 0 {
		k.Store(from[0], to)
	}
}

// tile returns the registers of rows × vectors sums.
func (k kernel) tile(rows, vectors int) [][]arm64.V {
	sums := make([][]arm64.V, rows)
	for r := range sums {
		sums[r] = k.Vectors(vectors)
	}
	return sums
}

func (k kernel) clear(sums [][]arm64.V) {
	for _, s := range slices.Concat(sums...) {
		k.Zero(s)
	}
}

// outerProduct adds to each row of a register tile the right row times an element of the
// left column, which fills registers one after the other.
func (k kernel) outerProduct(sums [][]arm64.V, left, right []arm64.V) {
	for r := range sums {
		for j, x := range right {
			k.FMLAElement(k.arrangement(), sums[r][j], x, left[r/k.lanes()], r%k.lanes())
		}
	}
}

// transpose4 transposes a square of 4×4 values in place: eight instructions.
func (k kernel) transpose4(rows []arm64.V) {
	k.Scope(func() {
		t := k.Vectors(4)
		k.ZIP1(arm64.S4, t[0], rows[0], rows[2])
		k.ZIP1(arm64.S4, t[1], rows[1], rows[3])
		k.ZIP2(arm64.S4, t[2], rows[0], rows[2])
		k.ZIP2(arm64.S4, t[3], rows[1], rows[3])
		k.ZIP1(arm64.S4, rows[0], t[0], t[1])
		k.ZIP2(arm64.S4, rows[1], t[0], t[1])
		k.ZIP1(arm64.S4, rows[2], t[2], t[3])
		k.ZIP2(arm64.S4, rows[3], t[2], t[3])
	})
}

// constants are float32 values in lanes of registers.
type constants struct {
	kernel
	values    []float64
	registers []arm64.V
}

// loadConstants adds a table and loads it.
func (k kernel) loadConstants(f *arm64.File, table string, values []float64) constants {
	words := make([]uint32, (len(values)+3)/4*4)
	for i, v := range values {
		words[i] = math.Float32bits(float32(v))
	}
	f.Table(table, words)
	registers := k.Vectors(len(words) / 4)
	k.Scope(func() { k.loadRow(at(k.Address(table), 0), registers) })
	return constants{k, values, registers}
}

// find is the place of a constant.
func (c constants) find(v float64) (arm64.V, int) {
	i := slices.Index(c.values, v)
	if i < 0 {
		panic(fmt.Sprint("no constant ", v))
	}
	return c.registers[i/4], i % 4
}

// times computes to = factor·x.
func (c constants) times(to arm64.V, factor float64, x arm64.V) {
	r, i := c.find(factor)
	c.FMULElement(arm64.S4, to, x, r, i)
}

// addMultiple computes sum += factor·x, or sum −= where the factor is negative. The
// constants have its absolute value.
func (c constants) addMultiple(sum arm64.V, factor float64, x arm64.V) {
	switch {
	case factor == 1:
		c.FADD(arm64.S4, sum, sum, x)
	case factor == -1:
		c.FSUB(arm64.S4, sum, sum, x)
	case factor > 0:
		r, i := c.find(factor)
		c.FMLAElement(arm64.S4, sum, x, r, i)
	default:
		r, i := c.find(-factor)
		c.FMLSElement(arm64.S4, sum, x, r, i)
	}
}
