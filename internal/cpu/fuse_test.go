package cpu

import (
	"testing"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/vgg19"
)

func TestMaximumPoolingsAreMadeByConvolutions(t *testing.T) {
	p := emptyNetwork()
	for _, c := range []struct {
		name               string
		device             *Device
		options            vgg19.Options
		size               int
		layers             []string
		forward, gradients int
	}{
		{"all four", &Device{}, vgg19.Options{}, 32, fiveLayers, 4, 4},
		{"but where something else adds to the cotangent", &Device{}, vgg19.Options{}, 32, []string{"relu1_2", "relu5_1"}, 4, 3},
		{"but of odd maps", &Device{}, vgg19.Options{}, 36, fiveLayers, 3, 3},
		{"gradients not with float16", &Device{float16: true}, vgg19.Options{}, 32, fiveLayers, 4, 0},
		{"not by direct convolutions", &Device{method: kernels.Direct}, vgg19.Options{}, 32, fiveLayers, 0, 0},
		{"not other poolings", &Device{}, vgg19.Options{Pooling: "avg"}, 32, fiveLayers, 0, 0},
	} {
		l := networkLossOf(t, p, c.options, c.size, "gram", c.layers...)
		var forward, gradients, left int
		for _, step := range c.device.lay(l.Schedule).Steps {
			switch step.Op.(type) {
			case pooledConvolution:
				forward++
			case pooledConvolutionGradient:
				gradients++
			case *ops.Pool, *ops.PoolGradient, rectifiedPoolGradient:
				left++
			}
		}
		if forward != c.forward || gradients != c.gradients || left != 8-forward-gradients {
			t.Errorf("%s: %d poolings, %d gradients and %d left, want %d, %d and %d", c.name,
				forward, gradients, left, c.forward, c.gradients, 8-c.forward-c.gradients)
		}
	}
}
