//go:build gpu && cgo && (linux || windows)

// Package driver reaches the CUDA driver of the machine, libcuda.so.1 or nvcuda.dll, when it
// is asked to, so that a program starts where there is none. gorgonia.org/cu, whose
// calls go through this package's trampolines, covers most of the driver; what it
// lacks is here: graphs of captured work, pinned memory of the host, and large
// shared memory.
//
// The driver keeps a current context by thread: callers lock the thread and set
// it, as package cuda does in one place.
package driver

/*
#cgo LDFLAGS: -L${SRCDIR}/stub
#cgo linux LDFLAGS: -Wl,--as-needed -ldl
#include <stdlib.h>
#include <string.h>
#include <cuda.h>
#include "driver.h"

// The driver wants a map at a multiple of 64 bytes, which Go can't promise.
static CUresult encode(void *to, CUtensorMapDataType type, int rank, CUdeviceptr tensor, const cuuint64_t *sizes, const cuuint32_t *box) {
	CUtensorMap map;
	cuuint64_t strides[4], bytes = 2;
	cuuint32_t steps[4] = {1, 1, 1, 1};
	for (int i = 0; i < rank; i++)
		strides[i] = bytes *= sizes[i];
	CUresult result = cuTensorMapEncodeTiled(&map, type, rank, (void *)tensor, sizes, strides, box, steps,
		CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
		CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
	if (result == CUDA_SUCCESS)
		memcpy(to, &map, sizeof map);
	return result;
}

// log, of at least one byte, becomes what the driver's compiler says.
static CUresult load_module(CUmodule *module, const void *image, char *log, size_t size) {
	CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
	void *values[] = {log, (void *)size};
	*log = 0;
	CUresult result = cuModuleLoadDataEx(module, image, 2, options, values);
	log[size - 1] = 0;
	return result;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unsafe"

	"gorgonia.org/cu"
)

//go:generate go run generate.go

// NotFoundError says that the machine has no driver library that can be loaded.
type NotFoundError struct{ Reason string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no NVIDIA driver (%s)", e.Reason)
}

// Status is a result of the driver that isn't success, as CUresult numbers them.
type Status int

// Results that callers tell apart.
const (
	OutOfMemory Status = C.CUDA_ERROR_OUT_OF_MEMORY
	NoDevice    Status = C.CUDA_ERROR_NO_DEVICE
)

// Required is the version of CUDA whose driver has every entry point: 12.0. NVIDIA's
// drivers speak it from 525 on.
const Required = 12000

// Stops tells whether nothing can be done on a device after it has met the status:
// all but those that say that one call asked for what it can't have.
func (s Status) Stops() bool {
	return s != OutOfMemory && s != C.CUDA_ERROR_INVALID_VALUE && s != C.CUDA_ERROR_NOT_FOUND
}

// Error is the driver's name of the status.
func (s Status) Error() string {
	var name *C.char
	if C.cuGetErrorName(C.CUresult(s), &name) == C.CUDA_SUCCESS && name != nil {
		return C.GoString(name)
	}
	return fmt.Sprintf("driver status %d", int(s))
}

// StatusOf is the driver's status in an error of this package or of
// gorgonia.org/cu, or 0 where there is none.
func StatusOf(err error) Status {
	var status Status
	if errors.As(err, &status) {
		return status
	}
	result := cu.Success // of a type that is not exported
	if errors.As(err, &result) {
		return Status(result)
	}
	return 0
}

func check(result C.CUresult) error {
	if result == C.CUDA_SUCCESS {
		return nil
	}
	return Status(result)
}

var load = sync.OnceValue(func() error {
	var reason *C.char
	switch status := C.driver_load(&reason); status {
	case C.CUDA_SUCCESS:
		return nil
	case -1:
		return &NotFoundError{C.GoString(reason)}
	default:
		return Status(status)
	}
})

// Load finds the driver and starts it, at the first call. Nothing else of this
// package or of gorgonia.org/cu works before. It fails with a *NotFoundError
// where there is no driver, and with the driver's Status where that can't start.
func Load() error { return load() }

// LoadError is what the driver has against an image of kernels.
type LoadError struct {
	Status Status
	Log    string // of its compiler, if it says anything
}

func (e *LoadError) Error() string {
	if e.Log == "" {
		return e.Status.Error()
	}
	return fmt.Sprintf("%v: %s", e.Status, e.Log)
}

// Unwrap returns the status.
func (e *LoadError) Unwrap() error { return e.Status }

// LoadModule loads kernels into the current context: machine code for its device, or
// PTX, which the driver compiles. It fails with a *LoadError.
func LoadModule(image []byte) (cu.Module, error) {
	text := C.CBytes(append(image[:len(image):len(image)], 0)) // PTX ends with a zero
	defer C.free(text)
	var log [4096]C.char
	var module C.CUmodule
	if status := C.load_module(&module, text, &log[0], C.size_t(len(log))); status != C.CUDA_SUCCESS {
		return cu.Module{}, &LoadError{Status(status), strings.TrimSpace(C.GoString(&log[0]))}
	}
	return *(*cu.Module)(unsafe.Pointer(&module)), nil
}

// HostMemory is memory of the host that the device can reach while kernels run.
type HostMemory struct {
	pointer unsafe.Pointer
	size    int
}

// NewHostMemory allocates so many bytes.
func NewHostMemory(size int) (HostMemory, error) {
	m := HostMemory{size: size}
	err := check(C.cuMemHostAlloc(&m.pointer, C.size_t(size), 0))
	return m, err
}

// Float64s is the memory from a byte offset on as so many numbers.
func (m HostMemory) Float64s(offset, n int) []float64 {
	return unsafe.Slice((*float64)(unsafe.Add(m.pointer, offset)), n)
}

// Pointer is where the memory begins.
func (m HostMemory) Pointer() unsafe.Pointer { return m.pointer }

// Free gives the memory back.
func (m HostMemory) Free() error {
	if m.pointer == nil {
		return nil
	}
	return cu.MemFreeHost(m.pointer)
}

// AllowShared lets launches of a function have so many bytes of dynamic shared
// memory, more than the 48 KiB that they may have unasked.
func AllowShared(fn cu.Function, bytes int) error {
	f := *(*C.CUfunction)(unsafe.Pointer(&fn))
	return check(C.cuFuncSetAttribute(f, C.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, C.int(bytes)))
}

// TensorMap is what copies of boxes of a tensor need to know of it.
type TensorMap [128]byte

// NewTensorMap describes a tensor of two-byte elements without gaps, bfloat16 or
// else float16, of these sizes from the innermost on, for copies of boxes with a
// swizzle of 128 bytes and zeros outside. There are at most four sizes.
func NewTensorMap(tensor cu.DevicePtr, brain bool, sizes, box []int) (TensorMap, error) {
	var m TensorMap
	var size [4]C.cuuint64_t
	var edges [4]C.cuuint32_t
	for i := range sizes {
		size[i], edges[i] = C.cuuint64_t(sizes[i]), C.cuuint32_t(box[i])
	}
	var of C.CUtensorMapDataType = C.CU_TENSOR_MAP_DATA_TYPE_FLOAT16
	if brain {
		of = C.CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
	}
	err := check(C.encode(unsafe.Pointer(&m), of, C.int(len(sizes)), C.CUdeviceptr(tensor), &size[0], &edges[0]))
	return m, err
}
