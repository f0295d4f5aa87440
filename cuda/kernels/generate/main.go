//go:build !windows

// Generate compiles the device kernels into images, machine code for each of
// kernels.Architectures and PTX for all others, or, with -check, tells whether those
// that are there are made of the sources that are there. Run it in the folder of the
// kernels.
//
// The compilers are in the folder that the environment variable NVRTC names; compiler.sh
// fetches those that are meant. A check does without them and then compares digests only;
// where NVRTC is set, it compiles anew and compares every byte.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"impasto/cuda/kernels"
)

const record = "kernels.sum"

// options of the compiler, beside the target and its folder of headers.
var options = []string{"-std=c++17", "-default-device", "-I.", "-Igenerate/include"}

// target is an image to be made.
type target struct {
	file     string
	compiler string // the folder that it is in
	version  string // of the compiler
	target   string
}

// targets are all images.
func targets() []target {
	list := []target{{"kernels.ptx", "ptx", "12.0", "compute_80"}}
	for _, architecture := range kernels.Architectures {
		list = append(list, target{architecture + ".cubin", "machine", "12.9", "sm_" + architecture})
	}
	return list
}

// embedded is the image that programs have.
func (t target) embedded() ([]byte, error) {
	if architecture, code := strings.CutPrefix(t.target, "sm_"); code {
		return kernels.Cubin(architecture)
	}
	return kernels.PTX()
}

func (t target) path() string { return filepath.Join("images", t.file+".zst") }

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
	images, err := compile()
	if err != nil {
		return err
	}
	sum, err := describe(images)
	if err != nil {
		return err
	}
	for i, t := range targets() {
		if err := write(t.path(), images[i]); err != nil {
			return err
		}
	}
	return os.WriteFile(record, sum, 0o644)
}

func write(path string, image []byte) error {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20))
	if err != nil {
		return err
	}
	defer encoder.Close()
	return os.WriteFile(path, encoder.EncodeAll(image, nil), 0o644)
}

func compare() error {
	var there [][]byte
	for _, t := range targets() {
		image, err := t.embedded()
		if err != nil {
			return err
		}
		there = append(there, image)
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
		return fmt.Errorf("the images aren't made of these sources; run make generate\n%s wants\n%s", record, sum)
	}
	if os.Getenv("NVRTC") == "" {
		return nil
	}
	made, err := compile()
	if err != nil {
		return err
	}
	for i, t := range targets() {
		if !bytes.Equal(made[i], there[i]) {
			return fmt.Errorf("the compiler makes of these sources something else than %s; run make generate", t.path())
		}
	}
	return nil
}

// describe digests the sources, all that else decides what is made of them, and images
// as they are uncompressed.
func describe(images [][]byte) ([]byte, error) {
	var sources []string
	for _, pattern := range []string{"*.cu", "*.h", "compiler*.txt", "generate/include/*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		sources = append(sources, paths...)
	}
	var text bytes.Buffer
	for _, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(content), source)
	}
	for i, t := range targets() {
		fmt.Fprintf(&text, "%x  %s, by nvrtc %s -arch=%s %s\n", sha256.Sum256(images[i]), t.file, t.version, t.target, strings.Join(options, " "))
	}
	return text.Bytes(), nil
}

// compile makes all images of all.cu.
func compile() ([][]byte, error) {
	folder := os.Getenv("NVRTC")
	if folder == "" {
		return nil, errors.New("compiling: no compiler: set NVRTC to what ./compiler.sh prints")
	}
	source, err := os.ReadFile("all.cu")
	if err != nil {
		return nil, err
	}
	list := targets()
	images, failures := make([][]byte, len(list)), make([]error, len(list))
	slots := make(chan struct{}, runtime.NumCPU())
	var all sync.WaitGroup
	for i, t := range list {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			images[i], failures[i] = t.make(string(source), filepath.Join(folder, t.compiler, "nvidia"))
		})
	}
	all.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err // what is wrong with a source, all compilers tell
		}
	}
	return images, nil
}

// make compiles a source into the image by the compiler in a folder.
func (t target) make(source, folder string) ([]byte, error) {
	compiler, err := openNVRTC(filepath.Join(folder, "cuda_nvrtc", "lib", "libnvrtc.so.12"), t.version)
	if err != nil {
		return nil, err
	}
	options := append([]string{"-arch=" + t.target, "-I" + filepath.Join(folder, "cuda_runtime", "include")}, options...)
	result, padding := compiler.cubin, ""
	if strings.HasPrefix(t.target, "compute_") {
		result, padding = compiler.ptx, "\x00" // which ends texts
	}
	image, err := compiler.build(source, options, result)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", t.file, err)
	}
	return bytes.TrimSuffix(image, []byte(padding)), nil
}
