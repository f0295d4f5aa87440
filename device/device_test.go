package device

import (
	"slices"
	"strings"
	"testing"
)

func TestNamesAreReadWithTheirIndex(t *testing.T) {
	for _, test := range []struct {
		text  string
		index int
		gpu   bool
	}{{"auto", 0, false}, {"cpu", 0, false}, {"cuda", 0, true}, {"cuda:0", 0, true}, {"cuda:12", 12, true}, {"cuda:3,1", 3, true}} {
		name, err := Parse(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
		}
		if index, gpu := name.Index(); index != test.index || gpu != test.gpu {
			t.Errorf("%q has index %d, GPU %t; want %d, %t", test.text, index, gpu, test.index, test.gpu)
		}
	}
	if name := GPU(3); name != "cuda:3" || name.Check() != nil {
		t.Errorf("the GPU 3 is called %q", name)
	}
}

func TestNamesStandForDevices(t *testing.T) {
	for _, test := range []struct {
		name Name
		each []Name
	}{
		{Auto, []Name{Auto}}, {CPU, []Name{CPU}}, {CUDA, []Name{CUDA}}, {"cuda:1", []Name{"cuda:1"}}, {"cuda:2,0", []Name{"cuda:2", "cuda:0"}},
	} {
		if each := test.name.Each(); !slices.Equal(each, test.each) {
			t.Errorf("%s stands for %v, want %v", test.name, each, test.each)
		}
	}
	if err := Name("cuda:1,0,1").Check(); err == nil || !strings.Contains(err.Error(), "GPU 1 twice") {
		t.Errorf("cuda:1,0,1: %v, want an error that says which is there twice", err)
	}
}

func TestWhatIsNoNameIsRefused(t *testing.T) {
	for _, text := range []string{"", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:+1", "cuda:x", "cuda:1 ", "cuda:99999999999", "cpu:0", "cuda:0,", "cuda:,1", "cuda:0,cuda:1", "cuda:0, 1", "cuda,cpu"} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), "want auto, cpu, cuda, cuda:N or cuda:N,N") {
			t.Errorf("%q: %v, want an error that says what there is", text, err)
		}
	}
}

func TestDevicesKnowThePrecisionsInTheTable(t *testing.T) {
	for _, row := range Precisions {
		for name, known := range map[Name]bool{Auto: true, CPU: row.CPU, CUDA: row.CUDA, "cuda:1": row.CUDA} {
			if err := row.Name.CheckOn(name); (err == nil) != known {
				t.Errorf("%s on %s: %v", row.Name, name, err)
			}
		}
	}
	for _, name := range []Name{Auto, CPU, CUDA} {
		if err := AutoPrecision.CheckOn(name); err != nil {
			t.Errorf("auto on %s: %v", name, err)
		}
	}
	if err := TensorFloat32.CheckOn(CPU); err == nil || err.Error() != "the device cpu knows f32, f16 and bf16, not tf32" {
		t.Errorf("tf32 on the processor: %v", err)
	}
	if err := Precision("f8").CheckOn(Auto); err == nil || !strings.Contains(err.Error(), `unknown precision "f8", want one of auto, f32, tf32, f16, bf16`) {
		t.Errorf("f8: %v", err)
	}
}
