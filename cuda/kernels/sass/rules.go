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
	{on(`convolution_hopper\d+_b?f16`), on(`90a`), []string{`HGMMA\.`, `UTMALDG\.3D`, `SYNCS\.`, wideStore}, []string{local, `HMMA\.`}},
	// Products of a warp, with copies in the background.
	{on(`convolution_matrix\d+_b?f16`), on(`.*`), []string{`HMMA\.16816\.F32`, matrixLoad, wideCopy, wideStore}, []string{local}},
	{on(`convolution_matrix\d+_tf32`), on(`.*`), []string{`HMMA\.1688\.F32\.TF32`, matrixLoad, wideCopy, wideStore}, []string{local}},
	{on(`product_matrix\d+_b?f16`), on(`.*`), []string{`HMMA\.16816\.F32`, matrixLoad, wideCopy, wideLoad, wideStore}, []string{local}},
	{on(`product_matrix\d+_tf32`), on(`.*`), []string{`HMMA\.1688\.F32\.TF32`, matrixLoad, wideCopy, wideLoad, wideStore}, []string{local}},
	{on(`second_moments_matrix_b?f16`), on(`.*`), []string{`HMMA\.16816\.F32`, `LDSM\.16\.MT`, wideCopy}, []string{local}},
	// Whole maps, which memory's speed is the limit of.
	{on(`finish_parts_(b?f16|tf32)`), on(`.*`), []string{wideLoad, wideStore}, []string{local}},
	{on(`pool_(max|mean|l2)_b?f16`), on(`.*`), []string{wideLoad, wideStore}, []string{local}},
	{on(`pool_(max|mean|l2)_gradient_b?f16`), on(`.*`), []string{wideLoad}, []string{local}},
	// Products in float64 out of shared memory, by two numbers at a time.
	{on(`invert_step`), on(`.*`), []string{`DFMA`, `LDS\.128`}, []string{local}},
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
