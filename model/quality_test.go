package model

import (
	"slices"
	"testing"

	"impasto/losses"
)

func TestLargeLevelsMakeFewerIterations(t *testing.T) {
	sides := levelSides(256, 4096, 2)
	for _, test := range []struct {
		name         string
		change       func(o *Options)
		middle, last []int // at 256, 362, 512, 724, 1024, 1448, 2048, 2896 and 4096
	}{
		{"good", func(*Options) {}, []int{15, 15, 15, 11, 10, 10, 10, 10, 10}, []int{30, 30, 30, 22, 20, 20, 20, 20, 20}},
		{"draft", func(o *Options) { _ = o.SetQuality("draft") }, []int{8, 8, 8, 6, 6, 6, 6, 6, 6}, []int{12, 12, 12, 9, 8, 8, 8, 8, 8}},
		{"best", func(o *Options) { _ = o.SetQuality("best") }, []int{60, 60, 60, 43, 30, 24, 24, 24, 24}, []int{150, 150, 150, 107, 75, 60, 60, 60, 60}},
		{"Adam", func(o *Options) { o.Optimizer = Adam }, slices.Repeat([]int{15}, 9), slices.Repeat([]int{30}, 9)},
		{"equal", func(o *Options) { o.LeastIterations = o.Iterations }, slices.Repeat([]int{15}, 9), slices.Repeat([]int{30}, 9)},
		{"equal by far", func(o *Options) { o.LeastIterations = MaxIterations }, slices.Repeat([]int{15}, 9), slices.Repeat([]int{30}, 9)},
		{"few", func(o *Options) { o.Iterations = 10 }, slices.Repeat([]int{15}, 9), slices.Repeat([]int{10}, 9)},
	} {
		o := DefaultOptions()
		test.change(&o)
		var middle, last []int
		for _, side := range sides {
			o.Size = side
			last = append(last, o.iterationsAt(side))
			o.Size = 2 * side
			middle = append(middle, o.iterationsAt(side))
		}
		if !slices.Equal(middle, test.middle) || !slices.Equal(last, test.last) {
			t.Errorf("%s: at %v, %v iterations between and %v at the end, want %v and %v", test.name, sides, middle, last, test.middle, test.last)
		}
	}
}

func TestQualitiesFitTheLoss(t *testing.T) {
	for _, test := range []struct {
		quality string
		losses  []string // of the first layers; the others have gaussian
		want    [4]int
	}{
		{"good", nil, [4]int{60, 15, 30, 20}},
		{"good", []string{"gram", "gram", "gram", "gram", "gram"}, [4]int{120, 30, 60, 40}},
		{"draft", []string{"moments", "moments", "moments", "moments", "moments"}, [4]int{19, 6, 9, 6}},
		{"draft", []string{"moments", "gram"}, [4]int{50, 16, 24, 16}},
		{"reference", []string{"gram"}, [4]int{1000, 500, 500, 500}},
	} {
		o := DefaultOptions()
		for i, name := range test.losses {
			o.StyleTerms[i].Loss = named(name)
		}
		if err := o.SetQuality(test.quality); err != nil {
			t.Fatal(err)
		}
		if got := [4]int{o.FirstIterations, o.MiddleIterations, o.Iterations, o.LeastIterations}; got != test.want {
			t.Errorf("%s under %v makes %v iterations, want %v", test.quality, test.losses, got, test.want)
		}
	}
	for name := range paces {
		if _, err := losses.Named(name); err != nil {
			t.Error(err)
		}
	}
}
