package plan

import "slices"

// Ability is what a device's kernel for an operation does beside the operation
// itself. The zero value does nothing else, on values as wide as their types say.
type Ability struct {
	// Float16Inputs are the inputs that may be kept in 16 bits; Float16Results says
	// the same of all results.
	Float16Inputs  []int
	Float16Results bool
	// Adds tells whether AddTo may be there, and where.
	Adds Adds
	// Masks tells by what the result can be masked.
	Masks Masks
	// MasksInput tells whether the first input can be masked, by a map of any format.
	MasksInput bool
	// Signs tells whether the kernel makes the signs of its first result, where they are
	// its second, and masks its first input by signs, where it masks that.
	Signs bool
	// Again tells whether the operation is cheap enough, of a picture, to be made again
	// rather than its result be kept.
	Again   bool
	Beside  Beside
	Scratch []int
}

// Adds is where a kernel can add something to its result.
type Adds int

const (
	AddsNothing Adds = iota
	AddsInPlace      // where the result is written over it
	AddsAny          // wherever it is
)

// Masks is by what a kernel can mask its result.
type Masks int

const (
	MasksByNothing Masks = iota
	MasksByInput         // by a map that is among the operation's inputs
	MasksByAny
)

// Support is that of a step by a kernel with this ability.
func (a Ability) Support(s Step) Support {
	for i, b := range s.Inputs {
		if b.Float16 && !slices.Contains(a.Float16Inputs, i) {
			return Support{Why: "its kernel doesn't read float16"}
		}
	}
	for _, b := range s.Results {
		if b.Float16 && !a.Float16Results {
			return Support{Why: "its kernel doesn't write float16"}
		}
	}
	switch {
	case s.hasSigns() && !a.Signs:
		return Support{Why: "its kernel neither makes nor reads signs"}
	case s.AddTo != nil && a.Adds == AddsNothing:
		return Support{Why: "its kernel doesn't add to its result"}
	case s.AddTo != nil && a.Adds == AddsInPlace && s.AddTo.Float16 != s.Results[0].Float16:
		return Support{Why: "its kernel adds in one format only"}
	case s.Mask != nil && (a.Masks == MasksByNothing || a.Masks == MasksByInput && !slices.Contains(s.Inputs, s.Mask)):
		return Support{Why: "its kernel doesn't mask its result by that map"}
	case s.InputMask != nil && !a.MasksInput:
		return Support{Why: "its kernel doesn't mask its input"}
	}
	return Support{
		How: ByKernel, InPlace: s.AddTo != nil && a.Adds == AddsInPlace, Again: a.Again, Beside: a.Beside, Scratch: a.Scratch,
	}
}

// ByDefinitionOf is the support of a step whose operation is computed by its
// definition, on the processor: of nothing but the operation.
func ByDefinitionOf(s Step) Support {
	support := Ability{}.Support(s)
	if support.How == ByKernel {
		support.How = ByDefinition
	}
	return support
}
