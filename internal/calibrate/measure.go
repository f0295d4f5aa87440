package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"image"
	"math"
	"os"
	"strconv"

	"impasto/device"
	"impasto/model"
)

// measurement is how far a picture is from its content.
type measurement struct {
	pair              string // content × style
	loss, contentLoss string
	strength          string  // that the weight is of; empty for the weights of a ladder
	weight            float64 // of the content
	distance          float64 // as gauge measures it
}

// sameAs tells whether a measurement is of the same picture, whatever it found.
func (m measurement) sameAs(other measurement) bool {
	m.distance = other.distance
	return m == other
}

// layer is where distances are measured: the content layer of DefaultOptions.
const layer = "relu4_2"

// gauge measures how far pictures are from a content: the root of the squared difference of
// their features over the content's, summed over the layer. It is 0 for the content, and
// about 1 for a picture that has nothing to do with it.
type gauge struct {
	options model.FeatureOptions
	content model.FeatureMap
}

func newGauge(ctx context.Context, content image.Image, threads int) (*gauge, error) {
	g := &gauge{options: model.FeatureOptions{
		Layers: []string{layer}, Padding: model.DefaultOptions().Padding, Size: size, Device: device.CPU, Threads: threads,
	}}
	maps, err := model.FeatureMaps(ctx, content, g.options)
	g.content = maps[layer]
	return g, err
}

func (g *gauge) distance(ctx context.Context, img image.Image) (float64, error) {
	maps, err := model.FeatureMaps(ctx, img, g.options)
	if err != nil {
		return 0, err
	}
	features := maps[layer].Values
	if len(features) != len(g.content.Values) {
		return 0, fmt.Errorf("a picture has %d features, want the %d of its content", len(features), len(g.content.Values))
	}
	var difference, energy float64
	for i, c := range g.content.Values {
		d := float64(features[i]) - float64(c)
		difference += d * d
		energy += float64(c) * float64(c)
	}
	return math.Sqrt(difference / energy), nil
}

// columns are those of the file of measurements.
var columns = []string{"pictures", "loss", "content loss", "strength", "content weight", "distance"}

func writeMeasurements(all []measurement) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{columns}
	for _, m := range all {
		rows = append(rows, []string{m.pair, m.loss, m.contentLoss, m.strength, strconv.FormatFloat(m.weight, 'g', -1, 64), strconv.FormatFloat(m.distance, 'f', 4, 64)})
	}
	_ = w.WriteAll(rows) // to memory, which doesn't fail
	return out.Bytes()
}

func readMeasurements(path string) ([]measurement, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.FieldsPerRecord = len(columns)
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var all []measurement
	for i, row := range rows {
		if i == 0 {
			continue
		}
		m := measurement{pair: row[0], loss: row[1], contentLoss: row[2], strength: row[3]}
		for k, to := range []*float64{&m.weight, &m.distance} {
			if *to, err = strconv.ParseFloat(row[4+k], 64); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
			}
		}
		all = append(all, m)
	}
	return all, nil
}
