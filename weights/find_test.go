package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"impasto/vgg19"
)

// renamed gives the tensors of a network, which are torchvision's, other names.
func renamed(all []fixture, name func(position int, part string) string) []fixture {
	out := slices.Clone(all)
	for i := range out {
		var position int
		var part string
		if _, err := fmt.Sscanf(out[i].name, "features.%d.%s", &position, &part); err != nil {
			panic(err)
		}
		out[i].name = name(position, part)
	}
	return out
}

// prefixed puts a text before all names.
func prefixed(prefix string, all []fixture) []fixture {
	out := slices.Clone(all)
	for i := range out {
		out[i].name = prefix + out[i].name
	}
	return out
}

// convolutionAt is which of the sixteen is at a position of torchvision's.
func convolutionAt(at int) int {
	for i := range vgg19.Convolutions {
		if position(i) == at {
			return i
		}
	}
	panic("no convolution there")
}

// normalised is the network behind a convolution of 1×1 that does Caffe's
// pre-processing, with paddings and ReLUs counted, as in vgg_normalised.pth.
func normalised(all []fixture) []fixture {
	named := renamed(all, func(position int, part string) string {
		i := convolutionAt(position)
		return fmt.Sprintf("%d.%s", 2+3*i+vgg19.Convolutions[i].Block-1, part)
	})
	return append(named,
		numbers("0.weight", []int64{3, 3, 1, 1}, []float32{0, 0, 255, 0, 255, 0, 255, 0, 0}),
		numbers("0.bias", []int64{3}, []float32{-103.939, -116.779, -123.68}))
}

// described is a container of the fixtures, without their data.
func described(all []fixture) *container {
	c := &container{tensors: map[string]*tensor{}}
	for _, f := range all {
		c.tensors[f.name] = &tensor{name: f.name, kind: f.kind, shape: f.shape}
	}
	return c
}

// classifier are the three layers behind the convolutions, in little.
func classifier(names ...string) []fixture {
	var all []fixture
	for _, name := range names {
		all = append(all, fixture{name + ".weight", kindF32, []int64{4, 8}, make([]byte, 128)},
			fixture{name + ".bias", kindF32, []int64{4}, make([]byte, 16)})
	}
	return all
}

// Wherever people keep the network and whatever they call its tensors, each of the
// sixteen layers gets its own.
func TestNetworkIsFoundUnderAnyName(t *testing.T) {
	torchvision := blank(schemes[2])
	block := func(position int) vgg19.Convolution { return vgg19.Convolutions[convolutionAt(position)] }
	for name, all := range map[string][]fixture{
		"DataParallel":           prefixed("module.", torchvision),
		"a part of a model":      prefixed("model.", torchvision),
		"a wrapper":              prefixed("vgg.", torchvision),
		"an encoder":             prefixed("net.encoder.", torchvision),
		"a backbone":             append(prefixed("backbone.", torchvision), classifier("head")...),
		"our names, prefixed":    prefixed("module.", blank(schemes[0])),
		"with the classifier":    append(slices.Clone(torchvision), classifier("classifier.0", "classifier.3", "classifier.6")...),
		"Sequential":             renamed(torchvision, func(n int, part string) string { return fmt.Sprintf("%d.%s", n, part) }),
		"Sequential in a module": renamed(torchvision, func(n int, part string) string { return fmt.Sprintf("module.%d.%s", n, part) }),
		"Sequential, whole":      append(renamed(torchvision, func(n int, part string) string { return fmt.Sprintf("%d.%s", n, part) }), classifier("38", "41", "44")...),
		"slices":                 renamed(torchvision, func(n int, part string) string { return fmt.Sprintf("slice%d.%d.%s", block(n).Block, n, part) }),
		"numbered convolutions":  renamed(torchvision, func(n int, part string) string { return fmt.Sprintf("conv%d.%s", convolutionAt(n)+1, part) }),
		"blocks": renamed(torchvision, func(n int, part string) string {
			return fmt.Sprintf("enc_%d.conv%d.0.%s", block(n).Block, block(n).Index, part)
		}),
		"pre-processing in front":  normalised(torchvision),
		"a copy of moving average": append(prefixed("ema.", torchvision), prefixed("model_with_long_name.", torchvision)...),
		"beside batch normalisation": append(prefixed("vgg.", torchvision),
			fixture{"decoder.bn1.running_mean", kindF32, []int64{4}, make([]byte, 16)}),
		"beside other convolutions": append(prefixed("vgg.", torchvision),
			fixture{"decoder.0.weight", kindF32, []int64{2, 2, 3, 3}, make([]byte, 4*36)}),
	} {
		found, err := described(all).find()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var wanted []string
		for _, fixture := range all {
			if len(fixture.shape) == 4 && fixture.shape[3] == 3 && fixture.shape[0] >= 64 && !strings.HasPrefix(fixture.name, "ema.") {
				wanted = append(wanted, fixture.name)
			}
		}
		var filters []string
		for _, l := range found.layers {
			filters = append(filters, l.filter.name)
			if !strings.HasSuffix(l.filter.name, "weight") || l.bias.name != strings.TrimSuffix(l.filter.name, "weight")+"bias" {
				t.Errorf("%s: %s has the filters %s and the biases %s", name, l.Name, l.filter.name, l.bias.name)
			}
		}
		if !slices.Equal(filters, wanted) {
			t.Errorf("%s: found %v, want %v", name, filters, wanted)
		}
	}
}

func TestPreprocessingInFrontOfTheNetworkIsTakenForThat(t *testing.T) {
	f, err := inMemory(safetensorsFile(nil, normalised(fixtures(schemes[2]))))
	if err != nil {
		t.Fatal(err)
	}
	if f.Preprocessing() != Caffe {
		t.Errorf("pre-processing is %s, want %s", f.Preprocessing(), Caffe)
	}
	got, err := f.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	sameParameters(t, got, folded(Caffe))
	if info, err := f.Info(); err != nil || len(info.Remarks) != 1 || !strings.Contains(info.Remarks[0], "vgg_normalised") {
		t.Errorf("remarks are %q, %v; want one about the convolution in front", info.Remarks, err)
	}
}

func TestPreprocessingInFrontIsReadOfItsNumbers(t *testing.T) {
	deviations, means := Torchvision.Deviation, Torchvision.Mean
	scaled := func(j int) float32 { return float32(1 / deviations[j]) }
	shift := func(j int) float32 { return float32(-means[j] / deviations[j]) }
	for name, c := range map[string]struct {
		w, b []float32
		want Preprocessing
		err  string
	}{
		"torchvision's": {[]float32{scaled(0), 0, 0, 0, scaled(1), 0, 0, 0, scaled(2)}, []float32{shift(0), shift(1), shift(2)}, Torchvision, ""},
		"Caffe's":       {[]float32{0, 0, 255, 0, 255, 0, 255, 0, 0}, []float32{-103.939, -116.779, -123.68}, Caffe, ""},
		"none":          {[]float32{1, 0, 0, 0, 1, 0, 0, 0, 1}, []float32{0, 0, 0}, Preprocessing{"RGB", 1, [3]float64{}, [3]float64{1, 1, 1}}, ""},
		"mixed colours": {[]float32{1, 0, 0.1, 0, 1, 0, 0, 0, 1}, []float32{0, 0, 0}, Preprocessing{}, "does more"},
		"no colour":     {[]float32{0, 0, 0, 0, 0, 0, 0, 0, 0}, []float32{0, 0, 0}, Preprocessing{}, "does more"},
		"brighter":      {[]float32{1, 0, 0, 0, 1, 0, 0, 0, 1}, []float32{1, 1, 1}, Preprocessing{}, "does more"},
	} {
		data, err := encode("", append(c.w, c.b...), kindF32)
		if err != nil {
			t.Fatal(err)
		}
		from := &source{memory: data, size: int64(len(data))}
		got, err := from.preprocessing(&pair{
			filter: &tensor{name: "0.weight", kind: kindF32, shape: []int64{3, 3, 1, 1}, bytes: 36},
			bias:   &tensor{name: "0.bias", kind: kindF32, shape: []int64{3}, offset: 36, bytes: 12},
		})
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: error is %v, want %q in it", name, err, c.err)
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.err == "" && got != c.want:
			t.Errorf("%s: pre-processing is %s, want %s", name, got, c.want)
		}
	}
}

// checkpoint is the pickle of what a training saves: the state dict under a key, and
// other things beside it, a tensor among them.
func checkpoint(key string, all []fixture, older bool) []byte {
	var p pickler
	p.op("\x80\x02}(")
	p.unicode("epoch")
	p.int(90)
	p.unicode("args")
	p.op("cargparse\nNamespace\n)\x81}(")
	p.unicode("lr")
	p.op("G\x3f\xb9\x99\x99\x99\x99\x99\x9aub")
	p.unicode("best")
	p.op("cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n(")
	p.unicode("f8")
	p.op("K\x00K\x01tRU\x0812345678\x86R")
	p.unicode("arch")
	p.unicode("vgg19")
	p.unicode(key)
	state := stateDictPickle(all, older)
	p.Write(state[2 : len(state)-1])
	p.unicode("optimizer")
	p.op("}(")
	p.unicode("state")
	p.op("}K\x00}s")
	p.unicode("param_groups")
	p.op("]}(")
	p.unicode("params")
	p.op("](K\x00K\x01eua")
	p.op("uu.")
	return p.Bytes()
}

// wholeModel is the pickle of torch.save(model): objects of classes with their modules.
func wholeModel(class string, all []fixture) []byte {
	var p pickler
	modules := func(class string, inner func()) {
		p.global(class[:strings.LastIndexByte(class, '.')], class[strings.LastIndexByte(class, '.')+1:])
		p.op(")\x81}(")
		p.unicode("training")
		p.op("\x89")
		p.unicode("_parameters")
		p.op("}")
		p.unicode("_modules")
		p.op("}(")
		inner()
		p.op("uub")
	}
	p.op("\x80\x02")
	modules(class, func() {
		p.unicode("features")
		state := stateDictPickle(all, false)
		p.Write(state[2 : len(state)-1])
	})
	p.op(".")
	return p.Bytes()
}

func TestNetworkIsFoundInCheckpoints(t *testing.T) {
	plain, module := fixtures(schemes[2]), prefixed("module.", fixtures(schemes[2]))
	sequential := renamed(plain, func(n int, part string) string { return fmt.Sprintf("%d.%s", n, part) })
	for name, c := range map[string]struct {
		content []byte
		first   string
	}{
		"zip, state_dict":     {torchZipOf(checkpoint("state_dict", plain, false), plain), "state_dict.features.0.weight"},
		"older, in a module":  {torchLegacyOf(checkpoint("model_state_dict", module, true), module), "model_state_dict.module.features.0.weight"},
		"zip, Sequential":     {torchZipOf(checkpoint("net", sequential, false), sequential), "net.0.weight"},
		"zip, a whole model":  {torchZipOf(wholeModel("torchvision.models.vgg.VGG", sequential), sequential), "features.0.weight"},
		"older, Sequential":   {torchLegacyFile(sequential), "0.weight"},
		"safetensors, module": {safetensorsFile(nil, module), "module.features.0.weight"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := inMemory(c.content)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.layers[0].filter.name; got != c.first {
				t.Errorf("conv1_1 is %s, want %s", got, c.first)
			}
			got, err := f.Parameters()
			if err != nil {
				t.Fatal(err)
			}
			sameParameters(t, got, folded(Torchvision))
		})
	}
}

func TestModelsOfUnknownClassesAreExplained(t *testing.T) {
	all := blank(schemes[2])[:2]
	_, err := inMemory(torchZipOf(wholeModel("__main__.Net", all), all))
	if err == nil || !strings.Contains(err.Error(), "__main__ Net") || !strings.Contains(err.Error(), "state_dict()") {
		t.Errorf("error is %v, want the class and what to save instead", err)
	}
}

// Dictionaries of NumPy that have a list of filters and biases for each layer, such as
// vgg19.npy, are read too.
func TestListsOfArraysAreRead(t *testing.T) {
	all := blank(schemes[4])
	for i := range vgg19.Convolutions {
		c := vgg19.Convolutions[i]
		for j := range 2 {
			all[2*i+j].name = fmt.Sprintf("conv%d_%d.%d", c.Block, c.Index, j)
		}
	}
	found, err := described(all).find()
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range found.layers {
		if want := fmt.Sprintf("conv%d_%d.1", vgg19.Convolutions[i].Block, vgg19.Convolutions[i].Index); !l.heightFirst || l.bias.name != want {
			t.Errorf("%s has the biases %s, height first: %v; want %s and true", l.Name, l.bias.name, l.heightFirst, want)
		}
	}
}

// vggFile is a VGG network of the widths, as torchvision names it, in little.
func vggNames(widths []int64, normalise bool) map[string]*tensor {
	tensors := map[string]*tensor{}
	add := func(name string, shape ...int64) {
		tensors[name] = &tensor{name: name, kind: kindF32, shape: shape}
	}
	at, in := 0, int64(3)
	for i, out := range widths {
		add(fmt.Sprintf("features.%d.weight", at), out, in, 3, 3)
		add(fmt.Sprintf("features.%d.bias", at), out)
		if at += 2; normalise {
			add(fmt.Sprintf("features.%d.weight", at-1), out)
			add(fmt.Sprintf("features.%d.running_mean", at-1), out)
			at++
		}
		if i+1 < len(widths) && widths[i+1] != out || i%3 == 2 {
			at++ // a pooling
		}
		in = out
	}
	return tensors
}

func TestWeightsOfOtherNetworksAreToldWhatTheyAre(t *testing.T) {
	cases := map[string]map[string]*tensor{}
	for _, v := range vggs {
		if v.name != "VGG-19" {
			cases["these are "+v.name+"'s weights; impasto needs VGG-19's"] = vggNames(v.widths, false)
		}
		cases["the weights of "+v.name+" with batch normalisation; impasto needs"] = vggNames(v.widths, true)
	}
	one := func(name string, shape ...int64) map[string]*tensor {
		return map[string]*tensor{name: {name: name, kind: kindF32, shape: shape}}
	}
	cases["the first 9 of VGG-19's convolutions, up to conv4_1"] = vggNames(vgg19Widths()[:9], false)
	cases["the first 5 convolutions of a VGG network"] = vggNames(vgg19Widths()[:5], false)
	cases["a ResNet"] = one("module.layer4.0.conv1.weight", 512, 256, 3, 3)
	cases["AlexNet"] = one("features.0.weight", 64, 3, 11, 11)
	cases["a DenseNet"] = one("features.denseblock1.denselayer1.conv1.weight", 4, 4, 1, 1)
	cases["Stable Diffusion"] = one("model.diffusion_model.input_blocks.0.0.weight", 4, 4, 3, 3)
	cases["a vision transformer"] = one("encoder.class_token", 1, 1, 768)
	withoutBias := vggNames(vgg19Widths(), false)
	for name := range withoutBias {
		if strings.HasSuffix(name, "bias") {
			delete(withoutBias, name)
		}
	}
	cases["the filters of VGG-19 without its biases"] = withoutBias
	for want, tensors := range cases {
		if _, err := (&container{tensors: tensors}).find(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
}

// The precision that a network is kept in doesn't matter.
func TestEveryPrecisionIsRead(t *testing.T) {
	for of, write := range map[kind]func([]fixture) []byte{
		kindF64: torchLegacyFile, kindF16: torchZipFile, kindBF16: func(all []fixture) []byte { return safetensorsFile(nil, all) },
	} {
		all := blank(schemes[2])
		zeros := make([]byte, 8*512*512*9)
		for i, f := range all {
			n, _ := elements(f.shape)
			all[i].kind, all[i].data = of, zeros[:n*kindSizes[of]]
		}
		all = change(all, "features.2.bias", func(f *fixture) {
			f.data = slices.Clone(f.data)
			switch of {
			case kindF64:
				binary.LittleEndian.PutUint64(f.data, math.Float64bits(1.5))
			case kindF16:
				binary.LittleEndian.PutUint16(f.data, 0x3e00)
			default:
				binary.LittleEndian.PutUint16(f.data, 0x3fc0)
			}
		})
		f, err := inMemory(write(all))
		if err != nil {
			t.Errorf("%s: %v", of, err)
			continue
		}
		if p, err := f.Parameters(); err != nil || p.Biases[1][0] != 1.5 {
			t.Errorf("%s: %v, want 1.5", of, err)
		}
	}
}
