package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// header is a safetensors file with that header and n bytes of data.
func header(json string, n int) []byte {
	content := binary.LittleEndian.AppendUint64(nil, uint64(len(json)))
	return append(append(content, json...), make([]byte, n)...)
}

// dictionary is a file of PyTorch's older format with that pickle as its third
// value.
func dictionary(pickle string) []byte {
	return []byte(torchMagic + "\x80\x02M\xe9\x03.\x80\x02}.\x80\x02" + pickle)
}

// zipOf is a zip archive with one entry.
func zipOf(t *testing.T, name, content string, method uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	entry, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
	if err == nil {
		_, err = entry.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const storagePickle = "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"

func TestDamagedAndHostileFilesAreRefused(t *testing.T) {
	torchvision := schemes[2]
	numpyHead := "\x93NUMPY\x01\x00\x12\x00{'descr': '|O'}   "
	for name, c := range map[string]struct {
		content []byte
		want    []string
	}{
		"noise":           {[]byte("\x01\x02\x03\x04"), []string{"starts with 01 02 03 04", "safetensors"}},
		"HDF5":            {[]byte("\x89HDF\r\n\x1a\n\x00"), []string{"is an HDF5 file"}},
		"empty":           {nil, []string{"is empty"}},
		"text":            {[]byte("version https://git-lfs.github.com/spec/v1\n"), []string{"Git LFS pointer", "git lfs pull"}},
		"HTML":            {[]byte("<!DOCTYPE html><html>"), []string{"is a web page"}},
		"picture":         {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), []string{"is a PNG picture", "want safetensors"}},
		"long header":     {header("{"+strings.Repeat(" ", maxHeader), 0), []string{"header of 1048577 bytes", "at most"}},
		"header past end": {append(binary.LittleEndian.AppendUint64(nil, 5000), '{'), []string{"ends at byte 9", "whole"}},
		"broken header":   {header("{]", 0), []string{"not JSON"}},
		"no metadata":     {header(`{"__metadata__":[1]}`, 0), []string{"metadata"}},
		"no tensors":      {header("{}", 0), []string{"no tensor named", "features.0.weight", "nothing"}},
		"other network":   {header(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), []string{"no tensor named", "the first a:"}},
		"entry":           {header(`{"a":7}`, 0), []string{"a has an entry"}},
		"offsets":         {header(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 4), []string{"a has data from byte 0 to 8 of 4"}},
		"reversed":        {header(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), []string{"a has data from byte 4 to 0"}},
		"size":            {header(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), []string{"a has 4 bytes", "want 8"}},
		"huge shape":      {header(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4), []string{"a has shape 4294967296×4294967296"}},
		"negative shape":  {header(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), []string{"a has shape -1"}},
		"gap":             {header(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), []string{"a has data from byte"}},
		"surplus":         {header(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 8), []string{"4 bytes after the last"}},
		"overlap": {header(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}`, 6),
			[]string{"b has data from byte"}},
		"missing layer": {safetensorsFile(nil, blank(torchvision)[:31]), []string{"no tensor features.34.bias", "conv5_4"}},
		"pre-processing": {safetensorsFile(map[string]string{"preprocessing": "none"}, blank(torchvision)),
			[]string{"pre-processing", "none"}},
		"wrong shape": {torchLegacyFile(change(blank(torchvision), "features.12.weight", func(f *fixture) {
			f.shape, f.data = []int64{256, 256, 1, 1}, f.data[:256*256*4]
		})), []string{"features.12.weight has shape 256×256×1×1, want 256×256×3×3"}},
		"one wrong width": {torchZipFile(change(blank(torchvision), "features.16.weight", func(f *fixture) {
			f.shape, f.data = []int64{512, 256, 3, 3}, make([]byte, 512*256*36)
		})), []string{"features.16.weight has shape 512×256×3×3, want 256×256×3×3"}},

		"code":           {dictionary("cos\nsystem\nX\x02\x00\x00\x00id\x85R."), []string{"os system", "refused"}},
		"code by names":  {dictionary("\x8c\x02os\x8c\x06system\x93X\x02\x00\x00\x00id\x85R."), []string{"os system", "refused"}},
		"instance":       {dictionary("(ios\nsystem\n."), []string{"operation 0x69", "refused"}},
		"new object":     {dictionary("cos\nPathLike\n)\x81."), []string{"make an object of", "os PathLike", "refused"}},
		"state of text":  {dictionary("X\x01\x00\x00\x00a}b."), []string{"gives a state to a string"}},
		"numpy code":     {[]byte(numpyHead + "\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R."), []string{"builtins eval", "refused"}},
		"numpy reaching": {[]byte(numpyHead + "\x80\x02NQ."), []string{"outside", "refused"}},
		"protocol":       {dictionary("\x80\x09N."), []string{"protocol 9"}},
		"stack":          {dictionary("R."), []string{"takes more than there is"}},
		"mark":           {dictionary("N(R."), []string{"takes more than there is"}},
		"no mark":        {dictionary("t."), []string{"takes more than there is"}},
		"odd items":      {dictionary("}(Nu."), []string{"takes more than there is"}},
		"memo":           {dictionary("h\x07."), []string{"value 7, which was not stored"}},
		"long string":    {dictionary("X\xff\xff\xff\xffabc"), []string{"string of 4294967295 bytes", "only 3 follow"}},
		"longer string":  {dictionary("\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc"), []string{"length 18446744073709551615"}},
		"long name":      {dictionary("c" + strings.Repeat("a", 5000)), []string{"name longer than 1024"}},
		"endless":        {dictionary(strings.Repeat("N", maxOperations+1)), []string{"more than 262144 operations"}},
		"no dictionary":  {dictionary("N.\x80\x02]."), []string{"holds a None", "state dict"}},
		"version":        {[]byte(torchMagic + "\x80\x02K\x01."), []string{"version 1", "1001"}},
		"broken off":     {[]byte(torchMagic + "\x80\x02M"), []string{"breaks off", "whole"}},
		"no storage":     {dictionary(storagePickle + "K\x01NtQ.\x80\x02]."), []string{`lists no storage "0"`}},
		"storage size":   {append(dictionary(storagePickle+"K\x01NtQ.\x80\x02](X\x01\x00\x00\x000e."), 2, 0, 0, 0, 0, 0, 0, 0), []string{`storage "0" has 2 elements, want 1`}},
		"storage data":   {append(dictionary(storagePickle+"K\x01NtQ.\x80\x02](X\x01\x00\x00\x000e."), 1, 0, 0, 0, 0, 0, 0, 0), []string{`storage "0" has 4 bytes, but only 0 follow`}},
		"negative size":  {dictionary(storagePickle + "J\xff\xff\xff\xffNtQ."), []string{"storage \"0\" of -1 elements"}},
		"two sizes":      {dictionary(storagePickle + "K\x01NtQ" + storagePickle + "K\x02NtQ."), []string{"two types or sizes"}},
		"part":           {dictionary(storagePickle + "K\x01)tQ."), []string{"part of another"}},
		"unknown type":   {dictionary("(X\x07\x00\x00\x00storagectorch\nOddStorage\nX\x01\x00\x00\x000NK\x01NtQ."), []string{"torch OddStorage"}},
		"stray list":     {dictionary("}.\x80\x02](X\x01\x00\x00\x000e."), []string{`storage "0", which no tensor uses`}},

		"no zip":       {[]byte("PK\x03\x04 and no more"), []string{"zip archive"}},
		"other zip":    {zipOf(t, "word/document.xml", "<xml>", zip.Store), []string{"zip archive without", "data.pkl"}},
		"npz":          {zipOf(t, "conv1_1_W.npy", "\x93NUMPY", zip.Deflate), []string{"NumPy's archive", ".npz"}},
		"Keras":        {zipOf(t, "model.weights.h5", "\x89HDF", zip.Store), []string{"Keras"}},
		"packed":       {zipOf(t, "vgg19-dcbb9e9d.pth", "PK", zip.Deflate), []string{"unpack it first"}},
		"deflated zip": {zipOf(t, "net/data.pkl", strings.Repeat("N", 1000), zip.Deflate), []string{"net/data.pkl is compressed"}},
		"zip code":     {zipOf(t, "net/data.pkl", "\x80\x02cos\nsystem\n)R.", zip.Store), []string{"net/data.pkl", "os system", "refused"}},
		"zip storage":  {zipOf(t, "net/data.pkl", "\x80\x02"+storagePickle+"K\x01tQ.", zip.Store), []string{"without net/data/0"}},

		"numpy numbers":    {[]byte("\x93NUMPY\x01\x00\x12\x00{'descr': '<f4'}  "), []string{"<f4", "dictionary"}},
		"numpy header":     {[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), []string{"header of 4294967295 bytes"}},
		"numpy list":       {[]byte(numpyHead + "\x80\x02]."), []string{"no array but a list"}},
		"numpy scalar":     {[]byte(numpyHead + "\x80\x02cnumpy\ndtype\n)R."), []string{"numpy dtype", "in a way"}},
		"numpy other call": {[]byte(numpyHead + "\x80\x02c_codecs\nencode\n)R."), []string{"_codecs encode", "in a way"}},
	} {
		f, err := inMemory(c.content)
		if err == nil {
			_, err = f.Parameters()
		}
		if err == nil {
			t.Errorf("%s: it is read", name)
			continue
		}
		for _, want := range append(c.want, "weights: test: ") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %q, want %q in it", name, err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q takes more than a line", name, err)
		}
	}
}

func TestParametersThatAreNotFiniteAreRefusedByName(t *testing.T) {
	for value, text := range map[float32]string{
		float32(math.NaN()): "NaN", float32(math.Inf(1)): "+Inf", float32(math.Inf(-1)): "-Inf",
	} {
		for _, name := range []string{"features.0.bias", "features.14.weight", "features.34.bias"} {
			all := change(blank(schemes[2]), name, func(f *fixture) {
				f.data = bytes.Clone(f.data)
				binary.LittleEndian.PutUint32(f.data[4*7:], math.Float32bits(value))
			})
			f, err := inMemory(torchZipFile(all))
			if err == nil {
				_, err = f.Parameters()
			}
			if err == nil || !strings.Contains(err.Error(), name+" has the value "+text+" at place 7") {
				t.Errorf("%s in %s: error is %v", text, name, err)
			}
		}
	}
}

func TestFoldingThatOverflowsIsRefused(t *testing.T) {
	all := change(blank(schemes[2]), "features.0.weight", func(f *fixture) {
		f.data = bytes.Clone(f.data)
		binary.LittleEndian.PutUint32(f.data[4*7:], math.Float32bits(3e38))
	})
	f, err := inMemory(torchZipFile(all))
	if err == nil {
		_, err = f.Parameters()
	}
	if err == nil || !strings.Contains(err.Error(), "conv1_1 with the pre-processing has the value +Inf at place 7") {
		t.Errorf("error is %v", err)
	}
}

// The palettes' and a wide type's values are checked as well.
func TestOtherTypesThatAreNotFiniteAreRefused(t *testing.T) {
	wide := change(blank(schemes[2]), "features.0.bias", func(f *fixture) {
		f.kind, f.data = kindF64, bytes.Repeat(binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e300)), 64)
	})
	f, err := inMemory(torchZipFile(wide))
	if err == nil {
		_, err = f.Parameters()
	}
	if err == nil || !strings.Contains(err.Error(), "features.0.bias has the value +Inf") {
		t.Errorf("1e300: error is %v", err)
	}
	content := bytes.Clone(embeddedBytes())
	e, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(content[e.layers[3].palette.offset:], 0x7fc00000)
	f, err = inMemory(content)
	if err == nil {
		_, err = f.Parameters()
	}
	if err == nil || !strings.Contains(err.Error(), "conv2_2.palette has the value NaN") {
		t.Errorf("palette: error is %v", err)
	}
}

func TestTensorsOfOtherTypesAreRefused(t *testing.T) {
	all := change(blank(schemes[2]), "features.5.bias", func(f *fixture) { f.kind, f.data = "I32", f.data[:128*4] })
	f, err := inMemory(safetensorsFile(nil, all))
	if err == nil {
		_, err = f.Parameters()
	}
	if err == nil || !strings.Contains(err.Error(), "features.5.bias has type I32, want F32") {
		t.Errorf("I32: error is %v", err)
	}
}

// The storage of a strided tensor is not left.
func TestStridesThatLeaveTheStorageAreRefused(t *testing.T) {
	from := &source{name: "test", memory: make([]byte, 64), size: 64}
	for _, stride := range [][]int64{{15, 1}, {17, 1}, {-1, 1}, {math.MaxInt64, 1}, {1 << 60, 1 << 60}} {
		bad := &tensor{name: "a", kind: kindF32, shape: []int64{2, 2}, stride: stride, bytes: 64}
		if _, err := from.floats(bad); err == nil || !strings.HasPrefix(err.Error(), "a") {
			t.Errorf("strides %v: error is %v", stride, err)
		}
	}
}

func TestUnreadablePathsAreRefused(t *testing.T) {
	folder := t.TempDir()
	if _, err := Open(t.Context(), folder); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: error is %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(folder, "none.pth")); err == nil || !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("a missing file: error is %v", err)
	}
}

// unwrapAll returns the innermost error.
func unwrapAll(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		err = inner.Unwrap()
	}
}
