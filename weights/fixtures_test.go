package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"impasto/vgg19"
)

// fixture is one array to be written to a test file, row-major.
type fixture struct {
	name  string
	kind  kind
	shape []int64
	data  []byte
}

// numbers returns a float32 fixture.
func numbers(name string, shape []int64, values []float32) fixture {
	data, err := encode(name, values, kindF32)
	if err != nil {
		panic(err)
	}
	return fixture{name, kindF32, shape, data}
}

// plain is a network of reproducible numbers in −1…1, as Parameters holds it but
// without pre-processing. Tests must not change it.
var plain = sync.OnceValue(func() *vgg19.Parameters {
	p := new(vgg19.Parameters)
	state := uint32(1)
	fill := func(n int) []float32 {
		values := make([]float32, n)
		for i := range values {
			state = state*1664525 + 1013904223
			values[i] = float32(int32(state)) / (1 << 31)
		}
		return values
	}
	for i, c := range vgg19.Convolutions {
		p.Filters[i], p.Biases[i] = fill(c.Out*c.In*9), fill(c.Out)
	}
	return p
})

// folded returns the plain network with a pre-processing folded in.
func folded(p Preprocessing) *vgg19.Parameters {
	n := *plain()
	n.Filters[0] = append([]float32(nil), n.Filters[0]...)
	n.Biases[0] = append([]float32(nil), n.Biases[0]...)
	p.fold(&n)
	return &n
}

// The plain network's arrays without names, which take a while to encode.
var (
	plainArrays       = sync.OnceValue(func() []fixture { return arrays(false) })
	heightFirstArrays = sync.OnceValue(func() []fixture { return arrays(true) })
)

// arrays are the filters and biases of the plain network's convolutions in turn.
func arrays(heightFirst bool) []fixture {
	var out []fixture
	for i, c := range vgg19.Convolutions {
		shape, filter := []int64{int64(c.Out), int64(c.In), 3, 3}, plain().Filters[i]
		if heightFirst {
			shape, filter = []int64{3, 3, int64(c.In), int64(c.Out)}, channelsLast(filter, c.In, c.Out)
		}
		out = append(out, numbers("", shape, filter), numbers("", []int64{int64(c.Out)}, plain().Biases[i]))
	}
	return out
}

// fixtures lays the plain network out by a scheme that has no palettes. They share their
// data, which must be replaced, not changed.
func fixtures(s scheme) []fixture {
	out := slices.Clone(plainArrays())
	if s.heightFirst {
		out = slices.Clone(heightFirstArrays())
	}
	for i := range vgg19.Convolutions {
		out[2*i].name, out[2*i+1].name = tensorName(s.filter, i), tensorName(s.bias, i)
	}
	return out
}

// bytesOf is how many bytes of data fixtures have.
func bytesOf(all []fixture) int {
	var n int
	for _, f := range all {
		n += len(f.data)
	}
	return n
}

// channelsLast rearranges out×in×3×3 to 3×3×in×out.
func channelsLast(filter []float32, in, out int) []float32 {
	arranged := make([]float32, len(filter))
	for o := range out {
		for i := range in {
			for k := range 9 {
				arranged[(k*in+i)*out+o] = filter[(o*in+i)*9+k]
			}
		}
	}
	return arranged
}

// blank is a network of zeros in float32, whose data the fixtures share.
func blank(s scheme) []fixture {
	zeros := make([]byte, 512*512*9*4)
	var out []fixture
	for i, c := range vgg19.Convolutions {
		shape := []int64{int64(c.Out), int64(c.In), 3, 3}
		if s.heightFirst {
			shape = []int64{3, 3, int64(c.In), int64(c.Out)}
		}
		out = append(out,
			fixture{tensorName(s.filter, i), kindF32, shape, zeros[:c.Out*c.In*36]},
			fixture{tensorName(s.bias, i), kindF32, []int64{int64(c.Out)}, zeros[:c.Out*4]})
	}
	return out
}

// change replaces the fixture of that name by what edit makes of it; its data
// may be shared and must be replaced, not changed.
func change(all []fixture, name string, edit func(*fixture)) []fixture {
	for i := range all {
		if all[i].name == name {
			edit(&all[i])
			return all
		}
	}
	panic("no fixture " + name)
}

// inMemory opens a file's content.
func inMemory(content []byte) (*File, error) {
	return newFile(&source{name: "test", memory: content, size: int64(len(content))})
}

func safetensorsFile(metadata map[string]string, all []fixture) []byte {
	var parts []part
	for _, f := range all {
		parts = append(parts, part{f.name, f.kind, f.shape, nil})
	}
	content, err := safetensorsHeader(metadata, parts)
	if err != nil {
		panic(err)
	}
	content = slices.Grow(content, bytesOf(all))
	for _, f := range all {
		content = append(content, f.data...)
	}
	return content
}

// pickler writes the pickles of the fixtures.
type pickler struct{ bytes.Buffer }

func (p *pickler) op(ops string) { p.WriteString(ops) }

func (p *pickler) unicode(s string) {
	p.op("X")
	p.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
	p.op(s)
}

func (p *pickler) int(n int64) {
	if n == int64(int32(n)) {
		p.op("J")
		p.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
		return
	}
	p.op("\x8a\x08")
	p.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func (p *pickler) ints(values []int64) {
	p.op("(")
	for _, v := range values {
		p.int(v)
	}
	p.op("t")
}

func (p *pickler) global(module, name string) {
	p.op("c" + module + "\n" + name + "\n")
}

func elementCount(f fixture) int64 {
	return int64(len(f.data)) / kindSizes[f.kind]
}

// stateDictPickle writes {name: tensor}, each with a storage of its own whose
// key is its number.
func stateDictPickle(all []fixture, older bool) []byte {
	types := map[kind]string{}
	for name, of := range storageKinds {
		types[of] = strings.TrimPrefix(string(name), "torch ")
	}
	var p pickler
	p.op("\x80\x02ccollections\nOrderedDict\n)R(")
	for i, f := range all {
		p.unicode(f.name)
		p.global("torch._utils", "_rebuild_tensor_v2")
		p.op("((")
		p.unicode("storage")
		p.global("torch", types[f.kind])
		p.unicode(fmt.Sprint(i))
		p.unicode("cpu")
		p.int(elementCount(f))
		if older {
			p.op("N")
		}
		p.op("tQ")
		p.int(0)
		p.ints(f.shape)
		stride, step := make([]int64, len(f.shape)), int64(1)
		for i := len(f.shape) - 1; i >= 0; i-- {
			stride[i] = step
			step *= f.shape[i]
		}
		p.ints(stride)
		p.op("\x89ccollections\nOrderedDict\n)RtR")
	}
	p.op("u.")
	return p.Bytes()
}

func torchLegacyFile(all []fixture) []byte {
	return torchLegacyOf(stateDictPickle(all, true), all)
}

// torchLegacyOf has the pickle of the fixtures, which may be in something else.
func torchLegacyOf(pickle []byte, all []fixture) []byte {
	p := pickler{*bytes.NewBuffer([]byte(torchMagic + "\x80\x02M\xe9\x03.\x80\x02}("))}
	p.unicode("little_endian")
	p.op("\x88u.")
	p.Grow(len(pickle) + bytesOf(all) + 64*len(all))
	p.Write(pickle)
	p.op("\x80\x02](")
	for i := range all {
		p.unicode(fmt.Sprint(i))
	}
	p.op("e.")
	for _, f := range all {
		p.Write(binary.LittleEndian.AppendUint64(nil, uint64(elementCount(f))))
		p.Write(f.data)
	}
	return p.Bytes()
}

func torchZipFile(all []fixture) []byte {
	return torchZipOf(stateDictPickle(all, false), all)
}

// torchZipOf has the pickle of the fixtures, which may be in something else.
func torchZipOf(pickle []byte, all []fixture) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name string, data []byte) {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: "net/" + name, Method: zip.Store})
		if err == nil {
			_, err = entry.Write(data)
		}
		if err != nil {
			panic(err)
		}
	}
	add("data.pkl", pickle)
	add("byteorder", []byte("little"))
	for i, f := range all {
		add(fmt.Sprint("data/", i), f.data)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// numpyFile writes a dictionary of float32 arrays as NumPy does at protocol 2
// under Python 3 where asText, or else at protocol 3.
func numpyFile(all []fixture, asText bool) []byte {
	header := "{'descr': '|O', 'fortran_order': False, 'shape': (), }"
	p := pickler{*bytes.NewBuffer([]byte("\x93NUMPY\x01\x00" + string(rune(len(header))) + "\x00" + header + "\x80\x03"))}
	array := func(shape []int64, dtype string) {
		p.global("numpy.core.multiarray", "_reconstruct")
		p.op("cnumpy\nndarray\n(K\x00tC\x01b\x87R(K\x01")
		p.ints(shape)
		p.global("numpy", "dtype")
		p.op("(")
		p.unicode(dtype)
		p.op("K\x00K\x01tR(K\x03")
		p.unicode(map[bool]string{true: "|", false: "<"}[dtype == "O8"])
		p.op("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89")
	}
	array(nil, "O8")
	p.op("]}(")
	for _, f := range all {
		p.unicode(f.name)
		array(f.shape, "f4")
		if asText {
			p.global("_codecs", "encode")
			p.op("(")
			var text []byte
			for _, c := range f.data {
				text = utf8.AppendRune(text, rune(c))
			}
			p.unicode(string(text))
			p.unicode("latin1")
			p.op("tR")
		} else {
			p.op("B")
			p.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(f.data))))
			p.Write(f.data)
		}
		p.op("tb")
	}
	p.op("uatb.")
	return p.Bytes()
}

// sameParameters fails where two networks differ in any bit.
func sameParameters(t *testing.T, got, want *vgg19.Parameters) {
	t.Helper()
	same := func(name string, got, want []float32) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s has %d values, want %d", name, len(got), len(want))
		}
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%s has %g at place %d, want %g", name, got[i], i, want[i])
			}
		}
	}
	for i, c := range vgg19.Convolutions {
		same(c.Name+" filters", got.Filters[i], want.Filters[i])
		same(c.Name+" biases", got.Biases[i], want.Biases[i])
	}
	same("neutral colour", got.Neutral[:], want.Neutral[:])
}
