package arm64

import "fmt"

// Base loads the address of a slice.
func (f *Function) Base(name string) R { return f.Integer(name + "_base") }

// Length loads the length of a slice.
func (f *Function) Length(name string) R { return f.Integer(name + "_len") }

// Integer loads an argument that is an integer.
func (f *Function) Integer(name string) R {
	r := f.General()
	f.instruction("MOVD", f.argument(name), r)
	return r
}

// Float loads an argument that is a float32, or a float64 where double is set, to the
// lowest lane.
func (f *Function) Float(name string, double bool) V {
	v := f.Vector()
	f.instruction(floatMove(double), f.argument(name), v)
	return v
}

// Return writes a result from the lowest lane.
func (f *Function) Return(name string, v V) {
	f.instruction("FMOVD", v, f.argument(name))
}

// End returns to the caller.
func (f *Function) End() { f.instruction("RET") }

// Address loads the address of a table.
func (f *Function) Address(table string) R {
	r := f.General()
	f.instruction("MOVD", "$"+table+"<>(SB)", r)
	return r
}

// Set computes to = value.
func (f *Function) Set(to R, value int) { f.instruction("MOVD", value, to) }

// Copy computes to = from.
func (f *Function) Copy(to, from R) { f.instruction("MOVD", from, to) }

// Add computes to += value.
func (f *Function) Add(to R, value int) { f.instruction("ADD", value, to, to) }

// Sub computes to −= value.
func (f *Function) Sub(to R, value int) { f.instruction("SUB", value, to, to) }

// Offset computes to = from + value.
func (f *Function) Offset(to, from R, value int) { f.instruction("ADD", value, from, to) }

// AddTo computes to = a + b·2^shift.
func (f *Function) AddTo(to, a, b R, shift int) {
	f.instruction("ADD", shifted(b, shift), a, to)
}

func shifted(r R, shift int) string {
	if shift == 0 {
		return r.String()
	}
	return fmt.Sprintf("%v<<%d", r, shift)
}

// ShiftLeft computes r = r·2^n, ShiftRight r/2^n of what isn't negative.
func (f *Function) ShiftLeft(r R, n int)  { f.instruction("LSL", n, r, r) }
func (f *Function) ShiftRight(r R, n int) { f.instruction("LSR", n, r, r) }

// Label marks a place.
func (f *Function) Label(name string) { fmt.Fprintf(&f.body, "\n%s:\n", name) }

// Jump goes on at a label.
func (f *Function) Jump(label string) { f.instruction("B", label) }

// The branches go on at a label where r is as they say, beside a value or register.
func (f *Function) JumpZero(r R, label string)    { f.instruction("CBZ", r, label) }
func (f *Function) JumpNotZero(r R, label string) { f.instruction("CBNZ", r, label) }
func (f *Function) JumpLess(r R, value any, label string) {
	f.instruction("CMP", value, r)
	f.instruction("BLT", label)
}
func (f *Function) JumpEqual(r R, value any, label string) {
	f.instruction("CMP", value, r)
	f.instruction("BEQ", label)
}

// Loop repeats body until the counter, a positive multiple of step, is used up.
func (f *Function) Loop(label string, counter R, step int, body func()) {
	f.Label(label)
	body()
	f.instruction("SUBS", step, counter, counter)
	f.instruction("BNE", label)
}

// Mem is memory at a register's address, displaced by so many bytes.
type Mem struct {
	Base R
	Disp int
}

func (m Mem) String() string {
	if m.Disp == 0 {
		return fmt.Sprintf("(%v)", m.Base)
	}
	return fmt.Sprintf("%d(%v)", m.Disp, m.Base)
}

// Load loads a vector of 128 bits, Store stores it.
func (f *Function) Load(from Mem, to V)  { f.instruction("FMOVQ", from, to) }
func (f *Function) Store(from V, to Mem) { f.instruction("FMOVQ", from, to) }

// LoadPair loads two neighbouring vectors, StorePair stores them.
func (f *Function) LoadPair(from Mem, a, b V) {
	f.instruction("FLDPQ", from, fmt.Sprintf("(%v, %v)", a, b))
}
func (f *Function) StorePair(a, b V, to Mem) {
	f.instruction("FSTPQ", fmt.Sprintf("(%v, %v)", a, b), to)
}

// LoadThen loads a vector and moves the address on by step, StoreThen stores one.
func (f *Function) LoadThen(from R, step R, to V) {
	f.instruction("VLD1.P", fmt.Sprintf("(%v)(%v)", from, step), list("S4", to))
}
func (f *Function) StoreThen(from V, to R, step R) {
	f.instruction("VST1.P", list("S4", from), fmt.Sprintf("(%v)(%v)", to, step))
}

// LoadHalvesThen loads four values of 16 bits to the lower half of a register and moves
// the address on by step; StoreHalvesThen stores them.
func (f *Function) LoadHalvesThen(from R, step R, to V) {
	f.instruction("VLD1.P", fmt.Sprintf("(%v)(%v)", from, step), list("H4", to))
}
func (f *Function) StoreHalvesThen(from V, to R, step R) {
	f.instruction("VST1.P", list("H4", from), fmt.Sprintf("(%v)(%v)", to, step))
}

// LoadOne loads a float32, or a float64 where double is set, to the lowest lane and
// clears the others; StoreOne stores the lowest lane.
func (f *Function) LoadOne(from Mem, to V, double bool)  { f.instruction(floatMove(double), from, to) }
func (f *Function) StoreOne(from V, to Mem, double bool) { f.instruction(floatMove(double), from, to) }

func floatMove(double bool) string {
	if double {
		return "FMOVD"
	}
	return "FMOVS"
}

// LoadLane loads lane i, of elements B, H, S or D, and leaves the others; StoreLane
// stores it.
func (f *Function) LoadLane(from R, to V, element string, i int) {
	f.instruction("VLD1", Mem{Base: from}, lane(to, element, i))
}
func (f *Function) StoreLane(from V, element string, i int, to R) {
	f.instruction("VST1", lane(from, element, i), Mem{Base: to})
}

// LoadLaneThen is LoadLane and moves the address on by step, StoreLaneThen likewise.
func (f *Function) LoadLaneThen(from R, step R, to V, element string, i int) {
	f.instruction("VLD1.P", fmt.Sprintf("(%v)(%v)", from, step), lane(to, element, i))
}
func (f *Function) StoreLaneThen(from V, element string, i int, to R, step R) {
	f.instruction("VST1.P", lane(from, element, i), fmt.Sprintf("(%v)(%v)", to, step))
}

// LoadEvenOdd loads eight float32 values, the even ones to one register and the odd ones
// to the next; StoreEvenOdd stores them.
func (f *Function) LoadEvenOdd(from R, even V) {
	f.instruction("VLD2", Mem{Base: from}, list("S4", even, even+1))
}
func (f *Function) StoreEvenOdd(even V, to R) {
	f.instruction("VST2", list("S4", even, even+1), Mem{Base: to})
}

func lane(v V, element string, i int) string { return fmt.Sprintf("V%d.%s[%d]", int(v), element, i) }

func list(arrangement string, registers ...V) string {
	s := "["
	for i, r := range registers {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("V%d.%s", int(r), arrangement)
	}
	return s + "]"
}
