package main

import (
	"fmt"
	"strings"
	"testing"
)

// listing is what nvdisasm writes of two kernels, shortened.
const listing = `
//--------------------- .text.convolution_hopper_f16 --------------------------
	.section	.text.convolution_hopper_f16,"ax",@progbits
convolution_hopper_f16:
.text.convolution_hopper_f16:
        /*0000*/                   LDC R1, c[0x0][0x28] ;
        /*0010*/               @P0 UTMALDG.3D [UR16], [UR6] ;
        /*0020*/                   SYNCS.EXCH.64 URZ, [UR5], UR6 ;
.L_x_1:
        /*0030*/                   HGMMA.64x128x16.F32 R24, gdesc[UR4], R24 ;
        /*0031*/                   HGMMA.64x96x16.F32 R24, gdesc[UR4], R24 ;
        /*0032*/                   HGMMA.64x64x16.F32 R24, gdesc[UR4], R24 ;
        /*0033*/                   HGMMA.64x32x16.F32 R24, gdesc[UR4], R24, gsb0 ;
        /*0034*/                   WARPGROUP.DEPBAR.LE gsb0, 0x0 ;
        /*0040*/              @!P1 STG.E.128 desc[UR8][R2.64], R4 ;
%s
pool_max_f16:
.text.pool_max_f16:
        /*0000*/                   LDG.E.128.CONSTANT R4, desc[UR4][R2.64] ;
        /*0010*/                   STG.E.128 desc[UR8][R2.64], R4 ;
`

func TestListingsAreCountedByFunction(t *testing.T) {
	code := parse(fmt.Sprintf(listing, ""))
	if got, want := code["convolution_hopper_f16"].String(), "HGMMA.64x128x16.F32×1 HGMMA.64x32x16.F32×1 HGMMA.64x64x16.F32×1 HGMMA.64x96x16.F32×1 STG.E.128×1 SYNCS.EXCH.64×1 UTMALDG.3D×1"; got != want {
		t.Errorf("the convolution has %s, want %s", got, want)
	}
	if n := code["pool_max_f16"]["LDG.E.128.CONSTANT"]; n != 1 {
		t.Errorf("the pooling has %d wide loads, want 1", n)
	}
}

// Each fault is put in, and has to be the only thing wrong with these kernels.
func TestFaultsInMachineCodeAreFound(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"none", fmt.Sprintf(listing, ""), ""},
		{"a register that is spilled", fmt.Sprintf(listing, "        /*0050*/                   STL.64 [R1+0x8], R4 ;"), "1 of (LDL|STL)"},
		{"a load back under a predicate", fmt.Sprintf(listing, "        /*0050*/             @!UP0 LDL R4, [R1] ;"), "1 of (LDL|STL)"},
		{"products of single warps", strings.Replace(fmt.Sprintf(listing, ""), "HGMMA.64x128x16.F32", "HMMA.16816.F32", 1), `has no HGMMA`},
		{"products one by one", fmt.Sprintf(listing, strings.Repeat("        /*0050*/                   WARPGROUP.DEPBAR.LE gsb0, 0x0 ;\n", 30)), `31 of WARPGROUP`},
		{"stores of four bytes", strings.Replace(fmt.Sprintf(listing, ""), "STG.E.128 desc[UR8][R2.64], R4 ;\n\npool", "STG.E desc[UR8][R2.64], R4 ;\n\npool", 1), `convolution_hopper_f16 has no STG`},
		{"loads of two bytes", strings.Replace(fmt.Sprintf(listing, ""), "LDG.E.128.CONSTANT", "LDG.E.U16.CONSTANT", 1), `pool_max_f16 has no LDG`},
	} {
		var wrong []string
		for _, w := range check("90a", parse(test.text)) {
			if !strings.Contains(w, "there is no kernel") {
				wrong = append(wrong, w)
			}
		}
		got := strings.Join(wrong, "\n")
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: found %q, want %q", test.name, got, test.want)
		}
	}
}

func TestKernelsThatAreGoneAreFound(t *testing.T) {
	wrong := check("80", parse(fmt.Sprintf(listing, "")))
	if got := strings.Join(wrong, "\n"); !strings.Contains(got, "there is no kernel ^(?:invert_step)$") || strings.Contains(got, "hopper") {
		t.Errorf("found %q, want the missing kernels of architecture 80, of which those for Hopper are none", got)
	}
}
