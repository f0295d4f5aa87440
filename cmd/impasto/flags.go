package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"impasto/device"
	"impasto/losses"
	"impasto/model"
	"impasto/vgg19"
)

// flagSet adds flags under one heading of the help.
type flagSet struct {
	*pflag.FlagSet
	heading string
}

func (f flagSet) add(value pflag.Value, name, shorthand, usage string) {
	f.VarP(value, name, shorthand, usage)
	f.annotate(name)
}

func (f flagSet) annotate(name string) {
	f.Lookup(name).Annotations = map[string][]string{groupAnnotation: {f.heading}}
}

// boolean adds a flag that turns something on.
func (f flagSet) boolean(target *bool, name, usage string) {
	f.BoolVar(target, name, *target, usage)
	f.annotate(name)
}

// seed adds the flag that every command with chance in it has.
func (f flagSet) seed(target *uint64) {
	f.Uint64Var(target, "seed", *target, "seed of whatever is random; the same `SEED`, device and version give the same picture (default 0)")
	f.annotate("seed")
}

// network adds the flags that shape VGG-19.
func (f flagSet) network(pooling, padding *string) {
	f.add(choice{pooling, "pooling", vgg19.Poolings}, "pooling", "", "between the network's blocks: max, avg, l2 or none")
	f.add(choice{padding, "padding", vgg19.Paddings}, "padding", "", "at the border of the picture: replicate (the edge) or zero (as the network was trained)")
}

// weights adds the flag that replaces the embedded network.
func (f flagSet) weights(target *string) {
	f.add(freeText{target, "FILE"}, "weights", "", "weights of VGG-19 to use instead of the embedded ones; see impasto weights --help")
}

// machine adds the flags that choose where the work is done.
func (f flagSet) machine(name *device.Name, threads *int) {
	f.add(deviceName{freeText{(*string)(name), "DEVICE"}}, "device", "", "auto, cpu, cuda or cuda:N; auto takes the first GPU that can be used, or else the processor; see impasto devices")
	f.add(wholeNumber{threads, 0, 1024, "N"}, "threads", "", "processor threads to use, up to 1024; 0 uses every core")
}

// precision adds the flag that chooses what features are made of.
func (f flagSet) precision(target *device.Precision) {
	f.add(choice{(*string)(target), "precision", device.PrecisionNames()}, "precision", "", "what features are made of on a GPU: f32, tf32 (products of 10 bits), f16 or bf16; on the processor f16 saves memory, keeping features in 16 bits, bf16 saves time, multiplying in 16 bits where it has instructions for that, and tf32 isn't known")
}

// wholeNumber is a flag that takes a whole number between two bounds, both
// included. What is the word for it in the help, such as its unit.
type wholeNumber struct {
	target    *int
	low, high int
	what      string
}

func (n wholeNumber) String() string {
	if n.target == nil {
		return ""
	}
	return strconv.Itoa(*n.target)
}

func (n wholeNumber) Type() string { return n.what }

func (n wholeNumber) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil || value < n.low || value > n.high {
		return fmt.Errorf("want a whole number from %d to %d", n.low, n.high)
	}
	*n.target = value
	return nil
}

// realNumber is a flag that takes a finite number between two bounds, both
// included.
type realNumber struct {
	target    *float64
	low, high float64
	what      string
}

func (n realNumber) String() string {
	if n.target == nil {
		return ""
	}
	return strconv.FormatFloat(*n.target, 'g', -1, 64)
}

func (n realNumber) Type() string { return n.what }

func (n realNumber) Set(text string) error {
	value, err := parseNumber(text, n.low, n.high)
	if err != nil {
		return err
	}
	*n.target = value
	return nil
}

// parseNumber reads a finite number between two bounds, both included.
func parseNumber(text string, low, high float64) (float64, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) || value < low || value > high {
		return 0, fmt.Errorf("want a number from %g to %g", low, high)
	}
	return value, nil
}

// choice is a flag that takes one of a few names.
type choice struct {
	target *string
	what   string
	names  []string
}

func (c choice) String() string {
	if c.target == nil {
		return ""
	}
	return *c.target
}

func (c choice) Type() string { return strings.ToUpper(strings.ReplaceAll(c.what, " ", "-")) }

func (c choice) Set(text string) error {
	if err := checkName(c.what, text, c.names); err != nil {
		return err
	}
	*c.target = text
	return nil
}

// freeText is a flag that takes any string, shown in the help without quotes.
type freeText struct {
	target *string
	what   string
}

func (t freeText) String() string {
	if t.target == nil {
		return ""
	}
	return *t.target
}

func (t freeText) Type() string { return t.what }

func (t freeText) Set(value string) error {
	if value == "" {
		return errors.New("want a name")
	}
	*t.target = value
	return nil
}

// deviceName is a flag that takes auto, cpu, cuda or cuda:N.
type deviceName struct{ freeText }

var cudaDevice = regexp.MustCompile(`^cuda:\d{1,3}$`)

func (d deviceName) Set(value string) error {
	if value != "auto" && value != "cpu" && value != "cuda" && !cudaDevice.MatchString(value) {
		return errors.New("no such device; want auto, cpu, cuda or cuda:N")
	}
	*d.target = value
	return nil
}

// nameList is a flag that takes several names, with commas between them or in
// several flags. The first one that is given replaces the default.
type nameList struct {
	target     *[]string
	what       string
	candidates []string
	given      *bool
}

func newNameList(target *[]string, what string, candidates []string) nameList {
	return nameList{target, what, candidates, new(bool)}
}

func (n nameList) String() string {
	if n.target == nil {
		return ""
	}
	return strings.Join(*n.target, ",")
}

func (n nameList) Type() string { return strings.ToUpper(n.what) + ",…" }

func (n nameList) Set(value string) error {
	var list []string
	for name := range strings.SplitSeq(value, ",") {
		if err := checkName(n.what, name, n.candidates); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		list = append(list, name)
	}
	if *n.given {
		list = append(slices.Clone(*n.target), list...)
	}
	for i, name := range list {
		if slices.Contains(list[:i], name) {
			return fmt.Errorf("%s %s is named twice", n.what, name)
		}
	}
	*n.target, *n.given = list, true
	return nil
}

// layerWeights is a flag that takes layers and what each of them counts, as
// LAYER=WEIGHT with commas between them.
type layerWeights struct {
	target *[]model.LayerWeight
}

func (l layerWeights) String() string {
	if l.target == nil {
		return ""
	}
	var parts []string
	for _, w := range *l.target {
		parts = append(parts, fmt.Sprintf("%s=%g", w.Layer, w.Weight))
	}
	return strings.Join(parts, ",")
}

func (l layerWeights) Type() string { return "LAYER=WEIGHT,…" }

func (l layerWeights) Set(value string) error {
	var list []model.LayerWeight
	for part := range strings.SplitSeq(value, ",") {
		layer, number, weighted := strings.Cut(part, "=")
		if err := checkLayer(layer); err != nil {
			return fmt.Errorf("%q: %w", layer, err)
		}
		if slices.ContainsFunc(list, func(w model.LayerWeight) bool { return w.Layer == layer }) {
			return fmt.Errorf("layer %s is named twice", layer)
		}
		weight := 1.0
		if weighted {
			var err error
			if weight, err = parseNumber(number, minLayerWeight, maxWeight); err != nil {
				return fmt.Errorf("weight %q of %s: %w", number, layer, err)
			}
		}
		list = append(list, model.LayerWeight{Layer: layer, Weight: weight})
	}
	*l.target = list
	return nil
}

// layerLosses is a flag that takes LAYER=LOSS and may be given several times.
type layerLosses struct {
	target *map[string]string
}

func (l layerLosses) String() string {
	if l.target == nil {
		return ""
	}
	var parts []string
	for _, layer := range slices.Sorted(maps.Keys(*l.target)) {
		parts = append(parts, layer+"="+(*l.target)[layer])
	}
	return strings.Join(parts, ",")
}

func (l layerLosses) Type() string { return "LAYER=LOSS" }

func (l layerLosses) Set(value string) error {
	layer, loss, ok := strings.Cut(value, "=")
	if !ok {
		return errors.New("want LAYER=LOSS, such as relu1_1=gram")
	}
	if err := checkLayer(layer); err != nil {
		return fmt.Errorf("%q: %w", layer, err)
	}
	if err := checkName("loss", loss, losses.Names()); err != nil {
		return fmt.Errorf("%q: %w", loss, err)
	}
	if *l.target == nil {
		*l.target = map[string]string{}
	}
	(*l.target)[layer] = loss
	return nil
}

// checkLayer reports a name that is no layer of VGG-19; where no layer is near,
// it says how they are named rather than listing all 37.
func checkLayer(name string) error {
	layers := vgg19.Layers()
	if slices.Contains(layers, name) {
		return nil
	}
	if hint := didYouMean(name, layers, ""); hint != "" {
		return errors.New("no such layer" + hint)
	}
	return errors.New("no such layer; want conv1_1, relu1_1, … pool5")
}
