package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestRecolorBringsColoursNearer(t *testing.T) {
	for _, method := range []string{"luminance", "distribution"} {
		for _, output := range []string{"out.png", "out.jpg", "out.tif"} {
			t.Run(method+" to "+output, func(t *testing.T) {
				folder := workshop(t)
				writeTinted(t, filepath.Join(folder, "painted.png"), 80, 60, color.NRGBA{40, 60, 255, 255})
				writeTinted(t, filepath.Join(folder, "warm.png"), 40, 30, color.NRGBA{255, 160, 90, 255})
				run := impasto(t, folder, "recolor", "painted.png", "warm.png", "-o", output, "--color-method", method, "--json").done(t)
				var got recoloured
				if err := json.Unmarshal([]byte(run.stdout), &got); err != nil {
					t.Fatal(err)
				}
				if got.Path != output || got.Width != 80 || got.Height != 60 || !(got.After < 0.8*got.Before) {
					t.Errorf("it says %+v", got)
				}
				if filepath.Ext(output) == ".png" {
					if size := readPicture(t, filepath.Join(folder, output)).Bounds().Size(); size.X != 80 || size.Y != 60 {
						t.Errorf("the picture is %v", size)
					}
				}
			})
		}
	}
}

// writeTinted writes a picture of waves from black to a colour.
func writeTinted(t *testing.T, path string, width, height int, tint color.NRGBA) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			light := 0.6 + 0.4*math.Sin(float64(x+2*y)*0.2)
			part := func(v uint8) uint8 { return uint8(light * float64(v)) }
			img.SetNRGBA(x, y, color.NRGBA{part(tint.R), part(tint.G), part(tint.B), 255})
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, data.Bytes())
}

func TestRecolorWithoutStrengthChangesNothing(t *testing.T) {
	folder := workshop(t)
	writePicture(t, filepath.Join(folder, "square.png"), 24, 24, 0.3)
	for _, method := range []string{"luminance", "distribution"} {
		impasto(t, folder, "recolor", "style.png", "square.png", "-o", "same.png", "--strength=0", "--color-method", method).done(t)
		same, original := readPicture(t, filepath.Join(folder, "same.png")), readPicture(t, filepath.Join(folder, "style.png"))
		for y := range 36 {
			for x := range 36 {
				if same.At(x, y) != original.At(x, y) {
					t.Fatalf("%s: pixel %d, %d is %v, and was %v", method, x, y, same.At(x, y), original.At(x, y))
				}
			}
		}
	}
}

func TestRecolorRefuses(t *testing.T) {
	for _, test := range []struct {
		name      string
		args      []string
		status    int
		fragments []string
	}{
		{"no output", []string{"style.png", "content.png"}, 2, []string{"-o"}},
		{"one picture", []string{"style.png", "-o", "out.png"}, 2, []string{"want a picture and the one that has the colours"}},
		{"an input for output", []string{"style.png", "content.png", "-o", "style.png"}, 2, []string{"style.png is the input"}},
		{"another shape", []string{"style.png", "content.png", "-o", "out.png"}, 1, []string{"another shape", "--color-method distribution"}},
		{"a method that isn't", []string{"style.png", "content.png", "-o", "out.png", "--color-method=luminence"}, 2, []string{"did you mean luminance?"}},
		{"too much", []string{"style.png", "content.png", "-o", "out.png", "--strength=2"}, 2, []string{"--strength"}},
		{"16 bits of a JPEG", []string{"style.png", "content.png", "-o", "out.jpg", "--depth=16"}, 2, []string{"--depth 16"}},
		{"no such picture", []string{"missing.png", "content.png", "-o", "out.png"}, 1, []string{"missing.png"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := workshop(t)
			impasto(t, folder, append([]string{"recolor"}, test.args...)...).refused(t, test.status, test.fragments...)
			if _, err := os.Stat(filepath.Join(folder, "out.png")); err == nil {
				t.Error("a picture was written")
			}
		})
	}
}

func TestStylizeKeepsColors(t *testing.T) {
	folder := workshop(t)
	writeTinted(t, filepath.Join(folder, "warm.png"), 40, 30, color.NRGBA{255, 160, 90, 255})
	writeTinted(t, filepath.Join(folder, "cold.png"), 36, 36, color.NRGBA{40, 60, 255, 255})
	var differences []float64
	for _, args := range [][]string{nil, {"--keep-colors=1"}, {"--keep-colors=1", "--color-method=distribution"}} {
		impasto(t, folder, append([]string{"stylize", "warm.png", "cold.png", "-o", "out.png", "--start=noise"}, append(args, shallow...)...)...).done(t)
		run := impasto(t, folder, "recolor", "out.png", "warm.png", "-o", "again.png", "--json").done(t)
		var got recoloured
		if err := json.Unmarshal([]byte(run.stdout), &got); err != nil {
			t.Fatal(err)
		}
		differences = append(differences, got.Before)
	}
	if slices.Max(differences[1:]) >= 0.8*differences[0] {
		t.Errorf("local colours differ by %v: with none, by place, as a whole", differences)
	}
	impasto(t, folder, append([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--keep-colors=1.5"}, shallow...)...).refused(t, 2, "--keep-colors")
}
