package colour

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"impasto/internal/colour/colourtest"
)

// convert applies a transform to one colour.
func convert(t *Transform, values ...float32) [3]float32 {
	in := make([][]float32, len(values))
	for i, v := range values {
		in[i] = []float32{v}
	}
	out := [3][]float32{{0}, {0}, {0}}
	t.Apply(out, in...)
	return [3]float32{out[0][0], out[1][0], out[2][0]}
}

func must(t *testing.T) func(transform *Transform, err error) *Transform {
	return func(transform *Transform, err error) *Transform {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return transform
	}
}

func near(t *testing.T, what string, got [3]float32, want [3]float64, tolerance float64) {
	t.Helper()
	for i, v := range got {
		if !(math.Abs(float64(v)-want[i]) <= tolerance) {
			t.Errorf("%s is %v, want %v", what, got, want)
			return
		}
	}
}

func TestSRGBProfilesLeaveColoursAsTheyAre(t *testing.T) {
	identity := [3][3]float64{{0.43607, 0.22249, 0.01392}, {0.38515, 0.71687, 0.09708}, {0.14307, 0.06061, 0.71410}} // HP's
	table := colourtest.Table(1024, func(v float64) float64 { return srgbCurve.at(v) })
	for name, profile := range map[string][]byte{
		"our own":                SRGBProfile(),
		"by a table":             colourtest.Matrix(2, identity, table).Bytes(),
		"by a function":          colourtest.Matrix(4, identity, colourtest.SRGBCurve()).Bytes(),
		"grey with sRGB's curve": colourtest.New(4, "GRAY", "XYZ ").Add("kTRC", colourtest.SRGBCurve()).Bytes(),
	} {
		if transform := must(t)(FromProfile(profile)); !transform.IsIdentity() {
			t.Errorf("%s: not recognised", name)
		}
	}
	for name, profile := range colourtest.Samples() {
		if transform := must(t)(FromProfile(profile)); transform.IsIdentity() {
			t.Errorf("%s is taken for sRGB", name)
		}
	}
}

// TestMatrixProfilesKeepSixteenBits holds what the tables make of Adobe RGB to the
// formula.
func TestMatrixProfilesKeepSixteenBits(t *testing.T) {
	transform := must(t)(FromPrimaries(AdobeRGB, 563./256))
	toD50, _ := AdobeRGB.toD50()
	m := d50ToSRGB.multiply(toD50)
	var worst float64
	for i := range 20000 {
		x := vector{float64(i%101) / 100, float64(i%97) / 96, float64(i%89) / 88}
		linear := vector{}
		for c := range x {
			linear[c] = math.Pow(x[c], 563./256)
		}
		got := convert(transform, float32(x[0]), float32(x[1]), float32(x[2]))
		for c, v := range m.times(linear) {
			worst = max(worst, math.Abs(float64(got[c])-unit(encode(unit(v)))))
		}
	}
	if worst > 0.5/65535 {
		t.Errorf("differs by %.2f levels of 16 bits from the formula, want at most 0.5", 65535*worst)
	}
}

func TestCodePointsMeanWhatTheTablesSay(t *testing.T) {
	if transform := must(t)(FromCodePoints(CodePoints{1, 13})); !transform.IsIdentity() {
		t.Error("BT.709's primaries with sRGB's curve aren't sRGB")
	}
	p3 := must(t)(FromCodePoints(CodePoints{12, 13}))
	// Display P3's green lies outside of sRGB; this grey-green doesn't: 0.45, 0.6, 0.5
	// is (0.40637, 0.60530, 0.49196) by the matrices of CSS Color 4.
	near(t, "a colour in P3", convert(p3, 0.45, 0.6, 0.5), [3]float64{0.40637, 0.60530, 0.49196}, 1e-5)
	near(t, "P3's green", convert(p3, 0, 1, 0), [3]float64{0, 1, 0}, 1e-3)
	near(t, "white", convert(p3, 1, 1, 1), [3]float64{1, 1, 1}, 1e-6)
	linear := must(t)(FromCodePoints(CodePoints{1, 8}))
	near(t, "half the light", convert(linear, 0.5, 0.5, 0.5), [3]float64{0.735357, 0.735357, 0.735357}, 1e-5)
	for _, c := range []CodePoints{{9, 16}, {9, 18}, {200, 13}, {1, 77}} {
		if _, err := FromCodePoints(c); err == nil {
			t.Errorf("%v are no error", c)
		}
	}
	if !(CodePoints{2, 2}).Unspecified() || (CodePoints{1, 13}).Unspecified() {
		t.Error("what is unspecified isn't told")
	}
}

func TestPrimariesThatAreNoColoursAreErrors(t *testing.T) {
	for name, p := range map[string]Primaries{
		"zero":      {},
		"on a line": {d65, SRGB.Red, SRGB.Red, SRGB.Blue},
		"negative":  {d65, SRGB.Red, Chromaticity{-0.2, 0.5}, SRGB.Blue},
		"NaN":       {d65, SRGB.Red, Chromaticity{math.NaN(), 0.5}, SRGB.Blue},
	} {
		if _, err := FromPrimaries(p, 2.2); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := FromPrimaries(SRGB, math.Inf(1)); err == nil {
		t.Error("an infinite exponent is no error")
	}
}

func TestValuesOutsideAreClamped(t *testing.T) {
	nan := float32(math.NaN())
	for name, profile := range colourtest.Samples() {
		transform := must(t)(FromProfile(profile))
		for _, v := range []float32{-1, 2, nan, float32(math.Inf(1)), float32(math.Inf(-1))} {
			values := []float32{v, v, v, v}[:transform.Channels()]
			for _, got := range convert(transform, values...) {
				if !(got >= 0 && got <= 1) {
					t.Errorf("%s: %v becomes %v", name, v, got)
				}
			}
		}
	}
}

func TestBrokenProfilesAreErrors(t *testing.T) {
	whole := colourtest.Samples()["RGB v4, by elements"]
	changed := func(at int, value uint32) []byte {
		data := append([]byte{}, whole...)
		binary.BigEndian.PutUint32(data[at:], value)
		return data
	}
	toLab := colourtest.Matrix(2, colourtest.DisplayP3, colourtest.Gamma(2))
	toLab.PCS = "Lab "
	side0 := colourtest.Tables8(3, 3)
	side0[10] = 0
	flat := [3][3]float64{{0.4, 0.2, 0.1}, {0.4, 0.2, 0.1}, {0.1, 0.1, 0.7}}
	for want, profile := range map[string][]byte{
		"less than a header":        whole[:100],
		"no ICC signature":          changed(36, 0),
		"connection space":          changed(20, 0x4c757620),
		"want RGB, GRAY or CMYK":    changed(16, 0x4c616220),
		"claims 4294967295 tags":    changed(128, math.MaxUint32),
		"beyond its end":            changed(136, math.MaxUint32),
		"want mft1, mft2 or mAB":    changed(144, 0x6d707374),
		"goes from 7 channels":      changed(152, 0x07030000),
		"span no space":             colourtest.Matrix(2, flat, colourtest.Gamma(2)).Bytes(),
		"exponent 0":                colourtest.Matrix(2, colourtest.DisplayP3, colourtest.Gamma(0)).Bytes(),
		"want 0 to 4":               colourtest.Matrix(2, colourtest.DisplayP3, colourtest.Parametric(9, 1)).Bytes(),
		`"rTRC" is missing`:         colourtest.New(2, "RGB ", "XYZ ").Bytes(),
		"no table for CMYK":         colourtest.New(2, "CMYK", "Lab ").Bytes(),
		"a curve ends too early":    colourtest.Matrix(2, colourtest.DisplayP3, []byte("curv\x00\x00\x00\x00\xff\xff\xff\xff")).Bytes(),
		"want one to XYZ":           toLab.Bytes(),
		"its grid ends too early":   colourtest.New(2, "CMYK", "Lab ").Add("A2B0", colourtest.Tables8(4, 3)[:1200]).Bytes(),
		"its curves end too early":  colourtest.New(2, "CMYK", "Lab ").Add("A2B0", colourtest.Tables8(4, 3)[:500]).Bytes(),
		"its grid has a side of 0":  colourtest.New(2, "RGB ", "Lab ").Add("A2B0", side0).Bytes(),
		"at most 16777216 are read": make([]byte, maxProfile+1),
	} {
		if _, err := FromProfile(profile); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func FuzzFromProfile(f *testing.F) {
	for _, profile := range colourtest.Samples() {
		if len(profile) < 20000 {
			f.Add(profile)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		transform, err := FromProfile(data)
		if err != nil {
			return
		}
		for _, v := range convert(transform, []float32{0.1, 0.9, 0.5, 0.3}[:transform.Channels()]...) {
			if !(v >= 0 && v <= 1) {
				t.Errorf("a colour becomes %v", v)
			}
		}
	})
}
