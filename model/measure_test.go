package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"impasto/losses"
)

// reference is the folder of the values of an independent implementation,
// PyTorch in float64, and of the pictures and the script that make them.
var reference = filepath.Join("..", "losses", "testdata")

// referencePicture opens one of the pictures of the reference.
func referencePicture(t *testing.T, name string) image.Image {
	t.Helper()
	file, err := os.Open(filepath.Join(reference, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// flat is a picture of one colour with a stripe.
func flat(width, height int, c color.NRGBA) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, c)
		}
		img.SetNRGBA(width/2, y, color.NRGBA{255, 255, 255, 255})
	}
	return img
}

// impasto's features are float32, whose error is some 1e-6 of a value.
func TestMeasureAgreesWithPyTorch(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(reference, "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]map[string]map[string]json.RawMessage
	if err := json.Unmarshal(data, &values); err != nil {
		t.Fatal(err)
	}
	a, b := referencePicture(t, "harbour_160x128.png"), referencePicture(t, "whirl_144x112.png")
	three := []losses.Loss{named("gram"), named("gaussian"), named("moments")}
	two := []losses.Loss{three[0], three[2]} // without roots of matrices of 512×512, which take a second each
	for _, test := range []struct {
		pooling string
		losses  []losses.Loss
		layers  []string
	}{
		{"max", three, []string{"relu1_1", "relu2_1", "relu3_1"}},
		{"max", two, []string{"relu4_1", "relu4_2", "relu5_1", "relu5_4"}},
		{"avg", three, []string{"relu2_1", "relu3_1"}},
		{"avg", two, []string{"relu4_1"}},
	} {
		pooling, layers, n := test.pooling, test.layers, len(test.losses)
		t.Run(fmt.Sprintf("%s at %s", pooling, layers[0]), func(t *testing.T) {
			o := MeasureOptions{Losses: test.losses, FeatureOptions: FeatureOptions{Layers: layers, Pooling: pooling}}
			measurements, err := Measure(context.Background(), a, b, o)
			if err != nil {
				t.Fatal(err)
			}
			if want := len(layers) * n; len(measurements) != want {
				t.Fatalf("%d measurements, want %d", len(measurements), want)
			}
			for i, m := range measurements {
				if loss := losses.NamesOf(test.losses)[i%n]; m.Layer != layers[i/n] || m.Loss != loss {
					t.Errorf("measurement %d is %s at %s, want %s at %s", i, m.Loss, m.Layer, loss, layers[i/n])
				}
				var want struct{ Value float64 }
				if err := json.Unmarshal(values[pooling][m.Layer][m.Loss], &want); err != nil {
					t.Fatal(err)
				}
				if !(math.Abs(m.Value-want.Value) <= 1e-4*want.Value) {
					t.Errorf("%s at %s is %g, want %g", m.Loss, m.Layer, m.Value, want.Value)
				}
			}
		})
	}
}

// Roots of eigenvalues that ought to be zero, and are 1e-16 of the largest, leave
// 1e-8 of it for each channel: the tolerance is that.
func TestMeasureIsZeroBetweenAPictureAndItself(t *testing.T) {
	a := flat(24, 20, color.NRGBA{200, 30, 90, 255})
	measurements, err := Measure(context.Background(), a, a, MeasureOptions{FeatureOptions: FeatureOptions{Layers: []string{"relu1_1", "pool1", "conv2_1"}}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := Measure(context.Background(), a, flat(24, 20, color.NRGBA{20, 230, 90, 255}), MeasureOptions{FeatureOptions: FeatureOptions{Layers: []string{"relu1_1", "pool1", "conv2_1"}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range measurements {
		if !(m.Value <= 1e-6*other[i].Value) {
			t.Errorf("%s at %s between a picture and itself is %g, and %g from another", m.Loss, m.Layer, m.Value, other[i].Value)
		}
	}
}

func TestMeasureResizesOnlyWhenAsked(t *testing.T) {
	small, large := flat(20, 20, color.NRGBA{200, 30, 90, 255}), flat(60, 60, color.NRGBA{200, 30, 90, 255})
	value := func(size int) float64 {
		m, err := Measure(context.Background(), small, large, MeasureOptions{Losses: []losses.Loss{named("moments")}, FeatureOptions: FeatureOptions{Layers: []string{"relu1_1"}, Size: size}})
		if err != nil {
			t.Fatal(err)
		}
		return m[0].Value
	}
	if same, different := value(0), value(16); same == different {
		t.Errorf("as they are and at 16 pixels the pictures are equally far apart: %g", same)
	}
}

func TestScaledPoolingDoublesAverages(t *testing.T) {
	a, b := flat(20, 20, color.NRGBA{200, 30, 90, 255}), flat(20, 20, color.NRGBA{10, 30, 90, 255})
	value := func(scaled bool) float64 {
		o := MeasureOptions{Losses: []losses.Loss{named("moments")}, FeatureOptions: FeatureOptions{Layers: []string{"pool1"}, Pooling: "avg", ScaledPooling: scaled}}
		m, err := Measure(context.Background(), a, b, o)
		if err != nil {
			t.Fatal(err)
		}
		return m[0].Value
	}
	// Activations twice as large are four times as far apart when squared.
	if plain, scaled := value(false), value(true); math.Abs(scaled-4*plain) > 1e-5*scaled {
		t.Errorf("plain %g, scaled %g; want four times as much", plain, scaled)
	}
}

func TestMeasureRefusesWhatItCannotDo(t *testing.T) {
	good := flat(20, 20, color.NRGBA{A: 255})
	gram := named("gram")
	for _, test := range []struct {
		name    string
		b       image.Image
		losses  []losses.Loss
		options FeatureOptions
		want    string
	}{
		{"no loss", good, []losses.Loss{gram, nil}, FeatureOptions{}, "loss 2 of 2 is nil"},
		{"losses of one name", good, []losses.Loss{gram, gram}, FeatureOptions{}, "two losses are named gram"},
		{"a layer that there isn't", good, nil, FeatureOptions{Layers: []string{"relu9_1"}}, `"relu9_1"`},
		{"a pooling that there isn't", good, nil, FeatureOptions{Pooling: "mix"}, `"mix"`},
		{"a padding that there isn't", good, nil, FeatureOptions{Padding: "wrap"}, `"wrap"`},
		{"a device that there isn't", good, nil, FeatureOptions{Device: "abacus"}, `"abacus"`},
		{"a negative size", good, nil, FeatureOptions{Size: -1}, "size -1"},
		{"no picture", nil, nil, FeatureOptions{Layers: []string{"relu1_1"}}, "second picture"},
		{"a picture too small for a layer", flat(15, 30, color.NRGBA{A: 255}), nil, FeatureOptions{Layers: []string{"relu5_1"}}, "second picture: picture is 15×30 pixels; the layers asked for see nothing below 16"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := Measure(context.Background(), good, test.b, MeasureOptions{Losses: test.losses, FeatureOptions: test.options})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("measured %v with error %v, want one with %s", m, err, test.want)
			}
		})
	}
}

func TestMeasureStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a := flat(20, 20, color.NRGBA{A: 255})
	if _, err := Measure(ctx, a, a, MeasureOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}
