package kernels_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"impasto/cuda/kernels"
	"impasto/cuda/kernels/cubin"
)

func TestDevicesRunCodeOfTheirGeneration(t *testing.T) {
	for capability, want := range map[string]string{
		"7.5": "", "8.0": "80", "8.6": "86", "8.7": "86", "8.8": "86", "8.9": "89", "9.0": "90a", "9.1": "",
		"10.0": "100", "10.3": "100", "11.0": "", "12.0": "120", "12.1": "120", "13.0": "", "": "",
	} {
		if got := kernels.Architecture(capability); got != want {
			t.Errorf("compute capability %q has code %q, want %q", capability, got, want)
		}
	}
}

// TestCodeLoadsOnDriversOfCUDA12 looks at the binary interface that files are of. Up to
// architecture 90 it is the one that the compiler of CUDA 12.0 writes, later ones have
// that of 12.8, which knew them first.
func TestCodeLoadsOnDriversOfCUDA12(t *testing.T) {
	const machineCUDA = 190
	for _, architecture := range kernels.Architectures {
		file, flags := openCubin(t, architecture)
		digits, exact := strings.CutSuffix(architecture, "a")
		code, _ := strconv.Atoi(digits)
		system, version := elf.OSABI(0x33), uint8(7)
		got, specific := flags&0xff, flags&0x800 != 0
		if code >= 100 {
			system, version = 0x41, 8
			got, specific = flags>>8&0xff, flags&8 != 0
		}
		if file.Machine != machineCUDA || file.OSABI != system || file.ABIVersion != version {
			t.Errorf("%s: machine %d, interface %#x version %d, want %d, %#x version %d",
				architecture, file.Machine, file.OSABI, file.ABIVersion, machineCUDA, system, version)
		}
		if int(got) != code || specific != exact {
			t.Errorf("%s: the file says that it is for %d, specific: %v", architecture, got, specific)
		}
	}
}

// openCubin opens machine code, and returns its ELF flags.
func openCubin(t *testing.T, architecture string) (file *elf.File, flags uint32) {
	t.Helper()
	image, err := kernels.Cubin(architecture)
	if err != nil {
		t.Fatal(err)
	}
	if file, err = cubin.Open(image); err != nil {
		t.Fatalf("%s: %v", architecture, err)
	}
	return file, binary.LittleEndian.Uint32(image[48:])
}

func TestPTXIsReadByDriversOfCUDA12(t *testing.T) {
	text, err := kernels.PTX()
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^\.version 8\.0\n\.target sm_80\n`).Match(text) {
		t.Errorf("PTX begins with %q, want version 8.0 for sm_80", text[:min(300, len(text))])
	}
	if bytes.IndexByte(text, 0) >= 0 {
		t.Error("there is a zero in the PTX, where drivers stop to read")
	}
}

// TestImagesHaveEveryKernel looks for the kernels that there are functions for.
func TestImagesHaveEveryKernel(t *testing.T) {
	text, err := kernels.PTX()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]map[string]bool{"PTX": {}}
	for _, entry := range regexp.MustCompile(`\.entry (\w+)\(`).FindAllSubmatch(text, -1) {
		there["PTX"][string(entry[1])] = true
	}
	for _, architecture := range kernels.Architectures {
		file, _ := openCubin(t, architecture)
		there[architecture] = map[string]bool{}
		for _, section := range file.Sections {
			if name, ok := strings.CutPrefix(section.Name, ".text."); ok {
				there[architecture][name] = true
			}
		}
	}
	names := launchable(t)
	for image, kernels := range there {
		for name := range names {
			if !kernels[name] {
				t.Errorf("%s has no kernel %s; run make generate", image, name)
			}
		}
		if len(kernels) != len(names) {
			t.Errorf("%s has %d kernels, want %d", image, len(kernels), len(names))
		}
	}
}

func TestUnknownArchitecturesAreRefused(t *testing.T) {
	if _, err := kernels.Cubin("75"); err == nil || !strings.Contains(err.Error(), `"75"`) || !strings.Contains(err.Error(), "90a") {
		t.Errorf("error %v, want one that names 75 and what there is", err)
	}
}

// launchable returns the names of all kernels that launches.go has a function for.
func launchable(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("launches.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, comment := range regexp.MustCompile(`(?m)^// \w+ launches (.*)\.$`).FindAllSubmatch(text, -1) {
		for _, name := range regexp.MustCompile(`\w+`).FindAllString(string(comment[1]), -1) {
			names[name] = true
		}
	}
	delete(names, "or")
	return names
}
