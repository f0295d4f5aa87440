package kernels

import (
	"math/rand/v2"
	"strings"
	"testing"

	"impasto/internal/cpu/kernels"
)

// BenchmarkLoops takes the time of every loop on a few blocks or a patch, in the caches.
func BenchmarkLoops(b *testing.B) {
	for _, c := range calls() {
		if !strings.HasSuffix(c.name, "of 5 blocks") && !strings.HasSuffix(c.name, "of 8 rows 33 apart") {
			continue
		}
		for _, name := range kernels.ISAs() {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				set, o := Named(name), values(c.operands(rand.New(rand.NewPCG(1, 1)), 1))
				for b.Loop() {
					c.run(set, o)
				}
			})
		}
	}
}
