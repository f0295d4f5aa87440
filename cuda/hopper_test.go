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
	const none = 0
	uncut := func(columns, parts int) hopperTiling { return hopperTiling{columns, parts, hopperTile{32, columns}} }
	for _, c := range []struct {
		shape          shape3
		multiprocessor int
		want           hopperTiling
		rounds, left   int
	}{
		// Filters that are no multiple of 128.
		{shape3{64, 64, 512, 512}, 132, uncut(64, 1), 7, 100},
		// 256 tiles are two rounds of 132, and of 114 two with 28 left, in pieces one more.
		{shape3{128, 128, 256, 256}, 132, uncut(128, 1), 1, 124},
		{shape3{128, 128, 256, 256}, 114, hopperTiling{128, 1, hopperTile{16, 64}}, 2, 112},
		// 128 are one of 132, and of 114 one with 14 left.
		{shape3{256, 256, 128, 128}, 132, uncut(128, 1), none, 128},
		{shape3{256, 256, 128, 128}, 114, hopperTiling{128, 1, hopperTile{16, 32}}, 1, 112},
		// 128 filters would leave half of 132 idle. By 64, 114 have no room for all in one round, but
		// by 96, although of the last ones two thirds are for nothing.
		{shape3{512, 512, 64, 64}, 132, uncut(64, 1), none, 128},
		{shape3{512, 512, 64, 64}, 114, uncut(96, 1), none, 96},
		// So few tiles that several share the depth.
		{shape3{512, 512, 32, 32}, 132, uncut(64, 4), none, 128},
		{shape3{512, 512, 32, 32}, 114, uncut(64, 3), none, 96},
		// One tile, of which four blocks take a quarter each.
		{shape3{64, 64, 1, 1}, 132, hopperTiling{64, 1, hopperTile{16, 32}}, none, 4},
	} {
		got := bestTiling(c.shape, c.multiprocessor)
		if rounds, left := got.rounds(c.shape, c.multiprocessor), got.left(c.shape, c.multiprocessor); got != c.want || rounds != c.rounds || left != c.left {
			t.Errorf("%v on %d multiprocessors: %+v in %d rounds with %d left, want %+v in %d with %d",
				c.shape, c.multiprocessor, got, rounds, left, c.want, c.rounds, c.left)
		}
	}
}

// TestEstimatesAreThoseOfTheDocuments adds up the convolutions of an iteration on the matrix units,
// in microseconds at 1.755 GHz: the tables of docs/performance.md.
func TestEstimatesAreThoseOfTheDocuments(t *testing.T) {
	multiprocessors := [...]int{78, 114, 132, 144}
	for _, c := range []struct {
		height, width int
		want          [len(multiprocessors)]int
	}{
		{256, 256, [...]int{353, 316, 256, 254}},
		{512, 512, [...]int{891, 663, 540, 536}},
		{480, 720, [...]int{1201, 874, 799, 715}},
		{768, 1024, [...]int{2257, 1660, 1400, 1357}},
		{1024, 1024, [...]int{3053, 2071, 1759, 1718}},
	} {
		var got [len(multiprocessors)]int
		for i, n := range multiprocessors {
			got[i] = (convolutionCycles(c.height, c.width, n) + 877) / 1755
		}
		if got != c.want {
			t.Errorf("at %d×%d pixels on %v multiprocessors convolutions take %v µs, want %v", c.width, c.height, multiprocessors, got, c.want)
		}
	}
}

// convolutionCycles estimates the convolutions from conv1_2 to conv5_1 and their gradients.
func convolutionCycles(height, width, multiprocessors int) (sum int) {
	in := 64
	for i, block := range [][]int{{64}, {128, 128}, {256, 256, 256, 256}, {512, 512, 512, 512}, {512}} {
		for _, out := range block {
			for _, s := range []shape3{{in, out, height >> i, width >> i}, {out, in, height >> i, width >> i}} {
				sum += bestTiling(s, multiprocessors).cycles(s, multiprocessors)
			}
			in = out
		}
	}
	return sum
}
