package kernels

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// images has one file for each of Architectures, and the PTX, as ./generate made them.
//
//go:embed images/*.zst
var images embed.FS

// Architectures are those that there is machine code for, as NVIDIA's tools call them: a
// compute capability without its point, and "a" where the code uses what only exactly
// that capability has.
var Architectures = []string{"80", "86", "89", "90a", "100", "120"}

// Architecture returns the one of Architectures whose code suits a device of a compute
// capability, such as 8.6, best: that of the same major version and the highest minor
// one that isn't above the device's. It is empty where there is none, which leaves PTX.
func Architecture(capability string) string {
	device, err := strconv.Atoi(strings.Replace(capability, ".", "", 1))
	if err != nil {
		return ""
	}
	best := ""
	for _, architecture := range Architectures {
		digits, exact := strings.CutSuffix(architecture, "a")
		code, _ := strconv.Atoi(digits)
		if code == device || !exact && code/10 == device/10 && code < device {
			best = architecture
		}
	}
	return best
}

// Cubin returns the kernels' machine code for one of Architectures, an ELF file that the
// driver loads.
func Cubin(architecture string) ([]byte, error) {
	image, err := read(architecture + ".cubin")
	if err != nil {
		return nil, fmt.Errorf("kernels: machine code for architecture %q: %w; there is some for %s",
			architecture, err, strings.Join(Architectures, ", "))
	}
	return image, nil
}

// PTX returns the kernels in the language that drivers compile themselves, for any
// compute capability from 8.0 on.
func PTX() ([]byte, error) {
	image, err := read("kernels.ptx")
	if err != nil {
		return nil, fmt.Errorf("kernels: PTX: %w", err)
	}
	return image, nil
}

func read(name string) ([]byte, error) {
	text, err := images.ReadFile("images/" + name + ".zst")
	if err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	return decoder.DecodeAll(text, nil)
}
