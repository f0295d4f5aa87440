// What the kernels are written in: CUDA C++, the element types of maps, and one
// function for each instruction that C++ has no word for. Two bodies for each:
// what the hardware runs, and plain loops where the kernels are compiled for the
// host. Nothing else differs between the two.
#pragma once

#ifdef __CUDACC__

#include <cuda_bf16.h>
#include <cuda_fp16.h>

// KERNEL((threads[, blocks]), name, parameters…) begins an entry point with its
// launch bounds. Every parameter is eight bytes wide.
#define KERNEL(bounds, name, ...) extern "C" __global__ void __launch_bounds__ bounds name(__VA_ARGS__)

// Dynamic shared memory, aligned to 128 bytes.
#define DYNAMIC_SHARED(type, name)                                                                                     \
    extern __shared__ __align__(128) unsigned char dynamic_shared[];                                                   \
    type *name = reinterpret_cast<type *>(dynamic_shared)

#else
#include "host/emulation.h"
#endif

using Int = long long;

#ifdef __CUDACC__
using f16 = __half;
using bf16 = __nv_bfloat16;

__device__ __forceinline__ float to_float(f16 x) { return __half2float(x); }
__device__ __forceinline__ float to_float(bf16 x) { return __bfloat162float(x); }
template <class T> __device__ T from_float(float x);
template <> __device__ __forceinline__ f16 from_float<f16>(float x) { return __float2half_rn(x); }
template <> __device__ __forceinline__ bf16 from_float<bf16>(float x) { return __float2bfloat16_rn(x); }
#else
#include "host/halves.h"
#endif

__device__ __forceinline__ float to_float(float x) { return x; }
template <> __device__ __forceinline__ float from_float<float>(float x) { return x; }

constexpr int warp_size = 32;
constexpr unsigned all_lanes = 0xffffffffu;

template <class T> __device__ __forceinline__ T warp_sum(T value) {
    for (int by = warp_size / 2; by > 0; by /= 2) value += __shfl_xor_sync(all_lanes, value, by);
    return value;
}

// The sum of a value of each thread of a block of so many threads, to all of them.
// The order of summation is fixed.
template <int threads, class T> __device__ T block_sum(T value) {
    constexpr int warps = threads / warp_size;
    __shared__ T sums[warps];
    value = warp_sum(value);
    __syncthreads();
    if (threadIdx.x % warp_size == 0) sums[threadIdx.x / warp_size] = value;
    __syncthreads();
    T total = sums[0];
    for (int i = 1; i < warps; i++) total += sums[i];
    return total;
}

// The first index of this thread, and its step, where all threads of a grid share n
// elements.
__device__ __forceinline__ Int first_index() { return Int(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ __forceinline__ Int index_step() { return Int(gridDim.x) * blockDim.x; }
