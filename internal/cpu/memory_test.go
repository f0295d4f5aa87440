package cpu

import (
	"errors"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/device"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
	"impasto/vgg19"
)

func TestWorkThatNeedsMoreMemoryThanThereIsIsRefused(t *testing.T) {
	const channels, side, mapBytes = 8, 64, 4 * 8 * 64 * 64
	g := gorgonia.NewGraph()
	input := func(name string) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float32, 3, gorgonia.WithShape(channels, side, side), gorgonia.WithName(name))
	}
	comparison := pure.CloudComparison{Loss: pure.Sinkhorn{Channels: channels, Epsilon: 0.1, Iterations: 1}, Channels: channels}
	loss, err := ops.CompareClouds(comparison, input("x"), input("y"), nil)
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := plan.Make(loss)
	if err != nil {
		t.Fatal(err)
	}
	device, err := NewDevice(Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	needed := int64(schedule.ArenaBytes + 2*mapBytes) // the clouds are as large as the maps
	for _, test := range []struct {
		available int64
		known, ok bool
	}{{needed, true, true}, {needed - 1, true, false}, {0, false, true}} {
		device.(*Device).memory = func() (int64, bool) { return test.available, test.known }
		machine, err := device.Compile(schedule)
		var short *plan.MemoryError
		switch {
		case test.ok && err != nil:
			t.Errorf("%d bytes, known %t: %v", test.available, test.known, err)
		case !test.ok && (!errors.As(err, &short) || short.Needed != needed || short.Available != test.available):
			t.Errorf("%d bytes: %v, want an error that says %d are needed", test.available, err, needed)
		}
		if err == nil {
			machine.Close()
			device.(*Device).spare = nil
		}
	}
}

func TestFeaturesOfFloat16NeedLessMemory(t *testing.T) {
	l := networkLossOf(t, emptyNetwork(), vgg19.Options{}, 64, "gram", fiveLayers...)
	d := opened(t, Options{Threads: 1, Precision: device.Float16}).(*Device)
	needed := int64(d.lay(l.Schedule).Bytes)
	if needed >= int64(l.ArenaBytes) {
		t.Fatalf("%d bytes are needed with float16, %d without", needed, l.ArenaBytes)
	}
	d.memory = func() (int64, bool) { return needed - 1, true }
	var short *plan.MemoryError
	if _, err := d.Compile(l.Schedule); !errors.As(err, &short) || short.Needed != needed {
		t.Errorf("%v, want an error that says %d are needed", err, needed)
	}
	d.memory = func() (int64, bool) { return needed, true }
	if m := compiled(t, d, l.Schedule); m.Memory() != needed {
		t.Errorf("the machine says that it takes %d bytes, want %d", m.Memory(), needed)
	}
}

func TestThereIsMemory(t *testing.T) {
	if bytes, known := AvailableMemory(); !known || bytes < 1<<20 {
		t.Errorf("%d bytes are available, known %t", bytes, known)
	}
}
