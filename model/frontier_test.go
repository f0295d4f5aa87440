package model

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
)

// What tiles add is summed up wherever they overlap: also where more than two do, since they
// are narrower than their margins, and where some add nothing.
func TestAFrontierSumsUpWhatTilesAdd(t *testing.T) {
	for _, test := range []struct{ width, height, columns, rows, reach int }{
		{40, 30, 1, 1, 4}, {41, 30, 3, 1, 4}, {40, 31, 1, 3, 4}, {43, 37, 3, 4, 2}, {43, 37, 9, 8, 7}, {20, 20, 2, 2, 0},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			s := &section{after: "pool2", channels: 3, width: test.width, height: test.height, step: 2, reach: test.reach}
			s.cut(test.columns, test.rows)
			m, err := newFeatureMap(s.channels, s.height, s.width, singles)
			if err != nil {
				t.Fatal(err)
			}
			defer m.free()
			f, err := s.newFrontier(m)
			if err != nil {
				t.Fatal(err)
			}
			defer f.free()
			want := make([]float32, len(m.single))
			r := rand.New(rand.NewPCG(1, 2))
			for k, of := range s.tiles {
				if k%5 == 3 {
					f.add(nil, k)
					continue
				}
				tile := make([]float32, s.channels*area(of.shown))
				m.eachRow(tile, of.shown, of.shown, func(at int, row []float32) {
					for i := range row {
						row[i] = float32(r.IntN(100)) // sums of which are exact
						want[at+i] += row[i]
					}
				})
				f.add(tile, k)
			}
			m.eachRow(want, m.whole(), image.Rect(0, 0, s.width, s.height), func(at int, row []float32) {
				for i, v := range row {
					if got := m.single[at+i]; got != v {
						t.Fatalf("%v at %d, want %v", got, at+i, v)
					}
				}
			})
		})
	}
}
