//go:build gpu && cgo && linux

package cuda

import (
	"testing"

	"impasto/device"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/weights"
)

// networkProgram is what a device makes of VGG-19 with losses for a picture.
func networkProgram(t *testing.T, d *Device, height, width int) *plan.Program {
	t.Helper()
	parameters, err := weights.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := plan.Make(vgg19Network(t, parameters, height, width).outputs...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.For(d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// countOf is how many steps of a program are of an operation.
func countOf[Op any](p *plan.Program) int {
	count := 0
	for _, step := range p.Steps {
		if _, ok := step.Op.(Op); ok {
			count++
		}
	}
	return count
}

// TestPoolingsGoWithConvolutions counts poolings in the network.
func TestPoolingsGoWithConvolutions(t *testing.T) {
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		d, want := open(t, Options{Precision: precision}), 0
		for _, s := range []shape3{{64, 64, 128, 128}, {128, 128, 64, 64}, {256, 256, 32, 32}, {512, 512, 16, 16}} {
			if d.hopperPools(s) {
				want++
			}
		}
		p := networkProgram(t, d, 128, 128)
		if fused, alone := countOf[*ops.PooledConvolution](p), countOf[*ops.Pool](p); fused != want || alone != 4-want {
			t.Errorf("%s: %d poolings go with convolutions and %d don't, want %d and %d", precision, fused, alone, want, 4-want)
		}
		if standin := d.multiprocessors == 4; standin && want != map[device.Precision]int{device.Float16: 4}[precision] {
			t.Errorf("%s: %d poolings can go with convolutions on 4 multiprocessors", precision, want)
		}
	}
}

// TestTilingsSuitTheMultiprocessors looks at layers of VGG-19 of a picture of 512×512 pixels on
// an H100 with 132 multiprocessors (SXM) and one with 114 (PCIe).
func TestTilingsSuitTheMultiprocessors(t *testing.T) {
	for _, c := range []struct {
		shape          shape3
		multiprocessor int
		want           hopperTiling
		tiles          int
	}{
		// Filters that are no multiple of 128.
		{shape3{64, 64, 512, 512}, 132, hopperTiling{64, 1}, 1024},
		// 256 tiles are two rounds of 132, and of 114 three.
		{shape3{128, 128, 256, 256}, 132, hopperTiling{128, 1}, 256},
		// 128 are one of 132, and two of 114, where 256 half as large are three halves.
		{shape3{256, 256, 128, 128}, 132, hopperTiling{128, 1}, 128},
		{shape3{256, 256, 128, 128}, 114, hopperTiling{64, 1}, 256},
		// 64 would leave half of 132 idle.
		{shape3{512, 512, 64, 64}, 132, hopperTiling{64, 1}, 128},
		// So few tiles that several share the depth.
		{shape3{512, 512, 32, 32}, 132, hopperTiling{64, 4}, 128},
		{shape3{512, 512, 32, 32}, 114, hopperTiling{64, 3}, 96},
		// One tile, of whose depth three blocks take a third each.
		{shape3{64, 64, 1, 1}, 132, hopperTiling{64, 3}, 3},
	} {
		got := bestTiling(c.shape, c.multiprocessor)
		if tiles := got.tiles(c.shape); got != c.want || tiles != c.tiles {
			t.Errorf("%v on %d multiprocessors: %+v with %d tiles, want %+v with %d", c.shape, c.multiprocessor, got, tiles, c.want, c.tiles)
		}
	}
}
