//go:build !windows

package main

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// nvrtc is NVIDIA's compiler of CUDA C++ as a library, of which the functions are in
// nvrtc.h. They return 0 where all is well.
type nvrtc struct {
	create  func(program *uintptr, source, name string, headers int32, texts, names unsafe.Pointer) int32
	destroy func(program *uintptr) int32
	compile func(program uintptr, count int32, options unsafe.Pointer) int32
	log     accessor
	ptx     accessor
	cubin   accessor
}

// accessor is a pair of functions: how many bytes something of a program has, and those.
type accessor struct {
	size func(program uintptr, size *uint) int32
	get  func(program uintptr, to unsafe.Pointer) int32
}

// openNVRTC opens the library at a path, which must be of a version such as 12.9.
func openNVRTC(path, version string) (*nvrtc, error) {
	library, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("opening the compiler: %w", err)
	}
	c := &nvrtc{}
	var ask func(major, minor *int32) int32
	for name, function := range map[string]any{
		"nvrtcVersion": &ask, "nvrtcCreateProgram": &c.create, "nvrtcDestroyProgram": &c.destroy, "nvrtcCompileProgram": &c.compile,
		"nvrtcGetProgramLogSize": &c.log.size, "nvrtcGetProgramLog": &c.log.get,
		"nvrtcGetPTXSize": &c.ptx.size, "nvrtcGetPTX": &c.ptx.get,
		"nvrtcGetCUBINSize": &c.cubin.size, "nvrtcGetCUBIN": &c.cubin.get,
	} {
		at, err := purego.Dlsym(library, name)
		if err != nil {
			return nil, fmt.Errorf("opening the compiler %s: %w", path, err)
		}
		purego.RegisterFunc(function, at)
	}
	var major, minor int32
	if status := ask(&major, &minor); status != 0 || fmt.Sprintf("%d.%d", major, minor) != version {
		return nil, fmt.Errorf("opening the compiler %s: its version is %d.%d (status %d), want %s, which ./compiler.sh fetches",
			path, major, minor, status, version)
	}
	return c, nil
}

// build compiles a source, and returns what an accessor gives of it.
func (c *nvrtc) build(source string, options []string, result accessor) ([]byte, error) {
	var program uintptr
	if status := c.create(&program, source, "kernels.cu", 0, nil, nil); status != 0 {
		return nil, fmt.Errorf("nvrtcCreateProgram: status %d", status)
	}
	defer c.destroy(&program)
	var pins runtime.Pinner
	defer pins.Unpin()
	list := make([]*byte, len(options))
	for i, option := range options {
		text := append([]byte(option), 0)
		pins.Pin(&text[0])
		list[i] = &text[0]
	}
	pins.Pin(&list[0])
	status := c.compile(program, int32(len(list)), unsafe.Pointer(&list[0]))
	log, err := c.log.read(program)
	if err != nil {
		return nil, err
	}
	if text := strings.TrimSpace(strings.TrimRight(string(log), "\x00")); status != 0 || text != "" {
		return nil, fmt.Errorf("with %s: status %d\n%s", strings.Join(options, " "), status, text)
	}
	return result.read(program)
}

func (a accessor) read(program uintptr) ([]byte, error) {
	var size uint
	if status := a.size(program, &size); status != 0 || size == 0 {
		return nil, fmt.Errorf("reading a result of %d bytes: status %d", size, status)
	}
	bytes := make([]byte, size)
	if status := a.get(program, unsafe.Pointer(&bytes[0])); status != 0 {
		return nil, fmt.Errorf("reading a result: status %d", status)
	}
	return bytes, nil
}
