// Package device names what pictures can be made on, and the precisions that
// feature maps can have there. Names are strings, so that they can be written as
// such: o.Device = "cuda:1".
package device

import (
	"fmt"
	"strconv"
	"strings"
)

// Name is what a device is called: one of Names.
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
}

// Parse reads a name. It fails on a text that isn't one.
func Parse(text string) (Name, error) {
	n := Name(text)
	return n, n.Check()
}

// Check reports a name of none of the forms in Names. It doesn't look for the device.
func (n Name) Check() error {
	if _, gpu := n.Index(); gpu || n == Auto || n == CPU {
		return nil
	}
	return fmt.Errorf("device: unknown device %q, want auto, cpu, cuda or cuda:N", string(n))
}

// Index is the index of the GPU that a name stands for, which is 0 for plain cuda;
// gpu is false for a name that isn't a GPU's.
func (n Name) Index() (index int, gpu bool) {
	if n == CUDA {
		return 0, true
	}
	digits, numbered := strings.CutPrefix(string(n), string(CUDA)+":")
	if !numbered {
		return 0, false
	}
	number, err := strconv.ParseUint(digits, 10, 31)
	return int(number), err == nil
}
