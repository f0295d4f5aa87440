package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"impasto/device"
	"impasto/internal/picture"
	"impasto/losses"
	"impasto/model"
)

// size is the longer side, in pixels, of the pictures that are measured.
const size = 128

// rungs are pictures of one loss, by content weights or by strengths.
type rungs struct {
	loss, contentLoss string
	weights           []float64
	strengths         []int
}

// ladder is what the table is fitted to. Distances under the default loss are measured
// closely, and under others where they are to be compared with these.
func ladder() []rungs {
	all := []rungs{{loss: "gaussian", contentLoss: "scaled", weights: []float64{0, 0.005, 0.01, 0.02, 0.06, 0.12, 0.15, 0.25, 0.4, 1.2}}}
	for _, loss := range losses.Names() {
		if loss == "gaussian" || alike[loss] != "" {
			continue
		}
		weights := []float64{0.02, 0.06, 0.12, 0.25}
		if strings.HasSuffix(loss, "sliced") {
			weights = append(weights, 0.6) // these pull the hardest
		}
		all = append(all, rungs{loss: loss, contentLoss: "scaled", weights: weights})
	}
	return append(all,
		rungs{loss: "gaussian", contentLoss: "mse", weights: []float64{0.06, 0.5, 2}},
		rungs{loss: "gram", contentLoss: "mse", weights: []float64{0.06, 0.5}})
}

// checks are what the table is judged by, with other pictures than those of the ladder.
func checks() []rungs {
	all := []rungs{
		{loss: "gaussian", contentLoss: "scaled", weights: []float64{0}},
		{loss: "gaussian", contentLoss: "scaled", strengths: []int{0, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 100}},
	}
	for _, loss := range losses.Names() {
		if loss != "gaussian" && alike[loss] == "" {
			all = append(all, rungs{loss: loss, contentLoss: "scaled", strengths: []int{0, 25, 50, 75, 100}})
		}
	}
	return append(all, rungs{loss: "gaussian", contentLoss: "mse", strengths: []int{0, 25, 50, 75, 100}})
}

// pair is a content and a style.
type pair struct {
	name           string // of their files, without folders
	content, style image.Image
}

// measureAll measures all rungs with each pair.
func (o options) measureAll(ctx context.Context, folder string, all []rungs) ([]measurement, error) {
	var measured []measurement
	for _, name := range o.pairs {
		p, err := openPair(ctx, name)
		if err != nil {
			return nil, err
		}
		g, err := newGauge(ctx, p.content, o.threads)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			of, err := r.measure(ctx, p, g, folder, o)
			if err != nil {
				return nil, fmt.Errorf("%s under %s: %w", p.name, r.loss, err)
			}
			measured = append(measured, of...)
		}
	}
	return measured, nil
}

// measure measures the pictures of one pair.
func (r rungs) measure(ctx context.Context, p pair, g *gauge, folder string, by options) ([]measurement, error) {
	loss, err := losses.Named(r.loss)
	if err != nil {
		return nil, err
	}
	o := model.DefaultOptions()
	o.SetLoss(loss)
	o.ContentLoss = r.contentLoss
	o.Size, o.MinSize = size, size
	o.Device, o.Threads = device.CPU, by.threads
	if err := o.SetQuality("draft"); err != nil {
		return nil, err
	}
	var measured []measurement
	add := func(strength string) error { // measures the picture of the options
		img, err := p.painted(ctx, folder, o, by.paints)
		if img == nil || err != nil {
			return err
		}
		distance, err := g.distance(ctx, img)
		measured = append(measured, measurement{p.name, r.loss, r.contentLoss, strength, o.ContentWeight, distance})
		return err
	}
	for _, o.ContentWeight = range r.weights {
		if err := add(""); err != nil {
			return nil, err
		}
	}
	for _, strength := range r.strengths {
		if err := o.SetStrength(float64(strength)); err != nil {
			return nil, err
		}
		if err := add(strconv.Itoa(strength)); err != nil {
			return nil, err
		}
	}
	return measured, nil
}

func openPair(ctx context.Context, name string) (pair, error) {
	content, style, ok := strings.Cut(name, ":")
	if !ok {
		return pair{}, fmt.Errorf("pair %q, want CONTENT:STYLE", name)
	}
	p := pair{name: baseName(content) + " × " + baseName(style)}
	for _, from := range []struct {
		path string
		to   *image.Image
	}{{content, &p.content}, {style, &p.style}} {
		source, err := picture.OpenSource(ctx, from.path)
		if err != nil {
			return p, err
		}
		*from.to = source
	}
	return p, nil
}

// baseName is the name of a file without its folder and its extension.
func baseName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// painted is the picture of such options: that in the folder, or else one that is painted
// and put there, or nil where nothing is to be painted.
func (p pair) painted(ctx context.Context, folder string, o model.Options, paints bool) (image.Image, error) {
	name := fmt.Sprintf("%s-%s-%s.png", o.StyleTerms[0].Loss.Description().Name, o.ContentLoss, number(o.ContentWeight))
	path := filepath.Join(folder, strings.ReplaceAll(p.name, " × ", "-"), name)
	if _, err := os.Stat(path); err == nil {
		return picture.OpenSource(ctx, path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if !paints {
		return nil, nil
	}
	result, err := model.Stylize(ctx, p.content, []model.Style{{Image: p.style, Weight: 1}}, o)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, path)
	if err := picture.Save(path, result.Image, picture.SaveOptions{}); err != nil {
		return nil, err
	}
	return picture.OpenSource(ctx, path) // as it is in the file, where values are rounded
}
