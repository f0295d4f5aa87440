//go:build gpu && cgo && linux

package cuda

import (
	"testing"

	"impasto/cuda/standin"
)

// The stand-in allows a block as much shared memory as its compute capability has, static
// and dynamic: what fits on one GPU may not on another.
func TestSharedMemoryIsWhatTheCapabilityHas(t *testing.T) {
	for capability, kibibytes := range map[string]int{"8.0": 163, "8.6": 99, "9.0": 227, "12.0": 99} {
		t.Run(capability, func(t *testing.T) {
			if !standin.Again(t, "STANDIN_CAPABILITY="+capability) {
				return
			}
			d := open(t, Options{})
			for _, test := range []struct {
				kernel string
				bytes  int
				fits   bool
			}{
				{"fill", kibibytes << 10, true},
				{"fill", kibibytes<<10 + 1, false},
				{"sum_partials", kibibytes << 10, false}, // which has some of its own
			} {
				err := d.do("ask for shared memory", func() error {
					_, err := d.function(test.kernel, test.bytes)
					return err
				})
				if (err == nil) != test.fits {
					t.Errorf("%s with %d bytes: %v, fits is %t", test.kernel, test.bytes, err, test.fits)
				}
			}
		})
	}
}
