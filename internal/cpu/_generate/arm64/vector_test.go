package arm64

import (
	"fmt"
	"strings"
	"testing"
)

// The words are what GNU as 2.40 makes of the text beside them.
func TestWordsAreThoseOfTheGNUAssembler(t *testing.T) {
	tests := []struct {
		add  func(f *Function)
		word uint32
		text string
	}{
		{func(f *Function) { f.FADD(S4, 1, 2, 31) }, 0x4e3fd441, "FADD V1.4S, V2.4S, V31.4S"},
		{func(f *Function) { f.FADD(D2, 1, 2, 31) }, 0x4e7fd441, "FADD V1.2D, V2.2D, V31.2D"},
		{func(f *Function) { f.FSUB(S4, 1, 2, 31) }, 0x4ebfd441, "FSUB V1.4S, V2.4S, V31.4S"},
		{func(f *Function) { f.FMUL(D2, 31, 1, 2) }, 0x6e62dc3f, "FMUL V31.2D, V1.2D, V2.2D"},
		{func(f *Function) { f.FDIV(S4, 1, 2, 31) }, 0x6e3ffc41, "FDIV V1.4S, V2.4S, V31.4S"},
		{func(f *Function) { f.FMAX(S4, 1, 2, 31) }, 0x4e3ff441, "FMAX V1.4S, V2.4S, V31.4S"},
		{func(f *Function) { f.FMIN(S4, 1, 2, 31) }, 0x4ebff441, "FMIN V1.4S, V2.4S, V31.4S"},
		{func(f *Function) { f.FMLA(D2, 1, 2, 31) }, 0x4e7fcc41, "FMLA V1.2D, V2.2D, V31.2D"},
		{func(f *Function) { f.FADDP(D2, 1, 2, 31) }, 0x6e7fd441, "FADDP V1.2D, V2.2D, V31.2D"},
		{func(f *Function) { f.FADDPD(1, 31) }, 0x7e70dbe1, "FADDP D1, V31.2D"},
		{func(f *Function) { f.FCMEQ(S4, 1, 2, 31) }, 0x4e3fe441, "FCMEQ V1.4S, V2.4S, V31.4S"},
		{func(f *Function) { f.FMULElement(S4, 1, 31, 17, 0) }, 0x4f9193e1, "FMUL V1.4S, V31.4S, V17.S[0]"},
		{func(f *Function) { f.FMLAElement(S4, 1, 31, 17, 1) }, 0x4fb113e1, "FMLA V1.4S, V31.4S, V17.S[1]"},
		{func(f *Function) { f.FMLAElement(S4, 1, 31, 17, 2) }, 0x4f911be1, "FMLA V1.4S, V31.4S, V17.S[2]"},
		{func(f *Function) { f.FMLAElement(S4, 1, 31, 17, 3) }, 0x4fb11be1, "FMLA V1.4S, V31.4S, V17.S[3]"},
		{func(f *Function) { f.FMLAElement(D2, 1, 31, 17, 1) }, 0x4fd11be1, "FMLA V1.2D, V31.2D, V17.D[1]"},
		{func(f *Function) { f.FMLSElement(D2, 1, 31, 17, 0) }, 0x4fd153e1, "FMLS V1.2D, V31.2D, V17.D[0]"},
		{func(f *Function) { f.FSQRT(S4, 1, 31) }, 0x6ea1fbe1, "FSQRT V1.4S, V31.4S"},
		{func(f *Function) { f.FABS(D2, 1, 31) }, 0x4ee0fbe1, "FABS V1.2D, V31.2D"},
		{func(f *Function) { f.FNEG(D2, 1, 31) }, 0x6ee0fbe1, "FNEG V1.2D, V31.2D"},
		{func(f *Function) { f.FCMGTZero(S4, 1, 31) }, 0x4ea0cbe1, "FCMGT V1.4S, V31.4S, #0.0"},
		{func(f *Function) { f.FCMEQZero(D2, 1, 31) }, 0x4ee0dbe1, "FCMEQ V1.2D, V31.2D, #0.0"},
		{func(f *Function) { f.FCVTL(S4, 1, 31) }, 0x0e217be1, "FCVTL V1.4S, V31.4H"},
		{func(f *Function) { f.FCVTL(D2, 1, 31) }, 0x0e617be1, "FCVTL V1.2D, V31.2S"},
		{func(f *Function) { f.FCVTL2(D2, 1, 31) }, 0x4e617be1, "FCVTL2 V1.2D, V31.4S"},
		{func(f *Function) { f.FCVTN(S4, 1, 31) }, 0x0e216be1, "FCVTN V1.4H, V31.4S"},
		{func(f *Function) { f.AND(1, 2, 31) }, 0x4e3f1c41, "AND V1.16B, V2.16B, V31.16B"},
		{func(f *Function) { f.BIC(1, 2, 31) }, 0x4e7f1c41, "BIC V1.16B, V2.16B, V31.16B"},
		{func(f *Function) { f.ORR(1, 2, 31) }, 0x4ebf1c41, "ORR V1.16B, V2.16B, V31.16B"},
		{func(f *Function) { f.EOR(1, 2, 31) }, 0x6e3f1c41, "EOR V1.16B, V2.16B, V31.16B"},
		{func(f *Function) { f.BSL(1, 2, 31) }, 0x6e7f1c41, "BSL V1.16B, V2.16B, V31.16B"},
		{func(f *Function) { f.BIT(1, 2, 31) }, 0x6ebf1c41, "BIT V1.16B, V2.16B, V31.16B"},
		{func(f *Function) { f.MOV(1, 31) }, 0x4ebf1fe1, "MOV V1.16B, V31.16B"},
		{func(f *Function) { f.Zero(31) }, 0x6f00e41f, "MOVI V31.2D, #0"},
		{func(f *Function) { f.ZIP1(S4, 1, 2, 31) }, 0x4e9f3841, "ZIP1 V1.4S, V2.4S, V31.4S"},
		{func(f *Function) { f.ZIP2(D2, 1, 2, 31) }, 0x4edf7841, "ZIP2 V1.2D, V2.2D, V31.2D"},
		{func(f *Function) { f.UZP1(H8, 1, 2, 31) }, 0x4e5f1841, "UZP1 V1.8H, V2.8H, V31.8H"},
		{func(f *Function) { f.CMEQ(B16, 1, 2, 31) }, 0x6e3f8c41, "CMEQ V1.16B, V2.16B, V31.16B"},
		{func(f *Function) { f.CMTST(S4, 1, 2, 31) }, 0x4ebf8c41, "CMTST V1.4S, V2.4S, V31.4S"},
		{func(f *Function) { f.SXTL(H8, 1, 31) }, 0x0f08a7e1, "SXTL V1.8H, V31.8B"},
		{func(f *Function) { f.SXTL2(S4, 1, 31) }, 0x4f10a7e1, "SXTL2 V1.4S, V31.8H"},
		{func(f *Function) { f.ADDV(1, 31) }, 0x4eb1bbe1, "ADDV S1, V31.4S"},
		{func(f *Function) { f.DUPElement(S4, 1, 31, 3) }, 0x4e1c07e1, "DUP V1.4S, V31.S[3]"},
		{func(f *Function) { f.DUPElement(D2, 1, 31, 1) }, 0x4e1807e1, "DUP V1.2D, V31.D[1]"},
		{func(f *Function) { f.DUP(B16, 1, 26) }, 0x4e010f41, "DUP V1.16B, W26"},
	}
	for _, test := range tests {
		var f Function
		test.add(&f)
		want := fmt.Sprintf("WORD $0x%08x // %s", test.word, test.text)
		if got := strings.TrimSpace(f.body.String()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestArgumentsLieAsGoPassesThem(t *testing.T) {
	f := NewFile("kernels").Function("f", "func(a []float32, b float32, c int, d, e float32) (g float32, h float64)", "")
	for name, want := range map[string]int64{"a_base": 0, "a_len": 8, "b": 24, "c": 32, "d": 40, "e": 44, "g": 48, "h": 56} {
		if got := f.places[name]; got != want {
			t.Errorf("%s is at %d, want %d", name, got, want)
		}
	}
	if f.frame != 64 {
		t.Errorf("arguments and results take %d bytes, want 64", f.frame)
	}
}

func TestScopesFreeRegisters(t *testing.T) {
	f := NewFile("kernels").Function("f", "func()", "")
	kept := f.Vector()
	var inner []V
	f.Scope(func() { inner = f.Vectors(31) })
	if again := f.Vector(); again != inner[0] || again == kept {
		t.Errorf("after a scope that took %v, the next register is %v", inner, again)
	}
}
