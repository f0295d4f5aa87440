package model

import (
	"slices"
	"testing"
)

func TestLargeLevelsMakeFewerIterations(t *testing.T) {
	sides := levelSides(256, 4096)
	for _, test := range []struct {
		name   string
		change func(o *Options)
		want   []int // at 256, 362, 512, 724, 1024, 1448, 2048, 2896 and 4096
	}{
		{"good", func(*Options) {}, []int{100, 100, 100, 71, 50, 36, 30, 30, 30}},
		{"draft", func(o *Options) { _ = o.SetQuality("draft") }, []int{30, 30, 30, 22, 15, 15, 15, 15, 15}},
		{"best", func(o *Options) { _ = o.SetQuality("best") }, []int{250, 250, 250, 177, 125, 89, 75, 75, 75}},
		{"Adam", func(o *Options) { o.Optimizer = Adam }, slices.Repeat([]int{100}, 9)},
		{"equal", func(o *Options) { o.LeastIterations = o.Iterations }, slices.Repeat([]int{100}, 9)},
		{"equal by far", func(o *Options) { o.LeastIterations = MaxIterations }, slices.Repeat([]int{100}, 9)},
		{"few", func(o *Options) { o.Iterations = 10 }, slices.Repeat([]int{10}, 9)},
	} {
		o := DefaultOptions()
		test.change(&o)
		var got []int
		for _, side := range sides {
			got = append(got, o.iterationsAt(side))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v iterations at %v, want %v", test.name, got, sides, test.want)
		}
	}
}
