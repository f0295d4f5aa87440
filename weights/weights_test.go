package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"impasto/vgg19"
)

func TestDefaultHoldsThePublishedValues(t *testing.T) {
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	// SHA-256 of the layers' little-endian float32 filters and biases as PyTorch
	// 2.15.0 reads them from the palette file.
	for _, want := range []struct{ layer, filters, biases string }{
		{"conv1_2", "5c1fdfc3555e66058f0a11402587f136df91ca64dd9f45c884839525c1bea155", "5761d90241981f04d827da94d22b213443a0aa5179612540d778137c76a20812"},
		{"conv3_2", "58954733fdec535cefb52b64995c206090af1f7dcfabf0aa9e8e2bd71f9dd94e", "8a2d2d519f265c1203c19d34b221231a9e04e84fe15000a7c0a6b3650094841f"},
		{"conv5_4", "6b10f835f8d2c05c3f16e68f9563b405c12f0e144d7315d641dd05e00544a5fa", "f4960e334fa65b3637082b51c395c4a6d4e4a490804f2eb129b900c0993620a7"},
	} {
		for i, c := range vgg19.Convolutions {
			if c.Name != want.layer {
				continue
			}
			if got := digest(t, p.Filters[i]); got != want.filters {
				t.Errorf("%s: filters have digest %s, want %s", c.Name, got, want.filters)
			}
			if got := digest(t, p.Biases[i]); got != want.biases {
				t.Errorf("%s: biases have digest %s, want %s", c.Name, got, want.biases)
			}
		}
	}
}

func digest(t *testing.T, values []float32) string {
	t.Helper()
	data, err := encode("", values, kindF32)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func TestDefaultTakesRGBFromZeroToOne(t *testing.T) {
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	// The first biases less mean·filter, and the middle of the first filter times
	// 255 for R, G, B, computed in float64 by PyTorch from the palette file, whose
	// channels are B, G, R.
	for i, want := range []float64{1.5620997569188475, -39.07472381543971, -59.649550790337834, 39.48397739484394} {
		near(t, "bias", p.Biases[0][i], want)
	}
	for c, want := range []float64{25.36848183721304, 26.74831699579954, 22.797596789896488} {
		near(t, "filter", p.Filters[0][c*9+4], want)
	}
	for c, want := range []float64{123.68, 116.779, 103.939} {
		near(t, "neutral colour", p.Neutral[c], want/255)
	}
}

// near wants a float32 to be what float64 arithmetic gave, rounded.
func near(t *testing.T, name string, got float32, want float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > 1e-7*math.Abs(want) {
		t.Errorf("%s is %v, want %v", name, got, want)
	}
}

func TestEmbeddedFileIsTheOneThatReproduceMakes(t *testing.T) {
	info, err := Verify(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if info.Licence != "CC BY 4.0" || info.Published == "" || info.Source == "" {
		t.Errorf("licence %q, published as %q, source %q: want all told", info.Licence, info.Published, info.Source)
	}
	for _, l := range info.Layers {
		if l.Precision != "palette" {
			t.Errorf("%s has precision %s, want palette", l.Name, l.Precision)
		}
	}
}

// Every format gives the network that was written, with the pre-processing that
// belongs to it folded in.
func TestOpenReadsEveryFormatWhateverItsName(t *testing.T) {
	own, torchvision, tensorflow := schemes[0], schemes[2], schemes[4]
	for _, format := range []struct {
		name          string
		content       func() []byte
		preprocessing Preprocessing
	}{
		{"safetensors", func() []byte { return safetensorsFile(nil, fixtures(own)) }, Caffe},
		{"safetensors with pre-processing", func() []byte {
			return safetensorsFile(map[string]string{"preprocessing": NormalisedRGB.String()}, fixtures(own))
		}, NormalisedRGB},
		{"torchvision's names", func() []byte { return safetensorsFile(nil, fixtures(torchvision)) }, Torchvision},
		{"older PyTorch", func() []byte { return torchLegacyFile(fixtures(torchvision)) }, Torchvision},
		{"zipped PyTorch", func() []byte { return torchZipFile(fixtures(torchvision)) }, Torchvision},
		{"NumPy", func() []byte { return numpyFile(fixtures(tensorflow), false) }, NormalisedRGB},
		{"NumPy as text", func() []byte { return numpyFile(fixtures(tensorflow), true) }, NormalisedRGB},
	} {
		t.Run(format.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "weights.jpg")
			if err := os.WriteFile(path, format.content(), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			sameParameters(t, got, folded(format.preprocessing))
		})
	}
}

func TestPublishedNetworkUnderTorchvisionsNamesKeepsItsPreprocessing(t *testing.T) {
	embedded, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	biases, err := embedded.from.floats(embedded.layers[1].bias)
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []kind{kindF32, kindF16, kindBF16} {
		all := change(blank(schemes[2]), "features.2.bias", func(f *fixture) {
			f.kind = of
			if f.data, err = encode(f.name, biases, of); err != nil {
				t.Fatal(err)
			}
		})
		f, err := inMemory(torchZipFile(all))
		if err != nil {
			t.Fatal(err)
		}
		if f.Preprocessing() != Caffe {
			t.Errorf("biases as %s: pre-processing is %s, want %s", of, f.Preprocessing(), Caffe)
		}
	}
}

func BenchmarkDefault(b *testing.B) {
	for b.Loop() {
		if _, err := Default(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCompactParametersAreTheDefaultOnes(t *testing.T) {
	want, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Compact()
	if err != nil {
		t.Fatal(err)
	}
	for i, palette := range got.Palettes {
		if (palette == nil) != (i == 0) {
			t.Fatalf("convolution %d has a palette: %t", i, palette != nil)
		}
		if palette != nil {
			got.Filters[i], got.Palettes[i] = palette.Filters(), nil
		}
		if !slices.Equal(got.Filters[i], want.Filters[i]) || !slices.Equal(got.Biases[i], want.Biases[i]) {
			t.Errorf("convolution %d has other filters or biases", i)
		}
	}
	if got.Neutral != want.Neutral {
		t.Errorf("the neutral colour is %v, want %v", got.Neutral, want.Neutral)
	}
}
