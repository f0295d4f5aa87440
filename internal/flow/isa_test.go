package flow

import (
	"context"
	"math"
	"slices"
	"testing"

	cpu "impasto/internal/cpu/kernels"
	"impasto/internal/flow/kernels"
)

// TestFlowIsTheSameOnEveryInstructionSet compares with the loops in Go, bit by bit.
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
	for _, name := range append([]string{"go"}, cpu.ISAs()...) {
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
		} else if !slices.EqualFunc(got.U, want.U, sameBits) || !slices.EqualFunc(got.V, want.V, sameBits) {
			t.Errorf("the flow by %s is another than by Go's loops", name)
		}
	}
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
