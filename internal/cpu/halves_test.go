package cpu

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/device"
	"impasto/internal/cpu/kernels"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
)

// apart is the norm of the difference in units of that of want.
func apart(got, want []float32) float64 {
	var sum, size float64
	for i, v := range want {
		d := float64(got[i]) - float64(v)
		sum, size = sum+d*d, size+float64(v)*float64(v)
	}
	return math.Sqrt(sum / size)
}

func TestFeaturesOfFloat16TakeThreeQuartersOfTheMemory(t *testing.T) {
	p := emptyNetwork()
	single, narrow := opened(t, Options{Threads: 1}), opened(t, Options{Threads: 1, Precision: device.Float16})
	for _, style := range []string{"gram", "gaussian"} {
		l := networkLossOf(t, p, vgg19.Options{Padding: "replicate"}, 512, style, fiveLayers...)
		whole, half := programOf(t, single, l.Schedule).Bytes, programOf(t, narrow, l.Schedule).Bytes
		t.Logf("%s: %d MiB, %d with float16", style, whole>>20, half>>20)
		if float64(half) > 0.77*float64(whole) {
			t.Errorf("%s: %d bytes with float16 and %d without, want at most 77 %%", style, half, whole)
		}
	}
}

// Losses differ from those on float32 features by the rounding of these, and
// gradients by the units that come to lie on the other side of zero or of a
// maximum, too; on a picture of noise, there are many. They count most under cmd,
// which has features to the fourth power. (max-sliced is left out: which maximum its
// directions climb to hangs on less.)
func TestEveryLossIsNearlyTheSameOnFeaturesOfFloat16(t *testing.T) {
	p := defaultNetwork(t)
	single, half := opened(t, Options{Threads: 1}), opened(t, Options{Threads: 1, Precision: device.Float16})
	check := func(name string, l *networkLoss) {
		t.Helper()
		want, dWant := l.at(t, single)
		cost, gradient := l.at(t, half)
		off, dOff := math.Abs(cost/want-1), apart(gradient, dWant)
		t.Logf("%s: loss off by %.1e, gradient by %.1e", name, off, dOff)
		most := 0.02
		if name == "cmd" {
			most = 0.07
		}
		if !(off < 5e-4) || !(dOff < most) || dOff == 0 {
			t.Errorf("%s: loss is %g on float16 and %g on float32; the gradient is off by %.1e of its norm", name, cost, want, dOff)
		}
	}
	for _, style := range slices.DeleteFunc(losses.Names(), func(name string) bool { return name == "max-sliced" }) {
		check(style, networkLossOf(t, p, vgg19.Options{Padding: "replicate"}, 40, style, fiveLayers...))
	}
	check("content", networkLossOf(t, p, vgg19.Options{}, 32, "", fiveLayers...))
	for _, pooling := range vgg19.Poolings {
		check("with pooling "+pooling, networkLossOf(t, p, vgg19.Options{Pooling: pooling}, 32, "gram", fiveLayers...))
	}
	check("before ReLU", networkLossOf(t, p, vgg19.Options{}, 32, "gram", "conv1_2", "relu1_2", "pool2", "conv3_1", "relu3_1"))
}

func TestExactOverridesFloat16(t *testing.T) {
	l := networkLossOf(t, defaultNetwork(t), vgg19.Options{}, 24, "gram", "relu1_1", "relu2_1")
	_, want := l.at(t, opened(t, Options{Exact: true}))
	if _, got := l.at(t, opened(t, Options{Exact: true, Precision: device.Float16})); !slices.Equal(got, want) {
		t.Error("exact results depend on float16")
	}
}

func TestOutputsStayFloat32(t *testing.T) {
	const size = 33
	g := gorgonia.NewGraph()
	picture := gorgonia.NewTensor(g, tensor.Float32, 3, gorgonia.WithShape(3, size, size), gorgonia.WithName("picture"))
	layers := []string{"relu1_1", "pool1", "relu5_1"}
	maps, err := vgg19.Build(picture, defaultNetwork(t), vgg19.Options{}, layers...)
	if err != nil {
		t.Fatal(err)
	}
	s, err := plan.Make(maps["relu1_1"], maps["pool1"], maps["relu5_1"])
	if err != nil {
		t.Fatal(err)
	}
	read := func(o Options) map[string][]float32 {
		m := compiled(t, opened(t, o), s)
		if err := m.Write(picture, noise(3*size*size, 1)); err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		features := map[string][]float32{}
		for _, layer := range layers {
			v, err := plan.ReadValues(m, maps[layer])
			if err != nil {
				t.Fatal(err)
			}
			features[layer] = v.Single
		}
		return features
	}
	got, want := read(Options{Precision: device.Float16}), read(Options{})
	for _, layer := range []string{"relu1_1", "pool1"} { // with relu1_2 between, which isn't kept
		if !slices.Equal(got[layer], want[layer]) {
			t.Errorf("the first features, outputs at %s, are not those of float32", layer)
		}
	}
	off := apart(got["relu5_1"], want["relu5_1"])
	t.Logf("relu5_1: off by %.1e", off)
	if !(off > 0 && off < 5e-4) {
		t.Errorf("relu5_1 is off by %.1e of its norm, want at most 5e-4", off)
	}
}

func TestFeaturesThatFloat16CannotHoldAreAnErrorThatNamesTheLayer(t *testing.T) {
	p := *defaultNetwork(t)
	for _, bias := range []float32{1000, 2 * kernels.HalfLimit} {
		p.Biases[8] = slices.Repeat([]float32{bias}, len(p.Biases[8])) // conv4_1
		l := networkLossOf(t, &p, vgg19.Options{}, 32, "gram", "relu1_1", "relu4_2")
		for _, precision := range []device.Precision{device.Float32, device.Float16} {
			err := compiled(t, opened(t, Options{Precision: precision}), l.Schedule).RunAll()
			if overflows := precision == device.Float16 && bias > kernels.HalfLimit; !overflows && err != nil {
				t.Errorf("biases of %g, %s: %v", bias, precision, err)
			} else if overflows && (err == nil || !strings.Contains(err.Error(), "conv4_1") || !strings.Contains(err.Error(), "choose the precision f32")) {
				t.Errorf("biases of %g: %v, want an error that names conv4_1 and the way out", bias, err)
			}
		}
	}
}
