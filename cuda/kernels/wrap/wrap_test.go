package main

import (
	"strings"
	"testing"
)

const source = `
constexpr int threads = 32 * rows, rows = 8;
// KERNEL((threads), of_a_comment, Int n) isn't one.
#define PAIR(suffix, T, edge)                                   \
    KERNEL((threads, 2), blend##edge##_##suffix, T *y, const T *x, const float *bias, Int row_count) { \
        y[0] = x[0]; /* KERNEL((1), none, Int n) */                   \
    }                                                           \
    KERNEL((128), sum_##suffix, double *sums, const T *x, Int n) {}
#define PAIRS(suffix, T) PAIR(suffix, T, 64)
PAIRS(f32, float)
PAIRS(f16, f16)
PAIRS(bf16, bf16)
#undef PAIRS
#undef PAIR
#define KIND(suffix, bounds) KERNEL(bounds, nearest_##suffix, int *index, const float *x) {}
KIND(f32, (threads))
KIND(tf32, (threads, 2))
KERNEL((1), add_f64, double *y, const double *const *terms, double factor,
       const Place *places) {
    call(y, (1));
}
`

func functionsIn(text string) (string, error) {
	r := reader{constants: map[string]string{}}
	if err := r.read("some.cu", text); err != nil {
		return "", err
	}
	functions, err := functionsOf(r.kernels)
	if err != nil {
		return "", err
	}
	made, err := write(functions)
	return string(made), err
}

func TestKernelsOfMacrosAreFunctions(t *testing.T) {
	made, err := functionsIn(source)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`// Blend64 launches blend64_f32, blend64_f16 or blend64_bf16.
func (element Element) Blend64(shape Shape, y, x Elements, bias Pointer[float32], rowCount int) Launch {
	return element.launch("blend64", 256, shape, y, x, bias, integer(rowCount))
}`,
		`func (element Element) Sum(shape Shape, sums Pointer[float64], x Elements, n int) Launch {
	return element.launch("sum", 128, shape, sums, x, integer(n))
}`,
		`func (precision Precision) Nearest(shape Shape, index Pointer[int32], x Pointer[float32]) Launch {`,
		`// AddF64 launches add_f64.
func AddF64(shape Shape, y Pointer[float64], terms Pointer[Pointer[float64]], factor float64, places Pointer[Place]) Launch {
	return launch("add_f64", 1, shape, y, terms, double(factor), places)
}`,
		`"blend64": {{"y", ofMap}, {"x", ofMap}, {"bias", 4}, {"row_count", 0}},`,
		`"add_f64": {{"y", 8}, {"terms", 8}, {"factor", 0}, {"places", 8}},`,
	} {
		if !strings.Contains(made, want) {
			t.Errorf("no\n%s\n\nin\n\n%s", want, made)
		}
	}
	if n := strings.Count(made, "\nfunc "); n != 4 {
		t.Errorf("%d functions, want 4:\n%s", n, made)
	}
}

func TestDeclarationsThatCannotBeWrappedAreErrors(t *testing.T) {
	for text, want := range map[string]string{
		"KERNEL((256), a, short *x) {}":                                     "short*",
		"KERNEL((256), a, float x) {}":                                      "float",
		"KERNEL((unknown), a, Int n) {}":                                    "unknown",
		"KERNEL((256), a, Int n":                                            "closed",
		"KERNEL((256 / 2), a, Int n) {}":                                    "products",
		"#define M(a) KERNEL(a)\nM(1, 2)\n":                                 "2 arguments, want 1",
		"KERNEL((1), a_f32, float *x) {}\nKERNEL((1), a_f16, f16 *y) {}":    "a_f16 is y, want x",
		"KERNEL((1), a_f32, float *x) {}\nKERNEL((1), a_f16, double *x) {}": "double*",
		"KERNEL((1), a_f32, float *x) {}\nKERNEL((2), a_f16, f16 *x) {}":    "2 threads, want 1 and 1",
	} {
		if _, err := functionsIn(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", text, err, want)
		}
	}
}
