package weights

import (
	"os"
	"path/filepath"
	"testing"
)

// small is two tensors, for seeds of the fuzzers.
func small() []fixture {
	return []fixture{
		{"conv1_1.weight", kindF32, []int64{2, 1}, make([]byte, 8)},
		{"b", kindU8, []int64{3}, []byte{1, 2, 3}},
	}
}

// fuzz runs a reader over variants of seeds: it may refuse them, but must not
// panic, nor run out of memory.
func fuzz(f *testing.F, read func(*source) (*container, error), seeds ...[]byte) {
	for _, seed := range seeds {
		f.Add(seed)
		f.Add(seed[:len(seed)/2])
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := readAll(content, read); err != nil && err.Error() == "" {
			t.Error("an error says nothing")
		}
		if _, err := inMemory(content); err == nil && len(content) < 1<<20 {
			t.Error("less than a megabyte is taken for VGG-19")
		}
	})
}

func FuzzSafetensors(f *testing.F) {
	fuzz(f, readSafetensors, safetensorsFile(map[string]string{"preprocessing": Caffe.String()}, small()), header("{}", 0))
}

func FuzzTorchLegacy(f *testing.F) {
	written, err := os.ReadFile(filepath.Join("testdata", "older.pth"))
	if err != nil {
		f.Fatal(err)
	}
	fuzz(f, readTorchLegacy, torchLegacyFile(small()), dictionary("}."), written)
}

func FuzzTorchZip(f *testing.F) {
	written, err := os.ReadFile(filepath.Join("testdata", "zip.pth"))
	if err != nil {
		f.Fatal(err)
	}
	fuzz(f, readTorchZip, torchZipFile(small()), written)
}

func FuzzNumpy(f *testing.F) {
	fuzz(f, readNumpy, numpyFile(small()[:1], false), numpyFile(small()[:1], true))
}

func FuzzPreprocessing(f *testing.F) {
	f.Add(Caffe.String())
	f.Add("torchvision")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePreprocessing(text)
		if err != nil {
			return
		}
		if q, err := ParsePreprocessing(p.String()); err != nil || q != p {
			t.Errorf("%q is read as %v, and that as %v, %v", text, p, q, err)
		}
	})
}
