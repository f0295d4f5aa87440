package kernels

import (
	"fmt"
	"testing"
)

// onEveryTiles runs a test with every kernels of tiles that this machine has.
func onEveryTiles(t *testing.T, test func(t *testing.T, k *tileKernels)) {
	t.Helper()
	for _, set := range append(isas(), goByTiles()) {
		if set.tiles != nil {
			t.Run(set.name, func(t *testing.T) { test(t, set.tiles) })
		}
	}
}

// goByTiles are the loops in Go with those of tiles, which Go takes for itself nowhere,
// since Winograd's algorithm is faster there.
func goByTiles() *isa {
	set := isaGo
	set.name, set.tiles = "go by tiles", &tilesGo
	return &set
}

func TestPackingMatchesGo(t *testing.T) {
	onEveryTiles(t, func(t *testing.T, k *tileKernels) {
		for n := 1; n <= 20; n++ {
			x, start := values(1, n*channelBlock), paired(values(2, 2*n*channelBlock))
			besideIn(t, 2, fmt.Sprint("packPixels ", n), n*channelBlock, start,
				func(v []float32) { k.packPixels(v, x, n) },
				func(v []float32) { packPixelsGo(v, x, n) })
		}
		filters := values(3, filterBlock)
		for turned := range 2 {
			besideIn(t, 2, fmt.Sprint("packFilters ", turned), tileFilters, paired(values(4, 2*tileFilters)),
				func(u []float32) { k.packFilters(u, filters, turned) },
				func(u []float32) { packFiltersGo(u, filters, turned) })
		}
	})
}

// tileCase is a call of convolve.
type tileCase struct {
	v, u, biases          []float32
	n, row, plane, chunks int
}

func newTileCase(seed uint64, n, chunks int) tileCase {
	row := (n/3 + 2) * channelBlock
	plane := n*channelBlock + 2*row + 3*channelBlock
	return tileCase{
		paired(values(seed, 2*chunks*plane)), paired(values(seed+1, 2*2*chunks*tileFilters)), values(seed+2, tileOuts),
		n, row, plane, chunks,
	}
}

func (c tileCase) convolve(k *tileKernels, m []float32, rectify int) {
	k.convolve(m, c.v, c.u, c.biases, c.n, c.row, c.plane, c.chunks, rectify)
}

func TestSumsOfTilesMatchGo(t *testing.T) {
	onEveryTiles(t, func(t *testing.T, k *tileKernels) {
		for n := tilePixels; n <= 4*tilePixels; n += tilePixels {
			for chunks := 1; chunks <= 3; chunks++ {
				c := newTileCase(1, n, chunks)
				for rectify := range 2 {
					beside(t, fmt.Sprint("convolve ", n, chunks, rectify), n*tileOuts, values(5, n*tileOuts),
						func(m []float32) { c.convolve(k, m, rectify) },
						func(m []float32) { c.convolve(&tilesGo, m, rectify) })
				}
			}
		}
	})
}

func TestTilesAreTheSameHoweverManyRowsAtATime(t *testing.T) {
	const out, in, height, width = 48, 48, 9, 11
	c, err := NewConvolution(Filters{Values: values(1, out*in*9)}, values(2, out), out, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range append(isas(), goByTiles()) {
		if set.tiles == nil {
			continue
		}
		w := newWorkers(2, set)
		defer w.Close()
		y := make([]float32, out*height*width)
		task := winogradTask{
			blocked: c.winograd(), isa: set, biases: c.biases, y: Single(y), height: height, width: width, rectify: true,
			source: source{x: Single(values(3, in*height*width)), height: height, width: width, border: Border{Replicate: true}},
		}
		newTileTask(task, 2).run(w)
		for most := 2; most <= 10; most += 2 {
			for group := 2; group <= most; group += 2 {
				other := newGuarded[float32](len(y))
				task.y = Single(other.values)
				tiles := newTileTask(task, 2)
				tiles.most, tiles.group = most, group
				tiles.run(w)
				what := fmt.Sprint(set.name, ", ", most, " rows packed, ", group, " in a group")
				same(t, what, other.values, y)
				other.check(t, what)
			}
		}
	}
}
