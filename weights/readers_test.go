package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// sample opens a file that testdata/make.py made.
func sample(t *testing.T, name string) (*source, *container) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	from := &source{name: name, memory: content, size: int64(len(content))}
	c, err := readContainer(from)
	if err != nil {
		t.Fatal(err)
	}
	return from, c
}

// steps returns n numbers from start in steps.
func steps(n int, start, step float32) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = start + step*float32(i)
	}
	return values
}

// turned is 0…23 as 4×6, transposed.
func turned() []float32 {
	var values []float32
	for column := range 6 {
		for row := range 4 {
			values = append(values, float32(row*6+column))
		}
	}
	return values
}

func TestFilesOfPyTorchAndNumPyAreRead(t *testing.T) {
	type array struct {
		kind   kind
		shape  []int64
		values []float32
	}
	torch := map[string]array{
		"f32":        {kindF32, []int64{2, 3, 4}, steps(24, 0, 1)},
		"f64":        {kindF64, []int64{6}, steps(6, 0, 0.25)},
		"f16":        {kindF16, []int64{6}, steps(6, 0, 0.25)},
		"bf16":       {kindBF16, []int64{6}, steps(6, 0, 0.25)},
		"turned":     {kindF32, []int64{6, 4}, turned()},
		"second_row": {kindF32, []int64{12}, steps(12, 12, 1)},
		"spread":     {kindF32, []int64{3}, []float32{5, 5, 5}},
		"parameter":  {kindF32, []int64{2}, []float32{1.5, -2.5}},
	}
	numpy := map[string]array{
		"f32":        {kindF32, []int64{2, 3, 4}, steps(24, 0, 1)},
		"f64":        {kindF64, []int64{6}, steps(6, 0, 0.25)},
		"f16":        {kindF16, []int64{6}, steps(6, 0, 0.25)},
		"big_endian": {kindF32, []int64{6}, steps(6, 0, 1)},
		"turned":     {kindF32, []int64{6, 4}, turned()},
		"long":       {kindF32, []int64{400}, steps(400, 0, 1)},
	}
	for name, want := range map[string]map[string]array{
		"zip.pth": torch, "older.pth": torch,
		"dictionary.npy": numpy, "dictionary_protocol2.npy": numpy,
	} {
		from, c := sample(t, name)
		for key, array := range want {
			got := c.tensors[key]
			if got == nil || got.kind != array.kind || !slices.Equal(got.shape, array.shape) {
				t.Errorf("%s: %s is %+v, want %s %v", name, key, got, array.kind, array.shape)
				continue
			}
			values, err := from.floats(got)
			if err != nil || !slices.Equal(values, array.values) {
				t.Errorf("%s: %s holds %v, %v, want %v", name, key, values, err, array.values)
			}
		}
		data, err := from.load(c.tensors["u8"])
		if err != nil || string(data) != "\xfa\xfb\xfc\xfd\xfe\xff" {
			t.Errorf("%s: u8 holds % x, %v", name, data, err)
		}
	}
}

// The oldest state dicts: by Python 2, whose ordered dictionaries are lists of
// pairs and whose texts are bytes; tensors without hooks, wrapped in parameters.
func TestStateDictsOfPython2AreRead(t *testing.T) {
	content := append(dictionary("ccollections\nOrderedDict\n](](U\x01a"+
		"ctorch.nn.parameter\nParameter\nctorch._utils\n_rebuild_tensor\n("+
		storagePickle+"K\x03NtQK\x01K\x02\x85K\x01\x85tR\x85R\x88\x89}\x87bee\x85R."+
		"\x80\x02](U\x010e."), 3, 0, 0, 0, 0, 0, 0, 0)
	for _, v := range []float32{7, 8, 9} {
		content = binary.LittleEndian.AppendUint32(content, math.Float32bits(v))
	}
	from := &source{name: "test", memory: content, size: int64(len(content))}
	c, err := readContainer(from)
	if err != nil {
		t.Fatal(err)
	}
	if c.tensors["a"] == nil {
		t.Fatalf("tensors are %v, want a", c.tensors)
	}
	values, err := from.floats(c.tensors["a"])
	if err != nil || !slices.Equal(values, []float32{8, 9}) {
		t.Errorf("a holds %v, %v; want the last two of its storage", values, err)
	}
}

func TestSamplesAreAllUsed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.[np][pt][yh]")
	if err != nil || len(files) != 4 {
		t.Errorf("testdata has %v, %v; want the four that TestFilesOfPyTorchAndNumPyAreRead reads", files, err)
	}
}

// Every beginning of a real file is refused with an error.
func TestTruncatedFilesAreRefused(t *testing.T) {
	for _, name := range []string{"zip.pth", "older.pth", "dictionary.npy", "dictionary_protocol2.npy"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for n := range content {
			if err := readAll(content[:n], readContainer); err == nil {
				t.Fatalf("%s: its first %d of %d bytes are taken for a file", name, n, len(content))
			}
		}
	}
}

// readAll reads a file's tables and the values of its small tensors.
func readAll(content []byte, read func(*source) (*container, error)) error {
	from := &source{name: "test", memory: content, size: int64(len(content))}
	c, err := read(from)
	if err != nil {
		return err
	}
	for name, t := range c.tensors {
		if t.name != name {
			return fmt.Errorf("tensor %q is listed as %q", t.name, name)
		}
		if n, ok := elements(t.shape); !ok || n > 1<<16 || len(t.shape) > 8 {
			continue
		}
		if t.kind == kindF32 || t.kind == kindF64 || t.kind == kindF16 || t.kind == kindBF16 {
			_, err = from.floats(t)
		} else if _, known := kindSizes[t.kind]; known {
			_, err = from.load(t)
		}
		if err != nil {
			return err
		}
	}
	if len(c.tensors) == 0 {
		return errors.New("no tensors")
	}
	return nil
}
