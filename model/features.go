package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/engine"
	"impasto/internal/picture"
	"impasto/losses"
	"impasto/vgg19"
)

// FeatureOptions say which features of pictures are looked at. The zero value takes
// those at relu1_1 … relu5_1, with maximum pooling and zero padding, of pictures as
// they are.
type FeatureOptions struct {
	Layers  []string // as in vgg19.Layers; nil takes relu1_1, relu2_1 … relu5_1
	Pooling string   // max (the default), avg, l2 or none
	Padding string   // zero (the default) or replicate, at conv1_1
	// ScaledPooling multiplies the results of average and L2 pooling by 2 and
	// 0.78, as Stylize does by default; otherwise they are plain means.
	ScaledPooling bool
	// Size is the longer side, in pixels, that pictures are resized to; 0 leaves
	// them as they are.
	Size int
	// Parameters are the network's; nil uses the embedded ones.
	Parameters *vgg19.Parameters
	Device     device.Name // auto where empty
	Threads    int         // 0 uses every core
}

// FeatureMap is what one layer of the network makes of a picture, in units of its
// activations.
type FeatureMap struct {
	Channels, Height, Width int
	// Values has Channels×Height×Width values: the first channel, row by row from the
	// top, then the second and so on.
	Values []float32
}

// Cloud has the same values as points, one for each position, as losses take them.
func (m FeatureMap) Cloud() losses.Features {
	values := make([]float64, len(m.Values))
	for i, v := range m.Values {
		values[i] = float64(v)
	}
	return losses.Features{Channels: m.Channels, Values: values}
}

// FeatureMaps runs the network on a picture and returns its feature maps by the names of
// their layers. It fails on names that aren't known and on a picture too small for the
// layers, and with ctx's error where ctx ends.
func FeatureMaps(ctx context.Context, img image.Image, o FeatureOptions) (map[string]FeatureMap, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	network, err := o.open()
	if err != nil {
		return nil, withContext("model: feature maps", err)
	}
	defer network.Close()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := o.picture(ctx, img)
	if err != nil {
		return nil, pictureError("feature maps", err)
	}
	values, err := network.Evaluate(ctx, p, o.Layers, func(maps map[string]*gorgonia.Node) (nodes []*gorgonia.Node, err error) {
		for _, layer := range o.Layers {
			nodes = append(nodes, maps[layer])
		}
		return nodes, nil
	})
	if err != nil {
		return nil, withContext("model: feature maps", err)
	}
	maps := map[string]FeatureMap{}
	for i, v := range values {
		maps[o.Layers[i]] = FeatureMap{Channels: v.Shape[0], Height: v.Shape[1], Width: v.Shape[2], Values: v.Single}
	}
	return maps, nil
}

// complete sets what was left out, and reports a device that there can't be.
func (o FeatureOptions) complete() (FeatureOptions, error) {
	o.Device = cmp.Or(o.Device, device.Auto)
	if o.Layers == nil {
		o.Layers = []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
	}
	return o, checkDevice(o.Device, device.Float32)
}

// open loads the network on a device that computes it as exactly as it can.
func (o FeatureOptions) open() (engine.Network, error) {
	if o.Size < 0 {
		return engine.Network{}, fmt.Errorf("size %d, want 1 or more, or 0 to leave the pictures as they are", o.Size)
	}
	return openNetwork(Options{
		Device: o.Device, Threads: o.Threads, Parameters: o.Parameters,
		Pooling: o.Pooling, Padding: o.Padding, PlainPooling: !o.ScaledPooling,
	}, true, o.Layers...)
}

// picture is a picture at the size that the network sees.
func (o FeatureOptions) picture(ctx context.Context, img image.Image) (*picture.Picture, error) {
	if img == nil {
		return nil, errors.New("no image given")
	}
	original, size := img.Bounds().Size(), o.Size
	if size == 0 {
		size = max(original.X, original.Y)
	}
	width, height := picture.FitSize(original.X, original.Y, size)
	if least := vgg19.MinimumSize(o.Layers...); o.Pooling != "none" && min(width, height) < least {
		return nil, errors.New(tooThin("picture", original.X, original.Y, width, height, size, least))
	}
	return picture.ResizedTo(ctx, img, onWhite, width, height)
}
