package model

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"impasto/internal/picture"
	"impasto/internal/regions"
	"impasto/losses"
	"impasto/vgg19"
)

// input is one thing that a run is made of: an option by its value, or a picture or the
// network by the SHA-256 of what is in it.
type input struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// free are the options that may differ from one part of a run to the next, as functions
// may, too, and those that are told by what is in them.
var free = []string{"StyleTerms", "Regions", "Protect", "Prior", "StartImage", "Device", "Threads", "Memory", "AsksForPictures", "Parameters", "Resume"}

// list lists what a run is made of, once. Pictures are told by what the levels have of
// them; see sumLevels.
func (r *run) list() (inputs []input, err error) {
	if r.inputs != nil {
		return r.inputs, nil
	}
	for i, t := range r.options.StyleTerms {
		inputs = append(inputs, input{fmt.Sprintf("style term %d", i+1), fmt.Sprintf("%s at %s, weight %v", t.Loss.Description().Name, t.Layer, t.Weight)})
		inputs = append(inputs, input{fmt.Sprintf("loss of style term %d", i+1), sumDescription(t.Loss.Description())})
	}
	options := reflect.ValueOf(r.options)
	for i := range options.NumField() {
		field := options.Type().Field(i)
		if field.Type.Kind() != reflect.Func && !slices.Contains(free, field.Name) {
			inputs = append(inputs, input{"option " + field.Name, fmt.Sprint(options.Field(i).Interface())})
		}
	}
	inputs = append(inputs, input{"content picture", r.pictures[0]})
	for s, sum := range r.pictures[1:] {
		inputs = append(inputs, input{fmt.Sprintf("style picture %d", s+1), sum})
		inputs = append(inputs, input{fmt.Sprintf("weight of style picture %d", s+1), fmt.Sprint(r.extractor.recipe.styles[s])})
	}
	inputs = append(inputs, r.extractor.guide.inputs(r.extractor.recipe)...)
	inputs = append(inputs, input{"start picture", r.start})
	if prior := r.options.Prior; prior != nil {
		inputs = append(inputs, input{"prior", r.prior}, input{"weight of the prior", fmt.Sprint(prior.Weight)})
	}
	parameters, err := r.extractor.Parameters.Through(r.extractor.recipe.layers()...)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for i := range parameters.Filters {
		_ = writeSingles(sum, parameters.Filters[i])
		if palette := parameters.Palettes[i]; palette != nil {
			for some := range slices.Chunk(palette.Indices, 1<<13) {
				_ = writeSingles(sum, (&vgg19.Palette{Values: palette.Values, Indices: some}).Filters())
			}
		}
		_ = writeSingles(sum, parameters.Biases[i])
	}
	_ = writeSingles(sum, parameters.Neutral[:])
	r.inputs = append(inputs, input{"network", hex.EncodeToString(sum.Sum(nil))})
	return r.inputs, nil
}

// sumDescription is the SHA-256 of what a description says of a loss. Functions would be
// told by their addresses, which may differ from one process to the next.
func sumDescription(d losses.Description) string {
	d.Operations, d.Fixed = nil, nil
	return sumText(fmt.Sprintf("%+v", d))
}

func sumText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// sumLevels is the SHA-256 of the content and that of each style, as the given levels have
// them. A run gives all but the last, which has its pictures later: every pixel of an
// original counts in each of them.
func sumLevels(levels []level) []string {
	content, styles := make([]*picture.Picture, len(levels)), make([][]*picture.Picture, len(levels[0].styles))
	for i, l := range levels {
		content[i] = l.content
		for s, p := range l.styles {
			styles[s] = append(styles[s], p)
		}
	}
	sums := []string{sumPictures(content...)}
	for _, style := range styles {
		sums = append(sums, sumPictures(style...))
	}
	return sums
}

// sumPriors is the SHA-256 of what levels are to agree with.
func sumPriors(levels []level) string {
	var all []*picture.Picture
	for _, l := range levels {
		if l.prior != nil {
			all = append(all, l.prior.picture, ofMask(l.prior.trusted), ofMask(l.prior.still))
		}
	}
	return sumPictures(all...)
}

// ofMask is a mask as a picture that can be summed.
func ofMask(m regions.Mask) *picture.Picture {
	return &picture.Picture{Width: m.Width, Height: m.Height, RGB: m.Values}
}

// inputs are what the masks of regions come to.
func (g *guidance) inputs(r recipe) (inputs []input) {
	if g == nil {
		return nil
	}
	sum := func(name string, m regions.Mask) {
		inputs = append(inputs, input{name, sumPictures(ofMask(m))})
	}
	for i, share := range g.shares {
		sum(fmt.Sprintf("mask of region %d", i+1), share)
	}
	for i, part := range g.styles {
		if part != nil {
			sum(fmt.Sprintf("style's mask of region %d", r.regionOf(i)+1), *part)
		}
	}
	sum("mask of what is protected", g.kept)
	return inputs
}

// sumPictures is the SHA-256 of pictures as hexadecimal digits.
func sumPictures(pictures ...*picture.Picture) string {
	sum := sha256.New() // writing to which can't fail
	for _, p := range pictures {
		fmt.Fprintf(sum, "%d %d %d\n", p.Width, p.Height, len(p.Alpha))
		_ = writeSingles(sum, p.RGB)
		_ = writeSingles(sum, p.Alpha)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// sameInputs says in what inputs of a checkpoint differ from those of the run.
func sameInputs(then, now []input) error {
	values := map[string]string{}
	for _, in := range then {
		values[in.Name] = in.Value
	}
	var differ []string
	for _, in := range now {
		was, ok := values[in.Name]
		delete(values, in.Name)
		switch {
		case !ok:
			differ = append(differ, fmt.Sprintf("it has no %s", in.Name))
		case was != in.Value && len(was) == 2*sha256.Size:
			differ = append(differ, fmt.Sprintf("its %s is another", in.Name))
		case was != in.Value:
			differ = append(differ, fmt.Sprintf("its %s is %q, and here it is %q", in.Name, was, in.Value))
		}
	}
	for _, in := range then {
		if _, more := values[in.Name]; more {
			differ = append(differ, fmt.Sprintf("it has a %s more", in.Name))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return errors.New(strings.Join(differ, "; "))
}
