//go:build gpu && cgo && linux

// Package host compiles the device's kernels for the host and runs them there, so
// that tests need no GPU. See emulation.h for what that finds and what it can't.
package host

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

struct dim3 { unsigned x, y, z; };

static const char *call_launch(void *f, const char *name, struct dim3 grid, struct dim3 block, size_t shared, const uint64_t *values, int count) {
	const void *arguments[64];
	for (int i = 0; i < count; i++) arguments[i] = values + i;
	return ((const char *(*)(const char *, struct dim3, struct dim3, size_t, const void *const *))f)(name, grid, block, shared, arguments);
}
static int call_parameters(void *f, const char *name) { return ((int (*)(const char *))f)(name); }
static int call_encode(void *f, void *map, int type, unsigned rank, const void *address, const uint64_t *sizes, const uint64_t *strides, const uint32_t *box) {
	static const uint32_t steps[] = {1, 1, 1};
	return ((int (*)(void *, int, unsigned, const void *, const uint64_t *, const uint64_t *, const uint32_t *, const uint32_t *, int, int, int, int))f)(map, type, rank, address, sizes, strides, box, steps, 0, 3, 0, 0);
}
static const char *call_kernel(void *f, int i) { return ((const char *(*)(int))f)(i); }
static void call_order(void *f, int order) { ((void (*)(int))f)(order); }
static void call_banks(void *f, int begin, long long *wavefronts, long long *least) { ((void (*)(int, long long *, long long *))f)(begin, wavefronts, least); }
*/
import "C"

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"unsafe"
)

// Sources returns the folder of the kernels' sources.
func Sources() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// touch opens all that the compiler reads, which it does without the go command's
// knowing: so its cache of test results knows that these depend on it.
func touch() error {
	for _, pattern := range []string{"*.cu", "*.h", "host/*"} {
		paths, err := filepath.Glob(filepath.Join(Sources(), pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			file.Close()
		}
	}
	return nil
}

// Checked tells whether kernels are compiled with checks: for races between threads, which
// watch.h describes, and for what C++ leaves undefined. They are some ten times slower
// then. The environment variable IMPASTO_CHECKED asks for it.
func Checked() bool { return os.Getenv("IMPASTO_CHECKED") != "" }

// checks are the compiler's options for kernels with checks. What the emulation does itself
// goes without.
var checks = []string{"-fsanitize=thread", "-fsanitize=undefined", "-fno-sanitize-recover=all"}

// Compile compiles the kernels and the emulation, position-independent, into object files
// in dir, and returns their paths. It needs g++, or the compiler that CXX names.
func Compile(dir string) ([]string, error) {
	kernels, err := filepath.Glob(filepath.Join(Sources(), "*.cu"))
	if err != nil {
		return nil, err
	}
	return compile(dir, kernels...)
}

// compile compiles sources in CUDA C++ and the emulation.
func compile(dir string, sources ...string) ([]string, error) {
	if err := touch(); err != nil {
		return nil, err
	}
	emulation, err := filepath.Glob(filepath.Join(Sources(), "host", "*.cc"))
	if err != nil {
		return nil, err
	}
	sources = append(emulation, sources...)
	objects, failures := make([]string, len(sources)), make([]error, len(sources))
	slots := make(chan struct{}, runtime.NumCPU())
	var all sync.WaitGroup
	for i, source := range sources {
		if filepath.Base(source) == "all.cu" {
			continue
		}
		objects[i] = filepath.Join(dir, filepath.Base(source)+".o")
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			arguments := []string{"-std=c++20", "-O2", "-ftree-vectorize", "-fvect-cost-model=dynamic", "-fPIC", "-fno-strict-aliasing",
				"-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-x", "c++", "-c", source, "-o", objects[i]}
			if runtime.GOARCH == "amd64" {
				arguments = append(arguments, "-mf16c", "-mfma", "-mavx2")
			}
			if Checked() && filepath.Ext(source) == ".cu" {
				arguments = append(arguments, checks...)
			}
			command := exec.Command(compiler(), arguments...)
			if output, err := command.CombinedOutput(); err != nil {
				failures[i] = fmt.Errorf("compiling %s for the host: %w\n%s", source, err, bytes.TrimSpace(output))
			}
		})
	}
	all.Wait()
	var built []string
	for _, object := range objects {
		if object != "" {
			built = append(built, object)
		}
	}
	return built, errors.Join(failures...)
}

// Library is the kernels compiled for the host. Its methods aren't to be called
// at the same time.
type Library struct{ launch, parameters, kernel, order, encode, banks unsafe.Pointer }

// compiler is g++, or the one that CXX names.
func compiler() string { return cmp.Or(os.Getenv("CXX"), "g++") }

// BuildOf compiles sources in CUDA C++, and the emulation, into a library in dir and opens it.
func BuildOf(dir string, sources ...string) (*Library, error) {
	objects, err := compile(dir, sources...)
	if err != nil {
		return nil, err
	}
	return link(dir, objects)
}

// link links a library in dir and opens it.
func link(dir string, objects []string) (*Library, error) {
	path := filepath.Join(dir, "libkernels.so")
	arguments := append([]string{"-shared", "-Wl,-Bsymbolic", "-o", path}, objects...)
	if Checked() {
		arguments = append(arguments, "-fsanitize=undefined")
	}
	if output, err := exec.Command(compiler(), arguments...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("linking the kernels for the host: %w\n%s", err, output)
	}
	return Open(path)
}

// Open opens a library that has what Compile makes.
func Open(path string) (*Library, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	handle := C.dlopen(name, C.RTLD_NOW)
	if handle == nil {
		return nil, fmt.Errorf("opening the kernels for the host: %s", C.GoString(C.dlerror()))
	}
	l := &Library{}
	for symbol, to := range map[string]*unsafe.Pointer{
		"standin_launch": &l.launch, "standin_parameters": &l.parameters, "standin_kernel": &l.kernel,
		"standin_order": &l.order, "standin_encode_tiled": &l.encode, "standin_banks": &l.banks,
	} {
		s := C.CString(symbol)
		*to = C.dlsym(handle, s)
		C.free(unsafe.Pointer(s))
		if *to == nil {
			return nil, fmt.Errorf("opening the kernels for the host: no %s in it", symbol)
		}
	}
	return l, nil
}

// Kernels returns the names of all that can be launched: the entry points of the
// sources.
func (l *Library) Kernels() []string {
	var names []string
	for name := C.call_kernel(l.kernel, 0); name != nil; name = C.call_kernel(l.kernel, C.int(len(names))) {
		names = append(names, C.GoString(name))
	}
	return names
}

// Order is how the threads of a block take turns.
type Order int

// Results may not depend on it.
const (
	Forward Order = iota
	Backward
	WarpsBackward
	Orders
)

// SetOrder sets the order of later launches.
func (l *Library) SetOrder(o Order) { C.call_order(l.order, C.int(o)) }

// Dim is the size of a grid or a block; zeros count as ones.
type Dim struct{ X, Y, Z int }

func (d Dim) dim3() C.struct_dim3 {
	return C.struct_dim3{x: C.uint(max(d.X, 1)), y: C.uint(max(d.Y, 1)), z: C.uint(max(d.Z, 1))}
}

// Words are the arguments of a launch as kernels take them: int, float64, unsafe.Pointer or
// Memory.
func Words(name string, arguments ...any) ([]uint64, error) {
	values := make([]uint64, len(arguments))
	for i, argument := range arguments {
		switch a := argument.(type) {
		case int:
			values[i] = uint64(a)
		case float64:
			values[i] = math.Float64bits(a)
		case unsafe.Pointer:
			values[i] = uint64(uintptr(a))
		case Memory:
			values[i] = uint64(uintptr(a.at))
		default:
			return nil, fmt.Errorf("launching %s: argument %d is a %T, want an int, a float64 or memory", name, i+1, a)
		}
	}
	return values, nil
}

// Launch runs a kernel to its end. Arguments are those of Words.
func (l *Library) Launch(name string, grid, block Dim, shared int, arguments ...any) error {
	values, err := Words(name, arguments...)
	if err != nil {
		return err
	}
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	if want := int(C.call_parameters(l.parameters, n)); want >= 0 && want != len(values) {
		return fmt.Errorf("launching %s: %d arguments, want %d", name, len(values), want)
	}
	var first *C.uint64_t
	if len(values) > 0 {
		first = (*C.uint64_t)(unsafe.Pointer(&values[0]))
	}
	if message := C.call_launch(l.launch, n, grid.dim3(), block.dim3(), C.size_t(shared), first, C.int(len(values))); message != nil {
		return errors.New(C.GoString(message))
	}
	return nil
}

// Banks runs f and returns how many turns the banks of dynamic shared memory took for the
// accesses of what it launches, and how many that would have been without conflicts. Only
// kernels with checks tell.
func (l *Library) Banks(f func()) (turns, least int) {
	var counted, ideal C.longlong
	C.call_banks(l.banks, 1, nil, nil)
	f()
	C.call_banks(l.banks, 0, &counted, &ideal)
	return int(counted), int(ideal)
}

// TensorMap returns what the driver makes of a tensor of two-byte elements, float16 or
// bfloat16, without gaps, of these sizes from the innermost on, for copies of boxes
// with a swizzle of 128 bytes.
func (l *Library) TensorMap(tensor Memory, brain bool, sizes, box []int) (Memory, error) {
	var size, stride [3]C.uint64_t
	var edges [3]C.uint32_t
	bytes := 2
	for i, n := range sizes {
		bytes *= n
		size[i], stride[i], edges[i] = C.uint64_t(n), C.uint64_t(bytes), C.uint32_t(box[i])
	}
	kind := C.int(6)
	if brain {
		kind = 9
	}
	m := Allocate(2 * mapBytes)
	m = m.At(int(-uintptr(m.at) % mapBytes))
	if C.call_encode(l.encode, m.at, kind, C.uint(len(sizes)), tensor.at, &size[0], &stride[0], &edges[0]) != 0 {
		return m, fmt.Errorf("making a tensor map of sizes %v, box %v: the driver wouldn't take it", sizes, box)
	}
	return m, nil
}

const mapBytes = 128

// Memory is memory of the emulated device. It ends at a protected page, so that a
// kernel that goes beyond it faults.
type Memory struct {
	at   unsafe.Pointer
	size int
}

const page = 4096

// allocate is another way to get memory, unless nil.
var allocate func(bytes int) unsafe.Pointer

// AllocateBy has Allocate take memory from another source, as where kernels run on a GPU that
// shares memory with the host.
func AllocateBy(f func(bytes int) unsafe.Pointer) { allocate = f }

// Allocate returns so many bytes, each of the value 0xff: numbers that aren't any.
// They are aligned to 16 bytes.
func Allocate(size int) Memory {
	size = (size + 15) / 16 * 16
	if allocate != nil {
		m := Memory{allocate(size), size}
		m.fill()
		return m
	}
	room := (size + page - 1) / page * page
	at := C.mmap(nil, C.size_t(room+page), C.PROT_READ|C.PROT_WRITE, C.MAP_PRIVATE|C.MAP_ANONYMOUS, -1, 0)
	C.mprotect(unsafe.Add(at, room), page, C.PROT_NONE)
	m := Memory{unsafe.Add(at, room-size), size}
	m.fill()
	return m
}

func (m Memory) fill() {
	all := Of[byte](m)
	for i := range all {
		all[i] = 0xff
	}
}

// Pointer is where the memory begins, on the host and on the emulated device.
func (m Memory) Pointer() unsafe.Pointer { return m.at }

// Of views memory as a slice.
func Of[T any](m Memory) []T {
	var element T
	return unsafe.Slice((*T)(m.at), m.size/int(unsafe.Sizeof(element)))
}

// From copies a slice to memory.
func From[T any](s []T) Memory {
	var element T
	m := Allocate(len(s) * int(unsafe.Sizeof(element)))
	copy(Of[T](m), s)
	return m
}

// At is the memory from byte offset on.
func (m Memory) At(offset int) Memory { return Memory{unsafe.Add(m.at, offset), m.size - offset} }
