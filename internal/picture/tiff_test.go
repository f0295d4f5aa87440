package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
)

// libtiffFile is a file that libtiff's tools wrote, and its pixels as they read them.
type libtiffFile struct {
	Name, Like   string
	File, Pixels []byte
}

func TestTIFFsComeInAsLibtiffShowsThem(t *testing.T) {
	data, err := os.ReadFile("../tiff/testdata/libtiff.json")
	if err != nil {
		t.Fatal(err)
	}
	var files []libtiffFile
	if err := json.Unmarshal(data, &files); err != nil {
		t.Fatal(err)
	}
	pixels, compared := map[string][]byte{}, 0
	for _, f := range files {
		if f.Like != "" {
			f.Pixels = pixels[f.Like]
		}
		pixels[f.Name] = f.Pixels
		want := inflated(t, f.Pixels)
		if string(want[:2]) == "II" || strings.Contains(f.Name, "alpha") {
			continue // no pixels, or such as are composited
		}
		compared++
		p, err := Decode(t.Context(), bytes.NewReader(inflated(t, f.File)), f.Name)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		n := p.Width * p.Height
		if len(want) != 4*n {
			t.Errorf("%s: %d×%d pixels, want %d", f.Name, p.Width, p.Height, len(want)/4)
			continue
		}
		// JPEG's rounding, and that of products of inks, are within 3 levels of libtiff's.
		const tolerance = 3.01 / 255
		for i := range 3 * n {
			if d := p.RGB[i] - float32(want[i%n*4+i/n])/255; d > tolerance || d < -tolerance {
				t.Errorf("%s: value %d is %v, and libtiff's is %d", f.Name, i, p.RGB[i], want[i%n*4+i/n])
				break
			}
		}
	}
	if compared < 80 {
		t.Errorf("%d files were compared, want at least 80", compared)
	}
}

func inflated(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// rawFile is a DNG with a thumbnail of one pixel, and a picture of 2×1 in its SubIFD:
// black and white, or a sensor's.
func rawFile(photometric uint32) []byte {
	file := []byte("II*\x00\x0b\x00\x00\x00\x80\x00\xff") // and three pixels
	directory := func(entries ...[2]uint32) {
		file = binary.LittleEndian.AppendUint16(file, uint16(len(entries)))
		for _, entry := range entries {
			file = binary.LittleEndian.AppendUint16(file, uint16(entry[0]))
			file = append(file, 4, 0, 1, 0, 0, 0)
			file = binary.LittleEndian.AppendUint32(file, entry[1])
		}
		file = append(file, 0, 0, 0, 0)
	}
	const entries = 9
	child := uint32(len(file) + 2 + 12*entries + 4)
	directory([2]uint32{254, 1}, [2]uint32{256, 1}, [2]uint32{257, 1}, [2]uint32{258, 8}, [2]uint32{262, 1},
		[2]uint32{273, 8}, [2]uint32{279, 1}, [2]uint32{330, child}, [2]uint32{50706, 0x104})
	directory([2]uint32{254, 0}, [2]uint32{256, 2}, [2]uint32{257, 1}, [2]uint32{258, 8}, [2]uint32{262, photometric},
		[2]uint32{273, 9}, [2]uint32{279, 2})
	return file
}

func TestADNGsThumbnailIsNeverThePicture(t *testing.T) {
	p, err := Decode(t.Context(), bytes.NewReader(rawFile(1)), "a.dng")
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 2 || p.Height != 1 || p.RGB[0] != 0 || p.RGB[1] != 1 {
		t.Errorf("%d×%d pixels %v, want a black and a white one", p.Width, p.Height, p.RGB)
	}
	_, err = Decode(t.Context(), bytes.NewReader(rawFile(32803)), "a.dng")
	if err == nil {
		t.Fatal("a sensor's values were read as a picture")
	}
	checkMessage(t, err, "picture: open a.dng: ", "a camera raw file (DNG)")
}

// tiledFile is a grey TIFF of 320×320 pixels in tiles of 64×64, each pixel x+y modulo 256.
func tiledFile() []byte {
	const side, tile, across = 320, 64, 5
	file := []byte("II*\x00\x08\x00\x00\x00")
	entries := [][4]uint32{
		{256, 4, 1, side}, {257, 4, 1, side}, {258, 3, 1, 8}, {259, 3, 1, 1}, {262, 3, 1, 1}, {277, 3, 1, 1},
		{322, 4, 1, tile}, {323, 4, 1, tile}, {324, 4, across * across, 0}, {325, 4, across * across, 0},
	}
	offsets := uint32(len(file) + 2 + 12*len(entries) + 4)
	sizes := offsets + 4*across*across
	entries[8][3], entries[9][3] = offsets, sizes
	order := binary.LittleEndian
	file = order.AppendUint16(file, uint16(len(entries)))
	for _, e := range entries {
		file = order.AppendUint16(order.AppendUint16(file, uint16(e[0])), uint16(e[1]))
		file = order.AppendUint32(order.AppendUint32(file, e[2]), e[3])
	}
	file = order.AppendUint32(file, 0)
	for i := range uint32(across * across) {
		file = order.AppendUint32(file, sizes+4*across*across+i*tile*tile)
	}
	for range across * across {
		file = order.AppendUint32(file, tile*tile)
	}
	for i := range across * across {
		for j := range tile * tile {
			file = append(file, byte(i%across*tile+j%tile+i/across*tile+j/tile))
		}
	}
	return file
}

func TestTilesAreGatheredIntoBands(t *testing.T) {
	s := openBytes(t, tiledFile())
	bands := 0
	err := s.bands(t.Context(), func(y int, band *Picture) error {
		bands++
		for i, v := range band.RGB[:band.Width*band.Height] {
			if want := float32((i%320+y+i/320)%256) / 255; v != want {
				t.Fatalf("pixel %d, %d is %g, want %g", i%320, y+i/320, v, want)
			}
		}
		return nil
	})
	if err != nil || bands != 2 {
		t.Errorf("%d bands and error %v, want 2 bands", bands, err)
	}
}
