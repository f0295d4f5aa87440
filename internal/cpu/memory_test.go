package cpu

import (
	"errors"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
	"impasto/vgg19"
)

func TestWorkThatNeedsMoreMemoryThanThereIsIsRefused(t *testing.T) {
	const channels, side, mapBytes = 8, 64, 4 * 8 * 64 * 64
	g := gorgonia.NewGraph()
	of := pure.Sinkhorn{Channels: channels, Epsilon: 0.1, Iterations: 1}
	loss := must(t)(ops.CompareClouds(of, ops.CloudOperands{
		X: mapInput(g, "x", channels, side, side), Target: mapInput(g, "y", channels, side, side),
	}))
	schedule, d := scheduled(t, loss), opened(t, Options{Threads: 1})
	needed := int64(programOf(t, d, schedule).Bytes + 2*mapBytes) // the clouds are as large as the maps
	for _, test := range []struct {
		available int64
		known, ok bool
	}{{needed, true, true}, {needed - 1, true, false}, {0, false, true}} {
		d.memory = func() (int64, bool) { return test.available, test.known }
		machine, err := d.Compile(schedule)
		var short *plan.MemoryError
		switch {
		case test.ok && err != nil:
			t.Errorf("%d bytes, known %t: %v", test.available, test.known, err)
		case !test.ok && (!errors.As(err, &short) || short.Needed != needed || short.Available != test.available):
			t.Errorf("%d bytes: %v, want an error that says %d are needed", test.available, err, needed)
		}
		if err == nil {
			machine.Close()
			d.spare = nil
		}
	}
}

func TestFeaturesOfFloat16NeedLessMemory(t *testing.T) {
	l := networkLossOf(t, emptyNetwork(), vgg19.Options{}, 64, "gram", fiveLayers...)
	d := opened(t, Options{Threads: 1, Precision: device.Float16})
	arena := int64(programOf(t, d, l.Schedule).Bytes)
	if whole := int64(programOf(t, opened(t, Options{Threads: 1}), l.Schedule).Bytes); arena >= whole {
		t.Fatalf("%d bytes are needed with float16, %d without", arena, whole)
	}
	needed, err := d.Needs(l.Schedule)
	if err != nil || needed <= arena {
		t.Fatalf("%d bytes are needed (error %v), want those of the arena, %d, and of the filters", needed, err, arena)
	}
	d.memory = func() (int64, bool) { return needed - 1, true }
	var short *plan.MemoryError
	if _, err := d.Compile(l.Schedule); !errors.As(err, &short) || short.Needed != needed {
		t.Errorf("%v, want an error that says %d are needed", err, needed)
	}
	d.memory = func() (int64, bool) { return needed, true }
	if m := compiled(t, d, l.Schedule); m.Memory() != arena {
		t.Errorf("the machine says that it takes %d bytes, want %d", m.Memory(), arena)
	}
}
