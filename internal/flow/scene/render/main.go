// Command render writes the synthetic scenes that flow is judged by into a folder: of each
// two pictures, the flow between them as .flo (the Middlebury benchmark's format), and as a
// picture in which white pixels are those that the second one hides.
//
//	go run ./internal/flow/scene/render FOLDER [WIDTH HEIGHT]
package main

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"impasto/internal/flow"
	"impasto/internal/flow/scene"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	width, height := 640, 360
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		args = nil
	}
	switch len(args) {
	case 3:
		var err error
		if width, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
		if height, err = strconv.Atoi(args[2]); err != nil {
			return err
		}
	case 1:
	default:
		return fmt.Errorf("usage: render FOLDER [WIDTH HEIGHT]")
	}
	if err := os.MkdirAll(args[0], 0o777); err != nil {
		return err
	}
	for _, s := range scene.All(width, height) {
		base := filepath.Join(args[0], strings.ReplaceAll(s.Name, " ", "-"))
		for time := range 2 {
			if err := write(fmt.Sprintf("%s-%d.png", base, time), func(w io.Writer) error { return png.Encode(w, s.Bytes(float64(time))) }); err != nil {
				return err
			}
		}
		field, hidden := s.Truth(0, 1)
		if err := write(base+".flo", func(w io.Writer) error { return writeField(w, field) }); err != nil {
			return err
		}
		mask := image.NewGray(image.Rect(0, 0, width, height))
		for i, is := range hidden {
			if is {
				mask.Set(i%width, i/width, color.White)
			}
		}
		if err := write(base+"-hidden.png", func(w io.Writer) error { return png.Encode(w, mask) }); err != nil {
			return err
		}
	}
	return nil
}

// writeField writes the number 202021.25, width, height, and the displacements across and
// down of each pixel, all in 32 bits.
func writeField(w io.Writer, f flow.Field) error {
	values := make([]float32, 0, 2*len(f.U))
	for i := range f.U {
		values = append(values, f.U[i], f.V[i])
	}
	for _, part := range []any{float32(202021.25), int32(f.Width), int32(f.Height), values} {
		if err := binary.Write(w, binary.LittleEndian, part); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, encode func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := encode(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
