package engine

import (
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/cuda"
	"impasto/device"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
)

func processor(t *testing.T) plan.Device {
	t.Helper()
	d, err := Open(Options{Device: device.CPU})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestPrecisionsThatNoDeviceKnowsAreRefused(t *testing.T) {
	for _, test := range []struct {
		name device.Name
		want string
	}{{device.CPU, "cpu: the device cpu knows"}, {device.Auto, "there is no GPU that can be used for this, and the device cpu knows"}} {
		if cuda.Built && test.name == device.Auto {
			continue // there may be a GPU
		}
		_, err := Open(Options{Device: test.name, Precision: device.TensorFloat32})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("tf32 on %s: %v, want %s …", test.name, err, test.want)
		}
	}
	if _, err := Open(Options{Device: "cuda:0,1"}); err == nil || !strings.Contains(err.Error(), "several devices") {
		t.Errorf("cuda:0,1 as one device: %v", err)
	}
	if _, err := Open(Options{Device: "abacus"}); err == nil {
		t.Error("there is a device abacus")
	}
}

// TestAutoPrecisionIsFloat32WhereExact: what measures pictures computes in float32.
func TestAutoPrecisionIsFloat32WhereExact(t *testing.T) {
	exact, err := Open(Options{Device: device.CPU, Exact: true, Precision: device.AutoPrecision})
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	if want := processor(t).Name(); exact.Name() != want {
		t.Errorf("the device is %s, want %s", exact.Name(), want)
	}
}

func TestTheProcessorIsAlwaysListed(t *testing.T) {
	devices, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	if first := devices[0]; first.Device != device.CPU || !first.Usable || first.Name == "" {
		t.Errorf("the first device is %+v", first)
	}
}

// Of outputs that are the same node, as summaries that are the features themselves, each
// has its value.
func TestEvaluateGivesEveryOutputItsValue(t *testing.T) {
	parameters, err := Parameters(nil, "relu1_1")
	if err != nil {
		t.Fatal(err)
	}
	if parameters.Filters[0] == nil || parameters.Filters[1] != nil {
		t.Error("the parameters are not those down to conv1_1")
	}
	n := Network{Device: processor(t), Parameters: parameters, Options: vgg19.Options{}}
	p := &picture.Picture{Width: 5, Height: 4, RGB: make([]float32, 3*5*4)}
	for i := range p.RGB {
		p.RGB[i] = float32(i%7) / 7
	}
	gram, err := losses.Named("gram")
	if err != nil {
		t.Fatal(err)
	}
	values, err := n.Evaluate(t.Context(), p, []string{"relu1_1"}, func(maps map[string]*gorgonia.Node) ([]*gorgonia.Node, error) {
		summaries, err := gram.Normalised().Summarise(maps["relu1_1"], losses.Positions{})
		return []*gorgonia.Node{maps["relu1_1"], summaries[0].Node, maps["relu1_1"]}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(values) != 3 || len(values[0].Single) != 64*5*4 || values[1].Double == nil || !slices.Equal(values[0].Single, values[2].Single) {
		t.Errorf("%d values, of which the first has %d elements", len(values), len(values[0].Single))
	}
}

func TestInputsThatDoNotFitAreNamed(t *testing.T) {
	x := gorgonia.NewVector(gorgonia.NewGraph(), gorgonia.Float64, gorgonia.WithShape(2), gorgonia.WithName("x"))
	e, err := Compile(processor(t), nil, x)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Input("x") != x || e.Input("y") != nil {
		t.Error("inputs are not found by their names")
	}
	_, err = Compile(processor(t), []Input{{x, plan.Values{Double: []float64{1, 2, 3}}}}, x)
	if err == nil || !strings.HasPrefix(err.Error(), "x: ") {
		t.Errorf("three values for two: %v", err)
	}
}
