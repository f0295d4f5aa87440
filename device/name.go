// Package device names what pictures can be made on, and the precisions that
// feature maps can have there. Names are strings, so that they can be written as
// such: o.Device = "cuda:1".
package device

import (
	"fmt"
	"strconv"
	"strings"
)

// Name is what a device is called, or several GPUs are: one of Names.
type Name string

// The names without a number.
const (
	Auto Name = "auto"
	CPU  Name = "cpu"
	CUDA Name = "cuda"
)

// GPU is the name of the GPU with that index, from 0 on.
func GPU(index int) Name { return Name(fmt.Sprintf("%s:%d", CUDA, index)) }

// Names are the forms of names that there are.
var Names = [...]struct {
	Name Name
	Help string
}{
	{Auto, "the first GPU that can be used, or else the processor"},
	{CPU, "the processor"},
	{CUDA, "the first NVIDIA GPU"},
	{"cuda:N", "the NVIDIA GPU with the index N, from 0 on"},
	{"cuda:N,N", "several NVIDIA GPUs: batch paints a picture on each at a time, and a picture that is too large for the first is shared among them"},
}

// Parse reads a name. It fails on a text that isn't one.
func Parse(text string) (Name, error) {
	n := Name(text)
	return n, n.Check()
}

// Check reports a name of none of the forms in Names, and one that has a GPU twice. It
// doesn't look for the devices.
func (n Name) Check() error {
	if n == Auto || n == CPU {
		return nil
	}
	indices, ok := n.indices()
	if !ok {
		return fmt.Errorf("device: unknown device %q, want auto, cpu, cuda, cuda:N or cuda:N,N", string(n))
	}
	seen := map[int]bool{}
	for _, index := range indices {
		if seen[index] {
			return fmt.Errorf("device: %q has GPU %d twice", string(n), index)
		}
		seen[index] = true
	}
	return nil
}

// Index is the index of the GPU that a name stands for, which is 0 for plain cuda, and the
// first of several; gpu is false for a name that isn't a GPU's.
func (n Name) Index() (index int, gpu bool) {
	indices, gpu := n.indices()
	if !gpu {
		return 0, false
	}
	return indices[0], true
}

// Each are the names of the devices that a name stands for: several where it is one of
// several GPUs, else itself.
func (n Name) Each() []Name {
	indices, gpu := n.indices()
	if !gpu || len(indices) == 1 {
		return []Name{n}
	}
	var each []Name
	for _, index := range indices {
		each = append(each, GPU(index))
	}
	return each
}

// indices are those of the GPUs that a name stands for.
func (n Name) indices() (indices []int, ok bool) {
	if n == CUDA {
		return []int{0}, true
	}
	numbers, numbered := strings.CutPrefix(string(n), string(CUDA)+":")
	if !numbered {
		return nil, false
	}
	for digits := range strings.SplitSeq(numbers, ",") {
		number, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			return nil, false
		}
		indices = append(indices, int(number))
	}
	return indices, true
}
