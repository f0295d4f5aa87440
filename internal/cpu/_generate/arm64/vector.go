package arm64

import "fmt"

// Arrangement is how a vector is divided into elements. Its value is the size of an
// element in the encoding of instructions on integers.
type Arrangement uint32

const (
	B16 Arrangement = iota
	H8
	S4
	D2
)

func (a Arrangement) String() string { return [...]string{"16B", "8H", "4S", "2D"}[a] }

// half is the arrangement of the lower half of a register.
func (a Arrangement) half() string { return [...]string{"8B", "4H", "2S", "1D"}[a] }

// element is the letter of an element.
func (a Arrangement) element() string { return [...]string{"B", "H", "S", "D"}[a] }

// double is the bit of instructions on floating-point numbers that tells D2 from S4.
func (a Arrangement) double() uint32 {
	switch a {
	case S4:
		return 0
	case D2:
		return 1 << 22
	}
	panic("no floating-point numbers in " + a.String())
}

// word adds an instruction that is given by its encoding and by its spelling.
func (f *Function) word(word uint32, name string, operands ...string) {
	fmt.Fprintf(&f.body, "\tWORD $0x%08x // %s", word, name)
	for i, o := range operands {
		if i > 0 {
			f.body.WriteByte(',')
		}
		fmt.Fprint(&f.body, " ", o)
	}
	f.body.WriteByte('\n')
}

func (v V) as(arrangement string) string { return fmt.Sprintf("V%d.%s", int(v), arrangement) }

// three adds an instruction on whole registers: d from n and m.
func (f *Function) three(name string, word uint32, a Arrangement, d, n, m V) {
	s := a.String()
	f.word(word|uint32(m)<<16|uint32(n)<<5|uint32(d), name, d.as(s), n.as(s), m.as(s))
}

func (f *Function) threeFloat(name string, word uint32, a Arrangement, d, n, m V) {
	f.three(name, word|a.double(), a, d, n, m)
}

func (f *Function) threeInteger(name string, word uint32, a Arrangement, d, n, m V) {
	f.three(name, word|uint32(a)<<22, a, d, n, m)
}

// Arithmetic, element by element: d = n + m, n − m, n·m, n/m, the greater, the lesser,
// and d + n·m with one rounding. FMAX and FMIN of a NaN are NaN.
func (f *Function) FADD(a Arrangement, d, n, m V) { f.threeFloat("FADD", 0x4e20d400, a, d, n, m) }
func (f *Function) FSUB(a Arrangement, d, n, m V) { f.threeFloat("FSUB", 0x4ea0d400, a, d, n, m) }
func (f *Function) FMUL(a Arrangement, d, n, m V) { f.threeFloat("FMUL", 0x6e20dc00, a, d, n, m) }
func (f *Function) FDIV(a Arrangement, d, n, m V) { f.threeFloat("FDIV", 0x6e20fc00, a, d, n, m) }
func (f *Function) FMAX(a Arrangement, d, n, m V) { f.threeFloat("FMAX", 0x4e20f400, a, d, n, m) }
func (f *Function) FMIN(a Arrangement, d, n, m V) { f.threeFloat("FMIN", 0x4ea0f400, a, d, n, m) }
func (f *Function) FMLA(a Arrangement, d, n, m V) { f.threeFloat("FMLA", 0x4e20cc00, a, d, n, m) }

// FADDP writes the sums of neighbours, those in n below those in m.
func (f *Function) FADDP(a Arrangement, d, n, m V) { f.threeFloat("FADDP", 0x6e20d400, a, d, n, m) }

// FCMEQ writes ones where n = m.
func (f *Function) FCMEQ(a Arrangement, d, n, m V) { f.threeFloat("FCMEQ", 0x4e20e400, a, d, n, m) }

// byElement adds an instruction of which one operand is element i of m.
func (f *Function) byElement(name string, word uint32, a Arrangement, d, n, m V, i int) {
	high, low := uint32(i), uint32(0)
	if a == S4 {
		high, low = high>>1, high&1
	}
	s := a.String()
	f.word(word|a.double()|high<<11|low<<21|uint32(m)<<16|uint32(n)<<5|uint32(d), name,
		d.as(s), n.as(s), fmt.Sprintf("V%d.%s[%d]", int(m), a.element(), i))
}

// By element i of m: d = n·m, d + n·m, d − n·m, with one rounding.
func (f *Function) FMULElement(a Arrangement, d, n, m V, i int) {
	f.byElement("FMUL", 0x4f809000, a, d, n, m, i)
}
func (f *Function) FMLAElement(a Arrangement, d, n, m V, i int) {
	f.byElement("FMLA", 0x4f801000, a, d, n, m, i)
}
func (f *Function) FMLSElement(a Arrangement, d, n, m V, i int) {
	f.byElement("FMLS", 0x4f805000, a, d, n, m, i)
}

// two adds an instruction on whole registers: d from n.
func (f *Function) two(name string, word uint32, a Arrangement, d, n V) {
	f.word(word|a.double()|uint32(n)<<5|uint32(d), name, d.as(a.String()), n.as(a.String()))
}

// The root, the absolute value, and the negative.
func (f *Function) FSQRT(a Arrangement, d, n V) { f.two("FSQRT", 0x6ea1f800, a, d, n) }
func (f *Function) FABS(a Arrangement, d, n V)  { f.two("FABS", 0x4ea0f800, a, d, n) }
func (f *Function) FNEG(a Arrangement, d, n V)  { f.two("FNEG", 0x6ea0f800, a, d, n) }

// withZero adds a comparison of n with zero.
func (f *Function) withZero(name string, word uint32, a Arrangement, d, n V) {
	f.word(word|a.double()|uint32(n)<<5|uint32(d), name, d.as(a.String()), n.as(a.String()), "#0.0")
}

// FCMGTZero and FCMEQZero write ones where n > 0 and n = 0.
func (f *Function) FCMGTZero(a Arrangement, d, n V) { f.withZero("FCMGT", 0x4ea0c800, a, d, n) }
func (f *Function) FCMEQZero(a Arrangement, d, n V) { f.withZero("FCMEQ", 0x4ea0d800, a, d, n) }

// FCVTL widens the lower half of n, FCVTL2 the upper half, to numbers of arrangement a,
// S4 or D2.
func (f *Function) FCVTL(a Arrangement, d, n V) {
	f.word(0x0e217800|a.double()|uint32(n)<<5|uint32(d), "FCVTL", d.as(a.String()), n.as((a - 1).half()))
}
func (f *Function) FCVTL2(a Arrangement, d, n V) {
	f.word(0x4e217800|a.double()|uint32(n)<<5|uint32(d), "FCVTL2", d.as(a.String()), n.as((a - 1).String()))
}

// FCVTN rounds numbers of arrangement a, S4 or D2, to the nearest of half their size, in
// the lower half of d, and clears the upper half.
func (f *Function) FCVTN(a Arrangement, d, n V) {
	f.word(0x0e216800|a.double()|uint32(n)<<5|uint32(d), "FCVTN", d.as((a - 1).half()), n.as(a.String()))
}

// FADDPD is the sum of the two float64 values of n, in the lowest lane.
func (f *Function) FADDPD(d, n V) {
	f.word(0x7e70d800|uint32(n)<<5|uint32(d), "FADDP", fmt.Sprint("D", int(d)), n.as("2D"))
}

// Bit by bit: d = n∧m, n∨m, the exclusive or, and n where d was one, else m.
func (f *Function) AND(d, n, m V) { f.three("AND", 0x4e201c00, B16, d, n, m) }
func (f *Function) ORR(d, n, m V) { f.three("ORR", 0x4ea01c00, B16, d, n, m) }
func (f *Function) EOR(d, n, m V) { f.three("EOR", 0x6e201c00, B16, d, n, m) }
func (f *Function) BSL(d, n, m V) { f.three("BSL", 0x6e601c00, B16, d, n, m) }

// BIC is n∧¬m.
func (f *Function) BIC(d, n, m V) { f.three("BIC", 0x4e601c00, B16, d, n, m) }

// BIT replaces bits of d by those of n where m is one.
func (f *Function) BIT(d, n, m V) { f.three("BIT", 0x6ea01c00, B16, d, n, m) }

// MOV copies a register.
func (f *Function) MOV(d, n V) {
	f.word(0x4ea01c00|uint32(n)<<16|uint32(n)<<5|uint32(d), "MOV", d.as("16B"), n.as("16B"))
}

// Zero clears a register.
func (f *Function) Zero(d V) { f.word(0x6f00e400|uint32(d), "MOVI", d.as("2D"), "#0") }

// ZIP1 and ZIP2 write the elements of the lower and of the upper halves of n and m in
// turn; UZP1 the even elements of n below those of m.
func (f *Function) ZIP1(a Arrangement, d, n, m V) { f.threeInteger("ZIP1", 0x4e003800, a, d, n, m) }
func (f *Function) ZIP2(a Arrangement, d, n, m V) { f.threeInteger("ZIP2", 0x4e007800, a, d, n, m) }
func (f *Function) UZP1(a Arrangement, d, n, m V) { f.threeInteger("UZP1", 0x4e001800, a, d, n, m) }

// CMEQ writes ones where integers are the same, CMTST where they have a bit in common.
func (f *Function) CMEQ(a Arrangement, d, n, m V)  { f.threeInteger("CMEQ", 0x6e208c00, a, d, n, m) }
func (f *Function) CMTST(a Arrangement, d, n, m V) { f.threeInteger("CMTST", 0x4e208c00, a, d, n, m) }

// SXTL widens signed integers of the lower half of n, SXTL2 of the upper half, to
// arrangement a, H8 to D2.
func (f *Function) SXTL(a Arrangement, d, n V) {
	f.word(0x0f00a400|1<<a<<18|uint32(n)<<5|uint32(d), "SXTL", d.as(a.String()), n.as((a - 1).half()))
}
func (f *Function) SXTL2(a Arrangement, d, n V) {
	f.word(0x4f00a400|1<<a<<18|uint32(n)<<5|uint32(d), "SXTL2", d.as(a.String()), n.as((a - 1).String()))
}

// ADDV is the sum of four integers of 32 bits, in the lowest lane.
func (f *Function) ADDV(d, n V) {
	f.word(0x4eb1b800|uint32(n)<<5|uint32(d), "ADDV", fmt.Sprint("S", int(d)), n.as("4S"))
}

// DUPElement fills d with element i of n, DUP with a general register's lowest bits.
func (f *Function) DUPElement(a Arrangement, d, n V, i int) {
	f.word(0x4e000400|uint32(2*i+1)<<a<<16|uint32(n)<<5|uint32(d), "DUP",
		d.as(a.String()), fmt.Sprintf("V%d.%s[%d]", int(n), a.element(), i))
}
func (f *Function) DUP(a Arrangement, d V, n R) {
	letter := "W"
	if a == D2 {
		letter = "X"
	}
	f.word(0x4e000c00|1<<a<<16|uint32(n)<<5|uint32(d), "DUP", d.as(a.String()), fmt.Sprint(letter, int(n)))
}
