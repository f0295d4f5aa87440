package model

import (
	"context"
	"fmt"
	"image"
	"slices"
	"testing"

	"impasto/internal/picture"
)

// The sizes here are what gen_scales and size_to_fit of
// crowsonkb/style-transfer-pytorch return.

func TestLevelsAreThoseOfTheReferenceProgram(t *testing.T) {
	tests := []struct {
		first, last, perOctave int
		want                   []int
	}{
		{128, 512, 2, []int{128, 181, 256, 362, 512}},
		{128, 500, 2, []int{177, 250, 354, 500}},
		{128, 128, 2, []int{128}},
		{64, 1000, 2, []int{88, 125, 177, 250, 354, 500, 707, 1000}},
		{16, 50, 2, []int{18, 25, 35, 50}},
		{2, 9, 2, []int{2, 3, 4, 6, 9}},
		{512, 128, 2, []int{128}},           // as with min_scale = min(min_scale, end_scale)
		{128, 640, 1, []int{160, 320, 640}}, // ours alone from here on
		{160, 640, 1, []int{160, 320, 640}},
		{60, 250, 1, []int{62, 125, 250}},
		{100, 200, 4, []int{100, 119, 141, 168, 200}},
	}
	for _, test := range tests {
		if got := levelSides(test.first, test.last, test.perOctave); !slices.Equal(got, test.want) {
			t.Errorf("levels from %d to %d, %d to an octave, are %v, want %v", test.first, test.last, test.perOctave, got, test.want)
		}
	}
}

func TestSizesAreThoseOfTheReferenceProgram(t *testing.T) {
	tests := []struct {
		width, height, longest int
		scaleUp                bool
		wantWidth, wantHeight  int
	}{
		{640, 480, 128, true, 128, 96},
		{480, 640, 128, true, 96, 128},
		{100, 50, 101, true, 101, 50}, // 50.5 to the even neighbour
		{200, 100, 25, true, 25, 12},  // 12.5
		{200, 100, 27, true, 27, 14},  // 13.5
		{100, 80, 128, false, 100, 80},
		{100, 80, 128, true, 128, 102},
		{300, 200, 128, false, 128, 85},
		{128, 128, 181, true, 181, 181},
	}
	for _, test := range tests {
		width, height := fit(test.width, test.height, test.longest, test.scaleUp)
		if width != test.wantWidth || height != test.wantHeight {
			t.Errorf("%d×%d made to fit %d is %d×%d, want %d×%d",
				test.width, test.height, test.longest, width, height, test.wantWidth, test.wantHeight)
		}
	}
}

func TestNoSideIsFittedToNothing(t *testing.T) {
	if width, height := fit(1000, 3, 128, false); width != 128 || height != 1 {
		t.Errorf("1000×3 made to fit 128 is %d×%d, want 128×1", width, height)
	}
}

func TestPyramidScalesTheContentUpButNotTheStyles(t *testing.T) {
	o := tinyOptions()
	o.MinSize, o.Size = 32, 64
	tests := []struct {
		name   string
		change func(*Options)
		styles []string // of a 40×50 style, level by level
	}{
		{"as large as the level", func(*Options) {}, []string{"26×32", "36×45", "40×50"}},
		{"half as large", func(o *Options) { o.StyleScale = 0.5 }, []string{"16×20", "18×22", "26×32"}},
		{"of one size", func(o *Options) { o.StyleSize = 40 }, []string{"32×40", "32×40", "32×40"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := o
			test.change(&o)
			levels, err := pyramid(t.Context(), waves(30, 20, 0.1), []Style{{waves(40, 50, 1), 1}}, o)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"32×21", "45×30", "64×43"}
			if len(levels) != len(want) {
				t.Fatalf("pyramid has %d levels, want %d", len(levels), len(want))
			}
			for i, l := range levels {
				if got := l.size(); got != want[i] || l.content.Width != l.width || l.content.Height != l.height {
					t.Errorf("level %d is %s with a content of %d×%d, want %s", i+1, got, l.content.Width, l.content.Height, want[i])
				}
				if got := fmt.Sprintf("%d×%d", l.styles[0].Width, l.styles[0].Height); got != test.styles[i] {
					t.Errorf("style at level %d is %s, want %s", i+1, got, test.styles[i])
				}
			}
			if levels[0].iterations != o.FirstIterations || levels[2].iterations != o.Iterations {
				t.Errorf("levels have %d … %d iterations, want %d and then %d",
					levels[0].iterations, levels[2].iterations, o.FirstIterations, o.Iterations)
			}
		})
	}
}

func TestPanoramasBeginAtTheFirstLevelThatFits(t *testing.T) {
	tests := []struct {
		name           string
		content, style [2]int
		levels, styles []string
		remarks        []int // how many at each level
	}{
		{"usual pictures", [2]int{60, 40}, [2]int{60, 40},
			[]string{"32×21", "45×30", "64×43", "91×61", "128×85"}, []string{"32×21", "45×30", "60×40", "60×40", "60×40"}, []int{0, 0, 0, 0, 0}},
		{"a wide content", [2]int{800, 150}, [2]int{60, 40}, []string{"91×17", "128×24"}, []string{"60×40", "60×40"}, []int{1, 0}},
		{"a high content", [2]int{150, 800}, [2]int{60, 40}, []string{"17×91", "24×128"}, []string{"60×40", "60×40"}, []int{1, 0}},
		{"a wide style", [2]int{60, 40}, [2]int{800, 150},
			[]string{"32×21", "45×30", "64×43", "91×61", "128×85"}, []string{"83×16", "83×16", "83×16", "91×17", "128×24"}, []int{1, 1, 1, 0, 0}},
		{"both", [2]int{800, 150}, [2]int{800, 120}, []string{"91×17", "128×24"}, []string{"104×16", "128×19"}, []int{2, 0}},
		{"a style smaller than the layers need", [2]int{800, 150}, [2]int{8, 4}, []string{"91×17", "128×24"}, []string{"31×16", "31×16"}, []int{2, 1}},
		{"a content of one pixel", [2]int{1, 1}, [2]int{1, 1},
			[]string{"32×32", "45×45", "64×64", "91×91", "128×128"}, []string{"16×16", "16×16", "16×16", "16×16", "16×16"}, []int{2, 1, 1, 1, 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := tinyOptions()
			o.MinSize, o.Size = 32, 128
			content, styles := waves(test.content[0], test.content[1], 0.1), []Style{{waves(test.style[0], test.style[1], 0.4), 1}}
			if err := checkPictures(content, styles, o); err != nil {
				t.Fatal(err)
			}
			levels, err := pyramid(t.Context(), content, styles, o)
			if err != nil {
				t.Fatal(err)
			}
			var sizes, shown []string
			var remarks []int
			for i, l := range levels {
				sizes, remarks = append(sizes, l.size()), append(remarks, len(l.remarks))
				shown = append(shown, fmt.Sprintf("%d×%d", l.styles[0].Width, l.styles[0].Height))
				if want := map[bool]int{true: o.FirstIterations, false: o.Iterations}[i == 0]; l.iterations != want {
					t.Errorf("level %d has %d iterations, want %d", i+1, l.iterations, want)
				}
			}
			if !slices.Equal(sizes, test.levels) || !slices.Equal(shown, test.styles) || !slices.Equal(remarks, test.remarks) {
				t.Errorf("levels %v with styles %v and so many remarks: %v; want %v with %v and %v",
					sizes, shown, remarks, test.levels, test.styles, test.remarks)
			}
		})
	}
}

func TestLongestForIsTheLeastThatFits(t *testing.T) {
	for _, size := range [][2]int{{8000, 500}, {500, 8000}, {20000, 40}, {1, 20}, {7, 7}, {31, 30}, {3, 1000}, {640, 480}} {
		for _, least := range []int{2, 8, 16} {
			longest := longestFor(size[0], size[1], least)
			w, h := fit(size[0], size[1], longest, true)
			below, beside := fit(size[0], size[1], longest-1, true)
			if min(w, h) < least || longest > least && min(below, beside) >= least {
				t.Errorf("%v with sides of at least %d: %d makes it %d×%d, one less %d×%d", size, least, longest, w, h, below, beside)
			}
		}
	}
}

// pyramid returns the levels from the smallest, with their pictures.
func pyramid(ctx context.Context, content image.Image, styles []Style, o Options) ([]level, error) {
	levels := emptyPyramid(content.Bounds().Size(), styles, o)
	if err := addContent(ctx, levels, content, picture.ResizeOptions{Filter: picture.Lanczos}); err != nil {
		return nil, err
	}
	if err := addStyles(ctx, levels, styles); err != nil {
		return nil, err
	}
	levels[0].remarkTexture()
	return levels, nil
}
