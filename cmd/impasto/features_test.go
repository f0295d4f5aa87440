package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"impasto/model"
)

func TestFeaturesAreThoseOfTheLibrary(t *testing.T) {
	folder := workshop(t)
	run := impasto(t, folder, "features", "content.png", "-o", "f.npz", "--layers=relu2_1,conv1_2", "--layers=pool2", "--json").done(t)
	maps, err := model.FeatureMaps(t.Context(), readPicture(t, filepath.Join(folder, "content.png")), model.FeatureOptions{Layers: []string{"relu2_1", "conv1_2", "pool2"}})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(folder, "f.npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	lines := strings.Split(strings.TrimSpace(run.stdout), "\n")
	for i, layer := range []string{"relu2_1", "conv1_2", "pool2"} {
		var got layerFeatures
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		want := maps[layer]
		if got.Layer != layer || got.Shape[0] != want.Channels || got.Shape[1] != want.Height || got.Shape[2] != want.Width {
			t.Errorf("%s: it says %+v, of %d×%d×%d", layer, got, want.Channels, want.Height, want.Width)
		}
		r, err := archive.File[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		values := make([]float32, len(want.Values))
		if err := binary.Read(bytes.NewReader(data[len(data)-4*len(values):]), binary.LittleEndian, values); err != nil {
			t.Fatal(err)
		}
		for k, v := range values {
			if math.Abs(float64(v-want.Values[k])) > 1e-4*math.Max(1, math.Abs(float64(want.Values[k]))) {
				t.Fatalf("%s: value %d is %v, want %v", layer, k, v, want.Values[k])
			}
		}
	}
}

func TestFeaturesRefuses(t *testing.T) {
	for _, test := range []struct {
		name      string
		args      []string
		status    int
		fragments []string
	}{
		{"no output", []string{"content.png"}, 2, []string{"-o"}},
		{"two pictures", []string{"content.png", "style.png", "-o", "f.npz"}, 2, []string{"want one picture, got 2"}},
		{"another format", []string{"content.png", "-o", "f.mat"}, 2, []string{`".mat"`, ".npz"}},
		{"a layer that isn't", []string{"content.png", "-o", "f.npz", "--layers=relu11"}, 2, []string{"did you mean relu1_1?"}},
		{"too small a picture", []string{"content.png", "-o", "f.npz", "--size=8"}, 1, []string{"16"}},
		{"no such picture", []string{"missing.png", "-o", "f.npz"}, 1, []string{"missing.png"}},
		{"no such folder", []string{"content.png", "-o", "none/f.npz"}, 1, []string{"none/f.npz"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := workshop(t)
			impasto(t, folder, append([]string{"features"}, test.args...)...).refused(t, test.status, test.fragments...)
			if _, err := os.Stat(filepath.Join(folder, "f.npz")); err == nil {
				t.Error("a file was written")
			}
		})
	}
}
