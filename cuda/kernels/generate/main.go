// Generate compiles the device kernels into one fat binary, or, with -check, tells
// whether the one that is there is made of the sources that are there. Run it in
// the folder of the kernels.
//
// The compiler is what the environment variable NVCC names; compiler.sh fetches the
// one that is meant. A check does without it and then compares digests only; where
// NVCC is set, it compiles anew and compares every byte.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	image  = "kernels.fatbin"
	record = "kernels.sum"
	// version of the compiler that images are made with.
	version = "V13.0.88"
)

// arguments of the compiler: code for compute capability 8.0, which serves 8.x too,
// and 9.0 with what only it has, and PTX for all later ones.
var arguments = []string{
	"-std=c++17", "-fatbin", "-compress-mode=size",
	"-gencode", "arch=compute_80,code=sm_80",
	"-gencode", "arch=compute_90a,code=sm_90a",
	"-gencode", "arch=compute_80,code=compute_80",
}

func main() {
	check := flag.Bool("check", false, "compare, write nothing")
	flag.Parse()
	run := generate
	if *check {
		run = compare
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}

func generate() error {
	made, err := compile()
	if err != nil {
		return err
	}
	sum, err := describe(made)
	if err != nil {
		return err
	}
	if err := os.WriteFile(image, made, 0o644); err != nil {
		return err
	}
	return os.WriteFile(record, sum, 0o644)
}

func compare() error {
	there, err := os.ReadFile(image)
	if err != nil {
		return err
	}
	recorded, err := os.ReadFile(record)
	if err != nil {
		return err
	}
	sum, err := describe(there)
	if err != nil {
		return err
	}
	if !bytes.Equal(sum, recorded) {
		return fmt.Errorf("%s isn't made of these sources; run make generate\n%s wants\n%s", image, record, sum)
	}
	if os.Getenv("NVCC") == "" {
		return nil
	}
	made, err := compile()
	if err != nil {
		return err
	}
	if !bytes.Equal(made, there) {
		return fmt.Errorf("the compiler makes of these sources something else than %s; run make generate", image)
	}
	return nil
}

// describe digests the sources, all that else decides what is made of them, and an
// image.
func describe(image []byte) ([]byte, error) {
	sources, err := filepath.Glob("*.cu")
	if err != nil {
		return nil, err
	}
	headers, err := filepath.Glob("*.h")
	if err != nil {
		return nil, err
	}
	sources = append(sources, headers...)
	var text bytes.Buffer
	for _, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(content), source)
	}
	fmt.Fprintf(&text, "nvcc %s %s\n%x\n", version, strings.Join(arguments, " "), sha256.Sum256(image))
	return text.Bytes(), nil
}

// compile makes an image of all.cu.
func compile() ([]byte, error) {
	compiler := os.Getenv("NVCC")
	if compiler == "" {
		return nil, errors.New("compiling: no compiler: set NVCC to what ./compiler.sh prints")
	}
	says, err := exec.Command(compiler, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("compiling: asking %s for its version: %w", compiler, err)
	}
	if got := regexp.MustCompile(`V[\d.]+`).Find(says); string(got) != version {
		return nil, fmt.Errorf("compiling: %s is %s, want %s, which ./compiler.sh fetches", compiler, got, version)
	}
	dir, err := os.MkdirTemp("", "kernels")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, image)
	command := exec.Command(compiler, append(arguments, "all.cu", "-o", out)...)
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compiling: %w\n%s", err, output)
	}
	return os.ReadFile(out)
}
