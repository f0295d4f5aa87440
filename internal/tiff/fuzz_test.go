package tiff

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"
)

// FuzzDecode wants of any file that it is read or refused in one line, with values of 0–1,
// in the memory that Open announced, and in time.
func FuzzDecode(f *testing.F) {
	var fixtures []libtiffFixture
	if err := json.Unmarshal(libtiffFixtures, &fixtures); err != nil {
		f.Fatal(err)
	}
	for _, fixture := range fixtures {
		f.Add(inflated(f, fixture.File))
	}
	f.Add(little(yuv(3, 3, 2, 2, make([]byte, 24)...)))
	f.Add(little(flagged(5, 1), flagged(9, 0)))
	f.Add(encoded(f, sceneRows(20, 10, RGB, true, 16), Options{Bits: 16}))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Open(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		if p.Memory < 0 || p.Width < 0 || p.Height < 0 {
			t.Fatalf("%d×%d pixels in %d bytes", p.Width, p.Height, p.Memory)
		}
		// Larger ones are legal; they only slow the search down.
		if p.Memory > 1<<26 || int64(p.Width)*int64(p.Height) > 1<<20 {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		err = p.Decode(t.Context(), func(x, y int, values []float32) {
			for _, v := range values {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("a value of row %d is %v, want 0–1", y, v)
				}
			}
		})
		runtime.ReadMemStats(&after)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("error of several lines: %q", err)
		}
		// Each strip may leave a decompressor for the garbage collector, and each JPEG its
		// head and its picture.
		chunks := int64(p.layout.across) * int64(p.layout.down) * int64(p.layout.samples)
		most := p.Memory + chunks*(1<<16) + 1<<20
		if p.layout.compression == jpegCoded {
			most = p.Memory*(1+chunks) + chunks*int64(len(data)) + 1<<20
		}
		if got := int64(after.TotalAlloc - before.TotalAlloc); got > most {
			t.Errorf("%d bytes were allocated, want at most %d", got, most)
		}
		if taken := time.Since(start); taken > 20*time.Second {
			t.Errorf("%d×%d pixels took %v", p.Width, p.Height, taken)
		}
	})
}
