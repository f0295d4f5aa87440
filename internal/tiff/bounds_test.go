package tiff

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// cost is what opening and decoding a file allocates in all, and how long it takes.
func cost(t *testing.T, data []byte) (p *Picture, bytes uint64, taken time.Duration, err error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	if p, err = Open(data); err == nil {
		err = p.Decode(t.Context(), func(int, int, []float32) {})
	}
	taken = time.Since(start)
	runtime.ReadMemStats(&after)
	return p, after.TotalAlloc - before.TotalAlloc, taken, err
}

func TestMemoryIsNoMoreThanWasSaid(t *testing.T) {
	pixels := make([]byte, 3*1000*900)
	compressed := deflate(pixels)
	strips := func(d *testDirectory, rows int) *testDirectory {
		d.set(short(tagRowsPerStrip, rows), short(tagCompression, adobeDeflate))
		d.chunks = nil
		for y := 0; y < 900; y += rows {
			d.chunks = append(d.chunks, deflate(pixels[:3*1000*rows]))
		}
		return d
	}
	tiles := rgb8(1000, 900).set(short(tagTileWidth, 1008), short(tagTileLength, 912), short(tagCompression, adobeDeflate))
	tiles.tiled = true
	tiles.chunks = [][]byte{deflate(make([]byte, 3*1008*912))}
	planes := rgb8(1000, 900).set(short(tagPlanar, 2), short(tagCompression, adobeDeflate))
	planes.chunks = [][]byte{deflate(pixels[:1000*900]), deflate(pixels[:1000*900]), deflate(pixels[:1000*900])}
	tests := map[string]*testDirectory{
		"one strip":   rgb8(1000, 900, compressed...).set(short(tagCompression, adobeDeflate)),
		"many strips": strips(rgb8(1000, 900), 5),
		"a tile":      tiles,
		"planes":      planes,
		"JPEG":        jpegPicture(1200, 1100, asJPEG(t, 1200, 1100, false), false),
		"grey JPEG":   jpegPicture(1200, 1100, asJPEG(t, 1200, 1100, true), true),
		"fax":         faxPicture(faxGroup4, 60000, 300, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
	}
	for name, d := range tests {
		t.Run(name, func(t *testing.T) {
			p, bytes, _, err := cost(t, little(d))
			if err != nil {
				t.Fatal(err)
			}
			if int64(bytes) > p.Memory {
				t.Errorf("%d bytes were allocated, and %d announced", bytes, p.Memory)
			}
			if most := int64(4 << 20); p.Memory > most && p.layout.compression != jpegCoded {
				t.Errorf("%d bytes were announced, want at most %d for a picture of %d", p.Memory, most, 3*1000*900)
			}
		})
	}
}

// TestStripsThatLieOverOneAnotherAreBounded has thousands of strips in the same data: what
// they decode to is the picture's, and what is read for it is bounded.
func TestStripsThatLieOverOneAnotherAreBounded(t *testing.T) {
	const height = 5000
	over := func(scheme int, chunk []byte) []byte {
		d := grey8(8, height).set(short(tagRowsPerStrip, 1), short(tagCompression, scheme))
		offsets, counts := testField{tag: tagStripOffsets, kind: 4}, testField{tag: tagStripByteCounts, kind: 4}
		for range height {
			offsets.numbers, counts.numbers = append(offsets.numbers, 8), append(counts.numbers, uint64(len(chunk)))
		}
		d.chunks = [][]byte{chunk}
		return little(d.set(offsets, counts))
	}
	if _, _, _, err := cost(t, over(adobeDeflate, deflate(make([]byte, 8)))); err != nil {
		t.Errorf("strips that share a few bytes: %v", err)
	}
	// Blocks of Deflate without data, over and over, before the row.
	empty := []byte{0x78, 0x9c}
	for range 50000 {
		empty = append(empty, 0, 0, 0, 0xff, 0xff)
	}
	for name, data := range map[string][]byte{
		"Deflate":  over(adobeDeflate, append(empty, deflate(make([]byte, 8))[2:]...)),
		"PackBits": over(packBits, append(make128s(250000), 0xf9, 0)),
	} {
		_, _, taken, err := cost(t, data)
		if !errors.Is(err, errSharedData) {
			t.Errorf("%s: %v", name, err)
		}
		if taken > 5*time.Second {
			t.Errorf("%s: it took %v", name, taken)
		}
	}
}

// make128s are bytes that mean nothing in PackBits.
func make128s(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 128
	}
	return b
}

func TestClaimsCostNothing(t *testing.T) {
	long := func(tag int, n uint64) testField { return testField{tag: tag, kind: 4, numbers: []uint64{n}} }
	claims := func(d *testDirectory) []byte {
		return little(d.set(long(tagImageWidth, 1<<31-1), long(tagImageLength, 1<<31-1)))
	}
	hugeCount := little(grey8(2, 2, 1, 2, 3, 4).set(byteField(tagICCProfile, "12345")))
	at := len(hugeCount) - 4 - 12
	binary.LittleEndian.PutUint32(hugeCount[at+4:], 1<<32-1)
	tests := map[string][]byte{
		"uncompressed":      claims(grey8(1, 1, 0)),
		"Deflate":           claims(grey8(1, 1, deflate([]byte{1})...).set(short(tagCompression, adobeDeflate))),
		"JPEG":              claims(grey8(1, 1, 0xff, 0xd8).set(short(tagCompression, jpegCoded))),
		"fax":               claims(faxPicture(faxGroup4, 1, 1, []byte{0xff})),
		"many samples":      claims(grey8(1, 1, 0).set(short(tagSamplesPerPixel, 64), short(tagBitsPerSample, 32))),
		"many numbers":      hugeCount,
		"a large directory": append([]byte("II*\x00\x08\x00\x00\x00\xff\xff"), make([]byte, 65535*12)...),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			p, bytes, _, err := cost(t, data)
			if name == "many numbers" {
				if err != nil || p.Profile != nil {
					t.Errorf("a profile beyond the file's end: %v", err)
				}
			} else if err == nil {
				t.Error("no error")
			}
			if most := uint64(1 << 20); bytes > most {
				t.Errorf("%d bytes were allocated, want at most %d", bytes, most)
			}
		})
	}
}

func TestManyDirectoriesAreNotAllRead(t *testing.T) {
	pages := make([]*testDirectory, 6000)
	for i := range pages {
		pages[i] = grey8(1, 1, 0)
	}
	p, err := Open(little(pages...))
	if err != nil {
		t.Fatal(err)
	}
	wantRemark(t, p, fmt.Sprintf("more than %d pages", maxDirectories))
}

func TestDecodingStopsWithItsContext(t *testing.T) {
	const height = 100
	d := rgb8(10, height).set(short(tagRowsPerStrip, 1))
	d.chunks = nil
	for range height {
		d.chunks = append(d.chunks, make([]byte, 30))
	}
	p, err := Open(little(d))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	err = p.Decode(ctx, func(int, int, []float32) {
		if rows++; rows == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || rows != 3 {
		t.Errorf("after %d rows: %v", rows, err)
	}
	// Within a strip, too.
	data := make([]byte, 1<<20)
	p, err = Open(little(grey8(1024, 1024, data...)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	rows = 0
	err = p.Decode(ctx, func(int, int, []float32) {
		rows++
		cancel()
	})
	if !errors.Is(err, context.Canceled) || rows > 70 {
		t.Errorf("after %d rows of one strip: %v", rows, err)
	}
}
