package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// rule is what some kernels have to have on some architectures, and what they mustn't.
// Instructions are expressions for the beginnings of their names.
type rule struct {
	kernels       *regexp.Regexp // whole names
	architectures *regexp.Regexp
	needs         []string
	forbids       []string
	most          map[string]int // of those that there may be some of
}

const (
	wideLoad   = `LDG\.E(\.\w+)*\.128`
	wideStore  = `STG\.E(\.\w+)*\.128`
	wideCopy   = `LDGSTS\.E(\.\w+)*\.128`
	local      = `(LDL|STL)\b`
	matrixLoad = `LDSM\.16\.M`
)

func on(text string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + text + `)$`) }

// rules are the gates. Kernels that exist on one architecture only are stubs on others.
var rules = []rule{
	// Products of four warps out of shared memory, which boxes of tensors are copied to.
	// Six kinds of tiles wait for products five times each: where the compiler makes products one by
	// one, it does so for each.
	{
		kernels: on(`convolution_hopper_b?f16`), architectures: on(`90a`),
		needs: []string{`HGMMA\.64x128x16\.F32`, `HGMMA\.64x96x16\.F32`, `HGMMA\.64x64x16\.F32`, `HGMMA\.64x32x16\.F32`,
			`UTMALDG\.3D`, `SYNCS\.`, wideStore},
		forbids: []string{local, `HMMA\.`},
		most:    map[string]int{`WARPGROUP\.DEPBAR`: 30},
	},
	// Products of a warp, with copies in the background.
	{kernels: on(`convolution_matrix\d+_b?f16`), architectures: on(`.*`), needs: []string{`HMMA\.16816\.F32`, matrixLoad, wideCopy, wideStore}, forbids: []string{local}},
	{kernels: on(`convolution_matrix\d+_tf32`), architectures: on(`.*`), needs: []string{`HMMA\.1688\.F32\.TF32`, matrixLoad, wideCopy, wideStore}, forbids: []string{local}},
	{kernels: on(`product_matrix\d+_b?f16`), architectures: on(`.*`), needs: []string{`HMMA\.16816\.F32`, matrixLoad, wideCopy, wideLoad, wideStore}, forbids: []string{local}},
	{kernels: on(`product_matrix\d+_tf32`), architectures: on(`.*`), needs: []string{`HMMA\.1688\.F32\.TF32`, matrixLoad, wideCopy, wideLoad, wideStore}, forbids: []string{local}},
	{kernels: on(`second_moments_matrix_b?f16`), architectures: on(`.*`), needs: []string{`HMMA\.16816\.F32`, `LDSM\.16\.MT`, wideCopy}, forbids: []string{local}},
	// Whole maps, which memory's speed is the limit of.
	{kernels: on(`finish_parts_(b?f16|tf32)`), architectures: on(`.*`), needs: []string{wideLoad, wideStore}, forbids: []string{local}},
	{kernels: on(`pool_(max|mean|l2)_b?f16`), architectures: on(`.*`), needs: []string{wideLoad, wideStore}, forbids: []string{local}},
	{kernels: on(`pool_(max|mean|l2)_gradient_b?f16`), architectures: on(`.*`), needs: []string{wideLoad}, forbids: []string{local}},
	// Products in float64 out of shared memory, by two numbers at a time.
	{kernels: on(`invert_step`), architectures: on(`.*`), needs: []string{`DFMA`, `LDS\.128`}, forbids: []string{local}},
}

// ruled tells whether there is a rule for a kernel.
func ruled(kernel string) bool {
	return slices.ContainsFunc(rules, func(r rule) bool { return r.kernels.MatchString(kernel) })
}

// check lists what is wrong with the kernels of an architecture. A rule without a kernel is
// wrong too.
func check(architecture string, code map[string]mix) (wrong []string) {
	for _, r := range rules {
		if !r.architectures.MatchString(architecture) {
			continue
		}
		found := false
		for _, name := range slices.Sorted(maps.Keys(code)) {
			if !r.kernels.MatchString(name) {
				continue
			}
			found = true
			for _, want := range r.needs {
				if code[name].count(want) == 0 {
					wrong = append(wrong, fmt.Sprintf("architecture %s: %s has no %s; it has %v", architecture, name, want, code[name]))
				}
			}
			for _, bad := range r.forbids {
				if n := code[name].count(bad); n > 0 {
					wrong = append(wrong, fmt.Sprintf("architecture %s: %s has %d of %s, want none", architecture, name, n, bad))
				}
			}
			for _, few := range slices.Sorted(maps.Keys(r.most)) {
				if n := code[name].count(few); n > r.most[few] {
					wrong = append(wrong, fmt.Sprintf("architecture %s: %s has %d of %s, want %d at most", architecture, name, n, few, r.most[few]))
				}
			}
		}
		if !found {
			wrong = append(wrong, fmt.Sprintf("architecture %s: there is no kernel %v, for which there is a rule", architecture, r.kernels))
		}
	}
	return wrong
}

// count is how many instructions begin as an expression says.
func (m mix) count(expression string) (n int) {
	begins := regexp.MustCompile(`^(?:` + expression + `)`)
	for name, times := range m {
		if begins.MatchString(name) {
			n += times
		}
	}
	return n
}
