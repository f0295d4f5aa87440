//go:build gpu && cgo && linux

package cuda

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/cpu"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
	"impasto/weights"
)

// networkErrors are what each precision may be off by in the features of relu5_1 and
// in the gradient to the picture, in units of their root mean square. A unit that is
// nearly zero, or the lesser of two that are nearly equal, may be taken for the
// other, and in a picture as small as this one such flips make most of a gradient's
// error.
var networkErrors = map[device.Precision][2]float64{
	"f32": {2e-6, 1e-5}, "tf32": {1e-3, 0.03}, "f16": {1e-3, 0.03}, "bf16": {1e-2, 0.1},
}

func TestTheNetworkMatchesTheProcessors(t *testing.T) {
	parameters, err := weights.Default()
	if err != nil {
		t.Fatal(err)
	}
	n := vgg19Network(t, parameters, 24, 20)
	exact, err := cpu.NewDevice(cpu.Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	want := evaluate(t, exact, n, 1)
	for _, precision := range testedPrecisions(t) {
		got := evaluate(t, open(t, Options{Precision: precision}), n, 1)
		features, gradient := relative(got[0].Single, want[0].Single), relative(got[2].Single, want[2].Single)
		t.Logf("%s: features are off by %.2g, the gradient by %.2g", precision, features, gradient)
		if limit := networkErrors[precision]; !(features <= limit[0] && gradient <= limit[1]) {
			t.Errorf("%s: features are off by %.2g, the gradient by %.2g, want %.2g and %.2g at most", precision, features, gradient, limit[0], limit[1])
		}
	}
}

// vgg19Network is relu5_1, the loss moments at five layers, and its gradient.
func vgg19Network(t *testing.T, parameters *vgg19.Parameters, height, width int) network {
	t.Helper()
	layers := []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
	x := leaf(gorgonia.NewGraph(), "x", 3, height, width)
	taps, err := vgg19.Build(x, parameters, vgg19.Options{}, layers...)
	if err != nil {
		t.Fatal(err)
	}
	loss, err := losses.Named("moments")
	if err != nil {
		t.Fatal(err)
	}
	form := loss.Normalised()
	picture := values32(3, 3, height, width)
	for i, v := range picture.Single {
		picture.Single[i] = min(max(0.5+0.2*v+0.2*float32(math.Sin(float64(i)/7)), 0), 1)
	}
	n := network{inputs: map[string]plan.Values{"x": picture}}
	var terms []*gorgonia.Node
	var each []float64
	for i, layer := range layers {
		summaries, err := form.Summarise(taps[layer], losses.Positions{})
		if err != nil {
			t.Fatal(err)
		}
		target := n.target(x.Graph(), i, keptOf(t, form, positive(values32(uint64(20+i), taps[layer].Shape()...))))
		term, err := form.Value(summaries, target)
		if err != nil {
			t.Fatal(err)
		}
		terms, each = append(terms, term), append(each, 1)
	}
	outputs := withGradient(t, x, each, terms...)
	n.outputs = []*gorgonia.Node{taps["relu5_1"], outputs[0], outputs[len(outputs)-1]}
	return n
}

// relative is the root mean square of a difference in units of want's.
func relative(got, want []float32) float64 {
	var difference, size float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		difference += d * d
		size += float64(w) * float64(w)
	}
	return math.Sqrt(difference / size)
}
