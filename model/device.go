package model

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"impasto/cuda"
	"impasto/internal/cpu"
	"impasto/internal/plan"
)

// Precisions are what Options.Precision may be.
var Precisions = cuda.Precisions

// processorPrecisions are those that the processor knows: f16 keeps features in
// float16, bf16 multiplies bfloat16 in convolutions, and all else is float32.
var processorPrecisions = []string{"f32", "f16", "bf16"}

var cudaDevice = regexp.MustCompile(`^cuda(:[0-9]+)?$`)

func checkDevice(name, precision string) error {
	if err := checkName("Precision", "precision", precision, Precisions); err != nil {
		return err
	}
	switch {
	case name == "auto":
		return nil
	case name == "cpu":
		if !slices.Contains(processorPrecisions, precision) {
			return &OptionError{"Precision", fmt.Sprintf("the device cpu knows f32, f16 and bf16, not %s", precision)}
		}
		return nil
	case cudaDevice.MatchString(name):
		if !cuda.Built {
			_, err := cuda.NewDevice(cuda.Options{})
			return &OptionError{"Device", fmt.Sprintf("%s needs what this build does not support: %v; or use the device auto or cpu",
				name, strings.TrimPrefix(err.Error(), "cuda: "))}
		}
		return nil
	}
	return checkName("Device", "device", name, []string{"auto", "cpu", "cuda", "cuda:0"})
}

// openDevice opens the device that a checked name means; auto is the first GPU that
// can be used, or else the processor.
func openDevice(name, precision string, o cpu.Options) (plan.Device, error) {
	o.BFloat16, o.Float16 = precision == "bf16", precision == "f16"
	switch name {
	case "cpu":
		return cpu.NewDevice(o)
	case "auto":
		device, err := openAny(precision)
		if device != nil || err != nil {
			return device, err
		}
		if !slices.Contains(processorPrecisions, precision) {
			return nil, fmt.Errorf("there is no GPU that can be used for this, and the device cpu knows f32, f16 and bf16, not %s", precision)
		}
		return cpu.NewDevice(o)
	}
	index := 0
	if _, text, numbered := strings.Cut(name, ":"); numbered {
		var err error
		if index, err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("GPU %s: no such number", text)
		}
	}
	return cuda.NewDevice(cuda.Options{Index: index, Precision: precision})
}

// openAny opens the first GPU that can be used, or none where there is none.
func openAny(precision string) (plan.Device, error) {
	infos, err := cuda.Devices()
	var unavailable *cuda.UnavailableError
	if errors.As(err, &unavailable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, info := range infos {
		if info.Problem == "" {
			return cuda.NewDevice(cuda.Options{Index: info.Index, Precision: precision})
		}
	}
	return nil, nil
}
