// Package npz writes arrays as NumPy's numpy.load reads them: files in the format .npy, in
// a zip archive (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
package npz

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Array is a named array of float32 in C order: the last index runs fastest.
type Array struct {
	Name   string // as numpy.load gives it; without slashes
	Shape  []int
	Values []float32 // as many as the product of Shape
}

// Write writes an archive, uncompressed, as numpy.savez does. It fails on values that don't
// fill a shape, and where w does.
func Write(w io.Writer, arrays []Array) error {
	archive := zip.NewWriter(w)
	for _, a := range arrays {
		size := 1
		for _, n := range a.Shape {
			size *= n
		}
		if size != len(a.Values) {
			return fmt.Errorf("npz: %s has %d values, want those of shape %v", a.Name, len(a.Values), a.Shape)
		}
		file, err := archive.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store})
		if err != nil {
			return fmt.Errorf("npz: %w", err)
		}
		if err := a.write(file); err != nil {
			return fmt.Errorf("npz: %w", err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("npz: %w", err)
	}
	return nil
}

// magic is that of version 1.0, which the length of the header follows in two bytes.
const magic = "\x93NUMPY\x01\x00"

// alignment is what data begin at multiples of.
const alignment = 64

func (a Array) write(w io.Writer) error {
	var shape strings.Builder
	for _, n := range a.Shape {
		fmt.Fprintf(&shape, "%d, ", n)
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", strings.TrimRight(shape.String(), " "))
	padding := alignment - (len(magic)+2+len(header)+1)%alignment
	header += strings.Repeat(" ", padding%alignment) + "\n"
	if _, err := fmt.Fprintf(w, "%s%s%s", magic, binary.LittleEndian.AppendUint16(nil, uint16(len(header))), header); err != nil {
		return err
	}
	for part := range slices.Chunk(a.Values, 1<<16) { // so that their bytes take little memory
		if err := binary.Write(w, binary.LittleEndian, part); err != nil {
			return err
		}
	}
	return nil
}
