// Draw makes the example pictures: harbour.png, a scene, and, to paint it like, whirl.jpg,
// woodcut.jpg, mosaic.jpg and dots.jpg. Every run makes the same ones. With -film it makes the
// frames of a film of the scene.
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
	draw func(scale float64) (*picture.Picture, error)
	save picture.SaveOptions
}

var drawings = []drawing{
	{"harbour.png", drawHarbour, picture.SaveOptions{}},
	{"whirl.jpg", drawWhirl, picture.SaveOptions{Quality: 92}},
	{"woodcut.jpg", drawWoodcut, picture.SaveOptions{Quality: 90}},
	{"mosaic.jpg", drawMosaic, picture.SaveOptions{Quality: 88}},
	{"dots.jpg", drawDots, picture.SaveOptions{Quality: 88}},
}

func main() {
	folder := flag.String("o", "examples", "the folder to write the pictures to")
	scale := flag.Float64("scale", 1, "how many times their usual size they are, 1 to 8, with details that fit")
	film := flag.Int("film", 0, "make so many frames of a film of the scene instead, 25 a second")
	flag.Parse()
	if *film > 0 {
		drawings = nil
		for i := range *film {
			drawings = append(drawings, drawing{fmt.Sprintf("harbour-%04d.png", i+1), newHarbour(float64(i) / 25).draw, picture.SaveOptions{}})
		}
	}
	if !(*scale >= 1 && *scale <= 8) {
		fmt.Fprintf(os.Stderr, "-scale is %v, want 1 to 8\n", *scale)
		os.Exit(2)
	}
	if err := run(drawings, *folder, *scale); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// scaled is a side in pixels at a scale.
func scaled(pixels int, scale float64) int { return int(float64(pixels)*scale + 0.5) }

func run(drawings []drawing, folder string, scale float64) error {
	for _, d := range drawings {
		p, err := d.draw(scale)
		if err != nil {
			return fmt.Errorf("draw %s: %w", d.file, err)
		}
		if err := picture.Save(filepath.Join(folder, d.file), p, d.save); err != nil {
			return err
		}
	}
	return nil
}
