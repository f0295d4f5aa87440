package kernels

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// amx are the kernels by AMX. Where the processor has none, it ends the test.
func amx(t *testing.T) *tileKernels {
	t.Helper()
	if best := isas()[0]; best.name == "amx" {
		return best.tiles
	}
	t.Skip("this processor has no AMX")
	return nil
}

func TestTilesAreReleased(t *testing.T) {
	k, c := amx(t), newTileCase(1, 64, 2)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 50 {
		c.convolve(k, make([]float32, c.n*tileOuts), 0)
		if tilesInUse() {
			t.Fatal("the thread's tiles still hold values")
		}
	}
}

// TestTilesSurviveSignals multiplies on more goroutines than there are threads, while the
// profiler and collections of garbage stop them by signals all the time.
func TestTilesSurviveSignals(t *testing.T) {
	const goroutines = 16
	k := amx(t)
	runtime.SetCPUProfileRate(5000)
	defer runtime.SetCPUProfileRate(0)
	end := time.Now().Add(2 * time.Second)
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			c := newTileCase(uint64(g), 96, 3)
			want := make([]float32, c.n*tileOuts)
			c.convolve(k, want, 0)
			for time.Now().Before(end) {
				m := make([]float32, len(want)) // garbage
				for range 20 {
					c.convolve(k, m, 0)
				}
				if !slices.Equal(m, want) {
					t.Errorf("goroutine %d: the same sums differ", g)
					return
				}
				if g == 0 {
					runtime.GC()
				}
			}
		})
	}
	all.Wait()
}
