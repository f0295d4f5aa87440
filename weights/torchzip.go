package weights

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDirectory bounds what is read of a zip archive's tables.
const maxDirectory = 1 << 22

func isZip(head []byte) bool {
	return strings.HasPrefix(string(head), "PK\x03\x04")
}

// readTorchZip reads the format of torch.save since PyTorch 1.6: a zip archive,
// uncompressed, with the state dict's pickle as NAME/data.pkl and each storage
// as NAME/data/KEY.
func readTorchZip(from *source) (*container, error) {
	if err := checkDirectory(from); err != nil {
		return nil, err
	}
	tables := &boundedReader{reader: from, left: maxDirectory}
	archive, err := zip.NewReader(tables, from.size)
	if err != nil {
		return nil, fmt.Errorf("is not a whole zip archive: %w", err)
	}
	entries := map[string]*zip.File{}
	folder := ""
	for _, entry := range archive.File {
		entries[entry.Name] = entry
		if name, ok := strings.CutSuffix(entry.Name, "data.pkl"); ok && folder == "" {
			folder = name
		}
	}
	if entries[folder+"data.pkl"] == nil {
		if what := otherArchive(entries); what != "" {
			return nil, errors.New(what)
		}
	}
	start, length, err := stored(entries[folder+"data.pkl"], folder+"data.pkl")
	if err != nil {
		return nil, err
	}
	bigEndian := false
	if entry := entries[folder+"byteorder"]; entry != nil {
		at, n, err := stored(entry, folder+"byteorder")
		if err != nil {
			return nil, err
		}
		order, err := from.view(at, min(n, 16))
		if err != nil {
			return nil, err
		}
		bigEndian = string(order) == "big"
	}
	s := &stateDict{storages: map[string]*storage{}}
	pickled := *from
	if length > from.size-start {
		return nil, fmt.Errorf("%sdata.pkl has %d bytes, but only %d follow: is the file whole?", shown(folder), length, from.size-start)
	}
	pickled.size = start + length
	value, err := s.unpickler(&pickled, start).run()
	if err != nil {
		return nil, fmt.Errorf("%sdata.pkl: %w", shown(folder), err)
	}
	for key, of := range s.storages {
		name := folder + "data/" + key
		at, n, err := stored(entries[name], name)
		if err != nil {
			return nil, err
		}
		if want := of.count * kindSizes[of.kind]; n < want || n > from.size-at {
			return nil, fmt.Errorf("%s has %d bytes, want %d: is the file whole?", shown(name), n, want)
		}
		of.offset = at
	}
	return s.container("PyTorch state dict", value, bigEndian)
}

// otherArchive says what an archive is that isn't read, by its entries; it is empty
// where that can't be told.
func otherArchive(entries map[string]*zip.File) string {
	for name := range entries {
		switch {
		case strings.HasSuffix(name, ".npy"):
			return "is NumPy's archive of arrays (.npz), which isn't read; save a dictionary of them with numpy.save, or as safetensors"
		case strings.HasSuffix(name, ".h5"):
			return "is a model of Keras, which isn't read; load it in Python and save the arrays as safetensors"
		case strings.HasSuffix(name, ".pth"), strings.HasSuffix(name, ".pt"), strings.HasSuffix(name, ".safetensors"):
			return "is a zip archive of weights: unpack it first"
		}
	}
	return ""
}

// stored returns where an entry's data is.
func stored(entry *zip.File, name string) (offset, length int64, err error) {
	if entry == nil {
		return 0, 0, fmt.Errorf("is a zip archive without %s: is it a PyTorch state dict?", shown(name))
	}
	if entry.Method != zip.Store {
		return 0, 0, fmt.Errorf("%s is compressed, which PyTorch's files are not", shown(name))
	}
	offset, err = entry.DataOffset()
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", shown(name), err)
	}
	if entry.UncompressedSize64 > 1<<62 {
		return 0, 0, fmt.Errorf("%s has %d bytes, which is too large", shown(name), entry.UncompressedSize64)
	}
	return offset, int64(entry.UncompressedSize64), nil
}

// ReadAt makes a source an io.ReaderAt.
func (s *source) ReadAt(b []byte, offset int64) (int, error) {
	if offset < 0 || offset >= s.size {
		return 0, io.EOF
	}
	n := min(int64(len(b)), s.size-offset)
	content, err := s.view(offset, n)
	if err != nil {
		return 0, err
	}
	copy(b, content)
	if n < int64(len(b)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// boundedReader fails once more than left bytes were read.
type boundedReader struct {
	reader io.ReaderAt
	left   int64
}

var errBound = errors.New("its table is too large")

func (b *boundedReader) ReadAt(p []byte, offset int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errBound
	}
	return b.reader.ReadAt(p, offset)
}
