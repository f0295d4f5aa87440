package cpu

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/device"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
	"impasto/vgg19"
)

func TestMaximumPoolingsAreMadeByConvolutions(t *testing.T) {
	p := emptyNetwork()
	for _, c := range []struct {
		name               string
		on                 Options
		options            vgg19.Options
		size               int
		layers             []string
		forward, gradients int
	}{
		{"all four", Options{}, vgg19.Options{}, 32, fiveLayers, 4, 4},
		{"but where something else adds to the cotangent", Options{}, vgg19.Options{}, 32, []string{"relu1_2", "relu5_1"}, 4, 3},
		{"of odd maps", Options{}, vgg19.Options{}, 37, fiveLayers, 4, 4},
		{"with float16", Options{Precision: device.Float16}, vgg19.Options{}, 32, fiveLayers, 4, 4},
		{"not by direct convolutions", Options{Exact: true}, vgg19.Options{}, 32, fiveLayers, 0, 0},
		{"not other poolings", Options{}, vgg19.Options{Pooling: "avg"}, 32, fiveLayers, 0, 0},
	} {
		l := networkLossOf(t, p, c.options, c.size, "gram", c.layers...)
		var forward, gradients, left int
		for _, step := range programOf(t, opened(t, c.on), l.Schedule).Steps {
			switch step.Op.(type) {
			case *ops.PooledConvolution:
				forward++
			case *ops.PooledConvolutionGradient:
				gradients++
			case *ops.Pool, *ops.PoolGradient:
				left++
			}
		}
		if forward != c.forward || gradients != c.gradients || left != 8-forward-gradients {
			t.Errorf("%s: %d poolings, %d gradients and %d left, want %d, %d and %d", c.name,
				forward, gradients, left, c.forward, c.gradients, 8-c.forward-c.gradients)
		}
	}
}

// TestMapsThatArePooledAreKeptAsChoices: they are made only where something else reads
// them, and choices only where there is a gradient by them.
func TestMapsThatArePooledAreKeptAsChoices(t *testing.T) {
	p := emptyNetwork()
	loss := func(layers ...string) *plan.Schedule {
		return networkLossOf(t, p, vgg19.Options{}, 32, "gram", layers...).Schedule
	}
	features := func(layers ...string) *plan.Schedule {
		picture := mapInput(gorgonia.NewGraph(), "picture", 3, 32, 32)
		maps, err := vgg19.Build(picture, p, vgg19.Options{}, layers...)
		if err != nil {
			t.Fatal(err)
		}
		var outputs []*gorgonia.Node
		for _, layer := range layers {
			outputs = append(outputs, maps[layer])
		}
		return scheduled(t, outputs...)
	}
	for _, c := range []struct {
		name     string
		schedule *plan.Schedule
		want     []string // what the four poolings' convolutions keep of their results
	}{
		{"a loss", loss(fiveLayers...), []string{"choices", "choices", "choices", "choices"}},
		{"a loss on a map that is pooled", loss("relu2_2", "relu5_1"), []string{"choices", "map", "choices", "choices"}},
		{"features", features("relu5_1"), []string{"", "", "", ""}},
		{"features of a map that is pooled", features("relu3_4", "relu5_1"), []string{"", "", "map", ""}},
	} {
		var kept []string
		for _, step := range programOf(t, opened(t, Options{}), c.schedule).Steps {
			if _, ok := step.Op.(*ops.PooledConvolution); !ok {
				continue
			}
			what := ""
			for _, b := range step.Results[1:] {
				if b.Keeps == plan.Choices {
					what += "choices"
				} else {
					what += "map"
				}
			}
			kept = append(kept, what)
		}
		if !slices.Equal(kept, c.want) {
			t.Errorf("%s: convolutions that pool keep %q, want %q", c.name, kept, c.want)
		}
	}
}

// TestSignsAreKeptOfMapsThatMaskAlone lists the convolutions that keep signs.
func TestSignsAreKeptOfMapsThatMaskAlone(t *testing.T) {
	p := emptyNetwork()
	for _, c := range []struct {
		name    string
		on      Options
		options vgg19.Options
		style   string
		layers  []string
		want    string
	}{
		{"the usual layers", Options{}, vgg19.Options{Padding: "replicate"}, "gram", fiveLayers, "conv3_2 conv3_3 conv4_2 conv4_3"},
		{"float16", Options{Precision: device.Float16}, vgg19.Options{}, "gram", fiveLayers, "conv3_2 conv3_3 conv4_2 conv4_3"},
		{"one layer", Options{}, vgg19.Options{}, "gram", []string{"relu4_1"}, "conv2_1 conv3_1 conv3_2 conv3_3"},
		{"a content layer", Options{}, vgg19.Options{}, "", []string{"relu4_2"}, "conv2_1 conv3_1 conv3_2 conv3_3 conv4_1"},
		{"losses that give their gradients at once", Options{}, vgg19.Options{}, "sliced", []string{"relu2_1", "relu3_2"}, "conv2_1 conv3_1"},
		{"other poolings, whose gradients read their maps", Options{}, vgg19.Options{Pooling: "avg"}, "gram", []string{"relu3_1"}, "conv2_1"},
		{"no poolings", Options{}, vgg19.Options{Pooling: "none"}, "gram", []string{"relu3_1"}, "conv1_2 conv2_1 conv2_2"},
		{"directly", Options{Exact: true}, vgg19.Options{}, "gram", fiveLayers, ""},
	} {
		l := networkLossOf(t, p, c.options, 35, c.style, c.layers...)
		var signed []string
		for _, step := range programOf(t, opened(t, c.on), l.Schedule).Steps {
			if slices.ContainsFunc(step.Results, func(b *plan.Buffer) bool { return b.Keeps == plan.Signs }) {
				signed = append(signed, strings.TrimSuffix(step.Inputs[1].Node.Name(), ".filters"))
			}
		}
		if got := strings.Join(signed, " "); got != c.want {
			t.Errorf("%s: signs are kept by %s, want %s", c.name, got, c.want)
		}
	}
}

// TestPoolingsRectifyForConvolutions: they do where nothing else looks at their
// input or adds to its cotangent.
func TestPoolingsRectifyForConvolutions(t *testing.T) {
	p := emptyNetwork()
	rectifying := func(steps []plan.Step) (count int) {
		for _, step := range steps {
			if _, ok := step.Op.(*ops.PoolGradient); ok && step.Mask != nil {
				count++
			}
		}
		return count
	}
	// Convolutions that are computed directly leave all poolings as they are.
	d := opened(t, Options{Exact: true})
	for _, c := range []struct {
		layers []string
		want   int
	}{{fiveLayers, 4}, {[]string{"relu1_2", "relu5_1"}, 3}, {[]string{"conv1_2", "relu1_1", "relu3_4", "relu4_1"}, 2}} {
		l := networkLossOf(t, p, vgg19.Options{}, 32, "gram", c.layers...)
		if count := rectifying(programOf(t, d, l.Schedule).Steps); count != c.want {
			t.Errorf("%v: %d poolings rectify, want %d", c.layers, count, c.want)
		}
		if rectifying(l.Steps) > 0 {
			t.Error("the schedule itself has changed")
		}
	}
}

// gaussianSteps are a program of three Gaussian losses, as a row of letters: of each
// loss a summary in lower case, its comparison in upper case and, from that, a digit.
// Comparisons that run together are in brackets.
func gaussianSteps(t *testing.T, ridge float64) (row string, groups []plan.Step) {
	t.Helper()
	g := gorgonia.NewGraph()
	names := map[*gorgonia.Node]string{}
	var outputs []*gorgonia.Node
	for i, letter := range "abc" {
		picture := mapInput(g, fmt.Sprint("picture ", i), 4, 5, 6)
		summary := must(t)(ops.SummariseMoments(picture, false))
		target := vectorInput(g, fmt.Sprint("target ", i), summary.Shape()[0])
		loss := must(t)(ops.Compare(pure.Gaussian{Channels: 4, Ridge: ridge}, summary, target))
		sum := must(t)(ops.WeightedSum([]float64{2}, loss))
		names[summary], names[loss], names[sum] = string(letter), string(letter-'a'+'A'), fmt.Sprint(i+1)
		outputs = append(outputs, sum)
	}
	for _, step := range programOf(t, opened(t, Options{Threads: 1}), scheduled(t, outputs...)).Steps {
		made := ""
		for _, b := range step.Results {
			made += names[b.Node]
		}
		if _, ok := step.Op.(*plan.Group); ok {
			made = "[" + made + "]"
			groups = append(groups, step)
		}
		row += made
	}
	return row, groups
}

func TestComparisonsOfNormalDistributionsRunTogether(t *testing.T) {
	for _, c := range []struct {
		ridge float64
		want  string
	}{{0.1, "abc[ABC]123"}, {0, "aA1bB2cC3"}} {
		row, groups := gaussianSteps(t, c.ridge)
		if row != c.want {
			t.Errorf("ridge %v: order %s, want %s", c.ridge, row, c.want)
		}
		for _, group := range groups {
			if len(group.Inputs) != 6 || len(group.Results) != 3 || len(group.Scratch) != 3 {
				t.Errorf("the comparisons' step reads %d values, makes %d and has %d beside, want 6, 3 and the gradients of 3",
					len(group.Inputs), len(group.Results), len(group.Scratch))
			}
		}
	}
}

// TestFeaturesAreKeptInFloat16: those that the network makes are, but for outputs, and
// nothing else is.
func TestFeaturesAreKeptInFloat16(t *testing.T) {
	l := networkLossOf(t, emptyNetwork(), vgg19.Options{Padding: "replicate"}, 36, "gram", "relu1_1", "conv2_1", "relu3_1")
	for _, c := range []struct {
		on   Options
		want bool
	}{{Options{Precision: device.Float16}, true}, {Options{}, false}, {Options{Precision: device.Float16, Exact: true}, false}} {
		for _, step := range programOf(t, opened(t, c.on), l.Schedule).Steps {
			features := false
			switch step.Op.(type) {
			case *ops.Convolution, *ops.PooledConvolution, *ops.Pool:
				features = true
			}
			for _, b := range step.Results {
				if b.Float16 != (c.want && features && b.Keeps == plan.Whole) {
					t.Errorf("%+v: the result of %v is in float16: %t", c.on, step.Op, b.Float16)
				}
			}
		}
	}
}

// TestStepsThatReadNoFloat16HaveCopies lists what reads a copy in float32 of features
// under each loss.
func TestStepsThatReadNoFloat16HaveCopies(t *testing.T) {
	d := opened(t, Options{Threads: 1, Precision: device.Float16})
	p := emptyNetwork()
	for style, want := range map[string][]string{
		"gram":     nil,
		"gaussian": nil,
		"moments":  {"*ops.Moments", "*ops.MomentsGradient"},
		"cmd":      {"*ops.PowerMoments", "*ops.PowerMomentsGradient"},
		"":         {"*ops.DifferenceSums", "*ops.DifferenceSumsGradient"},
		"sliced":   {"*ops.ValueAndGradient"},
		"mmd":      {"*ops.ValueAndGradient"},
	} {
		l := networkLossOf(t, p, vgg19.Options{}, 32, style, "relu2_1")
		copies := map[*plan.Buffer]bool{}
		var readers []string
		for _, step := range programOf(t, d, l.Schedule).Steps {
			if _, ok := step.Op.(ops.Widening); ok {
				if !step.Inputs[0].Float16 || step.Results[0].Float16 || step.Results[0].Dtype != tensor.Float32 {
					t.Errorf("%q: a copy isn't one in float32 of float16", style)
				}
				copies[step.Results[0]] = true
			}
			if slices.ContainsFunc(step.Reads(), func(b *plan.Buffer) bool { return copies[b] }) {
				readers = append(readers, fmt.Sprintf("%T", step.Op))
			}
		}
		if !slices.Equal(readers, want) {
			t.Errorf("%q: %v read copies, want %v", style, readers, want)
		}
	}
}
