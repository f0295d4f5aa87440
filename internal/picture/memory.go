package picture

import "fmt"

// planesBytes is what a pixel takes once it is read: three planes of float32, and
// one more for its opacity or for turning the picture upright.
const planesBytes = 4 * 4

// chromaBytes is what a pixel takes while chroma is interpolated, if there are as
// many samples as pixels: coarse, fine, and rows of each of two planes.
const chromaBytes = 4 * 4

// checkMemory refuses a picture that takes more than there is.
func (h *header) checkMemory(name string, file int64, available func() (int64, bool)) error {
	free, known := available()
	need := file + h.memory + planesBytes*int64(h.width)*int64(h.height)
	if !known || need <= free {
		return nil
	}
	what := fmt.Sprintf("the %s image of %d×%d pixels (%s megapixels)", name, h.width, h.height,
		significant(float64(h.width)*float64(h.height)/1e6))
	return memoryError(what, need, free)
}

// memoryError says that something takes more than there is, and what to do.
func memoryError(what string, need, free int64) error {
	return fmt.Errorf("%s needs %s MiB of memory to be read, and there are %s MiB; make it smaller, or give the program more memory",
		what, significant(float64(need)/(1<<20)), significant(float64(free)/(1<<20)))
}

// significant writes a number with the digits that matter.
func significant(v float64) string {
	if v >= 10 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2g", v)
}
