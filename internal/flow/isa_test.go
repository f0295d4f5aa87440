package flow

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"testing"

	cpu "impasto/internal/cpu/kernels"
	"impasto/internal/flow/kernels"
)

// checksum is that of the flow in TestFlowIsTheSameOnEveryInstructionSet, which changes with
// the method but not with the processor.
const checksum = 0xb0ce4596

// TestFlowIsTheSameOnEveryInstructionSet compares with the loops in Go, bit by bit, and by
// the checksum with other kinds of processors.
func TestFlowIsTheSameOnEveryInstructionSet(t *testing.T) {
	first, second := NewPlane(119, 85), NewPlane(119, 85)
	for y := range first.Height {
		for x := range first.Width {
			// Squares that move by (3, 1), and what no flow explains.
			first.row(y)[x] = float32((x/7*31+y/9*57)%200 + x*y%13)
			second.row(y)[x] = float32(((x+4)/7*31+(y+8)/9*57)%200 + (x*3+y)%11)
		}
	}
	var want Field
	names := cpu.ISAs()
	slices.Reverse(names) // from "go" on
	for _, name := range names {
		e, err := NewEstimator(first.Width, first.Height, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		e.set = kernels.Named(name)
		if e.set.Name != name && name != "amx" {
			t.Fatalf("for %s there are the loops of %s", name, e.set.Name)
		}
		var frames [2]*Frame
		for i, p := range []Plane{first, second} {
			if frames[i], err = e.Frame(p); err != nil {
				t.Fatal(err)
			}
		}
		got, err := e.Flow(context.Background(), frames[0], frames[1])
		if err != nil {
			t.Fatal(err)
		}
		if name == "go" {
			want = got
			if sum := checksumOf(got); sum != checksum {
				t.Errorf("the flow's checksum is %#x, want %#x", sum, checksum)
			}
		} else if !slices.EqualFunc(got.U, want.U, sameBits) || !slices.EqualFunc(got.V, want.V, sameBits) {
			t.Errorf("the flow by %s is another than by Go's loops", name)
		}
	}
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

func TestAnUnknownInstructionSetIsRefused(t *testing.T) {
	t.Setenv(cpu.Environment, "abacus")
	if _, err := NewEstimator(16, 16, DefaultOptions()); err == nil || !strings.Contains(err.Error(), "abacus") {
		t.Errorf("error %v, want one with the name", err)
	}
}

func checksumOf(f Field) uint32 {
	sum := crc32.NewIEEE()
	for _, values := range [][]float32{f.U, f.V} {
		binary.Write(sum, binary.LittleEndian, values) // which doesn't fail
	}
	return sum.Sum32()
}
