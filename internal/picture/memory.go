package picture

import "fmt"

// planesBytes is what a pixel takes in a Picture: three planes of float32, and
// one more for its opacity or for turning the picture upright.
const planesBytes = 4 * 4

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
