package weights

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"impasto/internal/memory"
	"impasto/internal/quote"
	"impasto/internal/regular"
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
	remarks       []string
}

// OpenFile opens a weight file, whatever its format. The name may also be that
// of a fetched network, as for Open. Whatever is read of the file, now or later, ends
// with an error once ctx does. Only regular files are opened: others may never end, or
// never begin.
func OpenFile(ctx context.Context, name string) (*File, error) {
	path, err := Locate(name)
	if err != nil {
		return nil, err
	}
	file, size, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	f, err := newFile(&source{name: path, ctx: ctx, reader: file, size: size})
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

// checkMemory refuses to decode the network where memory is short: its parameters in
// float32, and for each thread a convolution on the way there, at most 8 bytes a value
// in the file and 8 more as float32 and rearranged.
func checkMemory(available int64, known bool) error {
	var all, most int64
	for _, c := range vgg19.Convolutions {
		n := int64(c.Out) * int64(c.In) * 9
		all, most = all+n, max(most, n)
	}
	need := 4*all + int64(min(runtime.GOMAXPROCS(0), len(vgg19.Convolutions)))*16*most
	if known && available < need {
		return fmt.Errorf("decoding takes up to %d MB of memory, and %d MB are free", need/1e6, available/1e6)
	}
	return nil
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
	return fmt.Errorf("weights: %s: %w", quote.Name(f.from.name), err)
}

func (f *File) read() error {
	var err error
	if f.contents, err = readContainer(f.from); err != nil {
		return err
	}
	found, err := f.contents.find()
	if err != nil {
		return err
	}
	f.layers, f.remarks = found.layers, found.remarks()
	f.preprocessing, err = f.detectPreprocessing(found)
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
	if what := otherFormat(head); what != "" {
		return nil, errors.New(what)
	}
	return nil, fmt.Errorf("starts with % x, want "+readFormats, head[:min(len(head), 8)])
}

// detectPreprocessing takes what the file says of itself, or else what belongs
// to the way its tensors are named.
func (f *File) detectPreprocessing(found *finding) (Preprocessing, error) {
	if text, ok := f.contents.metadata["preprocessing"]; ok {
		return ParsePreprocessing(text)
	}
	if found.input != nil {
		return f.from.preprocessing(found.input)
	}
	usual := Torchvision
	if found.scheme != nil {
		usual = found.scheme.preprocessing
	}
	if usual == Torchvision {
		published, err := f.hasPublishedBiases()
		if err != nil || published {
			return Caffe, err
		}
	}
	return usual, nil
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
	return f.parameters((*layer).readInto)
}

// parameters is Parameters with each layer read by a function.
func (f *File) parameters(read func(l *layer, from *source, i int, to *vgg19.Parameters) error) (*vgg19.Parameters, error) {
	if err := checkMemory(memory.Available()); err != nil {
		return nil, f.fail(err)
	}
	p := new(vgg19.Parameters)
	var next atomic.Int32
	var group sync.WaitGroup
	errs := make([]error, len(f.layers))
	for range min(runtime.GOMAXPROCS(0), len(f.layers)) {
		group.Go(func() {
			// From the last, because the largest come last.
			for i := len(f.layers) - int(next.Add(1)); i >= 0; i = len(f.layers) - int(next.Add(1)) {
				errs[i] = read(&f.layers[i], f.from, i, p)
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
