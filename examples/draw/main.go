// Draw makes the two small pictures that the README's first command stylises:
// harbour.png, a scene, and whirl.jpg, a painting-like style. Every run makes
// the same ones.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"impasto/internal/picture"
)

// drawing is a picture that the program can make.
type drawing struct {
	file string
	draw func() (*picture.Picture, error)
	save picture.SaveOptions
}

var drawings = []drawing{
	{"harbour.png", drawHarbour, picture.SaveOptions{}},
	{"whirl.jpg", drawWhirl, picture.SaveOptions{Quality: 92}},
}

func main() {
	folder := flag.String("o", "examples", "the folder to write the pictures to")
	flag.Parse()
	if err := run(drawings, *folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(drawings []drawing, folder string) error {
	for _, d := range drawings {
		p, err := d.draw()
		if err != nil {
			return fmt.Errorf("draw %s: %w", d.file, err)
		}
		if err := picture.Save(filepath.Join(folder, d.file), p, d.save); err != nil {
			return err
		}
	}
	return nil
}
