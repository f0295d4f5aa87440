package bench

import (
	"context"
	"strings"
	"testing"

	"impasto/cuda"
	"impasto/cuda/kernels"
	"impasto/device"
	"impasto/losses"
)

// Of iterations that make other launches than most, no time counts.
func TestLaunchesAreComparedWithTheirLike(t *testing.T) {
	launched := func(names ...string) (all []cuda.Launched) {
		for _, name := range names {
			all = append(all, cuda.Launched{Launch: kernels.Launch{Kernel: name}})
		}
		return all
	}
	alike := commonest([][]cuda.Launched{launched("a"), launched("a", "b"), launched("a", "b"), launched("a", "b", "b")})
	if len(alike) != 2 || len(alike[0]) != 2 {
		t.Errorf("%d iterations of %d launches, want the two of two", len(alike), len(alike[0]))
	}
}

func TestProcessorsLaunchNothing(t *testing.T) {
	gram, err := losses.Named("gram")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Launches(context.Background(), Options{Size: 16, Loss: gram, Runs: 1, Device: device.CPU})
	if err == nil || !strings.Contains(err.Error(), "GPU") {
		t.Errorf("launches of the processor: %v, want an error", err)
	}
}
