package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestArchivesHoldArraysAsNumPyReadsThem(t *testing.T) {
	many := make([]float32, 70000)
	for i := range many {
		many[i] = float32(i) / 3
	}
	arrays := []Array{
		{"relu1_1", []int{2, 3, 1}, []float32{1, -2, 3.5, 0, 1e-30, 6}},
		{"line", []int{70000}, many},
		{"number", nil, []float32{42}},
		{"none", []int{0, 4}, nil},
		{strings.Repeat("long", 20), []int{1, 1, 1, 1, 1, 1}, []float32{1}},
	}
	var file bytes.Buffer
	if err := Write(&file, arrays); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	header := regexp.MustCompile(`^\{'descr': '<f4', 'fortran_order': False, 'shape': \(((?:\d+, ?)*)\), \} *\n$`)
	for i, want := range arrays {
		entry := archive.File[i]
		if entry.Name != want.Name+".npy" || entry.Method != zip.Store {
			t.Errorf("entry %d is %q, by method %d", i, entry.Name, entry.Method)
		}
		r, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if string(data[:8]) != magic {
			t.Fatalf("%s begins with %q", want.Name, data[:8])
		}
		begin := 10 + int(binary.LittleEndian.Uint16(data[8:]))
		if begin%64 != 0 {
			t.Errorf("%s: values begin at %d", want.Name, begin)
		}
		match := header.FindSubmatch(data[10:begin])
		if match == nil {
			t.Fatalf("%s: the header is %q", want.Name, data[10:begin])
		}
		if dimensions := bytes.Count(match[1], []byte(",")); dimensions != len(want.Shape) {
			t.Errorf("%s: the shape is (%s), want %v", want.Name, match[1], want.Shape)
		}
		got := make([]float32, len(want.Values))
		if err := binary.Read(bytes.NewReader(data[begin:]), binary.LittleEndian, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want.Values) || len(data) != begin+4*len(got) {
			t.Errorf("%s: %d bytes of values, which differ or are too many", want.Name, len(data)-begin)
		}
	}
}

func TestArraysThatDoNotFillTheirShapeAreRefused(t *testing.T) {
	for _, a := range []Array{{"x", []int{2, 3}, make([]float32, 5)}, {"x", nil, nil}} {
		if err := Write(io.Discard, []Array{a}); err == nil || !strings.Contains(err.Error(), "x has") {
			t.Errorf("%d values of shape %v: error is %v", len(a.Values), a.Shape, err)
		}
	}
}

type full struct{ room int }

var errFull = errors.New("full")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, errFull
	}
	f.room -= len(p)
	return len(p), nil
}

func TestErrorsOfTheWriterAreReported(t *testing.T) {
	array := Array{"x", []int{100000}, make([]float32, 100000)}
	for _, room := range []int{0, 1000, 300000, 400000} {
		if err := Write(&full{room}, []Array{array}); !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes the error is %v", room, err)
		}
	}
}
