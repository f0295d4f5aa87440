package weights

import (
	"fmt"
	"slices"
	"strings"

	"impasto/vgg19"
)

// vggs are the widths of the convolutions of VGG networks, all of 3×3 (Simonyan and
// Zisserman, table 1, columns A, B and D).
var vggs = []struct {
	name   string
	widths []int64
}{
	{"VGG-11", []int64{64, 128, 256, 256, 512, 512, 512, 512}},
	{"VGG-13", []int64{64, 64, 128, 128, 256, 256, 512, 512, 512, 512}},
	{"VGG-16", []int64{64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512}},
	{"VGG-19", vgg19Widths()},
}

func vgg19Widths() []int64 {
	var widths []int64
	for _, c := range vgg19.Convolutions {
		widths = append(widths, int64(c.Out))
	}
	return widths
}

// architectures are other networks that people have files of, by what only their
// tensors are named.
var architectures = []struct{ fragment, name string }{
	{"model.diffusion_model.", "Stable Diffusion"},
	{"visual.transformer.", "CLIP"},
	{"denseblock", "a DenseNet"},
	{"Mixed_5b.", "an Inception network"},
	{".squeeze.", "a SqueezeNet"},
	{"layer4.0.conv1.", "a ResNet"},
	{"conv_dw.", "a MobileNet or an EfficientNet"},
	{"features.1.0.block.", "a MobileNet or an EfficientNet"},
	{"features.1.conv.0.0.", "a MobileNet"},
	{"class_token", "a vision transformer"},
	{"cls_token", "a vision transformer"},
	{"patch_embed.", "a vision transformer"},
	{"self_attn.", "a transformer"},
	{"attn.c_attn.", "a transformer"},
	{"res1.conv1.conv2d.", "a network that paints one style by itself"},
	{"deconv1.", "a network that paints by itself"},
}

// other says which network this is whose weights were read, or that a part of VGG-19
// is missing; it is empty where that can't be told.
func (c *container) other(sequences []*sequence) string {
	for _, s := range sequences {
		if what := s.vgg(c); what != "" {
			return what
		}
	}
	for name := range c.tensors {
		for _, a := range architectures {
			if strings.Contains(name, a.fragment) {
				return "these are the weights of " + a.name
			}
		}
	}
	for _, s := range sequences {
		first, last := s.pairs[0], s.pairs[len(s.pairs)-1]
		switch {
		case first.in == 3 && first.out == 64 && first.side == 11:
			return "these are the weights of AlexNet"
		case first.in == 512 && last.out == 3:
			return "these are the weights of a decoder, the second half of a network that paints by itself"
		}
	}
	return ""
}

// vgg says which VGG network a sequence is, or is the beginning of.
func (s *sequence) vgg(c *container) string {
	var widths []int64
	in := int64(3)
	for _, p := range s.kernels3() {
		if p.in != in {
			return ""
		}
		widths, in = append(widths, p.out), p.out
	}
	normalised := c.isNormalised(s.prefix())
	for _, v := range vggs {
		if !slices.Equal(widths, v.widths) {
			continue
		}
		switch {
		case normalised:
			return fmt.Sprintf("these are the weights of %s with batch normalisation", v.name)
		case v.name != "VGG-19":
			return fmt.Sprintf("these are %s's weights", v.name)
		case s.pairs[0].bias == nil:
			return "these are the filters of VGG-19 without its biases"
		}
		return ""
	}
	all := vgg19Widths()
	if len(widths) < 2 || len(widths) >= len(all) || !slices.Equal(widths, all[:len(widths)]) {
		return ""
	}
	what := fmt.Sprintf("these are the first %d of VGG-19's convolutions, up to %s", len(widths), vgg19.Convolutions[len(widths)-1].Name)
	if slices.Equal(widths, vggs[2].widths[:min(len(widths), len(vggs[2].widths))]) {
		what = fmt.Sprintf("these are the first %d convolutions of a VGG network", len(widths))
	}
	if normalised {
		what += ", with batch normalisation"
	}
	return what
}
