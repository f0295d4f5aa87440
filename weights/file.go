package weights

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"impasto/vgg19"
)

// File is a weight file whose tables are read and checked. Values are read when
// they are asked for.
type File struct {
	from          *source
	closer        io.Closer
	contents      *container
	layers        []layer
	preprocessing Preprocessing
}

// OpenFile opens a weight file, whatever its format. The name may also be that
// of a fetched network, as for Open.
func OpenFile(name string) (*File, error) {
	path, err := Locate(name)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	var f *File
	if err == nil {
		f, err = newFile(&source{name: path, reader: file, size: info.Size()})
	} else {
		err = fmt.Errorf("weights: %w", err)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	f.closer = file
	return f, nil
}

// Close closes the file.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

func newFile(from *source) (*File, error) {
	f := &File{from: from}
	err := f.read()
	if err != nil {
		return nil, f.fail(err)
	}
	return f, nil
}

// fail names the package and the file in front of an error.
func (f *File) fail(err error) error {
	return fmt.Errorf("weights: %s: %w", f.from.name, err)
}

func (f *File) read() error {
	var err error
	if f.contents, err = readContainer(f.from); err != nil {
		return err
	}
	var by *scheme
	if f.layers, by, err = f.contents.layers(); err != nil {
		return err
	}
	f.preprocessing, err = f.detectPreprocessing(by)
	return err
}

// readContainer tells the format by the first bytes.
func readContainer(from *source) (*container, error) {
	head, err := from.view(0, min(from.size, 64))
	switch {
	case err != nil:
		return nil, err
	case len(head) == 0:
		return nil, errors.New("is empty, want weights of VGG-19")
	case isSafetensors(head):
		return readSafetensors(from)
	case isTorchLegacy(head):
		return readTorchLegacy(from)
	case isZip(head):
		return readTorchZip(from)
	case isNumpy(head):
		return readNumpy(from)
	}
	return nil, fmt.Errorf("starts with % x, want safetensors, a PyTorch state dict or a NumPy array", head[:min(len(head), 8)])
}

// detectPreprocessing takes what the file says of itself, or else what belongs
// to the way its tensors are named.
func (f *File) detectPreprocessing(by *scheme) (Preprocessing, error) {
	if text, ok := f.contents.metadata["preprocessing"]; ok {
		return ParsePreprocessing(text)
	}
	if by.preprocessing == Torchvision {
		published, err := f.hasPublishedBiases()
		if err != nil || published {
			return Caffe, err
		}
	}
	return by.preprocessing, nil
}

// hasPublishedBiases reports whether the biases of conv1_2, which no
// pre-processing touches, are those of the embedded network. State dicts of the
// network as it was published name their tensors as torchvision does, whose own
// was trained anew.
func (f *File) hasPublishedBiases() (bool, error) {
	own, err := f.from.floats(f.layers[1].bias)
	if err != nil {
		return false, err
	}
	reference, err := Embedded()
	if err != nil {
		return false, err
	}
	want, err := reference.from.floats(reference.layers[1].bias)
	if err != nil {
		return false, err
	}
	for i, v := range want {
		// bfloat16 keeps two decimal digits.
		if math.Abs(float64(own[i]-v)) > 0.01*math.Abs(float64(v))+1e-4 {
			return false, nil
		}
	}
	return true, nil
}

// Path returns the file's path, or EmbeddedName.
func (f *File) Path() string {
	return f.from.name
}

// Preprocessing returns what the network expects to be done to its input.
func (f *File) Preprocessing() Preprocessing {
	return f.preprocessing
}

// SetPreprocessing overrides what was told from the file.
func (f *File) SetPreprocessing(p Preprocessing) error {
	if err := p.check(); err != nil {
		return err
	}
	f.preprocessing = p
	return nil
}

// Parameters decodes the network and folds its pre-processing into conv1_1.
func (f *File) Parameters() (*vgg19.Parameters, error) {
	p := new(vgg19.Parameters)
	var next atomic.Int32
	var group sync.WaitGroup
	errs := make([]error, len(f.layers))
	for range min(runtime.GOMAXPROCS(0), len(f.layers)) {
		group.Go(func() {
			// From the last, because the largest come last.
			for i := len(f.layers) - int(next.Add(1)); i >= 0; i = len(f.layers) - int(next.Add(1)) {
				p.Filters[i], p.Biases[i], errs[i] = f.layers[i].read(f.from)
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, f.fail(err)
		}
	}
	f.preprocessing.fold(p)
	for _, folded := range [][]float32{p.Filters[0], p.Biases[0]} {
		if err := checkFinite("conv1_1 with the pre-processing", folded); err != nil {
			return nil, f.fail(err)
		}
	}
	if err := p.Check(); err != nil {
		return nil, f.fail(err)
	}
	return p, nil
}
