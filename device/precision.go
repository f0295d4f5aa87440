package device

import (
	"fmt"
	"strings"
)

// Precision is the number format of feature maps and of the products in
// convolutions: one of Precisions, or AutoPrecision. The picture, its gradient and the optimiser's
// vectors are float32 in any of them, summaries of features and losses float64.
type Precision string

// AutoPrecision leaves the choice to the device: the fastest precision whose pictures are
// as good as float32's. That is float16 on a GPU, bfloat16 on a processor with AMX, and
// float32 on any other.
const AutoPrecision Precision = "auto"

// The precisions.
const (
	Float32       Precision = "f32"
	TensorFloat32 Precision = "tf32"
	Float16       Precision = "f16"
	BFloat16      Precision = "bf16"
)

// Precisions are the precisions that there are, the widest first, and which devices
// know each of them.
var Precisions = [...]struct {
	Name      Precision
	Help      string // on a GPU; sums are float32 in any of them
	CPU, CUDA bool
	OnCPU     string // what it does on the processor, where that is another thing
}{
	{Float32, "float32 throughout", true, true, ""},
	{TensorFloat32, "products of 10 bits", false, true, ""},
	{Float16, "float16 maps, which take half of the memory, and products", true, true, "saves memory, keeping features in 16 bits"},
	{BFloat16, "bfloat16 maps and products", true, true, "saves time, multiplying in 16 bits where it has instructions for that"},
}

// PrecisionNames are auto and the names in Precisions.
func PrecisionNames() []string {
	names := []string{string(AutoPrecision)}
	for _, p := range Precisions {
		names = append(names, string(p.Name))
	}
	return names
}

// Check reports a precision that isn't in Precisions, nor AutoPrecision.
func (p Precision) Check() error {
	if p == AutoPrecision {
		return nil
	}
	for _, known := range Precisions {
		if p == known.Name {
			return nil
		}
	}
	return fmt.Errorf("device: unknown precision %q, want one of %s", string(p), strings.Join(PrecisionNames(), ", "))
}

// CheckOn reports a precision that a device doesn't know. AutoPrecision is known to all,
// and the device Auto knows all, because it may turn out to be a GPU.
func (p Precision) CheckOn(n Name) error {
	if err := p.Check(); err != nil {
		return err
	}
	if p == AutoPrecision {
		return nil
	}
	var known []string
	for _, row := range Precisions {
		if n == Auto || n == CPU && row.CPU || n != CPU && row.CUDA {
			if p == row.Name {
				return nil
			}
			known = append(known, string(row.Name))
		}
	}
	last := len(known) - 1
	return fmt.Errorf("the device %s knows %s and %s, not %s", n, strings.Join(known[:last], ", "), known[last], p)
}
